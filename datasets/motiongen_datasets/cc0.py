"""Game animation packs in the public domain (and six MIT clips): 33 files, whose animations a manifest lists.

The rigs are stylised: the directions of bones are kept, their lengths are not. Loops that walk in place get the speed
of the standing foot, unless the pack has the same animation with the root moving, which is then used.
"""

import json
import logging
import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from motiongen.files import beside, reading
from motiongen.humanoid import humanoid_map
from motiongen.io import bvh, gltf
from motiongen.motion import Motion
from motiongen.retargeting import retarget
from motiongen.skeleton import SMPL22, Skeleton
from motiongen_datasets import cc0_labels
from motiongen_datasets.animation_fixes import calibration_frames, on_floor, reparented, repeated, travelling
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.dance_styles import dance_meta

log = logging.getLogger(__name__)

MANIFEST = "manifest.json"
FPS = 30.0
LOOP_SECONDS = 3.0
"""Length up to which a loop is repeated: many take less than a second."""
SHORTEST = 0.3
"""Seconds below which an animation is left out."""

_KNIGHTS_OWN = (
    r"^(?!(1H_Melee_Attack_Slice_Horizontal|Throw|Unarmed_Idle|Unarmed_Melee_Attack_.*|Walking_Backwards)$)"
)
# Animations that are left out: pattern of the file, pattern of the animation's name, reason.
LEFT_OUT = (
    (r"/Skeleton\.glb", r"", "arms that are named legs and no hands"),
    (r"Animated_Human", r"ArmatureAction", "a name that says nothing"),
    (r"", r"EXPERIMENTAL", "a change of shape, not a motion"),
    (r"Knight", _KNIGHTS_OWN, "the same as another"),
    (r"Female_Casual", r"", "the same as another"),
    (r"Animated_Woman", r"^Jump2$", "the same as another"),
    (r"Rig_Medium", r"Sit_Chair", "a chair too high for its feet"),
    (r"Rig_Medium", r"^Skeletons_(Awaken|Death|Spawn)", "limbs that come off"),
    (r"Rig_", r"^Spawn_|^Melee_Unarmed_Punch$", "leaps that no person can do"),
    (
        r"Rig_(Medium|Large)|Alien|Robot\.|/Casual_Male",
        r"[Ww]alking|[Rr]unning_[A-Z]|[Rr]unning$|_?Walk(_Carry)?$|_?Run(_Carry|Hold)?$|Sneaking|Crouching|Crawling",
        "strides of legs that are no person's",
    ),
)
# Names of locomotion, which is animated in place: the game moves the body.
_LOCOMOTION = re.compile(
    r"walk|run(?!ning_?jump)|jog|sprint|sneak|crawl|crouch_fwd|strafe|^crouching$", re.IGNORECASE
)
_STANDING = re.compile(r"jump|death|holdi?n?g?_?idle|idle_?hold", re.IGNORECASE)
_LOOPS = re.compile(r"loop|idle|dance|aiming|blocking|shooting|tired|clapping|swim|fly", re.IGNORECASE)

# Rigs whose feet are children of the root, as targets of inverse kinematics: SMPL's joint -> theirs, best first.
_IK_MAPPING = {
    "pelvis": ("Body",), "spine1": ("Abdomen",), "spine3": ("Torso",), "neck": ("Neck",), "head": ("Head",),
    "left_collar": ("Shoulder.L",), "left_shoulder": ("UpperArm.L",), "left_elbow": ("LowerArm.L",),
    "left_wrist": ("Palm.L", "Palm2.L", "Fist.L"),
    "right_collar": ("Shoulder.R",), "right_shoulder": ("UpperArm.R",), "right_elbow": ("LowerArm.R",),
    "right_wrist": ("Palm.R", "Palm2.R", "Fist.R"),
    "left_hip": ("UpperLeg.L",), "left_knee": ("LowerLeg.L",), "left_ankle": ("Foot.L",),
    "right_hip": ("UpperLeg.R",), "right_knee": ("LowerLeg.R",), "right_ankle": ("Foot.R",),
}  # fmt: skip


def clips(root: Path) -> list[RawClip]:
    """Return every usable animation of the packs that a folder's manifest.json lists; the log counts the others."""
    manifest = _read_manifest(root / MANIFEST)
    with_travelling_twin = {
        item["duplicate_of"] for file in manifest for item in file["animations"] if _is_travelling_twin(item)
    }
    found, skipped = [], Counter[str]()
    with reading(root / MANIFEST, "the packs' manifest"):
        for file in manifest:
            for item in file["animations"]:
                reason = _why_not(file, item, with_travelling_twin)
                if reason is not None:
                    skipped[reason] += 1
                    continue
                found.append(_clip(root, file, item))
    for reason, count in sorted(skipped.items()):
        log.info("cc0: %d animations left out: %s", count, reason)
    return found


