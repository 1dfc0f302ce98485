"""Plans performed by a small random model: what needs nothing stays bit for bit, the rest has no break."""

import math

import pytest
import torch

from motiongen import load
from motiongen.inference.generate import generate, variants
from motiongen.inference.perform import perform
from motiongen.shaping.tempo import with_tempo
from motiongen.shaping.turning import net_turn
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(weights):
    return load("bamm", weights, "cpu")


def same(a, b):
    return torch.equal(a.rotations, b.rotations) and torch.equal(a.root, b.root)


def test_a_sentence_that_needs_nothing_gives_the_same_bits(weights):
    planned, plain = (
        generate("a person walks", seconds=1, plan=p, weights=weights, device="cpu") for p in (True, False)
    )
    assert same(planned, plain)


def test_one_sentence_with_two_acts_is_two_prompts(weights):
    one = variants("a person walks, then bows", seconds=2, weights=weights, device="cpu")[0]
    two = variants(["a person walks", "a person bows"], seconds=1, plan=False, weights=weights, device="cpu")[
        0
    ]
    assert same(one.motion, two.motion)
    assert one.parts == two.parts


def test_without_a_plan_the_head_hears_the_sentence(weights):
    heard = variants("a person walks, then bows", seconds=1, plan=False, weights=weights, device="cpu")[0]
    assert [text for _, _, text in heard.parts] == ["a person walks, then bows"]


def test_a_shaped_part_turns_and_is_continued(model):
    start = wobble(40)
    take = perform(model, ["a person bows", "a person turns around, then waves"], start_from=start, seed=3)[0]
    assert same(take.motion[:40], start)
    assert [text for _, _, text in take.parts] == ["a person bows", "a person turns around", "a person waves"]
    (_, first, _), (begin, end, _), (_, last, _) = take.parts
    assert first == begin and last == pytest.approx(take.motion.seconds)
    turn = take.motion[round(begin * 30) : round(end * 30)]
    assert math.cos(net_turn(turn)) < math.cos(math.radians(165))  # a random model may spin, too


def test_a_shaped_variant_does_not_depend_on_the_count(model):
    alone = perform(model, ["a person turns left"], seed=4)[0].motion
    second = perform(model, ["a person turns left"], seed=3, count=2)[1].motion
    assert same(alone, second)


@pytest.mark.parametrize(
    "sentence", ["a person turns around", "a person walks slowly", "a person waves while walking"]
)
def test_a_length_that_is_asked_for_is_kept(model, sentence):
    assert perform(model, [sentence], seconds=2.0)[0].motion.num_frames == 60


def test_a_stop_has_its_length(model):
    take = perform(model, ["a person walks and stops"])[0]
    begin, end, text = take.parts[1]
    assert text == "a person stops" and end - begin == pytest.approx(1.6, abs=0.01)  # in whole tokens


def test_slowly_is_what_the_same_seed_does_played_slower(model):
    plain, slow = (
        perform(model, [text], seed=5)[0].motion for text in ("a person walks", "a person walks slowly")
    )
    assert same(slow, with_tempo(plain, 0.7))
