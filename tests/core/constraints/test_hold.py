"""Motion held to constraints: each is met, feet keep standing, nothing pops, and what cannot be is told."""

import math

import pytest
import torch
from torch.testing import assert_close

from motiongen import Avoid, JointKey, LookAt, PoseKey, RootPath, Waypoint
from motiongen.constraints.hold import hold
from motiongen.constraints.obstacles import depth
from motiongen.evaluation.foot_skate import foot_skate_speed, toes_over_floor
from motiongen.skeleton import SMPL22
from tests.core.constraints.walking import walk
from tests.core.motions import standing, wobble

CURVE = [
    RootPath(
        times=tuple(i / 5 for i in range(25)),
        points=tuple((0.5 - 0.5 * math.cos(i / 8), 0.17 * i) for i in range(25)),
    )
]


def skate(motion):
    return float(foot_skate_speed(toes_over_floor(motion), motion.fps))


def acceleration(motion):
    positions = motion.positions()
    return float((positions[2:] - 2 * positions[1:-1] + positions[:-2]).norm(dim=-1).max()) * motion.fps**2


def check_body(held, motion):
    """Bones keep their lengths, frames their number, and numbers are numbers."""
    assert held.num_frames == motion.num_frames and held.skeleton is motion.skeleton
    positions = held.positions()
    assert torch.isfinite(positions).all()
    lengths = (positions[:, 1:] - positions[:, list(SMPL22.parents[1:])]).norm(dim=-1)
    assert_close(lengths, SMPL22.offsets[1:].norm(dim=-1).expand_as(lengths), atol=1e-4, rtol=0)


def test_no_constraints_change_nothing():
    motion = walk()
    assert hold(motion, []).motion is motion


def test_a_walk_follows_a_path_with_feet_that_stand():
    motion = walk()
    held = hold(motion, CURVE)
    check_body(held.motion, motion)
    assert held.outcomes[0].before > 0.3 and held.outcomes[0].after < 0.03
    assert skate(held.motion) < 1.2 * skate(motion) + 0.01
    assert acceleration(held.motion) < 1.5 * acceleration(motion)
    ahead = math.atan2(*(held.motion.root[75, [0, 2]] - held.motion.root[65, [0, 2]]).tolist())
    assert float(held.motion.heading()[70]) == pytest.approx(ahead, abs=0.2)  # it faces along its path


def test_waypoints_are_met_in_time_and_faced():
    motion = walk()
    asked = [Waypoint(time=2, x=0.8, z=1.5), Waypoint(time=4.5, x=1.0, z=3.5, heading=-1.0)]
    held = hold(motion, asked)
    check_body(held.motion, motion)
    for outcome in held.outcomes:
        assert outcome.after < 0.01 and (outcome.turned_after or 0) < math.radians(1)
    assert skate(held.motion) < 1.2 * skate(motion) + 0.02
    assert acceleration(held.motion) < 2 * acceleration(motion)


def test_who_stands_steps_to_where_it_is_asked():
    motion = standing(150)
    held = hold(motion, [Waypoint(time=3, x=0.6, z=0.6, heading=math.pi / 2)])
    check_body(held.motion, motion)
    assert held.outcomes[0].after < 0.01 and held.outcomes[0].turned_after < 0.01
    ankles = held.motion.positions()[:, SMPL22.index("left_ankle")]
    moved = (ankles[1:] - ankles[:-1])[:, [0, 2]].norm(dim=1) > 1e-3
    assert float(ankles[1:, 1][moved].max()) > 0.11  # it is lifted where it goes
    assert 0.1 < float(moved.float().mean()) < 0.6  # and stands in between
    assert acceleration(held.motion) < 80


@pytest.mark.parametrize("in_place", [True, False])
def test_a_pose_is_met_and_its_feet_stand(in_place):
    motion = walk()
    key = PoseKey.from_motion(motion.turned(0.6), 1.0, time=2.5, in_place=in_place)
    held = hold(motion, [key])
    check_body(held.motion, motion)
    (outcome,) = held.outcomes
    assert outcome.after < 0.01 and outcome.turned_after < math.radians(1)
    assert skate(held.motion) < 1.2 * skate(motion) + 0.03
    assert acceleration(held.motion) < 2.5 * acceleration(motion)


@pytest.mark.parametrize("joint", ["left_wrist", "right_wrist", "left_ankle", "head"])
def test_a_joint_is_held_over_a_span_and_let_go(joint):
    motion = standing(150)
    index = SMPL22.index(joint)
    away = {"left_ankle": (0.1, 0.3, 0.2), "head": (0.05, -0.2, 0.15)}.get(joint, (-0.1, 0.4, 0.4))
    place = tuple((motion.positions()[0, index] + torch.tensor(away)).tolist())
    turn = (0.0, math.sin(0.3), 0.0, math.cos(0.3))
    held = hold(motion, [JointKey(joint=joint, time=2, until=3, position=place, rotation=turn)])
    check_body(held.motion, motion)
    (outcome,) = held.outcomes
    assert outcome.after < 0.01 and outcome.turned_after < math.radians(1)
    assert acceleration(held.motion) < 40
    assert_close(held.motion.positions()[:15], motion.positions()[:15], atol=2e-3, rtol=0)
    assert_close(held.motion.positions()[-15:], motion.positions()[-15:], atol=2e-3, rtol=0)


