import math

import pytest
import torch

from motiongen.evaluation.beat_alignment import alignment_margin, beat_alignment, beat_precision
from motiongen.evaluation.bootstrap import mean_interval
from motiongen.evaluation.dance_features import (
    HUMERUS,
    dance_fid,
    distance_diversity,
    geometric_features,
    kinetic_features,
)
from motiongen.evaluation.foot_contact import physical_foot_contact
from motiongen.kinematic_beats import at_rate, kinematic_beats
from motiongen.skeleton import SMPL22

REST = SMPL22.rest_positions - SMPL22.rest_positions[:, 1].min() * torch.tensor([0.0, 1, 0])


def still(frames: int = 61) -> torch.Tensor:
    return REST.expand(frames, 22, 3).clone().double()


def stopping(speeds: list[float]) -> torch.Tensor:
    """A point that moves along x by these steps: positions (len + 1, 1, 3)."""
    x = torch.tensor([0.0, *speeds], dtype=torch.float64).cumsum(0)
    return torch.stack([x, torch.zeros_like(x), torch.zeros_like(x)], dim=-1)[:, None]


def test_a_beat_at_the_very_end_is_where_scipy_has_it():
    # Ends are mirrored with the last speed repeated, as scipy.ndimage.gaussian_filter(speed, 5) has them; its minima,
    # by scipy.signal.argrelextrema, are worked out below from the definition.
    speeds = [abs(math.sin(0.37 * i)) + 0.2 * math.cos(1.3 * i) + 0.3 for i in range(60)]
    mirrored = speeds[::-1] + speeds + speeds[::-1]
    weights = [math.exp(-(k**2) / 50) for k in range(-20, 21)]
    smooth = [
        sum(w * mirrored[60 + i + k] for w, k in zip(weights, range(-20, 21), strict=True)) for i in range(60)
    ]
    expected = [i for i in range(1, 59) if smooth[i] < smooth[i - 1] and smooth[i] < smooth[i + 1]]
    assert expected and (kinematic_beats(stopping(speeds), 60.0) * 60).round().tolist() == expected


@pytest.mark.parametrize("fps", [24.0, 29.97, 30.0, 50.0, 120.0])
def test_another_rate_keeps_the_first_and_the_last_frame(fps):
    line = torch.arange(124, dtype=torch.float64)[:, None, None] / fps  # where it is says when it is
    times = at_rate(line, fps)[:, 0, 0]
    torch.testing.assert_close(times, torch.arange(len(times)).double() / 60, atol=1e-9, rtol=0)
    assert float(times[-1]) > 123 / fps - 1 / 60 + 1e-9


def test_jitter_scores_well_and_only_precision_tells():
    jitter = stopping([1.0 + math.cos(2 * math.pi * i / 12) for i in range(240)])  # stops five times a second
    beats = torch.arange(1, 8) * 0.5
    assert beat_alignment(jitter, 60.0, beats) > 0.6
    assert beat_precision(jitter, 60.0, beats) < 0.25
    with pytest.raises(ValueError, match="got none"):
        beat_precision(stopping([1.0] * 60), 60.0, torch.tensor([9.0]))


def test_the_margin_is_the_own_score_less_the_others_by_hand():
    dance = stopping([1.0 + math.cos(2 * math.pi * i / 60) for i in range(240)])  # rests once a second
    rests = kinematic_beats(dance, 60.0)
    late = rests[:-1] + 3 / 60  # three frames: exp(-1/2) each
    margin = alignment_margin([dance, dance], 60.0, [rests, late], generator=torch.Generator().manual_seed(0))
    gain = 1 - math.exp(-0.5)
    assert margin.mean == pytest.approx(0) and (margin.low, margin.high) == pytest.approx((-gain, gain))


def test_a_margin_that_would_be_of_nothing_is_refused():
    dance, generator = stopping([1.0] * 60), torch.Generator()
    beat = torch.tensor([0.5])
    for dances, beats, message in (
        ([dance], [beat], "at least 2, got 1 and 1"),
        ([dance] * 2, [beat], "got 2 and 1"),
        ([dance] * 2, [beat, torch.tensor([7.0])], "another song's beat within dance 0"),
    ):
        with pytest.raises(ValueError, match=message):
            alignment_margin(dances, 60.0, beats, generator=generator)


def test_the_interval_of_a_coin_is_the_binomials():
    coin = torch.tensor([0.0, 1.0]).repeat(50)  # 100 throws: mean 0.5, deviation of the mean 0.05
    interval = mean_interval(coin, generator=torch.Generator().manual_seed(0))
    assert interval.mean == 0.5
    assert (interval.low, interval.high) == pytest.approx((0.5 - 0.098, 0.5 + 0.098), abs=0.015)
    assert interval == mean_interval(coin, generator=torch.Generator().manual_seed(0))
    with pytest.raises(ValueError, match="got nan at 1"):
        mean_interval(torch.tensor([1.0, math.nan]), generator=torch.Generator())


def test_feet_that_glide_while_the_body_speeds_up_by_hand():
    clip = still(3)
    clip[2] += torch.tensor([0.02, 0.0, 0.0])  # the whole body: one step of 2 cm, after none
    assert physical_foot_contact(clip, 30.0) == pytest.approx(10_000 * 0.02 * 0.02 * 1.0)
    clip[:, [SMPL22.index("left_foot")]] = still(3)[:, [SMPL22.index("left_foot")]]  # one toe stands
    assert physical_foot_contact(clip, 30.0) == 0.0


