"""ReActIdle, its genuine idles: people who stand and wait, BVH at 24 fps, MIT.

In these files the root's position channels are relative to its offset, unlike those of every other joint; putting the
clip on the ground corrects that. Hands are not captured: the forearms end in the wrists.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from motiongen.files import visible
from motiongen.io import bvh
from motiongen.motion import Motion
from motiongen.rotation import axis_angle_from_quat, quat_from_axis_angle, quat_inverse, quat_multiply
from motiongen.skeleton import SMPL22
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.captions import Labels
from motiongen_datasets.cleaning import canonical, clean_span, without_calibration_pose
from motiongen_datasets.head_level import with_raised_head

LICENCE = "MIT"
HEAD_DEGREES = 15.0
"""How far heads look down more than in other sources."""
MAPPING = {
    "pelvis": "pelvis", "spine1": "spine", "spine2": "spine.001", "spine3": "spine.001", "neck": "neck", "head": "face",
    "left_collar": "shoulder.L", "left_shoulder": "upper_arm.L", "left_elbow": "forearm.L",
    "right_collar": "shoulder.R", "right_shoulder": "upper_arm.R", "right_elbow": "forearm.R",
    "left_hip": "thigh.L", "left_knee": "shin.L", "left_ankle": "foot.L",
    "right_hip": "thigh.R", "right_knee": "shin.R", "right_ankle": "foot.R",
}  # fmt: skip


def clips(root: Path) -> list[RawClip]:
    """Return every genuine idle below a folder."""
    return [
        RawClip(
            id=f"react_idle/{path.stem}",
            source="react_idle",
            licence=LICENCE,
            load=partial(load, path),
            labels=Labels(content="idle"),
            meta={"name": path.stem},
        )
        for path in visible(root.rglob("*_genuine.bvh"), root)
    ]


def load(path: Path) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, on the ground."""
    return with_raised_head(with_elbow_hinges(canonical(*read_source(path))), HEAD_DEGREES)


def with_elbow_hinges(motion: Motion) -> Motion:
    """Return a motion of SMPL-22 whose elbows bend about y alone; all joint positions and the hands' rotations stay.

    The capture measured joint positions but not the twist of the arms, so its elbows bend about any axis across the
    arm. The mean axis over the clip gives the twist by which the upper arm is corrected.
    """
    rotations = motion.rotations.clone()
    for side, sign in (("left", -1.0), ("right", 1.0)):
        shoulder, elbow, wrist = (SMPL22.index(f"{side}_{part}") for part in ("shoulder", "elbow", "wrist"))
        bend = axis_angle_from_quat(rotations[:, elbow]).mean(dim=0) * sign  # (3,)
        angle = torch.atan2(-bend[2], bend[1])
        turn = quat_from_axis_angle(torch.stack([angle, angle * 0, angle * 0])).expand(motion.num_frames, 4)
        rotations[:, shoulder] = quat_multiply(rotations[:, shoulder], quat_inverse(turn))
        rotations[:, elbow] = quat_multiply(turn, quat_multiply(rotations[:, elbow], quat_inverse(turn)))
        rotations[:, wrist] = quat_multiply(turn, rotations[:, wrist])
    return replace(motion, rotations=rotations)


def read_source(path: Path) -> tuple[Motion, dict[str, str]]:
    """Return one clip on its own skeleton, without calibration pose and jumps, and its joint mapping."""
    motion = without_calibration_pose(bvh.read(path, 1.0), MAPPING)
    return clean_span(motion, MAPPING), MAPPING


DATASET = DatasetSpec(
    name="react_idle",
    title="ReActIdle",
    licence=LICENCE,
    expects="BVH files named *_genuine.bvh",
    clips=clips,
)
