"""Game animation packs in the public domain (and six MIT clips): 33 files, their animations told by a manifest.

Rigs are stylised, so bones' directions are kept and their lengths are not. Loops that walk in place get the speed of
the foot that stands; twins of a clip that travel by themselves are taken in their place.
"""

import json
import logging
import math
import re
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen.humanoid import humanoid_map
from motiongen.io import bvh, gltf
from motiongen.motion import Motion, local_rotations
from motiongen.retarget import retarget
from motiongen.rotation import quat_inverse, quat_rotate
from motiongen.skeleton import ANKLE_HEIGHT, SMPL22, Skeleton
from motiongen_datasets import cc0_labels
from motiongen_datasets.base import DatasetSpec, RawClip
from motiongen_datasets.dance_styles import dance_meta

log = logging.getLogger(__name__)

FPS = 30.0
LOOP_SECONDS = 3.0
"""A loop is repeated until it lasts so long: many take less than a second."""
SHORTEST = 0.3
"""Seconds; a clip below shows a twitch, not a motion."""

BALL_HEIGHT = 0.025
"""Height of SMPL-22's foot joint, the ball of the foot, over the sole, metres."""
THICKNESS = 0.09
"""Half the thickness of a body that lies or sits, metres."""

SPREAD = 1.0
"""Metres between the wrists of arms that are held out; in a T-pose 1.39."""


_KNIGHTS_OWN = (
    r"^(?!(1H_Melee_Attack_Slice_Horizontal|Throw|Unarmed_Idle|Unarmed_Melee_Attack_.*|Walking_Backwards)$)"
)
# What is left out: pattern of the file, pattern of the animation's name, reason.
LEFT_OUT = (
    (r"/Skeleton\.glb", r"", "arms that are named legs and no hands"),
    (r"Animated_Human", r"ArmatureAction", "a name that says nothing"),
    (r"", r"EXPERIMENTAL", "a change of shape, not a motion"),
    (r"Knight", _KNIGHTS_OWN, "the same as another"),
    (r"Female_Casual", r"", "the same as another"),
    (r"Animated_Woman", r"^Jump2$", "the same as another"),
    (r"Rig_Medium", r"Sit_Chair", "a chair too high for its feet"),
    (r"Rig_Medium", r"^Skeletons_(Awaken_Floor|Death|Spawn)", "limbs that come off"),
    (r"Rig_", r"^Spawn_|^Melee_Unarmed_Punch$", "leaps that no person can do"),
    (
        r"Rig_(Medium|Large)|Alien|Robot\.|/Casual_Male",
        r"[Ww]alking|[Rr]unning_[A-Z]|[Rr]unning$|_?Walk(_Carry)?$|_?Run(_Carry|Hold)?$|Sneaking|Crouching|Crawling",
        "strides of legs that are no person's",
    ),
)
# Names of locomotion. In the packs these are authored for a body that the game moves.
_LOCOMOTION = re.compile(
    r"walk|run(?!ning_?jump)|jog|sprint|sneak|crawl|crouch_fwd|strafe|^crouching$", re.IGNORECASE
)
_STANDING = re.compile(r"jump|death|holdi?n?g?_?idle|idle_?hold", re.IGNORECASE)
_LOOPS = re.compile(r"loop|idle|dance|aiming|blocking|shooting|tired|clapping|swim|fly", re.IGNORECASE)

