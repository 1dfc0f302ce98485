"""Driven characters, without a model: springs, paths, tempo, gaits, and feet that stay where they stand."""

import math
from collections import deque

import numpy as np
import pytest
import torch

from motiongen import planes, two_bone
from motiongen.contacts import CONTACT_INDEX
from motiongen.features import FPS
from motiongen.skeleton import SMPL22
from motiongen.streaming.bend import Bend
from motiongen.streaming.drive import Drive, Wish
from motiongen.streaming.gaits import BACK, FORWARD, LEFT, MAX_SPEED, RIGHT, STAND, gait_for
from motiongen.streaming.pending_frame import PendingFrame
from motiongen.streaming.single_pose import between, multiply, rotate, solve_limb
from motiongen.streaming.spring import Spring
from motiongen.streaming.tempo import Tempo

STANDING = np.tile(np.array([0, 0, 0, 1], dtype=np.float32), (22, 1))
HEIGHT = 0.085 - float(SMPL22.rest_positions[CONTACT_INDEX[0], 1])


def standing(x=0.0, z=0.0, contacts=15, heading=0.0):
    rotations = STANDING.copy()
    rotations[0] = (0, math.sin(heading / 2), 0, math.cos(heading / 2))
    return PendingFrame(rotations, np.array([x, HEIGHT, z], dtype=np.float32), contacts, 1)


def feet(frame):
    positions = SMPL22.fk(torch.from_numpy(frame.rotations), torch.from_numpy(frame.root))[1]
    return positions[CONTACT_INDEX].numpy()


def test_a_spring_does_nine_tenths_of_a_step_in_its_time_and_never_passes_it():
    spring = Spring()
    way = [spring.follow(1.0, 8.0) for _ in range(90)]
    assert way[math.ceil(3.9 / 8.0 * FPS)] > 0.9 > way[10]
    assert max(way) <= 1.0 and way[-1] == pytest.approx(1.0, abs=1e-6)


def test_frames_that_nobody_drives_stay_as_they_are_bit_for_bit():
    bend, frames = Bend(), [standing(z=0.02 * n) for n in range(20)]
    assert all(bend.apply(frame) is frame for frame in frames)


def test_a_velocity_is_reached_in_time_without_overshoot_of_the_heading():
    drive = Drive()
    drive.place(0.0, 0.0, 0.0)
    drive.wish = Wish(1.4, 0.0)
    speeds, headings = [], []
    for _ in range(60):
        headings.append(drive.place(0.0, 0.0, 0.0)[0])
        speeds.append(math.hypot(*drive.velocity))
    assert speeds[round(0.5 * FPS)] > 0.9 * 1.4
    assert max(headings) <= math.pi / 2 + 1e-6 and headings[-1] == pytest.approx(math.pi / 2, abs=0.01)


def test_half_a_turn_is_made_whatever_the_headings_are():
    for begin in np.linspace(-math.pi, math.pi, 9):
        drive = Drive()
        drive.place(begin, 0.0, 0.0)
        drive.wish = Wish(0.0, 0.0, begin + math.pi)
        for _ in range(90):
            heading = drive.place(begin, 0.0, 0.0)[0]
        assert math.cos(heading - begin) == pytest.approx(-1, abs=1e-3)


def test_a_character_that_is_released_goes_on_from_where_it_is_at_its_own_speed():
    bend = Bend()
    for n in range(30):
        bend.apply(standing(z=0.03 * n))
    bend.drive.wish = Wish(1.0, 0.0)
    for n in range(30, 60):
        bend.apply(standing(z=0.03 * n))
    bend.drive.wish = None
    after = [bend.apply(standing(z=0.03 * n)).root for n in range(60, 120)]
    steps = np.diff(np.stack(after)[:, [0, 2]], axis=0)
    assert np.linalg.norm(np.diff(steps, axis=0), axis=1).max() < 0.01, "no pop"
    assert steps[-1] == pytest.approx([0.03, 0.0], abs=1e-3), "it walks on where it looks"


