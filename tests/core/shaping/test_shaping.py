"""Shaping of motion on bodies whose turns, jumps and steps are known."""

import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from motiongen.evaluation.acts import sways
from motiongen.motion import Motion
from motiongen.rotation import quat_from_axis_angle, quat_multiply
from motiongen.shaping.beside import with_arms_of
from motiongen.shaping.peaks import clarity, peaks, progress, repetitions, signal_of
from motiongen.shaping.repetition import repeat
from motiongen.shaping.step_turn import step_turn, step_turn_seconds
from motiongen.shaping.steps import end_after, footfalls
from motiongen.shaping.tempo import at_times, with_tempo
from motiongen.shaping.turning import goes_aside, net_turn, turned_on_feet, with_turn
from motiongen.skeleton import SMPL22
from tests.core.motions import standing, wobble

FEET = [SMPL22.index(name) for name in ("left_ankle", "right_ankle")]


def hopping(times: int, period: int = 30) -> Motion:
    """A body that rises by 30 cm for a third of each period, and stands between."""
    phase = (torch.arange(times * period + period // 2) % period) / (period / 3)
    height = 0.3 * torch.where(phase < 1, torch.sin(torch.pi * phase), 0.0)
    height[: period // 3] = 0  # it begins standing; the first hop is the second period's
    motion = standing(len(height))
    return (
        motion.moved(torch.zeros(3))
        if not times
        else replace(motion, root=motion.root + height[:, None] * torch.tensor([0.0, 1, 0]))
    )


def striding(steps: int, length: int = 15) -> Motion:
    """A body whose legs swing forward in turns: each foot stands while the other passes it, half a metre a step."""
    frames = steps * length + 1
    motion = standing(frames)
    time = torch.arange(frames) / length
    swing = 0.28 * torch.cos(torch.pi * time)  # the left leg is in front at first
    lift = 0.6 * torch.sin(torch.pi * time)
    turns = torch.zeros(frames, 22, 3)
    for side, sign in (("left", 1), ("right", -1)):
        turns[:, SMPL22.index(f"{side}_hip"), 0] = -sign * swing - 0.5 * (sign * -lift).clamp_min(0)
        turns[:, SMPL22.index(f"{side}_knee"), 0] = (sign * -lift).clamp_min(0)
    rotations = motion.rotations.clone()
    legs = [SMPL22.index(f"{side}_{part}") for side in ("left", "right") for part in ("hip", "knee")]
    rotations[:, legs] = quat_from_axis_angle(turns[:, legs])
    moved = replace(motion, rotations=rotations)
    feet = moved.positions()[:, FEET, 2] - moved.root[:, None, 2]
    stands = torch.where((lift[1:] > 0), 0, 1)  # the left foot stands while the right one is lifted
    steps_ahead = -(feet[1:] - feet[:-1]).gather(1, stands[:, None])[:, 0]
    path = torch.zeros(frames, 3)
    path[1:, 2] = steps_ahead.cumsum(0)
    return replace(moved, root=moved.root + path).grounded()


def test_half_the_tempo_takes_twice_the_time_and_ends_in_the_same_pose():
    motion = standing(31)
    motion = replace(motion, root=motion.root + torch.arange(31)[:, None] * torch.tensor([0.0, 0, 0.02]))
    slow = with_tempo(motion, 0.5)
    assert slow.num_frames == 61
    assert_close(slow.root[::2], motion.root, atol=1e-4, rtol=0)
    assert_close((slow.root[1:] - slow.root[:-1])[:, 2], torch.full((60,), 0.01), atol=1e-4, rtol=0)


def test_tempo_one_changes_nothing():
    motion = wobble(40)
    assert with_tempo(motion, 1.0) is motion
    with pytest.raises(ValueError, match="tempo: expected a positive factor, got 0"):
        with_tempo(motion, 0)


def test_a_flight_falls_as_fast_as_before():
    motion = hopping(2)
    in_air = int((motion.root[:, 1] > motion.root[0, 1] + 0.15).sum())
    slow = with_tempo(motion, 0.5)
    assert slow.num_frames > 1.5 * motion.num_frames
    assert int((slow.root[:, 1] > motion.root[0, 1] + 0.15).sum()) <= in_air + 2


def test_curves_between_frames_pass_through_them_without_steps_in_speed():
    motion = wobble(40)
    assert_close(at_times(motion, torch.arange(40.0)).rotations, motion.rotations, atol=1e-5, rtol=0)
    fine = at_times(motion, torch.arange(0, 39, 0.25))
    truth = wobble(157, fps=120.0)[: fine.num_frames]
    assert float((fine.root - truth.root).norm(dim=-1)[4:-4].max()) < 2e-4


@pytest.mark.parametrize("angle", [math.pi, -math.pi / 2, math.tau])
def test_who_stands_turns_by_steps_and_no_standing_foot_slides(angle):
    motion = standing(20)
    turned = with_turn(motion, angle)
    assert net_turn(turned) == pytest.approx(angle, abs=0.02)
    assert turned.seconds == pytest.approx(step_turn_seconds(angle), abs=0.05)
    feet = turned.positions()[:, FEET]
    speed = (feet[1:] - feet[:-1])[..., [0, 2]].norm(dim=-1) * 30
    on_floor = feet[1:, :, 1] < feet[0, :, 1].min() + 0.004
    assert float(speed[on_floor].max()) < 0.35 and float(speed[on_floor].mean()) < 0.03
    assert float(feet[..., 1].max() - feet[0, 0, 1]) == pytest.approx(0.07, abs=0.01)
    ends = turned.positions()[-1, FEET].mean(0) - turned.positions()[0, FEET].mean(0)
    assert float(ends.norm()) < 0.02


def test_a_walk_turns_about_its_standing_foot():
    motion = striding(8)
    turned = with_turn(motion, math.pi / 2)
    assert net_turn(turned) == pytest.approx(math.pi / 2, abs=0.02)
    stands = motion.contacts()[1:, 1] & motion.contacts()[:-1, 1] & ~motion.contacts()[1:, 2:].any(1)
    toe = [m.positions()[:, SMPL22.index("left_foot")] for m in (motion, turned)]
    before, after = ((t[1:] - t[:-1]).norm(dim=-1)[stands].mean() for t in toe)
    assert float(after) < float(before) + 0.004  # 12 cm/s


def test_a_whole_turn_in_a_curve_closes():
    circle = with_turn(striding(12), math.tau, is_curve=True)
    path = circle.root[:, [0, 2]]
    way = float((path[1:] - path[:-1]).norm(dim=-1).sum())
    assert way > 2 and float((path[-1] - path[0]).norm()) < 0.15 * way
    assert net_turn(circle) == pytest.approx(math.tau, abs=0.02)


def test_a_curve_is_even_also_where_the_walk_has_bends_of_its_own():
    walk = striding(12)
    bends = torch.zeros(walk.num_frames)
    bends[20:50], bends[110:140] = math.radians(60) / 30, -math.radians(60) / 30
    circle = with_turn(turned_on_feet(walk, bends), math.tau, is_curve=True)
    path = circle.root[:, [0, 2]]
    way = float((path[1:] - path[:-1]).norm(dim=-1).sum())
    assert float((path[-1] - path[0]).norm()) < 0.1 * way
    assert net_turn(circle) == pytest.approx(math.tau, abs=0.02)


def test_a_turn_that_is_there_already_stays():
    motion = standing(60)
    turned = step_turn(motion, -math.pi)
    assert with_turn(turned, math.pi) is turned  # either side will do
    assert with_turn(turned, -math.pi) is turned


def test_going_aside_is_told():
    motion = standing(30)
    aside = replace(motion, root=motion.root + torch.arange(30)[:, None] * torch.tensor([0.04, 0, 0]))
    assert goes_aside(aside, left=True) and not goes_aside(aside, left=False)


def test_peaks_by_hand():
    values = torch.tensor([0.0, 0, 1, 0, 0, 0, 0.2, 0, 0, 0, 0.9, 0, 0, 0.5, 0.45, 0.5, 0])
    assert peaks(values, fps=10.0, least=0.1) == [2, 10, 13]  # 0.2 is under 0.4 of the largest
    assert peaks(values, fps=10.0, least=0.6) == [2, 10]
    assert peaks(torch.zeros(9), fps=30.0, least=0.1) == []


def test_the_sentence_says_where_to_look():
    asked = {
        "a person jumps": "height",
        "a man is kicking": "foot",
        "she punches": "reach",
        "wave": "sway",
        "x": "body",
    }
    assert {sentence: signal_of(sentence) for sentence in asked} == asked


@pytest.mark.parametrize(("there", "wanted"), [(1, 3), (2, 5), (5, 2), (4, 1), (3, 3)])
def test_an_act_is_seen_as_often_as_asked(there, wanted):
    motion = hopping(there)
    assert len(repetitions(motion, "jump")) == there
    assert len(repetitions(repeat(motion, "jump", wanted), "jump")) == wanted


def test_seams_of_repetitions_are_where_the_body_stands():
    motion = repeat(hopping(2), "jump", 3)
    step = (motion.root[1:, 1] - motion.root[:-1, 1]).abs().max()
    assert float(step) < 0.11 and float(motion.root[:, 1].min()) > 0.96


def test_what_is_not_seen_cannot_be_repeated():
    motion = standing(40)
    assert repeat(motion, "a person jumps", 2) is motion
    with pytest.raises(ValueError, match="count: expected 1 or more, got 0"):
        repeat(motion, "a person jumps", 0)


@pytest.mark.parametrize("times", [2, 5])
def test_a_raised_hand_is_counted_and_not_its_raising(times):
    frames = 30 + 15 * times + 30
    time = (torch.arange(frames) - 30).clamp(0, 15 * times) / 15
    arm = torch.zeros(frames, 2, 3)
    raised = torch.minimum(torch.arange(frames), torch.arange(frames).flip(0)).clamp(max=20) / 20
    arm[:, 0, 2] = -1.2 * raised  # the right arm goes up sideways, the forearm to and fro
    arm[:, 1, 2] = -0.6 * raised - 0.4 * torch.sin(2 * torch.pi * time)
    motion = standing(frames)
    rotations = motion.rotations.clone()
    joints = [SMPL22.index("right_shoulder"), SMPL22.index("right_elbow")]
    rotations[:, joints] = quat_multiply(rotations[:, joints], quat_from_axis_angle(arm))
    waving = replace(motion, rotations=rotations)
    assert len(repetitions(waving, "a person waves")) == times == sways(waving)
    assert len(repetitions(repeat(waving, "a person waves", 3), "a person waves")) == 3


def with_a_small_hop(motion: Motion) -> Motion:
    """The same, and 10 cm up between two of its hops."""
    lifted = motion.root.clone()
    lifted[45:55, 1] += 0.1 * torch.sin(torch.pi * torch.arange(10) / 9)
    return replace(motion, root=lifted)


def test_clarity_is_how_far_repetitions_stand_out():
    plain, unsure = hopping(3), with_a_small_hop(hopping(3))
    assert len(repetitions(plain, "hops")) == len(repetitions(unsure, "hops")) == 3
    assert clarity(standing(60), "hops") == 0
    assert clarity(plain, "hops") == pytest.approx(0.3 / 0.06, rel=0.1)
    assert clarity(unsure, "hops") == pytest.approx(0.3 / 0.1, rel=0.15)


def test_progress_waits_for_the_end_of_a_repetition():
    motion = hopping(2)
    (first, second) = repetitions(motion, "jump")
    assert progress(motion[: first + 1], "jump")[1] is False
    assert progress(motion[: first + 12], "jump") == (1, True)
    assert progress(motion[: second + 12], "jump") == (2, True)


def test_steps_are_counted_and_the_walk_ends_after_them():
    motion = striding(6)
    found = footfalls(motion)
    assert 5 <= len(found) <= 6
    assert len(footfalls(end_after(motion, 3))) == 3
    assert end_after(motion, 50) is motion


def test_the_acting_arm_is_taken_and_the_other_stays():
    motion, other = standing(60), standing(60)
    rotations = other.rotations.clone()
    rotations[:, SMPL22.index("right_elbow")] = quat_from_axis_angle(
        torch.stack([torch.zeros(60), torch.sin(torch.arange(60) / 4), torch.zeros(60)], dim=1)
    )
    both = with_arms_of(motion, replace(other, rotations=rotations))
    right, left = SMPL22.index("right_elbow"), SMPL22.index("left_elbow")
    assert torch.equal(both.rotations[:, left], motion.rotations[:, left]) and torch.equal(
        both.root, motion.root
    )
    assert_close(both.rotations[30, right], rotations[30, right])
    assert_close(both.rotations[0], motion.rotations[0])
