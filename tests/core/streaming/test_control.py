"""Verbs that drive a character of a small random model: what they do, and what they answer."""

import math
import threading
from functools import partial

import numpy as np
import pytest

from motiongen import load
from motiongen.constraints import Avoid
from motiongen.streaming.barrier import outside, pushed_out
from motiongen.streaming.gait_library import GaitLibrary
from motiongen.streaming.gaits import MAX_SPEED
from motiongen.streaming.scheduler import StreamScheduler
from motiongen.streaming.verbs import VerbError
from tests.core.inference.tiny import save_tiny


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return load("mogo", save_tiny(tmp_path_factory.mktemp("weights")), "cpu")


@pytest.fixture
def scheduler(model):
    return StreamScheduler(model, max_characters=4, batch_sizes=(4,))


def play(scheduler, character, frames):
    """Take frames one by one, with a tick before each, as a server's thread does."""
    made = []
    for _ in range(frames):
        scheduler.tick()
        while (frame := character.take()) is None:
            scheduler.tick()
        made.append(frame)
    return made


def tell(scheduler, character, verb, **arguments):
    answer = character.submit(verb, **arguments)
    scheduler.tick()
    return answer


def places(frames):
    return np.stack([frame.root[[0, 2]] for frame in frames])


def test_steer_is_obeyed_from_the_next_frame_on_and_a_stick_at_rest_stops(scheduler):
    character = scheduler.open(seed=1)
    play(scheduler, character, 10)
    answer = tell(scheduler, character, "steer", velocity=[1.0, 0.0])
    assert answer.result(timeout=1).seq == 10 and not answer.result().note
    way = places(play(scheduler, character, 60))
    assert np.diff(way[40:], axis=0).mean(axis=0) * 30 == pytest.approx([1.0, 0.0], abs=0.1)
    tell(scheduler, character, "steer", velocity=[0.0, 0.0])
    stopped = places(play(scheduler, character, 60))
    assert np.linalg.norm(stopped[-1] - stopped[30]) < 0.15


def test_steer_in_the_characters_frame_goes_where_it_looks(scheduler):
    character = scheduler.open(seed=1)
    play(scheduler, character, 2)
    tell(scheduler, character, "steer", velocity=[0.0, 0.0], facing=math.pi / 2)
    play(scheduler, character, 60)
    tell(scheduler, character, "steer", velocity=[0.0, 1.0], frame="character")
    way = places(play(scheduler, character, 60))
    assert np.diff(way[30:], axis=0).mean(axis=0) * 30 == pytest.approx([1.0, 0.0], abs=0.15)


def test_a_speed_that_nobody_runs_is_capped_and_said(scheduler):
    character = scheduler.open(seed=1)
    play(scheduler, character, 2)
    note = tell(scheduler, character, "steer", velocity=[0.0, 20.0]).result(timeout=1).note
    assert note == "steer: asked for 20 m/s; the fastest that it runs is 6.5"
    way = places(play(scheduler, character, 60))
    assert np.linalg.norm(np.diff(way, axis=0), axis=1).max() * 30 < MAX_SPEED + 1.5


@pytest.mark.parametrize("verb", ["prompt", "then", "hold", "pose"])
def test_frames_go_on_without_a_pop_when_something_else_is_said(scheduler, verb):
    character = scheduler.open(seed=1)
    play(scheduler, character, 2)
    tell(scheduler, character, "steer", velocity=[0.0, 1.5])
    before = play(scheduler, character, 40)
    tell(scheduler, character, verb, **({"text": "walk"} if verb in ("prompt", "then") else {}))
    after = play(scheduler, character, 20)
    assert (character.plan.gait is None) == (verb != "pose")
    if verb != "pose":  # which jumps
        steps = np.linalg.norm(np.diff(places(before[-3:] + after), axis=0), axis=1)
        assert np.abs(np.diff(steps)).max() < 0.05


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        (
            "turn",
            {"angle": 1.0},
            "turn: the character is driven; give its verb a facing or a heading, or say hold",
        ),
        ("finish", {"seconds": 1.0}, "finish: nothing is going on; say a prompt first"),
    ],
)
def test_what_makes_no_sense_while_it_steers_is_answered(scheduler, verb, arguments, said):
    character = scheduler.open(seed=1)
    play(scheduler, character, 2)
    tell(scheduler, character, "steer", velocity=[0.0, 1.0])
    with pytest.raises(VerbError, match=said):
        tell(scheduler, character, verb, **arguments).result(timeout=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"velocity": [0.0, math.nan]}, "velocity: expected 2 finite numbers"),
        ({"velocity": [0.0]}, "velocity: expected 2 finite numbers"),
        ({"velocity": [0.0, 101.0]}, "velocity: expected a number -100..100, got 101.0"),
        ({"velocity": [0.0, 1.0], "facing": math.inf}, "facing: expected a number"),
        (
            {"velocity": [0.0, 1.0], "frame": "camera"},
            "frame: expected one of world, character, got 'camera'",
        ),
        ({}, "steer: expected velocity, facing, frame, got none"),
    ],
)
def test_steer_refuses_what_is_no_wish(scheduler, arguments, said):
    with pytest.raises(VerbError, match=said):
        scheduler.open(seed=1).submit("steer", **arguments)