def load(path: Path, animation: str, *, moves: bool, loops: bool) -> Motion:
    """Return one animation on SMPL-22, on the ground.

    Args:
        path: a .glb, .gltf or .bvh.
        animation: its name in the file.
        moves: whether it is locomotion in place, which gets the speed of the standing foot.
        loops: whether it is repeated up to LOOP_SECONDS.
    """
    source = load_source(path, animation)
    mapping = mapping_of(source.skeleton)
    motion = retarget(source, SMPL22, mapping=mapping, plant_feet=False)
    if path.suffix != ".bvh":
        motion = on_floor(motion, source, mapping)
    else:
        motion = motion[calibration_frames(motion) :]
    motion = motion.resample(FPS)
    if loops:
        motion = repeated(motion, LOOP_SECONDS)
    if moves:
        motion = travelling(motion)
    return motion.grounded().at_origin()


def load_source(path: Path, animation: str) -> Motion:
    """Return one animation on its own skeleton; feet that are children of the root become children of the shins."""
    motion = bvh.read(path) if path.suffix == ".bvh" else gltf.read(path, animation=animation, fps=FPS)
    for side in ("L", "R"):
        if f"Foot.{side}" in motion.skeleton.names and f"LowerLeg.{side}" in motion.skeleton.names:
            motion = reparented(motion, f"Foot.{side}", f"LowerLeg.{side}")
    return motion


def mapping_of(skeleton: Skeleton) -> dict[str, str]:
    """Return SMPL-22's joint names -> the skeleton's, recognised by their names."""
    if "PoleTarget.L" not in skeleton.names:
        return humanoid_map(skeleton)
    found = {}
    for name, theirs in _IK_MAPPING.items():
        found[name] = next(joint for joint in theirs if joint in skeleton.names)
    return found


def _read_manifest(path: Path) -> list[dict[str, Any]]:
    """Return the files of a manifest, each with its animations; none where there is no manifest."""
    if not path.is_file():
        return []
    try:
        files = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected JSON, got {error}; is it the packs' manifest?") from error
    if not isinstance(files, list) or not all(isinstance(f, dict) and "animations" in f for f in files):
        raise ValueError(f"{path}: expected a list of files with animations; is it the packs' manifest?")
    return files


def _clip(root: Path, file: dict[str, Any], item: dict[str, Any]) -> RawClip:
    path, name = beside(root, file["file"]), item["name"]
    walks = bool(_LOCOMOTION.search(name)) and not _STANDING.search(name)
    moves = walks and item["root"] != "travels" and path.suffix != ".bvh"
    repeats = bool(item.get("loops")) and (walks or bool(_LOOPS.search(name))) and path.suffix != ".bvh"
    labels = cc0_labels.labels(name)
    return RawClip(
        id=f"cc0/{path.stem}/{name}",
        source="cc0",
        licence=file["licence"],
        load=partial(load, path, name, moves=moves, loops=repeats),
        labels=labels,
        meta=dance_meta(cc0_labels.dance_style(labels)) | {"name": name, "pack": file["source"]},
    )


def _why_not(file: dict[str, Any], item: dict[str, Any], with_travelling_twin: set[str]) -> str | None:
    """Return why an animation is left out; None if it is not."""
    if item["static_pose"]:
        return "a pose, not a motion"
    if f"{file['file']}#{item['name']}" in with_travelling_twin:
        return "in place, with a twin that travels"
    for files, names, reason in LEFT_OUT:
        if re.search(files, "/" + file["file"]) and re.search(names, item["name"]):
            return reason
    named = item["duplicate_of"] and "ArmatureAction" not in item["duplicate_of"]
    if named and not _is_travelling_twin(item):
        return "the same as another"
    return "too short" if item["duration_s"] < SHORTEST else None


def _is_travelling_twin(item: dict[str, Any]) -> bool:
    """Return whether an animation is another one with the root moving."""
    return bool(item["duplicate_of"]) and item["root"] == "travels" and not item["static_pose"]


DATASET = DatasetSpec(
    name="cc0",
    title="the public-domain animation packs",
    licence="CC0 1.0; six clips MIT",
    expects="manifest.json beside the packs' folders",
    clips=clips,
)