def test_back_and_knees_help_a_hand_to_the_floor():
    motion = standing(150)
    held = hold(motion, [JointKey(joint="right_wrist", time=2.5, position=(-0.2, 0.1, 0.4))])
    assert held.outcomes[0].after < 0.01
    assert float(held.motion.root[75, 1]) < 0.75
    ankles = held.motion.positions()[:, SMPL22.index("left_ankle")]
    assert_close(ankles, motion.positions()[:, SMPL22.index("left_ankle")], atol=5e-3, rtol=0)


def test_a_head_looks_as_far_as_a_neck_turns():
    motion = standing(120)
    aside, behind = hold(motion, [LookAt(point=(2.0, 1.3, 1.5), time=1, until=2)]), None
    assert aside.outcomes[0].turned_after < math.radians(1)
    behind = hold(motion, [LookAt(point=(0.1, 1.5, -3.0), time=1, until=2)])
    assert 0.5 < behind.outcomes[0].turned_after < 2.5 and "missed" in str(behind.outcomes[0])
    assert acceleration(behind.motion) < 30


@pytest.mark.parametrize("size", [{"radius": 0.4}, {"size": (0.6, 0.9), "turn": 0.4}])
def test_a_path_goes_round_an_obstacle_and_still_arrives(size):
    motion, obstacle = walk(), Avoid(center=(0.05, 2.0), **size)
    held = hold(motion, [Waypoint(time=4.9, x=0.0, z=4.2), obstacle])
    check_body(held.motion, motion)
    assert float(depth(obstacle, motion.positions()[..., [0, 2]]).max()) > 0.2
    assert held.outcomes[0].after < 0.01 and held.outcomes[1].after < 0.05
    assert skate(held.motion) < 1.2 * skate(motion) + 0.03


def test_the_depth_in_a_turned_box_by_hand():
    box = Avoid(center=(1.0, 1.0), size=(2.0, 1.0), turn=math.pi / 2)  # its long side along z now
    points = torch.tensor([[1.0, 1.9], [1.4, 1.0], [1.0, 2.5], [2.5, 1.0]])
    assert_close(depth(box, points), torch.tensor([0.1, 0.1, -0.5, -1.0]), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("asked", "least"),
    [
        ([JointKey(joint="right_wrist", time=2, position=(0.0, 1.2, 3.0))], 1.0),
        ([Waypoint(time=1, x=0, z=20)], 10.0),
        ([Waypoint(time=2, x=1, z=1), Waypoint(time=2, x=-1, z=1)], 0.9),
        ([JointKey(joint="head", time=1, position=(0, 9.0, 0))], 5.0),
    ],
)
def test_what_no_body_can_do_is_approached_and_told(asked, least):
    motion = standing(90)
    held = hold(motion, asked)
    check_body(held.motion, motion)
    assert all(
        least < outcome.after <= outcome.before + 1.0 and "missed" in str(outcome)
        for outcome in held.outcomes
    )


def test_poses_that_follow_each_other_at_once_give_a_body():
    motion = walk(90)
    keys = [
        PoseKey.from_motion(motion, at, time=time)
        for at, time in ((0.2, 1.0), (1.3, 1.0 + 1 / 30), (0.6, 1.1))
    ]
    held = hold(motion, keys)
    check_body(held.motion, motion)
    assert all(outcome.after < 0.01 for outcome in held.outcomes)


def test_times_after_the_end_are_refused():
    with pytest.raises(ValueError, match=r"expected times within 1\.00 s, got waypoint at 3\.00 s"):
        hold(standing(30), [Waypoint(time=3, x=0, z=1)])


def test_frames_that_stay_stay():
    motion = walk()
    held = hold(motion, [Waypoint(time=4, x=1.5, z=3.0)], first=60).motion
    assert torch.equal(held.rotations[:60], motion.rotations[:60]) and torch.equal(
        held.root[:60], motion.root[:60]
    )
    assert_close(held.root[120, [0, 2]], torch.tensor([1.5, 3.0]), atol=0.02, rtol=0)
    assert acceleration(held) < 2 * acceleration(motion)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_any_mixture_gives_a_body(seed):
    """Random constraints, many against each other, on a motion that stands nowhere."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return ((torch.rand(*shape, generator=generator) - 0.5) * 3).tolist()

    time = lambda: float(torch.rand((), generator=generator)) * 1.9  # noqa: E731
    x, z, ahead = draw(3)
    motion = wobble(60, seed=seed)
    asked = [
        Waypoint(time=time(), x=x, z=z, heading=ahead),
        Waypoint(time=time(), x=z, z=x),
        PoseKey.from_motion(wobble(40, seed=seed + 9), 0.5, time=time(), in_place=seed % 2 == 0),
        JointKey(joint="left_wrist", time=time(), position=tuple(draw(3))),
        JointKey(joint="left_ankle", time=time(), position=tuple(draw(3))),
        JointKey(joint="head", time=time(), position=tuple(draw(3)), rotation=(0.0, 1.0, 0.0, 0.0)),
        LookAt(point=tuple(draw(3)), time=time()),
        Avoid(center=tuple(draw(2)), radius=0.7),
    ]
    check_body(hold(motion, asked).motion, motion)
    check_body(hold(motion[:1], []).motion, motion[:1])