def test_one_that_is_steered_changes_no_other(model):
    alone = StreamScheduler(model, max_characters=4, batch_sizes=(4,))
    expected = play(alone, alone.open(prompt="walk", seed=5), 60)
    crowd = StreamScheduler(model, max_characters=4, batch_sizes=(4,))
    driven, other = crowd.open(seed=1), crowd.open(prompt="walk", seed=5)
    made, say = [], partial(driven.submit, "steer")
    for n in range(60):
        say(velocity=[math.sin(n), math.cos(n)])
        play(crowd, driven, 1)
        made += play(crowd, other, 1)
    for mine, theirs in zip(made, expected, strict=True):
        np.testing.assert_allclose(mine.rotations, theirs.rotations, atol=1e-5)
        np.testing.assert_allclose(mine.root, theirs.root, atol=1e-5)


def arrival(scheduler, character, seconds):
    """Play until the event "arrived"; return the frame at which it came, or fail."""
    for _ in range(round(seconds * 30)):
        (frame,) = play(scheduler, character, 1)
        if any(event.name == "arrived" for event in character.events):
            return frame
    raise AssertionError("it did not arrive")


def heading(frame):
    return 2 * math.atan2(frame.rotations[0, 1], frame.rotations[0, 3])


def test_goto_arrives_at_the_place_and_the_heading_and_stands(scheduler):
    character = scheduler.open(seed=4)
    play(scheduler, character, 8)
    tell(scheduler, character, "goto", x=1.5, z=-1.0, heading=2.0)
    frame = arrival(scheduler, character, 8)
    assert np.linalg.norm(frame.root[[0, 2]] - [1.5, -1.0]) < 0.1
    assert abs(math.remainder(heading(frame) - 2.0, math.tau)) < 0.35, "a random model twists its hips"
    assert character.plan.is_idle and not character.bend.drive.is_driven


def test_goto_comes_when_it_is_asked_to(scheduler):
    character = scheduler.open(seed=4)
    play(scheduler, character, 8)
    assert not tell(scheduler, character, "goto", x=2.0, z=2.0, seconds=4.0).result(timeout=1).note
    way = places(play(scheduler, character, 150))
    distance = np.linalg.norm(way - [2.0, 2.0], axis=1)
    assert distance[90] > 0.3 and distance[119] < 0.12


def test_path_passes_its_points_in_order(scheduler):
    character = scheduler.open(seed=4)
    play(scheduler, character, 8)
    points = [[0.0, 1.5], [1.5, 1.5], [1.5, 0.0]]
    tell(scheduler, character, "path", points=points, speed=1.0)
    way = places(play(scheduler, character, 300))
    nearest = [np.linalg.norm(way - point, axis=1).argmin() for point in points]
    off = [np.linalg.norm(way - point, axis=1).min() for point in points]
    assert nearest == sorted(nearest) and max(off) < 0.3 and off[-1] < 0.1


@pytest.mark.parametrize(
    "obstacle", [{"center": [0.0, 2.0], "radius": 0.6}, {"center": [0.1, 2.0], "size": [1.0, 0.8]}]
)
@pytest.mark.parametrize("verb", ["goto", "steer"])
def test_obstacles_are_walked_around(scheduler, obstacle, verb):
    character = scheduler.open(seed=4)
    play(scheduler, character, 8)
    tell(scheduler, character, "avoid", obstacles=[obstacle])
    tell(scheduler, character, verb, **({"x": 0.0, "z": 4.0} if verb == "goto" else {"velocity": [0.0, 1.2]}))
    way = places(play(scheduler, character, 240))
    (one,) = character.bend.drive.obstacles
    assert min(outside(one, x, z)[0] for x, z in way.tolist()) > -0.05
    assert way[-1, 1] > 3.5, "it came past"


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        (
            "goto",
            {"x": 0.0, "z": 20.0, "seconds": 1.0},
            "goto: 20 m in 1 s; the fastest that it runs is 6.5 m/s",
        ),
        (
            "goto",
            {"x": 0.0, "z": 3.0},
            "goto: the end is 0.8 m too near to the circle at (0, 3); it goes beside it",
        ),
        (
            "path",
            {"points": [[0, 1]], "speed": 30},
            "path: asked for 30 m/s; the fastest that it runs is 6.5",
        ),
        (
            "avoid",
            {"obstacles": [{"center": [0, 0], "radius": 1}]},
            "avoid: the character stands in the circle",
        ),
    ],
)
def test_what_cannot_be_met_is_said(scheduler, verb, arguments, said):
    character = scheduler.open(seed=4)
    play(scheduler, character, 8)
    if verb == "goto" and "seconds" not in arguments:
        tell(scheduler, character, "avoid", obstacles=[{"center": [0, 3], "radius": 0.5}])
    assert said in tell(scheduler, character, verb, **arguments).result(timeout=1).note


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("goto", {"x": math.nan, "z": 0.0}, "x: expected a number -10000..10000, got nan"),
        ("goto", {"x": 0.0, "z": 0.0, "seconds": -1}, "seconds: expected a number 0.1..600, got -1"),
        ("path", {"points": []}, "points: expected 1 to 256 points"),
        ("path", {"points": [[0, 1, 2]]}, "points: expected 1 x 2 finite numbers"),
        (
            "path",
            {"points": [[0, 1]], "speed": 1, "seconds": 1},
            "path: expected seconds or a speed, got both",
        ),
        (
            "avoid",
            {"obstacles": [{"center": [0, 1]}]},
            "avoid: expected a radius (a circle) or a size (a box)",
        ),
        (
            "avoid",
            {"obstacles": [{"centre": [0, 1]}]},
            "obstacles: expected center, radius, size, turn of each",
        ),
        ("avoid", {"obstacles": [{"center": [0, "a"], "radius": 1}]}, "avoid: expected numbers in center"),
        ("avoid", {"obstacles": [7]}, "obstacles: expected center, radius, size, turn of each, got 7"),
        ("avoid", {"obstacles": "all"}, "obstacles: expected a list of at most 32"),
    ],
)
def test_ways_that_are_none_are_refused(scheduler, verb, arguments, said):
    with pytest.raises(VerbError) as refused:
        scheduler.open(seed=1).submit(verb, **arguments)
    assert said in str(refused.value)


