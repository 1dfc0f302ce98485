from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongen import features
from motiongen.conditions.music import MusicCondition
from motiongen.heads.badm.config import BADMOptions
from motiongen.inference.dance import dance, edit_dance
from motiongen.inference.joint_groups import JOINT_GROUPS
from motiongen.inference.load import load_dance, spaces_of
from motiongen.music.audio import Audio
from motiongen.skeleton import SMPL22
from tests.core.inference.tiny import save_tiny
from tests.core.motions import wobble

FEW = BADMOptions(steps=3)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_tiny(tmp_path_factory.mktemp("weights"))


def clicks(seconds: float, rate: int = 22050) -> Audio:
    """A click every half second."""
    samples = np.zeros(int(seconds * rate), np.float32)
    for start in range(0, len(samples), rate // 2):
        samples[start : start + 200] = np.hanning(len(samples[start : start + 200]))
    return Audio(samples, rate)


@pytest.fixture(scope="module")
def song():
    return MusicCondition.from_audio(clicks(4.0))


@pytest.mark.parametrize("space", ["latent", "motion"])
def test_a_dance_is_as_long_as_the_music_and_repeats_by_its_seed(weights, song, space):
    model = load_dance(space, weights, "cpu")
    first, again, other = (model.dance(song, seed=seed, options=FEW) for seed in (0, 0, 1))
    assert first.num_frames == song.num_frames == 120
    assert torch.equal(first.rotations, again.rotations) and not torch.equal(first.rotations, other.rotations)


def test_one_call_dances_to_samples(weights):
    motion = dance(clicks(2.0), weights=weights, steps=2, style="salsa", device="cpu")
    assert motion.seconds == 2.0 and motion.skeleton.names == SMPL22.names


def test_the_spaces_of_a_set_are_listed(weights, tmp_path):
    assert spaces_of(weights) == ["latent", "motion"]
    assert load_dance(None, weights, "cpu").space.name == "latent"
    with pytest.raises(ValueError, match=r"expected badm/edge in .*, got only latent, motion"):
        load_dance("edge", weights)
    with pytest.raises(ValueError, match=r"expected a BADM in .*, got none"):
        load_dance(None, tmp_path)


def test_decoding_a_stream_of_latents_gives_what_decoding_at_once_gives(weights, song):
    model = load_dance("latent", weights, "cpu")
    latents = torch.randn(12, 8, generator=torch.Generator().manual_seed(0))
    decode = model.space.decoder()
    streamed = torch.cat([decode(part) for part in latents.split([5, 1, 6])])
    torch.testing.assert_close(streamed, model.space.decode(latents), rtol=0, atol=1e-5)


def test_a_span_is_regenerated_and_the_rest_stays_bit_for_bit(weights):
    motion = wobble(120)
    edited = edit_dance(motion, clicks(4.0), between=(1.0, 2.0), weights=weights, steps=3, device="cpu")
    old = [*range(30), *range(60, 120)]
    assert torch.equal(edited.rotations[old], motion.rotations[old])
    assert torch.equal(edited.root[old], motion.root[old])
    assert not torch.allclose(edited.rotations[40:50], motion.rotations[40:50], atol=1e-2)


def test_music_that_ends_early_is_followed_by_silence_and_must_reach_the_span(weights):
    options = {"between": (1.0, 2.0), "weights": weights, "steps": 1, "device": "cpu"}
    edited = edit_dance(wobble(120), clicks(1.5), **options)
    silent = np.concatenate([clicks(1.5).samples, np.zeros(4 * 22050, np.float32)])
    assert edited.num_frames == 120
    assert torch.equal(edited.rotations[:30], wobble(120).rotations[:30])
    assert edit_dance(wobble(120), Audio(silent, 22050), **options).num_frames == 120
    with pytest.raises(
        ValueError, match=r"music: expected it to last into the span, .* at 1.00 s, got 0.50 s"
    ):
        edit_dance(wobble(120), clicks(0.5), **options)


def test_less_than_a_frame_of_music_is_refused(weights):
    with pytest.raises(ValueError, match="music: expected at least 1/30 s"):
        dance(clicks(0.005), weights=weights, device="cpu")


@pytest.mark.parametrize("group", ["upper", "left_arm"])
def test_a_group_of_joints_is_regenerated_and_the_others_stay(weights, group):
    motion = wobble(90)
    edited = edit_dance(motion, clicks(3.0), joints=group, weights=weights, steps=3, device="cpu")
    changed = {n for n in SMPL22.names if not torch.allclose(
        edited.rotations[:, SMPL22.index(n)].abs(), motion.rotations[:, SMPL22.index(n)].abs(), atol=1e-3
    )}  # fmt: skip
    assert changed == set(JOINT_GROUPS[group])
    torch.testing.assert_close(edited.root, motion.root)


def test_a_kept_root_goes_where_it_went(weights):
    motion = wobble(90)
    edited = edit_dance(motion, clicks(3.0), keep_root=True, weights=weights, steps=3, device="cpu")
    torch.testing.assert_close(edited.root, motion.root)
    assert not torch.allclose(edited.rotations[:, 16], motion.rotations[:, 16], atol=1e-2)


def test_other_rates_and_skeletons_come_back_as_they_were(weights):
    motion = wobble(180, fps=60.0)
    edited = edit_dance(motion, clicks(3.0), between=(1.0, 2.0), weights=weights, steps=2, device="cpu")
    assert edited.fps == 60.0 and torch.equal(edited.rotations[:60], motion.rotations[:60])


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "expected a span, joints or keep_root"),
        ({"between": (2.0, 1.0)}, "between: expected a span"),
        ({"joints": "tail"}, "joints: expected one of upper, lower"),
    ],
)
def test_an_edit_of_nothing_is_refused(weights, asked, message):
    with pytest.raises(ValueError, match=message):
        edit_dance(wobble(60), clicks(2.0), weights=weights, device="cpu", **asked)


def test_editing_needs_frames(weights, song):
    with pytest.raises(ValueError, match="space: expected motion to edit in, got latent"):
        load_dance("latent", weights, "cpu").edit(wobble(60), song, between=(0.5, 1.0))


def test_options_are_checked_and_adjusted():
    assert BADMOptions().adjusted(3.0, 10) == replace(BADMOptions(), guidance_scale=3.0, steps=10)
    with pytest.raises(ValueError, match="steps, group: expected >= 1"):
        BADMOptions(steps=0)


def test_silence_is_the_condition_of_silent_audio(weights):
    model = load_dance("motion", weights, "cpu")
    quiet = model.silence(7)
    assert quiet.num_frames == 7 and quiet.beats.sum() == 0
    long = MusicCondition.from_audio(Audio(np.zeros(22050 * 2, np.float32), 22050))
    torch.testing.assert_close(quiet.features, long.features[:, 20:27])
    assert features.FPS == 30.0
