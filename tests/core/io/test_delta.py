"""Packed motion: small, within its stated error, and never silently damaged."""

import math

import pytest
import torch

from motiongen.io.delta import pack, unpack
from motiongen.rotation import quat_angle
from tests.core.motions import wobble


def test_the_error_is_within_what_is_stated():
    motion = wobble(90)
    rotations, root = unpack(pack(motion.rotations, motion.root), 90, 22)
    assert math.degrees(float(quat_angle(rotations, motion.rotations).max())) < 0.1
    assert float((root - motion.root).abs().max()) <= 0.0003


def test_a_full_turn_is_kept():
    motion = wobble(400)  # turns by more than two half turns: no component stays large
    rotations, _ = unpack(pack(motion.rotations, motion.root), 400, 22)
    assert math.degrees(float(quat_angle(rotations[:, 0], motion.rotations[:, 0]).max())) < 0.1


def test_it_is_a_tenth_of_float32():
    motion = wobble(300)
    assert len(pack(motion.rotations, motion.root)) < 0.15 * 300 * (22 * 4 + 3) * 4


def test_damaged_bytes_are_named():
    data = pack(wobble().rotations, wobble().root)
    with pytest.raises(ValueError, match="cache: expected"):
        unpack(data[:-20], 40, 22)
    with pytest.raises(ValueError, match="prepare it again"):
        unpack(data, 41, 22)


def test_zero_motion_is_tiny():
    still = torch.tensor([0.0, 0, 0, 1]).expand(1000, 22, 4)
    assert len(pack(still, torch.zeros(1000, 3))) < 500
