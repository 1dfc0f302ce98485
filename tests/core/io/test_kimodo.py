"""Kimodo's NPZ files: each of its skeletons is read, found to be a humanoid, and retargeted."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from motiongen import Motion, io
from motiongen.humanoid import humanoid_map
from motiongen.io.kimodo import skeletons
from motiongen.rotation import matrix_from_quat
from motiongen.skeleton import SMPL22, Skeleton
from tests.core.motions import wobble


def written(motion, path, **changes):
    """A file with the arrays that Kimodo writes, those that are not read too."""
    arrays = {
        "posed_joints": motion.positions().numpy(),
        "global_rot_mats": matrix_from_quat(motion.global_rotations()).numpy(),
        "local_rot_mats": matrix_from_quat(motion.rotations).numpy(),
        "foot_contacts": np.zeros((len(motion), 4)),
        "root_positions": motion.root.numpy(),
    }
    np.savez(path, **(arrays | changes))
    return path


def on(count: int) -> Motion:
    """A motion on one of Kimodo's skeletons, by arrays alone: SMPL's poses on joints of other offsets."""
    kind = skeletons()[str(count)]
    offsets = torch.randn(count, 3, generator=torch.Generator().manual_seed(count)) * 0.1
    rotations = wobble(6).rotations[:, torch.arange(count) % 22]
    return Motion(
        Skeleton(tuple(kind["names"]), tuple(kind["parents"]), offsets), rotations, wobble(6).root, 30.0
    )


@pytest.mark.parametrize("count", [22, 30, 34, 77])
def test_joints_are_where_the_file_says(tmp_path, count):
    motion = on(count)
    again = Motion.load(written(motion, tmp_path / "clip.npz"))
    assert (again.fps, again.skeleton.names) == (30.0, motion.skeleton.names)
    assert_close(again.positions(), motion.positions(), atol=1e-5, rtol=0)
    assert_close(again.skeleton.offsets[1:], motion.skeleton.offsets[1:], atol=1e-5, rtol=0)


@pytest.mark.parametrize("count", [22, 30, 34, 77])
def test_every_skeleton_is_a_humanoid(count):
    found = humanoid_map(on(count).skeleton)
    wanted = {"pelvis", "head"} if count != 34 else {"pelvis"}  # a G1 has no neck
    wanted |= {
        f"{side}_{part}"
        for side in ("left", "right")
        for part in ("hip", "knee", "ankle", "shoulder", "elbow")
    }
    assert wanted <= set(found)


def test_a_clip_on_smpl_x_is_the_motion_itself(tmp_path):
    motion = wobble(5)
    again = Motion.load(written(motion, tmp_path / "clip.npz"))
    assert again.skeleton.names == SMPL22.names
    assert_close(again.retarget(SMPL22, plant_feet=False).positions(), motion.positions(), atol=2e-3, rtol=0)


def test_the_rate_can_be_told(tmp_path):
    path = written(wobble(5), tmp_path / "clip.npz")
    assert Motion.load(path, io.ReadOptions(fps=20.0)).fps == 20.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"posed_joints": np.zeros((5, 21, 3)), "global_rot_mats": np.zeros((5, 21, 3, 3))},
            "of 77, 30, 34, 22 joints",
        ),
        ({"posed_joints": np.zeros((2, 5, 22, 3))}, "one clip a file"),
        ({"posed_joints": np.random.default_rng(0).normal(size=(5, 22, 3))}, "bones of one length"),
        ({"posed_joints": np.full((5, 22, 3), np.nan)}, "bones of one length"),
        ({"posed_joints": np.zeros((0, 22, 3)), "global_rot_mats": np.zeros((0, 22, 3, 3))}, "T at least 1"),
        ({"global_rot_mats": np.zeros((5, 22, 3, 3))}, "global_rot_mats that are rotations"),
        ({"global_rot_mats": np.tile(-np.eye(3), (5, 22, 1, 1))}, "global_rot_mats that are rotations"),
        ({"global_rot_mats": np.full((5, 22, 3, 3), np.nan)}, "global_rot_mats that are rotations"),
    ],
)
def test_other_arrays_are_one_line(tmp_path, changes, words):
    path = written(wobble(5), tmp_path / "clip.npz", **changes)
    with pytest.raises(ValueError, match=words) as caught:
        Motion.load(path)
    assert "\n" not in str(caught.value)
