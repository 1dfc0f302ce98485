"""Positions of feature frames in the world are those of the motion that they decode to."""

import torch

from motiongen import features
from motiongen.world_positions import path, standing_positions, world_positions
from tests.core.motions import wobble


def test_world_positions_are_those_of_the_decoded_motion():
    frames = features.encode(wobble(50))
    torch.testing.assert_close(
        world_positions(frames[None])[0], features.decode(frames).positions(), rtol=0, atol=1e-5
    )


def test_standing_positions_keep_the_height_alone():
    frames = features.encode(wobble(50))
    standing = standing_positions(frames)
    torch.testing.assert_close(standing[:, 0, 1], frames[:, 3], rtol=0, atol=1e-6)
    assert standing[:, 0, [0, 2]].abs().max() == 0


def test_a_quarter_turn_sends_the_path_sideways():
    frames = torch.zeros(1, 60, 140)
    frames[0, :30, 0] = torch.pi / 2  # a quarter turn to the left in a second
    frames[0, 30:, 2] = 1.0  # then a metre a second ahead
    heading, place = path(frames)
    torch.testing.assert_close(heading[0, -1], torch.tensor(torch.pi / 2), rtol=0, atol=1e-4)
    torch.testing.assert_close(place[0, -1], torch.tensor([1.0, 0.0]), rtol=0, atol=1e-4)
