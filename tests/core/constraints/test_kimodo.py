"""What Kimodo's demo saves, by its documented fields: seconds, metres and SMPL-22's joints come out."""

import json
import math

import pytest
import torch
from torch.testing import assert_close

from motiongen import JointKey, PoseKey, RootPath, Waypoint
from motiongen.constraints import read
from motiongen.skeleton import SMPL22


def saved(tmp_path, record):
    file = tmp_path / "constraints.json"
    file.write_text(json.dumps(record))
    return file


def pose(joints, **bent):
    angles = [[0.0, 0.0, 0.0] for _ in range(joints)]
    for index, angle in bent.items():
        angles[int(index.strip("_"))] = angle
    return {"frame_indices": [60], "local_joints_rot": [angles], "root_positions": [[1.0, 0.938, 2.0]]}


def test_a_path_keeps_its_points_and_takes_its_headings_as_cosine_and_sine(tmp_path):
    record = [{"type": "root2d", "frame_indices": [30, 0], "smooth_root_2d": [[1, 2], [0, 0]],
               "global_root_heading": [[0, 1], [1, 0]]}]  # fmt: skip
    assert read(saved(tmp_path, record)) == [
        RootPath(times=(0.0, 1.0), points=((0, 0), (1, 2)), headings=(0.0, math.pi / 2))
    ]
    one = [{"type": "root2d", "frame_indices": [45], "smooth_root_2d": [[1, 2]]}]
    assert read(saved(tmp_path, one)) == [Waypoint(time=1.5, x=1, z=2)]


@pytest.mark.parametrize(("joints", "arm"), [(30, 11), (77, 12), (22, 16)])
def test_the_left_arm_of_every_skeleton_is_ours(tmp_path, joints, arm):
    """A left arm lowered by a right angle from the T-pose hangs: SOMA's 30 and 77 joints, and SMPL-X's 22."""
    record = [{"type": "fullbody"} | pose(joints, **{f"_{arm}": [0.0, 0.0, -math.pi / 2]})]
    (key,) = read(saved(tmp_path, record))
    assert isinstance(key, PoseKey) and key.time == 2.0 and not key.in_place
    positions = SMPL22.fk(torch.tensor(key.rotations), torch.tensor(key.root))[1]
    shoulder, wrist = (positions[SMPL22.index(f"left_{part}")] for part in ("shoulder", "wrist"))
    assert_close(wrist - shoulder, torch.tensor([0.0, -0.515, 0.0]), atol=1e-5, rtol=0)
    assert key.root[1] == pytest.approx(0.885, abs=0.02)  # its height scaled by the legs


def test_a_hand_is_where_the_pose_has_it_and_the_hips_are_a_waypoint(tmp_path):
    key, hips = read(saved(tmp_path, [{"type": "left-hand"} | pose(30)]))
    assert isinstance(key, JointKey) and key.joint == "left_wrist" and key.time == 2.0
    rest = SMPL22.rest_positions[SMPL22.index("left_wrist")]
    assert_close(torch.tensor(key.position), rest + torch.tensor([1.0, 0.885, 2.0]), atol=1e-5, rtol=0)
    assert hips == Waypoint(time=2.0, x=1.0, z=2.0)
    several = {"type": "end-effector", "joint_names": ["LeftFoot", "RightFoot", "Hips"]} | pose(30)
    assert [each.kind for each in read(saved(tmp_path, [several]))] == ["joint", "joint", "waypoint"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "root3d", "frame_indices": [0]}, "did you mean root2d?"),
        ({"type": "root2d", "frame_indices": [0]}, "smooth_root_2d"),
        ({"type": "fullbody"} | pose(34), "expected 77, 30 or 22 joints"),
        ({"type": "end-effector", "joint_names": ["Tail"]} | pose(30), "expected one of LeftHand"),
    ],
)
def test_what_cannot_be_is_said(tmp_path, entry, said):
    with pytest.raises(ValueError, match=said.replace("?", r"\?")):
        read(saved(tmp_path, [entry]))
