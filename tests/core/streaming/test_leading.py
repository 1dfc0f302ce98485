"""Hands, heads and poses of a character without a model: led to points that move, within limits, and let go softly."""

import math

import numpy as np
import pytest

from motiongen.skeleton import SMPL22
from motiongen.streaming.drive import rotate_floor
from motiongen.streaming.gaits import Gait
from motiongen.streaming.pending_frame import PendingFrame
from motiongen.streaming.pose_ahead import PoseAhead
from motiongen.streaming.prompt_plan import PromptPlan
from motiongen.streaming.reaching import arm_length
from motiongen.streaming.single_pose import rotate
from motiongen.streaming.text_character import TextCharacter
from motiongen.streaming.upper_body import ARMS, HEAD, UpperBody

HEIGHT = 0.085 - float(SMPL22.rest_positions[SMPL22.index("left_ankle"), 1])


def frame_at(z=0.0):
    """A person who stands with arms that hang, and hips at a place."""
    rotations = np.tile(np.array([0, 0, 0, 1], dtype=np.float32), (22, 1))
    for side, sign in (("left", -1), ("right", 1)):
        rotations[ARMS[side][1]] = (0, 0, sign * math.sin(0.6), math.cos(0.6))
        rotations[ARMS[side][2]] = (0, sign * math.sin(0.2), 0, math.cos(0.2))
    return PendingFrame(rotations, np.array([0, HEIGHT, z], dtype=np.float32), 15, 1)


@pytest.fixture
def character():
    made = TextCharacter(1, PromptPlan(), lambda: None, 4, lambda text: None, lambda: None)
    made.append_frames([frame_at() for _ in range(400)])
    made.take()
    return made


def say(character, verb, **arguments):
    return character.submit(verb, **arguments).result(timeout=1)


def wrist(frame, side):
    return np.array(UpperBody(frame.rotations, frame.root).place(ARMS[side][-1]))


def way_of(frames, side):
    return np.stack([wrist(frame, side) for frame in frames])


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_hand_follows_a_point_that_moves_and_is_let_go_without_a_pop(character, side):
    sign, frames = 1 if side == "left" else -1, [character.take()]
    for n in range(60):
        point = [sign * (0.2 + 0.004 * n), HEIGHT + 0.3, 0.35]
        answer = say(character, "reach", hand=side, point=point)
        assert answer.seq == character.taken and not answer.note
        frames.append(character.take())
    assert np.linalg.norm(wrist(frames[-1], side) - point) < 0.03
    say(character, "reach", hand=side, point=None)
    frames += [character.take() for _ in range(60)]
    steps = np.diff(way_of(frames, side), axis=0)
    assert (
        np.linalg.norm(steps, axis=1).max() < 0.12
        and np.linalg.norm(np.diff(steps, axis=0), axis=1).max() < 0.04
    )
    np.testing.assert_array_equal(frames[-1].rotations, frames[0].rotations)


def test_one_hand_leaves_the_other_arm_and_the_legs_alone(character):
    before = character.take()
    say(character, "reach", hand="left", point=[0.2, HEIGHT + 0.3, 0.3])
    after = [character.take() for _ in range(40)][-1]
    others = [
        joint for joint in range(22) if joint not in ARMS["left"] and "spine" not in SMPL22.names[joint]
    ]
    np.testing.assert_array_equal(after.rotations[others], before.rotations[others])


def test_a_hand_goes_along_with_a_point_of_the_characters_frame(character):
    say(character, "reach", hand="left", point=[0.2, 1.2, 0.4], frame="character")
    character.plan.gait = Gait("a person walks forward", 1.0)
    character.bend.drive.wish = None
    for frame in (frame_at(0.03 * n) for n in range(60)):
        bent = character.bend.apply(frame)
    drive = character.bend.drive
    there = wrist(bent, "left") - [drive.x, 0, drive.z]
    x, z = rotate_floor(there[0], there[2], -drive.heading)
    assert (x, there[1], z) == pytest.approx((0.2, 1.2, 0.4), abs=0.03)