def test_a_jump_is_where_it_is_said_to_be():
    bend = Bend()
    bend.apply(standing())
    bend.drive.wish = Wish(2.0, 0.0)
    for _ in range(30):
        bend.apply(standing())
    bend.drive.wish = None
    jumped = bend.apply(PendingFrame(STANDING, np.array([5, HEIGHT, -3], dtype=np.float32), 15, 2, cuts=True))
    assert jumped.root.tolist() == [5.0, pytest.approx(HEIGHT), -3.0]


def test_feet_that_stand_do_not_slide_while_the_body_is_carried_and_turned():
    bend, before = Bend(), None
    bend.apply(standing())
    bend.drive.wish = Wish(0.25, 0.1, 2.0)
    for _ in range(90):
        frame = bend.apply(standing())
        now = feet(frame)
        for joint in range(4):
            if before is not None and frame.contacts >> joint & 1 and before[1] >> joint & 1 and joint % 2:
                assert np.linalg.norm((now - before[0])[joint, [0, 2]]) < 1e-3
        before = now, frame.contacts
    assert np.linalg.norm(frame.root[[0, 2]] - now[:, [0, 2]].mean(axis=0)) < 0.25, "they came along"


def test_a_limb_of_one_pose_is_that_of_many():
    draw = np.random.default_rng(0)
    for _ in range(50):
        first, middle, end, goal = draw.normal(size=(4, 3))
        bend, swing = solve_limb(tuple(first), tuple(middle), tuple(end), tuple(goal), (-1.0, 0.0, 0.0))
        many = two_bone.solve(
            *(point[:, None] for point in (first, middle, end, goal, np.array([-1.0, 0, 0])))
        )
        np.testing.assert_allclose(bend, many[0][:, 0], atol=1e-9)
        np.testing.assert_allclose(swing, many[1][:, 0], atol=1e-9)


def test_quaternions_of_one_pose_are_those_of_many():
    draw = np.random.default_rng(1)
    a, b = (planes.normalized(draw.normal(size=(4, 1))) for _ in range(2))
    u, v = draw.normal(size=(3, 1)), draw.normal(size=(3, 1))
    one = [tuple(each[:, 0].tolist()) for each in (a, b, u, v)]
    np.testing.assert_allclose(multiply(one[0], one[1]), planes.multiply(a, b)[:, 0])
    np.testing.assert_allclose(rotate(one[0], one[2]), planes.rotate(a, u)[:, 0])
    np.testing.assert_allclose(between(one[2], one[3]), planes.between(u, v)[:, 0])


def test_between_opposite_directions_any_half_turn_will_do():
    for way in ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)):
        turn = between(way, tuple(-x for x in way))
        np.testing.assert_allclose(rotate(turn, way), [-x for x in way], atol=1e-9)


@pytest.mark.parametrize(("stride", "least", "most"), [(1.0, 60, 60), (1.5, 72, 84), (0.5, 38, 50)])
def test_who_goes_faster_uses_up_more_frames(stride, least, most):
    tempo, frames = Tempo(), deque(standing(z=0.01 * n) for n in range(200))
    ways = []
    for _ in range(60):
        tempo.follow(stride)
        ways.append(float(tempo.next(frames).root[2]))
    assert least <= 200 - len(frames) <= most
    assert (np.diff(ways) > 0).all() and np.abs(np.diff(np.diff(ways))).max() < 0.004, "evenly"


def test_gaits_follow_speed_and_direction_and_are_kept_near_their_limits():
    assert gait_for(0.05, 0.0, STAND) is STAND
    speeds = [0.8, 2.0, 3.3, MAX_SPEED]
    assert tuple(gait_for(speed, 0.0, STAND) for speed in speeds) == FORWARD
    assert gait_for(0.8, math.pi / 2, STAND) is LEFT and gait_for(0.8, -math.pi / 2, STAND) is RIGHT
    assert gait_for(0.8, math.pi, STAND) is BACK
    limit = math.sqrt(FORWARD[0].speed * FORWARD[1].speed)
    assert gait_for(limit, 0.0, FORWARD[0]) is FORWARD[0] and gait_for(limit, 0.0, FORWARD[1]) is FORWARD[1]
