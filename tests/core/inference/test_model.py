"""The whole way from sentences to Motion, with small random weights: lengths, seeds, seams, errors."""

import logging

import pytest
import torch
from torch.testing import assert_close

from motiongen import load
from motiongen.features import decode
from motiongen.heads.bamm.config import BAMMOptions
from motiongen.inference.generate import edit, generate, variants
from motiongen.inference.model import LEAD, _lead
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def model(weights):
    return load("bamm", weights, "cpu")


def test_the_length_is_as_asked(weights):
    assert generate("a person walks", seconds=1.5, weights=weights, device="cpu").num_frames == 45
    assert generate(["walk", "bow"], seconds=1.0, weights=weights, device="cpu").num_frames == 60


@pytest.mark.parametrize("way", ["generate", "sequence"])
def test_a_motion_begins_after_a_token_that_is_written_and_left_out(model, monkeypatch, way):
    written = []

    def kept(*arguments, **options):
        written.append(sample(*arguments, **options))
        return written[-1]

    sample = model.sampler.generate
    monkeypatch.setattr(model.sampler, "generate", kept)
    found = getattr(model, way)(["a person walks"], seconds=1.5)[0]
    (codes,) = written[0]
    assert len(codes) == 13  # 45 frames are twelve tokens of four
    frames = model.tokenizer.decode(codes[None])[0, 4:49]
    motion = found if way == "generate" else found.motion
    assert_close(motion.rotations, decode(frames).rotations, atol=1e-5, rtol=0)


def test_who_ends_with_the_first_token_keeps_it():
    assert [_lead(torch.zeros(tokens, 2)) for tokens in (1, 2, 13)] == [0, LEAD, LEAD]


def test_the_same_seed_gives_the_same_motion(weights):
    first, again = (generate("walk", seconds=1, seed=7, weights=weights, device="cpu") for _ in range(2))
    assert torch.equal(first.rotations, again.rotations) and torch.equal(first.root, again.root)
    assert not torch.equal(
        first.rotations, generate("walk", seconds=1, seed=8, weights=weights, device="cpu").rotations
    )


def test_a_variant_does_not_depend_on_the_count(weights):
    alone = variants("walk", count=1, seconds=1, seed=3, weights=weights, device="cpu")[0].motion
    third = variants("walk", count=4, seconds=1, seed=1, weights=weights, device="cpu")[2].motion
    assert_close(third.rotations, alone.rotations, atol=1e-5, rtol=0)


def test_each_prompt_knows_its_part(model):
    take = model.sequence(["walk", "bow"], seconds=1, start_from=wobble(30))[0]
    assert [text for _, _, text in take.parts] == ["walk", "bow"]
    assert take.parts[0][0] == 1.0 and take.parts[0][1] == take.parts[1][0] and take.parts[1][1] == 3.0


def test_a_continued_motion_is_the_start_of_the_result(weights):
    start = wobble(37)
    motion = generate("bow", seconds=1, start_from=start, weights=weights, device="cpu")
    assert motion.num_frames == 67
    assert torch.equal(motion.rotations[:37], start.rotations) and torch.equal(motion.root[:37], start.root)


@pytest.mark.parametrize("between", [(0.5, 1.2), (0.0, 0.8), (1.0, 2.0)])
def test_outside_the_edited_span_every_frame_is_as_it_was(weights, between):
    motion = wobble(60)
    edited = edit(motion, "bow", between=between, keep_path=True, weights=weights, device="cpu")
    first, last = round(between[0] * 30), round(between[1] * 30)
    assert edited.num_frames == 60
    assert torch.equal(edited.rotations[:first], motion.rotations[:first])
    assert torch.equal(edited.root[last:], motion.root[last:])
    assert not torch.equal(edited.rotations[first:last], motion.rotations[first:last])


def test_a_clip_at_another_rate_keeps_its_frames(weights):
    motion = wobble(120, fps=60.0)
    edited = edit(motion, "bow", between=(0.5, 1.0), keep_path=True, weights=weights, device="cpu")
    assert edited.fps == 60 and edited.num_frames == 120
    assert torch.equal(edited.rotations[60:], motion.rotations[60:])


@pytest.mark.parametrize("fps", [30.0, 60.0])
def test_what_follows_an_edited_span_moves_as_a_whole(weights, fps):
    motion = wobble(round(2 * fps), fps=fps)
    edited = edit(motion, "bow", between=(0.5, 1.2), weights=weights, device="cpu")
    first, last = round(0.5 * fps), round(1.2 * fps)
    assert torch.equal(edited.rotations[:first], motion.rotations[:first])
    assert torch.equal(edited.rotations[last:, 1:], motion.rotations[last:, 1:])
    new, old = edited[last:], motion[last:]
    assert_close(new.root[:, 1], old.root[:, 1])
    assert_close(new.at_origin().positions(), old.at_origin().positions(), atol=1e-4, rtol=0)
    step = (edited.positions()[1:] - edited.positions()[:-1]).norm(dim=-1)
    assert float(step[last - 1].max()) < 2 * float(step[last:].max())


def test_an_edit_outside_the_clip_is_refused(weights):
    with pytest.raises(ValueError, match=r"between: expected a span .* within 0:2.00, got 1.50:2.50"):
        edit(wobble(60), "bow", between=(1.5, 2.5), weights=weights, device="cpu")


def test_a_batch_gives_a_motion_a_prompt(model):
    motions = model.generate(["walk", "bow", "walk"], seconds=1, generator=torch.Generator().manual_seed(0))
    assert [motion.num_frames for motion in motions] == [30, 30, 30]


def test_long_motions_go_on_past_the_window(model):
    take = model.sequence(["walk"], seconds=4, options=BAMMOptions(overlap=4))[0]  # 30 tokens, window 12
    assert take.motion.num_frames == 120


def test_a_prompt_far_from_anything_known_gets_a_note(weights, caplog):
    with caplog.at_level(logging.WARNING):
        generate("quarterly tax declaration", seconds=0.5, weights=weights, device="cpu")
    assert "is far from what this model knows; the nearest that it knows is 'a person" in caplog.text


def test_an_empty_prompt_and_an_unknown_set_are_refused(weights):
    with pytest.raises(ValueError, match="prompt: expected words"):
        generate("   ", weights=weights, device="cpu")
    with pytest.raises(ValueError, match="weights: expected"):
        generate("walk", weights="fulll", device="cpu")