def test_distances_from_circles_and_turned_boxes_by_hand():
    circle, box = (
        Avoid(center=(1.0, 0.0), radius=0.5),
        Avoid(center=(0.0, 0.0), size=(4.0, 2.0), turn=math.pi / 2),
    )
    assert outside(circle, 3.0, 0.0) == (1.5, 1.0, 0.0)
    assert outside(box, 0.0, 3.0) == pytest.approx((1.0, 0.0, 1.0)), "its long side lies along z"
    assert outside(box, 0.9, 0.0) == pytest.approx((-0.1, 1.0, 0.0))
    assert outside(box, 2.0, 3.0)[0] == pytest.approx(math.sqrt(2))
    assert pushed_out([circle], 1.2, 0.0, 0.1) == pytest.approx((1.6, 0.0))


def test_a_pose_is_come_to_at_its_time_and_left(scheduler):
    character = scheduler.open(seed=4)
    play(scheduler, character, 8)
    pose = np.tile(np.array([0, 0, 0, 1.0]), (22, 1))
    pose[16], pose[17] = [0, 0, -0.6, 0.8], [0, 0, 0.6, 0.8]
    answer = tell(scheduler, character, "pose", rotations=pose, at=1.5).result(timeout=1)
    frames = play(scheduler, character, 90)
    key = frames[answer.seq - 8]
    assert answer.seq == 8 + 45
    dots = np.abs((key.rotations[1:] * pose[1:]).sum(axis=-1))
    upper = [joint - 1 for joint in range(1, 22) if joint not in (1, 2, 4, 5, 7, 8)]
    assert np.degrees(2 * np.arccos(np.minimum(dots[upper], 1))).max() < 3
    assert character.bend.pose is None


@pytest.mark.parametrize(
    ("verb", "arguments", "said"),
    [
        ("reach", {"hand": "third", "point": [0, 1, 0]}, "hand: expected one of left, right, got 'third'"),
        ("reach", {"hand": "left", "point": [0, math.nan, 0]}, "point: expected 3 finite numbers"),
        ("reach", {"hand": "left", "point": [0, 1e9, 0]}, "point: expected a number -10000..10000"),
        ("look", {"point": [0, 1]}, "point: expected 3 finite numbers"),
        ("look", {"point": [0, 1, 2], "frame": None}, "frame: expected one of world, character, got None"),
        ("pose", {"at": -1.0}, "at: expected a number 0..600, got -1.0"),
    ],
)
def test_points_and_times_that_are_none_are_refused(scheduler, verb, arguments, said):
    with pytest.raises(VerbError) as refused:
        scheduler.open(seed=1).submit(verb, **arguments)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("steer", {"velocity": [1.0, 0.0]}),
        ("goto", {"x": 1.0, "z": 1.0}),
        ("path", {"points": [[1.0, 1.0]]}),
        ("pose", {"root": [1.0, 0.9, 1.0], "at": 2.0}),
    ],
)
def test_no_tick_waits_for_the_gaits_that_the_first_driven_character_needs(
    scheduler, monkeypatch, verb, arguments
):
    threads, write = [], GaitLibrary.write

    def watched(library):
        if not library.is_written:
            threads.append(threading.current_thread())
        return write(library)

    monkeypatch.setattr(GaitLibrary, "write", watched)
    with scheduler:
        character = scheduler.open(seed=1, prompt="walk")
        character.submit(verb, **arguments).result(timeout=60)
    assert [thread.name.split("_")[0] for thread in threads] == ["motiongen-text"]
