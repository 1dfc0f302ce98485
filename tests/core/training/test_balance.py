"""How often clips are drawn."""

import pytest
import torch

from motiongen import features
from motiongen.training.balance import LOW_BOOST, SPEED_RANGE, balanced_weights
from tests.core.motions import t_pose, wobble


def clip(height: float | None = None, motion=None):
    frames = features.encode(motion or wobble(40)).clone()
    if height is not None:
        frames[:, features.LAYOUT["height"]] = height
    return frames


def test_what_is_near_the_floor_is_drawn_more_often():
    high, low = balanced_weights([clip(0.95), clip(0.25)], ["a", "a"], 1.0)
    assert low == pytest.approx((1 + LOW_BOOST) * high)


def test_what_stands_still_is_drawn_less_often():
    still, lively = balanced_weights([clip(motion=t_pose(40)), clip()], ["a", "a"], 1.0)
    assert still == pytest.approx(SPEED_RANGE[0])
    assert lively > still


def test_a_small_source_is_drawn_more_often_than_it_is_there():
    weights = balanced_weights([clip(), clip(), clip(), torch.cat([clip()] * 4)], ["a", "a", "a", "b"], 0.0)
    per_source = weights[0] * 120, weights[3] * 160
    assert per_source[0] == pytest.approx(per_source[1], rel=0.2)  # all sources alike
