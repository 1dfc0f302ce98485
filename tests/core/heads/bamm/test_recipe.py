import pytest
import torch

from motiongen.data.code_bank import CodeBank, encode_all
from motiongen.data.composition import crossfade, join_captions, same_form, split_subject
from motiongen.data.corpus import captioned_motions
from motiongen.heads.bamm.config import BAMMConfig, BAMMTrainConfig
from motiongen.heads.bamm.recipe import BAMMRecipe
from motiongen.training.config import TrainConfig
from motiongen.training.loop import Trainer
from tests.core.training.tiny import captioned_cache, tiny_encoder, tiny_tokenizer

SIZES = {"max_tokens": 12, "context_dim": 8, "code_dim": 8, "dim": 16, "num_layers": 1, "num_heads": 2}
SIZES |= {"feedforward_dim": 16, "residual_dim": 16, "residual_layers": 1, "residual_heads": 2}
SIZES |= {"residual_feedforward_dim": 16}


@pytest.fixture
def cache(tmp_path):
    return captioned_cache(tmp_path / "cache")


@pytest.fixture
def recipe(cache):
    config = BAMMTrainConfig(batch_size=8, compositions=6, composed_share=0.3, continued_share=0.3, phases=2)
    return BAMMRecipe.from_cache(cache, tiny_tokenizer(), BAMMConfig(**SIZES), config, tiny_encoder())


def test_a_clip_without_captions_is_left_out_and_a_mirrored_one_has_its_own(cache, caplog):
    motions = captioned_motions(cache, "train")
    assert [(m.clip, m.mirrored) for m in motions] == [
        (0, False),
        (0, True),
        (1, False),
        (2, False),
        (2, True),
    ]
    assert (
        motions[1].captions == ("mirrored_captions 0",) and "1 clips of train have no captions" in caplog.text
    )


def test_codes_in_a_batch_are_those_of_each_clip_alone(cache):
    tokenizer, clips = tiny_tokenizer(), [cache.features(i) for i in (0, 1, 2)]
    for codes, clip in zip(encode_all(tokenizer, clips), clips, strict=True):
        assert torch.equal(codes.long(), tokenizer.encode(clip[None])[0])


def test_a_phase_leaves_out_the_first_frames(cache, tmp_path):
    tokenizer = tiny_tokenizer()
    bank = CodeBank.encode(tokenizer, 3, cache.features, phases=4, folder=tmp_path)
    assert torch.equal(bank.codes(1, 3).long(), tokenizer.encode(cache.features(1)[None, 3:])[0])
    again = CodeBank.encode(tokenizer, 3, lambda _: pytest.fail("read from disk"), phases=4, folder=tmp_path)
    assert torch.equal(again.flat, bank.flat) and torch.equal(again.starts, bank.starts)


def test_an_end_stands_only_where_the_clip_ends(recipe):
    rows = [recipe._example(3, [0.9, 0.0, start, 0.0, 0.0, 0.0]) for start in (0.0, 0.99)]
    assert [len(row.codes) for row in rows] == [12, 12] and [row.ended for row in rows] == [False, True]
    assert torch.equal(rows[1].codes, recipe.corpus.bank.codes(3, 0)[-12:])


def test_a_continuation_has_the_end_of_the_first_motion_and_the_caption_of_the_second(recipe):
    pair = recipe.pairs[0]
    shown = recipe._example(0, [0.4, 0.0, 0.5, 0.0, 0.0, 0.0])
    assert 1 <= shown.given <= pair.boundary and shown.caption == pair.second
    assert torch.equal(shown.codes, pair.codes[pair.boundary - shown.given :][:12])


def test_the_same_generator_gives_the_same_batch(recipe):
    one, two = (recipe.sample(torch.Generator().manual_seed(5)) for _ in range(2))
    assert one["codes"].shape[0] == 8 and all(torch.equal(one[key], two[key]) for key in one)


def test_a_recipe_trains_validates_and_exports(recipe, tmp_path):
    metrics = Trainer(recipe, TrainConfig(steps=3), tmp_path / "run").run()
    assert metrics["held_out/loss"] > 0 and (tmp_path / "run" / "model.safetensors").exists()


def test_joining_captions():
    assert join_captions("a person walks", "someone waves") == "a person walks, then waves"
    assert join_captions("a street punk walks", "a lady is waving") == "a street punk walks, then is waving"
    assert join_captions("walk", "wave", " and then {}") == "walk and then wave"
    assert same_form("a person walks", "he waves") and not same_form("a person walks", "wave")
    assert split_subject("a little child happily waves")[0] == "a little child happily"


def test_a_crossfade_keeps_both_ends_and_moves_evenly_between():
    first, second = torch.zeros(10, 1), torch.ones(10, 1)
    faded = crossfade(first, second, 4)[:, 0]
    assert len(faded) == 16 and (faded[:6] == 0).all() and (faded[-6:] == 1).all()
    assert (faded.diff() >= 0).all() and faded[7] + faded[8] == pytest.approx(1)
