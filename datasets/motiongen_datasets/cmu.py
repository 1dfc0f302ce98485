"""CMU Motion Capture Database: ASF/AMC, and three families of BVH conversions of it. Free for all uses.

A folder has clips.csv, with the columns COLUMNS, beside the files.
"""

import math
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from motiongen.io import asf, bvh
from motiongen.motion import Motion
from motiongen.retargeting import find_t_pose
from motiongen.rotation import quat_from_axis_angle, quat_multiply
from motiongen.skeleton import Skeleton, local_rotations
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.cleaning import canonical, clean_span, left_out, without_calibration_pose
from motiongen_datasets.clip_table import read_rows
from motiongen_datasets.cmu_labels import dance_style, labels
from motiongen_datasets.dance_styles import dance_meta
from motiongen_datasets.head_level import with_raised_head

LICENCE = "CMU: free for research and commercial use, not to be resold as data"
COLUMNS = frozenset(
    {"clip", "file", "skeleton", "file_fps", "unit_to_metres", "caption", "sentences", "glitch_frames"}
)
_HINGE = math.pi / 6
MAX_GLITCHES = 5
"""Clips with more jumps between frames than this are left out; of the others the longest span without one is kept."""

HEAD_DEGREES = 9.0
"""How far heads look down more than in other sources."""
TRUE_FPS = {"90_02": 120.0, "90_05": 120.0}
"""Rates of trials whose table is wrong: as it has them, jumps fall at a quarter of 9.8 m/s²."""

# An ASF bone turns about its start. The forearm is two bones, radius and wrist (its twist): the hand is `lhand`.
# The spine's bones are matched by height over the hips, so that the body bends where it did.
ASF_MAPPING = {
    "pelvis": "root", "spine1": "upperback", "spine2": "thorax", "spine3": "thorax",
    "neck": "upperneck", "head": "head",
    "left_collar": "lclavicle", "left_shoulder": "lhumerus", "left_elbow": "lradius", "left_wrist": "lhand",
    "right_collar": "rclavicle", "right_shoulder": "rhumerus", "right_elbow": "rradius", "right_wrist": "rhand",
    "left_hip": "lfemur", "left_knee": "ltibia", "left_ankle": "lfoot", "left_foot": "ltoes",
    "right_hip": "rfemur", "right_knee": "rtibia", "right_ankle": "rfoot", "right_foot": "rtoes",
}  # fmt: skip
_LEGS_AND_SPINE = {
    "pelvis": "Hips", "spine1": "Spine", "spine2": "Spine1", "spine3": "Spine1", "neck": "Neck1", "head": "Head",
    "left_hip": "LeftUpLeg", "left_knee": "LeftLeg", "left_ankle": "LeftFoot", "left_foot": "LeftToeBase",
    "right_hip": "RightUpLeg", "right_knee": "RightLeg", "right_ankle": "RightFoot", "right_foot": "RightToeBase",
}  # fmt: skip
# The 38-joint family names the arm one joint further out: its "LeftArm" is the elbow.
BVH38_MAPPING = _LEGS_AND_SPINE | {
    "left_collar": "LShoulder", "left_shoulder": "LeftShoulder", "left_elbow": "LeftArm",
    "left_wrist": "LeftHand",
    "right_collar": "RShoulder", "right_shoulder": "RightShoulder", "right_elbow": "RightArm",
    "right_wrist": "RightHand",
}  # fmt: skip
BVH31_MAPPING = _LEGS_AND_SPINE | {
    "left_collar": "LeftShoulder", "left_shoulder": "LeftArm", "left_elbow": "LeftForeArm",
    "left_wrist": "LeftFingerBase",
    "right_collar": "RightShoulder", "right_shoulder": "RightArm", "right_elbow": "RightForeArm",
    "right_wrist": "RightFingerBase",
}  # fmt: skip
DAZ_MAPPING = {
    "pelvis": "hip", "spine1": "abdomen", "spine2": "chest", "spine3": "chest", "neck": "neck", "head": "head",
    "left_collar": "lCollar", "left_shoulder": "lShldr", "left_elbow": "lForeArm", "left_wrist": "lHand",
    "right_collar": "rCollar", "right_shoulder": "rShldr", "right_elbow": "rForeArm", "right_wrist": "rHand",
    "left_hip": "lThigh", "left_knee": "lShin", "left_ankle": "lFoot",
    "right_hip": "rThigh", "right_knee": "rShin", "right_ankle": "rFoot",
}  # fmt: skip


