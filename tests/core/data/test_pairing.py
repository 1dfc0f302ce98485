import numpy as np
import pytest
import torch

from motiongen.data.pairing import MAX_WARP, RATE, best_beats, pair, warp
from motiongen.evaluation.beat_alignment import beat_alignment
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22


def nodding(rests: np.ndarray, seconds: float, fps: float = 30.0) -> Motion:
    """A body that swings its arms and comes to rest at the given moments."""
    times = np.arange(int(seconds * fps)) / fps
    phase = np.interp(times, rests, np.arange(len(rests)) * np.pi)
    axes = torch.zeros(len(times), 22, 3)
    axes[:, [16, 17], 2] = torch.from_numpy(0.8 * np.cos(phase)).float()[:, None]
    return Motion(SMPL22, quat_from_axis_angle(axes), torch.zeros(len(times), 3), fps)


def test_the_best_path_goes_through_the_accents():
    accents = np.zeros(20 * RATE)
    uneven = np.cumsum([0.3, *np.tile([0.48, 0.52, 0.5], 12)])
    accents[np.round(uneven * RATE).astype(int)] = 1.0
    score, bpm, beats = best_beats(accents, np.array([120.0]))[0]
    inside = beats[beats < uneven[-1] * RATE + 1]
    np.testing.assert_allclose(inside / RATE, uneven[: len(inside)], atol=1 / RATE)
    assert bpm == 120 and score > 0.9


def test_a_beat_is_never_further_from_the_last_than_time_may_be_stretched():
    accents = np.random.default_rng(0).random(900)
    for _, bpm, beats in best_beats(accents, np.array([80.0, 100, 120])):
        steps = np.diff(beats) * bpm / 60 / RATE
        assert steps.min() >= 1 - MAX_WARP - 1e-9 and steps.max() <= 1 + MAX_WARP + 1e-9


def test_warped_rests_fall_on_an_even_beat():
    rests = np.cumsum([0.0, *np.tile([0.62, 0.58, 0.64, 0.56], 8)])  # 100 a minute, unevenly
    found = max(pair(nodding(rests, 18)), key=lambda pairing: pairing.score)
    period = 60 / found.bpm
    beats = torch.arange(found.first_beat, found.motion.seconds, period, dtype=torch.float64)
    assert found.bpm == pytest.approx(100, abs=1.5)
    assert beat_alignment(found.motion.positions(), 30.0, beats) > 0.8


def test_warping_keeps_the_first_beat_and_shows_each_beat_at_its_time():
    motion = nodding(np.array([0.5, 1.1, 1.6, 2.2]), 3.0)
    warped = warp(motion, np.array([0.5, 1.1, 1.6, 2.2]), 0.55)
    shown = torch.tensor([0.5, 1.05, 1.6, 2.15]) * 30
    torch.testing.assert_close(
        warped.at(shown).rotations,
        motion.at(torch.tensor([0.5, 1.1, 1.6, 2.2]) * 30).rotations,
        atol=0.02,
        rtol=0,
    )
    assert warped.seconds == pytest.approx(motion.seconds - 0.05, abs=0.04)


def test_a_body_that_does_not_move_is_not_paired():
    still = Motion(SMPL22, quat_from_axis_angle(torch.zeros(90, 22, 3)), torch.zeros(90, 3), 30.0)
    assert pair(still) == []