def test_foot_contact_counts_steps_at_thirty_frames_a_second():
    clip = still(3)
    clip[2] += torch.tensor([0.01, 0.0, 0.0])  # 1 cm in a sixtieth is 2 cm in a thirtieth
    assert physical_foot_contact(clip, 60.0) == pytest.approx(10_000 * 0.02 * 0.02)
    assert physical_foot_contact(still(3), 60.0) == 0.0  # the published code gives 0 / 0
    with pytest.raises(ValueError, match="at least 3 frames, got 2"):
        physical_foot_contact(still(2), 30.0)


def test_a_fall_is_no_effort_and_a_leap_is():
    feet = torch.tensor([[0.0], [0.01], [0.02], [0.04]]) * torch.tensor([0.0, 0, 1])
    clip = still(4)
    clip[:, 1:] += feet[:, None]
    falling, leaping = clip.clone(), clip.clone()
    falling[3, 0, 1] -= 0.1
    leaping[3, 0, 1] += 0.1
    assert physical_foot_contact(falling, 30.0) == 0.0
    assert physical_foot_contact(leaping, 30.0) == pytest.approx(10_000 * (0.04 - 0.02) ** 2 / 2)


def test_the_energy_of_a_body_that_glides_sideways_by_hand():
    clip = still()
    clip[..., 0] += torch.arange(61, dtype=torch.float64)[:, None] / 60 * 3  # 3 m/s
    features = kinetic_features(clip, 60.0).view(24, 3)
    torch.testing.assert_close(features, torch.tensor([9.0, 0.0, 0.0]).expand(24, 3), atol=1e-4, rtol=0)


def test_the_energy_of_a_jump_is_vertical_and_its_acceleration_that_of_gravity():
    clip = still()
    time = torch.arange(61, dtype=torch.float64) / 60
    clip[..., 1] += (-4.9 * time**2)[:, None]
    horizontal, vertical, effort = kinetic_features(clip, 60.0).view(24, 3)[0].tolist()
    assert horizontal == 0.0 and vertical == pytest.approx(9.8**2 / 3, rel=0.03)
    assert effort == pytest.approx(9.8, rel=1e-5)


def test_a_t_pose_holds_the_relations_it_holds_by_hand():
    features = geometric_features(still(10), 60.0).tolist()
    assert len(features) == 32
    level_arms = REST[SMPL22.index("left_wrist"), 1] - REST[:, 1].min() > 1.2 * HUMERUS
    expected = [0.0] * 32
    expected[4] = 1.0  # wrists further apart than two and a half shoulders: 1.41 m > 0.98 m
    expected[15] = expected[16] = 1.0  # upper arms at a right angle to the trunk
    expected[20] = (
        1.0  # a foot beyond the other leg's plane: the distance has a sign, so one side holds at rest
    )
    assert level_arms and features == expected


def test_a_hand_that_is_thrown_is_fast():
    clip = still(11)
    clip[:, SMPL22.index("right_wrist"), 2] += torch.arange(11) / 60.0  # 1 m/s, 2 by fairmotion's clock
    assert geometric_features(clip, 60.0)[22] == 1.0 and geometric_features(clip, 60.0)[23] == 0.0
    slow = still(11)
    slow[:, SMPL22.index("right_wrist"), 2] += torch.arange(11) / 60.0 * 0.3
    assert geometric_features(slow, 60.0)[22] == 0.0


def test_a_mirrored_body_has_the_mirrored_relations():
    clip = still(20)
    clip[:, SMPL22.index("right_ankle"), 1] += 0.5
    mirrored = clip[:, list(SMPL22.mirror_index)] * torch.tensor([-1.0, 1, 1])
    raised, lowered = geometric_features(clip, 60.0), geometric_features(mirrored, 60.0)
    assert raised[27] == 1 and raised[28] == 0 and lowered[27] == 0 and lowered[28] == 1


def test_the_distance_to_itself_is_none_and_a_shift_counts_in_real_deviations():
    real = torch.randn(500, 4, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5, 0.1, 0])
    assert dance_fid(real, real) == pytest.approx(0, abs=1e-6)
    shifted = real + real.std(0, correction=0) * 2
    assert dance_fid(shifted, real) == pytest.approx(
        3 * 4, rel=1e-6
    )  # the number that never changes stays out


def test_features_of_too_little_are_refused():
    for measure in (kinetic_features, geometric_features):
        with pytest.raises(ValueError, match="at least 3 frames at 60 fps, got 1 at 30"):
            measure(still(1), 30.0)
    for measure in (dance_fid, distance_diversity):
        with pytest.raises(ValueError, match=r"got \(1, 4\) and \(5, 4\)"):
            measure(torch.zeros(1, 4), torch.zeros(5, 4))
        with pytest.raises(ValueError, match="expected features that differ"):
            measure(torch.rand(5, 4), torch.ones(5, 4))


def test_few_dances_of_many_numbers_still_have_a_distance():
    draw = torch.Generator().manual_seed(0)
    made, real = torch.randn(5, 72, generator=draw), torch.randn(8, 72, generator=draw)
    assert dance_fid(real, real) == pytest.approx(0, abs=1e-6)
    assert math.isfinite(dance_fid(made, real)) and dance_fid(made, real) > 0


def test_diversity_is_the_mean_distance_of_two_by_hand():
    real = torch.tensor([[0.0, 0.0], [2.0, 4.0]])  # deviations 1 and 2
    made = torch.tensor([[0.0, 0.0], [3.0, 8.0], [0.0, 0.0]])
    assert distance_diversity(made, real) == pytest.approx((5 + 0 + 5) / 3)
    assert math.isfinite(distance_diversity(made, made))
