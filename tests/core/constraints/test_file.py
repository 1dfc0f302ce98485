"""Files of constraints: what is written is read again, and what cannot be is said in one line."""

import json
import math

import pytest

from motiongen import Avoid, JointKey, LookAt, Motion, PoseKey, RootPath, Waypoint
from motiongen.constraints import KINDS, read, write
from tests.core.motions import wobble

IDENTITY = (0.0, 0.0, 0.0, 1.0)
ONE_OF_EACH = [
    RootPath(times=(0.0, 1.0), points=((0.0, 0.0), (1.0, 2.0)), headings=(0.0, 0.5)),
    Waypoint(time=1.5, x=1.0, z=2.0),
    PoseKey(time=2.0, rotations=(IDENTITY,) * 22, root=(0.0, 0.97, 0.0), in_place=True),
    JointKey(joint="left_wrist", time=1.0, until=2.0, position=(0.3, 1.2, 0.4)),
    JointKey(joint="head", time=1.0, rotation=IDENTITY),
    LookAt(point=(0.0, 1.5, 2.0), time=0.5),
    Avoid(center=(1.0, 1.0), radius=0.5),
    Avoid(center=(1.0, 1.0), size=(1.0, 2.0), turn=0.3),
]


def saved(tmp_path, entries, version=1):
    file = tmp_path / "shot.json"
    file.write_text(json.dumps({"version": version, "constraints": entries}))
    return file


def test_every_kind_survives_a_file(tmp_path):
    assert {each.kind for each in ONE_OF_EACH} == set(KINDS)
    write(ONE_OF_EACH, tmp_path / "shot.json")
    assert read(tmp_path / "shot.json") == ONE_OF_EACH


def test_a_pose_is_taken_from_a_clip_beside_the_file(tmp_path):
    motion = wobble(30)
    motion.save(tmp_path / "clip.npz")
    file = saved(tmp_path, [{"type": "pose", "time": 1, "clip": "clip.npz", "clip_time": 0.5}])
    (key,) = read(file)
    assert key == PoseKey.from_motion(Motion.load(tmp_path / "clip.npz"), 0.5, time=1)
    assert key.in_place and key.root[1] == pytest.approx(float(motion.root[15, 1]))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "waypont", "time": 1, "x": 0, "z": 0}, "did you mean waypoint?"),
        ({"type": "waypoint", "time": 1, "x": 0, "z": 0, "headin": 1}, "did you mean heading?"),
        ({"type": "waypoint", "time": 1, "x": 0}, "expected z, got none"),
        ({"type": "waypoint", "time": math.nan, "x": 0, "z": 0}, "expected finite time"),
        ({"type": "waypoint", "time": -1, "x": 0, "z": 0}, "expected a time from 0"),
        ({"type": "waypoint", "time": 1, "x": "a", "z": 0}, "expected numbers"),
        ({"type": "joint", "joint": "left_hand", "time": 1, "position": [0, 1, 0]}, "did you mean left_wrist?"),
        ({"type": "joint", "joint": "head", "time": 1}, "got neither"),
        ({"type": "joint", "joint": "head", "time": 2, "until": 1, "position": [0, 1, 0]}, "expected until"),
        ({"type": "root_path", "times": [0, 0], "points": [[0, 0], [1, 1]]}, "expected rising times"),
        ({"type": "root_path", "times": [0], "points": [[0, 0, 0]]}, "expected points of 2 numbers"),
        ({"type": "pose", "time": 1, "rotations": [[0, 0, 0, 1]], "root": [0, 1, 0]}, "expected 22 rotations"),
        ({"type": "pose", "time": 1, "rotations": [[0, 0, 0, 2]] * 22, "root": [0, 1, 0]}, "of length 1"),
        ({"type": "avoid", "center": [0, 0]}, "both or neither"),
        ({"type": "look_at", "point": [0, 1, math.inf], "time": 0}, "expected finite point"),
        (7, "expected an object"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_one_line(tmp_path, entry, said):
    with pytest.raises(ValueError) as caught:
        read(saved(tmp_path, [entry]))
    assert (
        said in str(caught.value) and "constraints[0]" in str(caught.value) and "\n" not in str(caught.value)
    )


@pytest.mark.parametrize("text", ['{"version": 2, "constraints": []}', '{"constraints": []}', "3", "{", ""])
def test_another_file_is_refused(tmp_path, text):
    file = tmp_path / "shot.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"shot\.json"):
        read(file)


def test_the_example_of_the_documentation_is_read(tmp_path):
    from pathlib import Path

    text = (Path(__file__).resolve().parents[3] / "docs" / "constraints.md").read_text()
    file = tmp_path / "shot.json"
    file.write_text(text.split("```json\n")[1].split("```")[0])
    assert len(read(file)) == 6
