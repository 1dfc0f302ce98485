from dataclasses import replace

import pytest
import torch

from motiongen import checkpoint, features
from motiongen.data.cache import write_cache
from motiongen.data.dance_bank import DanceBank
from motiongen.data.dance_bank_config import DanceBankConfig
from motiongen.heads.badm.config import PRESETS, BADMTrainConfig
from motiongen.heads.badm.model import BADM
from motiongen.heads.badm.recipe import BADMRecipe
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from tests.core.data.test_pairing import nodding
from tests.core.motions import t_pose
from tests.core.training.tiny import tiny_tokenizer

BANK = DanceBankConfig(songs=1, least_score=0.3, workers=1)
TRAIN = BADMTrainConfig(batch_size=4, held_out_windows=4, phases=2, bank=BANK)


def sizes(space: str):
    whole = PRESETS["small"][space]
    short = whole.slice_length // 3
    return replace(
        whole, dim=16, num_layers=1, num_heads=2, feedforward_dim=16, music_width=8, slice_length=short
    )


def dance_cache(folder):
    """Two dances to train on, one held out, one whose dataset knows its beat, and an idle."""

    def clip(name, split, motion, content=None, **meta):
        facts = {"id": f"own/{name}", "source": "own", "licence": "CC0", "split": split, "content": content}
        return facts | {"meta": meta}, motion

    def dance(beat):
        return nodding(torch.arange(0.21, 9, beat).numpy(), 8.0)

    return write_cache(
        folder,
        [
            clip("a", "train", dance(0.6), dance_style="salsa"),
            clip("b", "train", dance(0.5), dance_style="ballet"),
            clip("c", "test", dance(0.55), dance_style="salsa"),
            clip("d", "train", dance(0.6), dance_style="house", bpm="100", first_beat="0.2"),
            clip("e", "train", t_pose(120), content="idle"),
            clip("f", "train", t_pose(120), content="sit"),
        ],
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return dance_cache(tmp_path_factory.mktemp("dances"))


@pytest.fixture(scope="module")
def bank(cache):
    return DanceBank.open(cache, BANK)


def test_dances_are_paired_by_their_accents_and_idles_with_silence(bank):
    styles = {record.clip: record.style for record in bank.records}
    assert styles == {
        "own/a": "salsa", "own/b": "ballet", "own/c": "salsa", "own/d": "house", "own/e": "idle",
    }  # fmt: skip
    assert all(record.bpm == 0 for record in bank.records if record.style == "idle")
    assert all(record.score >= 0.3 for record in bank.records if record.bpm)


def test_a_beat_that_the_dataset_knows_is_kept(bank, cache):
    index, record = next((i, r) for i, r in enumerate(bank.records) if r.clip == "own/d")
    assert (record.bpm, record.num_frames) == (100.0, 240)
    torch.testing.assert_close(record.beat_times()[:3], torch.tensor([0.2, 0.8, 1.4], dtype=torch.float64))
    torch.testing.assert_close(bank.frames(index), cache.features(3), atol=2e-3, rtol=0)
    assert bank.beats(index).nonzero()[:3, 0].tolist() == [6, 24, 42]


def test_a_bank_is_made_once(bank, cache):
    modified = (bank.folder / "frames.f16").stat().st_mtime_ns
    again = DanceBank.open(cache, replace(BANK, workers=2))
    assert again.records == bank.records
    assert (bank.folder / "frames.f16").stat().st_mtime_ns == modified


@pytest.mark.parametrize("space", ["latent", "motion", "edge"])
def test_a_window_and_its_music_lie_at_the_same_frames(cache, bank, space):
    recipe = BADMRecipe.from_cache(cache, tiny_tokenizer(), sizes(space), TRAIN)
    batch = recipe.sample(torch.Generator().manual_seed(0))
    config = recipe.model.config
    assert batch["window"].shape == (4, config.window, config.channels)
    assert batch["music"].shape == (4, config.window_frames, 34)
    assert batch["beats"].shape == (4, config.window_frames)
    assert set(config.styles) == {"salsa", "ballet", "house"}
    losses = recipe.loss(batch, torch.Generator().manual_seed(1))
    assert all(torch.isfinite(value) for value in losses.values())
    assert {"reconstruction", "velocity", "position", "contact", "rhythm"} < set(losses)


def test_motion_that_is_no_dance_keeps_its_style(cache):
    recipe = BADMRecipe.from_cache(
        cache, None, sizes("motion"), replace(TRAIN, idle_share=0.9, rhythmic_share=0)
    )
    batch = recipe.sample(torch.Generator().manual_seed(0))
    is_idle = batch["style"] == len(recipe.model.config.styles)
    assert is_idle.any() and torch.equal(is_idle, batch["keep_style"])


def test_mirrored_windows_are_mirrored_dances(cache):
    recipe = BADMRecipe.from_cache(cache, None, sizes("motion"), TRAIN)
    first, second = recipe.dances[:2]
    torch.testing.assert_close(
        features.mirror(first.sequence.float()), second.sequence.float(), atol=1e-3, rtol=0
    )


@pytest.mark.slow
def test_training_goes_on_with_the_same_bits_and_exports_a_model(cache, tmp_path):
    def trainer(steps, folder):
        torch.manual_seed(0)
        recipe = BADMRecipe.from_cache(cache, None, sizes("motion"), TRAIN)
        return Trainer(recipe, TrainConfig(steps=steps, decay=1.0), tmp_path / folder)

    whole = trainer(4, "whole")
    whole.run()
    part = trainer(4, "part")
    for _ in range(2):
        part.train_step()
    part.save()
    resumed = trainer(4, "part")
    resumed.run(resume=True)
    for a, b in zip(whole.recipe.model.parameters(), resumed.recipe.model.parameters(), strict=True):
        assert torch.equal(a, b)
    loaded = checkpoint.load(tmp_path / "whole", BADM)
    assert loaded.config.styles == ("ballet", "house", "salsa")
    assert "CC0" in (tmp_path / "whole" / "README.md").read_text()


def test_a_cache_without_dances_says_what_is_missing(tmp_path):
    facts = {"id": "own/a", "source": "own", "licence": "CC0", "split": "train"}
    with pytest.raises(ValueError, match="expected clips of dances"):
        DanceBank.open(write_cache(tmp_path, [(facts, t_pose(60))]), BANK)
