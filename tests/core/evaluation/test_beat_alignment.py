import math

import pytest
import torch

from motiongen.evaluation.beat_alignment import alignment_margin, beat_alignment, beat_precision
from motiongen.kinematic_beats import kinematic_beats


def swinging(rest_every: float, seconds: float = 6.0, fps: float = 60.0, first: float = 0.5) -> torch.Tensor:
    """One joint that comes to rest every so many seconds: positions (T, 1, 3)."""
    times = torch.arange(int(seconds * fps), dtype=torch.float64) / fps
    x = torch.cos(math.pi * (times - first) / rest_every)
    return torch.stack([x, torch.zeros_like(x), torch.zeros_like(x)], dim=-1)[:, None]


@pytest.mark.parametrize("fps", [60.0, 30.0])
def test_kinematic_beats_are_where_the_body_rests(fps):
    found = kinematic_beats(swinging(0.8, fps=fps), fps)
    expected = 0.5 + 0.8 * torch.arange(6)
    torch.testing.assert_close(found[:6], expected.double(), atol=1 / 60 + 1e-9, rtol=0)


def test_the_score_of_beats_three_frames_late_by_hand():
    dance = swinging(1.0)
    rests = kinematic_beats(dance, 60.0)
    assert beat_alignment(dance, 60.0, rests) == 1.0
    late = rests[:-1] + 3 / 60
    assert beat_alignment(dance, 60.0, late) == pytest.approx(math.exp(-9 / 18))


def test_precision_falls_with_rests_that_are_on_no_beat():
    dance = swinging(0.5)
    rests = kinematic_beats(dance, 60.0)
    assert beat_alignment(dance, 60.0, rests[::2]) == 1.0
    assert beat_precision(dance, 60.0, rests[::2]) == pytest.approx(
        (len(rests) + 1) // 2 / len(rests), abs=0.01
    )


def test_a_body_that_never_rests_scores_nothing():
    gliding = torch.arange(120.0)[:, None, None].expand(120, 1, 3)
    assert beat_alignment(gliding, 60.0, torch.tensor([0.5, 1.0])) == 0.0
    with pytest.raises(ValueError, match=r"expected one within 2\.00 s"):
        beat_alignment(gliding, 60.0, torch.tensor([5.0]))


def test_other_songs_beats_fit_worse():
    dances = [swinging(beat) for beat in (0.5, 0.6, 0.7, 0.8)]
    beats = [kinematic_beats(dance, 60.0) for dance in dances]
    margin = alignment_margin(dances, 60.0, beats, generator=torch.Generator().manual_seed(0))
    assert 0.2 < margin.low <= margin.mean <= margin.high < 1
    same = alignment_margin(dances[:1] * 3, 60.0, beats[:1] * 3, generator=torch.Generator().manual_seed(0))
    assert same.mean == 0.0
