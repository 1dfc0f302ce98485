"""Bandai-Namco-Research-Motiondataset 1 and 2: everyday contents in many styles, BVH at 30 fps, CC BY-NC 4.0."""

import re
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from motiongen.files import visible
from motiongen.io import bvh
from motiongen.motion import Motion
from motiongen.retargeting import retarget
from motiongen.rotation import quat_from_matrix
from motiongen.skeleton import SMPL22, Skeleton, local_rotations
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.dance_styles import dance_meta

LICENCE = "CC BY-NC 4.0"
SAME_CONTENT = {"dance-short": "dance", "dance-long": "dance"}
"""Contents of the dataset that the caption grammar has under another name; it has the others under the same."""
_NAME = re.compile(r"dataset-(?P<set>[12])_(?P<content>[a-z-]+?)_(?P<style>[a-z-]+)_(?P<take>\d+)\.bvh$")

MAPPING = {
    "pelvis": "Hips", "spine1": "Spine", "spine3": "Chest", "neck": "Neck", "head": "Head",
    "left_collar": "Shoulder_L", "left_shoulder": "UpperArm_L", "left_elbow": "LowerArm_L", "left_wrist": "Hand_L",
    "right_collar": "Shoulder_R", "right_shoulder": "UpperArm_R", "right_elbow": "LowerArm_R", "right_wrist": "Hand_R",
    "left_hip": "UpperLeg_L", "left_knee": "LowerLeg_L", "left_ankle": "Foot_L", "left_foot": "Toes_L",
    "right_hip": "UpperLeg_R", "right_knee": "LowerLeg_R", "right_ankle": "Foot_R", "right_foot": "Toes_R",
}  # fmt: skip

# The rest pose is a bundle of bones along x, no person. These are the world directions of each joint's local x and y
# axes in a T-pose, measured in clips in which people stand with flat feet, and rounded to whole axes where possible.
_T_AXES: dict[str, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "joint_Root": ((1, 0, 0), (0, 1, 0)),
    "Hips": ((0, 1, 0), (-1, 0, 0)),
    "Spine": ((0, 1, 0.03), (0, -0.03, 1)),
    "Chest": ((0, 1, 0.08), (0, -0.08, 1)),
    "Neck": ((0, 0.99, 0.11), (0, -0.11, 0.99)),
    "Head": ((0, 0.98, 0.17), (0, -0.17, 0.98)),
    "Shoulder_L": ((1, 0, 0), (0, 1, 0)),
    "UpperArm_L": ((1, 0, 0), (0, 1, 0)),
    "LowerArm_L": ((1, 0, 0), (0, 1, 0)),
    "Hand_L": ((1, 0, 0), (0, 1, 0)),
    "Shoulder_R": ((1, 0, 0), (0, -1, 0)),
    "UpperArm_R": ((1, 0, 0), (0, -1, 0)),
    "LowerArm_R": ((1, 0, 0), (0, -1, 0)),
    "Hand_R": ((1, 0, 0), (0, -1, 0)),
    "UpperLeg_L": ((0, -1, 0), (1, 0, 0)),
    "LowerLeg_L": ((0, -1, 0), (1, 0, 0)),
    "Foot_L": ((0, -0.63, 0.78), (1, 0, 0)),
    "Toes_L": ((0, -0.35, 0.94), (1, 0, 0)),
    "UpperLeg_R": ((0, 1, 0), (1, 0, 0)),
    "LowerLeg_R": ((0, 1, 0), (1, 0, 0)),
    "Foot_R": ((0, 0.63, -0.78), (1, 0, 0)),
    "Toes_R": ((0, 0.35, -0.94), (1, 0, 0)),
}


def clips(root: Path) -> list[RawClip]:
    """Return every clip below a folder that holds the dataset as published."""
    found = []
    for path in visible(root.rglob("dataset-?_*.bvh"), root):
        parts = _NAME.search(path.name)
        if parts is None:
            continue
        found.append(
            RawClip(
                id=f"bandai_namco/{path.stem}",
                source="bandai_namco",
                licence=LICENCE,
                load=partial(load, path),
                labels=labels(parts["content"], parts["style"]),
                meta=dance_meta(dance_style(parts["content"])) | {"set": parts["set"], "take": parts["take"]},
            )
        )
    return found


def labels(content: str, style: str) -> Labels:
    """Return the labels of a clip by the two words in its file's name."""
    return Labels(content=SAME_CONTENT.get(content, content), style=style, has_directions=True)


def dance_style(content: str) -> str | None:
    """Return "street" for the dataset's dances, None for any other content."""
    return "street" if content.startswith("dance") else None


def load(path: Path) -> Motion:
    """Return one clip on SMPL-22, on the ground."""
    motion = bvh.read(path)
    return retarget(
        motion, SMPL22, mapping=MAPPING, t_pose=t_pose(motion.skeleton), plant_feet=False
    ).grounded()


def t_pose(skeleton: Skeleton) -> Tensor:
    """Return local rotations (22, 4) that put the dataset's skeleton into SMPL's T-pose."""
    axes = []
    for name in skeleton.names:
        x, y = (torch.tensor(axis, dtype=skeleton.offsets.dtype) for axis in _T_AXES[name])
        x = x / x.norm()
        y = y - (x @ y) * x
        y = y / y.norm()
        axes.append(torch.stack([x, y, torch.linalg.cross(x, y)], dim=-1))
    return local_rotations(quat_from_matrix(torch.stack(axes)), skeleton)


DATASET = DatasetSpec(
    name="bandai_namco",
    title="Bandai-Namco-Research-Motiondataset",
    licence=LICENCE,
    expects="BVH files named dataset-1_*.bvh or dataset-2_*.bvh",
    clips=clips,
)
