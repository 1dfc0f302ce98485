from dataclasses import replace

import pytest

from motiongen import features
from motiongen.data.dance_bank import DanceBank
from motiongen.evaluation.config import DanceEvaluateConfig
from motiongen.evaluation.dance_report import (
    COLUMNS,
    DanceMetrics,
    evaluate_dances,
    held_out_excerpts,
    retrieval_baseline,
)
from tests.core.heads.badm.test_recipe import BANK, dance_cache

CONFIG = DanceEvaluateConfig(seconds=4, window=1, pieces=6, reference_windows=40)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    return DanceBank.open(dance_cache(tmp_path_factory.mktemp("dances")), BANK)


def test_excerpts_are_of_held_out_dances_with_their_beats_inside(bank):
    excerpts = held_out_excerpts(bank, CONFIG)
    assert len(excerpts) >= 2
    for excerpt in excerpts:
        assert excerpt.motion.num_frames == excerpt.music.num_frames <= 120
        assert excerpt.beats.min() >= 0 and excerpt.beats.max() < excerpt.motion.seconds
        marked = excerpt.music.beats[0].nonzero()[:, 0] / features.FPS
        assert len(marked) == pytest.approx(len(excerpt.beats), abs=1)


def test_the_real_dances_are_on_their_beats_and_near_themselves(bank):
    metrics = DanceMetrics(bank, CONFIG)
    row = metrics.measure([excerpt.motion for excerpt in metrics.excerpts])
    assert set(row) <= set(COLUMNS)
    assert row["alignment"] > 0.6 and row["precision"] > 0.6
    assert row["fid_k"] < 30 and row["pfc"] >= 0


@pytest.mark.parametrize("seed", [0, 1])
def test_a_retrieved_dance_is_as_long_as_the_song_and_on_its_beats(bank, seed):
    excerpt = held_out_excerpts(bank, CONFIG)[0]
    found = retrieval_baseline(bank)(excerpt.music, seed)
    assert found.num_frames == excerpt.music.num_frames


def test_a_report_puts_dancers_beside_real_and_retrieved_dances(bank, tmp_path):
    still = evaluate_dances(bank, {"still": lambda music, seed: bank.motion(0)[: music.num_frames]}, CONFIG)
    assert list(still.rows) == ["real, paired", "retrieved by tempo", "still"]
    still.save(tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert text.count("\n|") >= 4 and "BAS" in text and "PFC" in text


def test_a_bank_without_held_out_dances_is_refused(bank):
    with pytest.raises(ValueError, match="expected held-out dances"):
        DanceMetrics(bank, DanceEvaluateConfig(seconds=30, window=20))


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_songs_are_those_of_the_split(bank, split):
    """So options can be chosen on other songs than those that are reported."""
    whole = replace(CONFIG, seconds=1000, pieces=1000, split=split)  # an excerpt a dance
    dances = [r for r in bank.records if r.split == split and r.is_dance and r.bpm]
    assert len(held_out_excerpts(bank, whole)) == len(dances) > 0