def clips(root: Path) -> list[RawClip]:
    """Return every clip that the clips.csv of a folder lists, or those below it.

    One that is left out is among them, and raises the reason when it is loaded.
    """
    return [_clip(folder, row) for folder, row in read_rows(root, COLUMNS)]


def t_pose(skeleton: Skeleton, mapping: dict[str, str]) -> Tensor:
    """Return local rotations (J, 4) that put a skeleton of the database into SMPL's T-pose.

    Beside the limbs' directions, it corrects two twists: in the zero pose the feet are rolled outward with the spread
    legs, so they turn with the shins; and the elbows' hinge axis is turned by 30 degrees about the arm, so the arm is
    turned back. The hands are palm down already.

    Args:
        skeleton: of an .asf file or of one of the BVH families.
        mapping: SMPL-22's joint names -> the skeleton's.
    """
    rotations, _ = skeleton.fk(find_t_pose(skeleton, mapping), torch.zeros(3))
    rotations = rotations.clone()
    hinge = quat_from_axis_angle(rotations.new_tensor([_HINGE, 0.0, 0.0]))
    for side in ("left", "right"):
        if mapping is not DAZ_MAPPING:
            knee = skeleton.index(mapping[f"{side}_knee"])
            for part in ("ankle", "foot"):
                rotations[skeleton.index(mapping[f"{side}_{part}"])] = rotations[knee]
        for part in ("shoulder", "elbow"):
            joint = skeleton.index(mapping[f"{side}_{part}"])
            rotations[joint] = quat_multiply(hinge, rotations[joint])
    return local_rotations(rotations, skeleton)


def load(path: Path, skeleton: Path | None, fps: float, unit_to_metres: float) -> Motion:
    """Return one clip on SMPL-22 at 30 fps, on the ground.

    Args:
        path: the .amc or .bvh file.
        skeleton: the .asf file of an .amc; None for BVH.
        fps: frame rate of the file.
        unit_to_metres: length of the file's unit in metres.
    """
    motion, mapping = read_source(path, skeleton, fps, unit_to_metres)
    return with_raised_head(canonical(motion, mapping, t_pose(motion.skeleton, mapping)), HEAD_DEGREES)


def read_source(
    path: Path, skeleton: Path | None, fps: float, unit_to_metres: float
) -> tuple[Motion, dict[str, str]]:
    """Return one clip on its own skeleton, without calibration pose and jumps, and its joint mapping.

    Args:
        path, skeleton, fps, unit_to_metres: as for `load`.
    """
    if skeleton is not None:
        motion, mapping = asf.read_amc(skeleton, path, fps, unit_to_metres), ASF_MAPPING
    else:
        motion = bvh.read(path, unit_to_metres)
        mapping = _bvh_mapping(motion.skeleton)
        # The frame times in the headers are those of the capture, of which every second frame was dropped.
        motion = Motion(motion.skeleton, motion.rotations, motion.root, fps, motion.translations)
        motion = without_calibration_pose(motion, mapping)
    return clean_span(motion, mapping), mapping


def _bvh_mapping(skeleton: Skeleton) -> dict[str, str]:
    if "lThigh" in skeleton.names:
        return DAZ_MAPPING
    return BVH38_MAPPING if "LShoulder" in skeleton.names else BVH31_MAPPING


def _reason(row: dict[str, str]) -> str | None:
    """Return why a clip is left out; None if it is not."""
    if int(row["glitch_frames"] or 0) > MAX_GLITCHES:
        return f"more than {MAX_GLITCHES} frames jump"
    return "hardly moves" if row["clip"] == "135_08" else None


def _clip(folder: Path, row: dict[str, str]) -> RawClip:
    skeleton = folder / row["skeleton"] if row["skeleton"] else None
    reason = _reason(row)
    fps = TRUE_FPS.get(row["clip"], float(row["file_fps"]))
    reader = partial(load, folder / row["file"], skeleton, fps, float(row["unit_to_metres"]))
    sentences = tuple(sentence.strip() for sentence in row["sentences"].split("|") if sentence.strip())
    facts = {"subject": row["clip"].split("_")[0], "caption": row["caption"]}
    return RawClip(
        id=f"cmu/{row['clip']}",
        source="cmu",
        licence=LICENCE,
        load=reader if reason is None else partial(left_out, reason),
        labels=labels(row["caption"], sentences),
        meta=dance_meta(dance_style(row["caption"])) | facts,
        is_take=dance_style(row["caption"]) is None,
    )


DATASET = DatasetSpec(
    name="cmu",
    title="the CMU Motion Capture Database",
    licence=LICENCE,
    expects="clips.csv beside .amc or .bvh files",
    clips=clips,
)