def test_a_hand_comes_as_near_as_it_can_and_says_what_is_missing(character):
    note = say(character, "reach", hand="right", point=[0.0, HEIGHT + 0.4, 3.0]).note
    assert "m out of reach; the hand comes as near as it can" in note
    frames = [character.take() for _ in range(60)]
    shoulder = np.array(UpperBody(frames[-1].rotations, frames[-1].root).place(ARMS["right"][1]))
    way = wrist(frames[-1], "right") - shoulder
    assert np.linalg.norm(way) > 0.97 * arm_length("right") and way[2] > 0.9 * np.linalg.norm(way)
    assert shoulder[2] > 0.1, "the back leans"


@pytest.mark.parametrize(
    "point", [[0, HEIGHT, 0], [0.3, 0, -4], [-3, 1, 0], [0.17, HEIGHT + 0.4, 0], [0, 9, 0]]
)
def test_no_point_makes_an_arm_that_is_none(character, point):
    say(character, "reach", hand="left", point=point)
    frames = [character.take() for _ in range(60)]
    rotations = np.stack([frame.rotations for frame in frames])
    assert np.isfinite(rotations).all() and np.linalg.norm(rotations, axis=-1) == pytest.approx(1, abs=1e-3)
    assert np.linalg.norm(np.diff(way_of(frames, "left"), axis=0), axis=1).max() < 0.3
    elbow = 2 * np.arccos(np.clip(np.abs(rotations[:, ARMS["left"][2], 3]), 0, 1))
    assert elbow.max() < math.radians(165)


def sight(frame):
    body = UpperBody(frame.rotations, frame.root)
    return np.array(body.place(HEAD)), np.array(rotate(body.rotation(HEAD), (0.0, 0.0, 1.0)))


def test_a_head_looks_at_a_point_softly_and_away_again(character):
    assert not say(character, "look", point=[2.0, 1.2, 3.0]).note
    frames = [character.take() for _ in range(60)]
    head, way = sight(frames[-1])
    wanted = np.array([2.0, 1.2, 3.0]) - head
    assert np.dot(way, wanted) / np.linalg.norm(wanted) > math.cos(math.radians(3))
    say(character, "look")
    frames += [character.take() for _ in range(60)]
    turns = np.stack([sight(frame)[1] for frame in frames])
    assert np.linalg.norm(np.diff(turns, axis=0), axis=1).max() < 0.12
    assert turns[-1] == pytest.approx([0, 0, 1], abs=1e-3)


def test_a_head_turns_no_further_than_a_neck_and_says_so(character):
    note = say(character, "look", point=[0.1, 1.5, -5.0]).note
    assert note.startswith("look: the point is ") and "degrees beyond what a neck turns; turn, too" in note
    _, way = sight([character.take() for _ in range(60)][-1])
    assert math.degrees(math.atan2(abs(way[0]), way[2])) == pytest.approx(80, abs=2)


def test_a_pose_is_come_to_at_its_time_with_its_feet_and_left_without_a_pop(character):
    goal = frame_at().rotations.copy()
    goal[ARMS["left"][1]] = (0, 0, math.sin(0.4), math.cos(0.4))
    for joint, angle in ((1, -0.5), (4, 1.0), (2, -0.5), (5, 1.0)):
        goal[joint] = (math.sin(angle / 2), 0, 0, math.cos(angle / 2))
    for joint, angle in ((7, -0.5), (8, -0.5)):
        goal[joint] = (math.sin(angle / 2), 0, 0, math.cos(angle / 2))
    character.bend.pose = PoseAhead.of(goal, HEIGHT - 0.12, 1.5)
    frames = [character.take() for _ in range(100)]
    key = UpperBody(frames[44].rotations, frames[44].root)
    wanted = UpperBody(goal, np.array([0, HEIGHT - 0.12, 0]))
    off = [math.dist(key.place(joint), wanted.place(joint)) for joint in range(22)]
    assert max(off) < 0.05 and float(np.mean(off)) < 0.02
    ways = np.stack([[UpperBody(f.rotations, f.root).place(joint) for joint in range(22)] for f in frames])
    steps = np.linalg.norm(np.diff(ways, axis=0), axis=-1)
    assert steps.max() < 0.13, "no pop"
    assert character.bend.pose is None
