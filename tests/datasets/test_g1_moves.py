"""G1 Moves: the robot's joints become a person's."""

import math

import numpy as np
import pytest
import torch

from motiongen.rotation import axis_angle_from_quat
from motiongen.skeleton import SMPL22
from motiongen_datasets import g1_moves
from tests.datasets.folders import g1_rows


def load(tmp_path, values: np.ndarray):
    (tmp_path / "dance").mkdir(exist_ok=True)
    np.savetxt(tmp_path / "dance" / "clip.csv", values, delimiter=",")
    (clip,) = g1_moves.clips(tmp_path)
    assert (clip.labels.content, clip.meta["name"]) == ("dance", "clip")
    return clip.load()


def turn(motion, name: str) -> list[int]:
    return [
        round(x) for x in axis_angle_from_quat(motion.rotations)[0, SMPL22.index(name)].rad2deg().tolist()
    ]


def test_the_zero_pose_stands_with_arms_down_and_forearms_ahead(tmp_path):
    motion = load(tmp_path, g1_rows())
    positions = motion.positions()[0]
    assert motion.num_frames == 30
    assert positions[SMPL22.index("left_wrist"), 2] > positions[SMPL22.index("left_elbow"), 2] + 0.2
    assert positions[SMPL22.index("left_elbow"), 1] < positions[SMPL22.index("left_shoulder"), 1] - 0.2
    assert positions[SMPL22.index("left_hip"), 0] > 0  # left is +x
    assert motion.positions()[..., 1].min() == pytest.approx(0.025, abs=0.005)


@pytest.mark.parametrize(
    ("angle", "joint", "expected"),
    [
        ("left_knee", "left_knee", [40, 0, 0]),
        ("left_hip_pitch", "left_hip", [40, 0, 0]),  # positive pitch leans forward, so the leg goes back
        ("right_ankle_pitch", "right_ankle", [40, 0, 0]),
        ("right_hip_roll", "right_hip", [0, 0, 40]),
    ],
)
def test_single_angles_turn_single_joints(tmp_path, angle, joint, expected):
    found = turn(load(tmp_path, g1_rows(**{angle: math.radians(40)})), joint)
    assert found == pytest.approx(
        expected, abs=8
    )  # its hips' axes are tilted, its straight knee is 4 degrees bent


def test_the_waist_is_shared_out_over_the_spine(tmp_path):
    motion = load(tmp_path, g1_rows(waist_yaw=math.radians(60)))
    assert [turn(motion, f"spine{i}") for i in (1, 2, 3)] == [[0, 20, 0]] * 3


def test_walking_along_x_goes_forward(tmp_path):
    values = g1_rows()
    values[:, 0] = np.linspace(0, 0.6, 60)
    motion = load(tmp_path, values)
    moved = motion.root[-1] - motion.root[0]
    assert moved[2] == pytest.approx(0.6 * 58 / 59 * 0.805 / 0.602, rel=0.03)  # scaled by the legs
    torch.testing.assert_close(moved[0], torch.tensor(0.0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("text", ["1,2,3\n", "a,b\n", ",".join(["nan"] * 36) + "\n"])
def test_broken_rows_are_one_clear_line(tmp_path, text):
    (tmp_path / "clip.csv").write_text(text)
    with pytest.raises(ValueError, match=r"clip\.csv: expected rows of"):
        g1_moves.load(tmp_path / "clip.csv")
