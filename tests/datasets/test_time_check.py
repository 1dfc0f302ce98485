"""Physics tells whether a clip runs at its true speed."""

from dataclasses import replace

import pytest
import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle
from motiongen.skeleton import SMPL22
from motiongen_datasets.time_check import flights, stride_rate, wrong_time
from tests.core.motions import t_pose


def jump(seconds: float = 0.5, gravity: float = 9.81, fps: float = 30.0) -> Motion:
    """A body that stands, flies forward for some seconds under a gravity, and stands again."""
    stand = t_pose(20, fps)
    count = round(seconds * fps)
    time = torch.arange(1, count) / fps
    height = 0.97 + 0.5 * gravity * time * (seconds - time)
    path = torch.stack([torch.zeros_like(time), height, 1.5 * time], dim=-1)
    after = torch.tensor([0.0, 0.97, 1.5 * seconds]).expand(20, 3)
    root = torch.cat([stand.root, path, after])
    return Motion(SMPL22, SMPL22.rest_rotations.expand(len(root), 22, 4), root, fps)


def stride(rate: float, seconds: float = 4.0, fps: float = 30.0) -> Motion:
    """A body that swings straight legs at a rate and goes ahead."""
    time = torch.arange(round(seconds * fps)) / fps
    rotations = SMPL22.rest_rotations.expand(len(time), 22, 4).clone()
    swing = 0.4 * torch.sin(2 * torch.pi * rate * time)
    for side, sign in (("left", 1.0), ("right", -1.0)):
        vector = torch.stack([sign * swing, swing * 0, swing * 0], dim=-1)
        rotations[:, SMPL22.index(f"{side}_hip")] = quat_from_axis_angle(vector)
    root = torch.stack([time * 0, time * 0 + 0.97, 1.3 * time], dim=-1)
    return Motion(SMPL22, rotations, root, fps)


def test_a_flight_falls_as_it_was_made():
    (flight,) = flights(jump())
    assert flight.gravity == pytest.approx(9.81, abs=0.1)
    assert 20 <= flight.start <= 22


def test_a_true_jump_is_kept():
    assert wrong_time(jump()) is None


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_jump_at_half_or_double_speed_is_refused(factor):
    # At half its speed a jump lasts twice as long and falls at a quarter.
    shown = jump(0.8 / factor, 9.81 * factor**2)
    assert "does not fall" in (wrong_time(shown) or "")


def test_what_hangs_in_the_air_is_no_flight():
    hanging = t_pose(60)
    root = hanging.root.clone()
    root[20:40, 1] += 0.6
    assert flights(replace(hanging, root=root)) == []


@pytest.mark.parametrize("rate", [0.9, 2.6])
def test_the_stride_is_measured_and_nobody_strides_too_fast(rate):
    motion = stride(rate)
    assert stride_rate(motion) == pytest.approx(rate, abs=0.06)
    assert (wrong_time(motion) is None) == (rate < 2)


def test_a_body_that_stays_has_no_stride():
    assert stride_rate(t_pose(60)) is None