# Rigs whose feet hang from the root, as goals of inverse kinematics: SMPL's joint -> theirs, best first.
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
    """Return every usable animation below a folder that holds manifest.json; what is left out is counted in the log."""
    manifest: list[dict[str, Any]] = json.loads((root / "manifest.json").read_text(encoding="utf-8"))
    travelling = {
        item["duplicate_of"] for file in manifest for item in file["animations"] if _is_travelling_twin(item)
    }
    found, skipped = [], Counter[str]()
    for file in manifest:
        for item in file["animations"]:
            reason = _why_not(file, item, travelling)
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
        moves: locomotion in place, to be given the speed of the foot that stands.
        loops: to be repeated up to LOOP_SECONDS.
    """
    source = load_source(path, animation)
    mapping = mapping_of(source.skeleton)
    motion = retarget(source, SMPL22, mapping=mapping)
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
    """Return one animation on its own skeleton, the feet of inverse kinematics hung onto the shins."""
    motion = bvh.read(path) if path.suffix == ".bvh" else gltf.read(path, animation=animation, fps=FPS)
    for side in ("L", "R"):
        if f"Foot.{side}" in motion.skeleton.names and f"LowerLeg.{side}" in motion.skeleton.names:
            motion = rehung(motion, f"Foot.{side}", f"LowerLeg.{side}")
    return motion


def mapping_of(skeleton: Skeleton) -> dict[str, str]:
    """Return SMPL's joint names -> the skeleton's, told by names."""
    if "PoleTarget.L" not in skeleton.names:
        return humanoid_map(skeleton)
    found = {}
    for name, theirs in _IK_MAPPING.items():
        found[name] = next(joint for joint in theirs if joint in skeleton.names)
    return found


def rehung(motion: Motion, joint: str, parent: str) -> Motion:
    """Return the motion with a joint, and what hangs from it, moved below another at its rest place.

    The joint's turn in the world stays; its position is that of the new parent's tip.
    """
    old = motion.skeleton
    child, above = old.index(joint), old.index(parent)
    turns, places = old.fk(old.rest_rotations, old.offsets.new_zeros(3))
    offsets = old.offsets.clone()
    offsets[child] = quat_rotate(quat_inverse(turns[above]), places[child] - places[above])
    parents = list(old.parents)
    parents[child] = above
    order = _parents_first(parents)
    place = {joint: i for i, joint in enumerate(order)}
    new = Skeleton(
        names=tuple(old.names[i] for i in order),
        parents=tuple(-1 if parents[i] < 0 else place[parents[i]] for i in order),
        offsets=offsets[order],
    )
    new = Skeleton(new.names, new.parents, new.offsets, rest=local_rotations(turns[order], new))
    world = motion.global_rotations()[:, order]
    moved = motion.translations
    if moved is not None:
        moved = moved.clone()
        moved[:, child] = offsets[child]
        moved = moved[:, order]
    return Motion(new, local_rotations(world, new), motion.root, motion.fps, moved)


def on_floor(motion: Motion, source: Motion, mapping: dict[str, str]) -> Motion:
    """Return the motion lifted so that its lowest joint is as far over the floor as the source's, frame by frame.

    Rotations alone leave a body of other proportions hovering or sunk: these rigs have legs of 0.3 to 0.5 of their
    height. Feet count from where they are when standing, other joints from the thickness of a body.
    """
    rest = source.skeleton.rest_positions
    rest = rest[:, 1] - rest[:, 1].min()
    head = SMPL22.index("head")
    scale = float(SMPL22.rest_positions[head, 1] - SMPL22.rest_positions[:, 1].min() + BALL_HEIGHT) / float(
        rest[source.skeleton.index(mapping["head"])]
    )
    theirs, ours = [], []
    for name, joint in mapping.items():
        foot = name.endswith(("ankle", "foot"))
        standing = ANKLE_HEIGHT if name.endswith("ankle") else BALL_HEIGHT if foot else THICKNESS
        at = source.skeleton.index(joint)
        theirs.append(source.positions()[:, at, 1] * scale - (float(rest[at]) * scale if foot else THICKNESS))
        ours.append(motion.positions()[:, SMPL22.index(name), 1] - standing)
    lift = torch.stack(theirs).amin(0) - torch.stack(ours).amin(0)  # (T,)
    root = motion.root + lift[:, None] * motion.root.new_tensor([0.0, 1.0, 0.0])
    return Motion(motion.skeleton, motion.rotations, root, motion.fps)


def calibration_frames(motion: Motion) -> int:
    """Return the number of frames at the start in which both arms are still held out, as for calibration."""
    places = motion.positions()
    apart = places[:, SMPL22.index("left_wrist")] - places[:, SMPL22.index("right_wrist")]
    count = int((apart.norm(dim=-1) > SPREAD).long().cumprod(0).sum())
    return count if count < motion.num_frames else 0


def repeated(motion: Motion, seconds: float) -> Motion:
    """Return a loop, played on until it lasts at least `seconds`, each round beginning where the last one ended.

    The last frame of a loop is its first one again, so it is shown once a round.
    """
    period = motion.num_frames - 1
    rounds = math.ceil((seconds * motion.fps - 1) / period) if period > 0 else 1
    if rounds < 2:
        return motion
    stride = (motion.root[-1] - motion.root[0]) * motion.root.new_tensor([1.0, 0.0, 1.0])
    roots = [motion.root[:-1] + number * stride for number in range(rounds)] + [
        motion.root[-1:] + (rounds - 1) * stride
    ]
    turns = [motion.rotations[:-1]] * rounds + [motion.rotations[-1:]]
    return Motion(motion.skeleton, torch.cat(turns), torch.cat(roots), motion.fps)


def travelling(motion: Motion) -> Motion:
    """Return locomotion in place with the treadmill taken away: the root gets the steady speed of the standing foot.

    One velocity for the whole clip: the median over the frames in which a foot is on the floor, of minus its own.
    """
    velocity = standing_velocity(motion)
    times = torch.arange(motion.num_frames).to(motion.root) / motion.fps
    return Motion(motion.skeleton, motion.rotations, motion.root - times[:, None] * velocity, motion.fps)


def standing_velocity(motion: Motion) -> Tensor:
    """Return the median velocity (3,) over the floor, metres a second, of the foot that is lowest."""
    places = motion.positions()
    joints = ("left_ankle", "left_foot", "right_ankle", "right_foot")
    clearance = places.new_tensor([ANKLE_HEIGHT, BALL_HEIGHT, ANKLE_HEIGHT, BALL_HEIGHT])
    feet = places[:, [SMPL22.index(name) for name in joints]]  # (T, 4, 3)
    speed = (feet[1:] - feet[:-1]) * motion.fps
    lift = torch.maximum(feet[1:, :, 1], feet[:-1, :, 1]) - clearance  # (T - 1, 4)
    lowest = lift.argmin(dim=1)
    rows = torch.arange(len(lowest))
    near = lift[rows, lowest] <= lift.amin(dim=1).median() + 0.02
    velocity = speed[rows, lowest][near].median(dim=0).values
    return velocity * velocity.new_tensor([1.0, 0.0, 1.0])


def _clip(root: Path, file: dict[str, Any], item: dict[str, Any]) -> RawClip:
    path, name = root / file["file"], item["name"]
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


def _why_not(file: dict[str, Any], item: dict[str, Any], travelling: set[str]) -> str | None:
    """Why an animation is left out; None if it is not."""
    if item["static_pose"]:
        return "a pose, not a motion"
    if f"{file['file']}#{item['name']}" in travelling:
        return "in place, with a twin that travels"
    for files, names, reason in LEFT_OUT:
        if re.search(files, "/" + file["file"]) and re.search(names, item["name"]):
            return reason
    named = item["duplicate_of"] and "ArmatureAction" not in item["duplicate_of"]
    if named and not _is_travelling_twin(item):
        return "the same as another"
    return "too short" if item["duration_s"] < SHORTEST else None


def _is_travelling_twin(item: dict[str, Any]) -> bool:
    return bool(item["duplicate_of"]) and item["root"] == "travels" and not item["static_pose"]


def _parents_first(parents: list[int]) -> list[int]:
    order: list[int] = []
    waiting = [parents.index(-1)]
    while waiting:
        joint = waiting.pop()
        order.append(joint)
        waiting += [i for i in reversed(range(len(parents))) if parents[i] == joint]
    return order


DATASET = DatasetSpec(
    name="cc0",
    title="the public-domain animation packs",
    licence="CC0 1.0; six clips MIT",
    expects="manifest.json beside the packs' folders",
    clips=clips,
)
