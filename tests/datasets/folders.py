"""Tiny folders of every dataset in the registry, each with one person who stands in a T-pose or walks on the spot."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiongen.io import bvh, gltf
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22, Skeleton
from motiongen_datasets import bandai_namco, react_idle
from motiongen_datasets.g1_robot import ANGLES
from tests.core.motions import t_pose
from tests.datasets.acclaim import write_clip

FRAMES = 60
CMU_COLUMNS = (
    "clip,file,skeleton,source_fps,seconds,unit_to_metres,caption,sentences,glitch_frames,note,file_fps"
)
# Joint -> parent, offset in its frame: Bandai-Namco's rest pose is a bundle of bones along x.
_BANDAI_JOINTS = {
    "joint_Root": ("", 0, 0, 0),
    "Hips": ("joint_Root", 0, 0.9, 0),
    "Spine": ("Hips", 0.1, 0, 0),
    "Chest": ("Spine", 0.2, 0, 0),
    "Neck": ("Chest", 0.2, 0, 0),
    "Head": ("Neck", 0.1, 0, 0),
    **{
        f"{joint}_{side}": (parent.replace("*", side), sign * along, sign * across, 0)
        for side, sign in (("L", 1), ("R", -1))
        for joint, parent, along, across in (
            ("Shoulder", "Chest", 0, -0.05),
            ("UpperArm", "Shoulder_*", 0.12, 0),
            ("LowerArm", "UpperArm_*", 0.28, 0),
            ("Hand", "LowerArm_*", 0.25, 0),
            ("UpperLeg", "Hips", 0, -0.09),
            ("LowerLeg", "UpperLeg_*", 0.4, 0),
            ("Foot", "LowerLeg_*", 0.4, 0),
            ("Toes", "Foot_*", 0.12, 0),
        )
    },
}


def aist_sequence(frames: int = 121, **changes: Any) -> dict[str, Any]:
    """A person in centimetres and a bit, as in AIST++, who goes 1 m forward with a bent knee, facing +X."""
    poses = np.zeros((frames, 24, 3), dtype=np.float32)
    poses[:, 0, 1] = np.pi / 2
    poses[:, SMPL22.index("left_knee"), 0] = 0.5
    poses[:, 23] = 9.0  # a hand, which SMPL-22 has not
    trans = np.zeros((frames, 3), dtype=np.float32)
    trans[:, 0], trans[:, 1] = np.linspace(0, 93, frames), 120
    data = {
        "smpl_poses": poses.reshape(frames, 72),
        "smpl_scaling": np.array([93], dtype=np.float32),
        "smpl_trans": trans,
        "smpl_loss": 1.25,
    }
    return {key: value for key, value in (data | changes).items() if value is not None}


def g1_rows(frames: int = FRAMES, **angles: float) -> np.ndarray:
    """Rows of G1 Moves: the robot stands, but for single joints' angles in radians."""
    values = np.zeros((frames, 36))
    values[:, 2], values[:, 6] = 0.79, 1.0
    for name, angle in angles.items():
        values[:, 7 + ANGLES.index(f"{name}_joint")] = angle
    return values


def animation(name: str, **changes: Any) -> dict[str, Any]:
    """An animation's entry in the manifest of the packs."""
    facts = {"static_pose": False, "duplicate_of": None, "root": "in place", "duration_s": 1.0, "loops": True}
    return {"name": name, **facts, **changes}


def _aistpp(root: Path) -> None:
    (root / "motions").mkdir()
    (root / "motions" / "gHO_sBM_cAll_d20_mHO3_ch05.pkl").write_bytes(pickle.dumps(aist_sequence()))


def _bandai_namco(root: Path) -> None:
    names = tuple(_BANDAI_JOINTS)
    parents = tuple(names.index(parent) if parent else -1 for parent, *_ in _BANDAI_JOINTS.values())
    skeleton = Skeleton(names, parents, torch.tensor([offset for _, *offset in _BANDAI_JOINTS.values()]))
    rotations = bandai_namco.t_pose(skeleton).expand(FRAMES, len(names), 4)
    motion = Motion(skeleton, rotations, torch.zeros(FRAMES, 3), 30.0)
    bvh.write(motion, root / "dataset-1_dance-short_angry_001.bvh")


def _bvh_folder(root: Path) -> None:
    bvh.write(t_pose(FRAMES), root / "walk_03.bvh")


def _cc0(root: Path) -> None:
    gltf.write(t_pose(FRAMES), root / "walker.glb", name="Dance_Loop")
    entry = {"source": "pack", "licence": "CC0-1.0", "animations": [animation("Dance_Loop")]}
    (root / "manifest.json").write_text(json.dumps([{"file": "walker.glb", **entry}]))


def _cmu(root: Path) -> None:
    write_clip(root, "60_01", [{}] * FRAMES)
    row = "60_01,60_01.amc,toy.asf,120,1,0.056444,salsa dance,A person dances.|Salsa!,0,,60"
    (root / "clips.csv").write_text(f"{CMU_COLUMNS}\n{row}\n")


def _g1_moves(root: Path) -> None:
    (root / "dance").mkdir()
    np.savetxt(root / "dance" / "J_Dance2_Salsa.csv", g1_rows(), delimiter=",")


def _hdm05(root: Path) -> None:
    name = "HDM_bd_kickLFront1Reps_001_120"
    write_clip(root, name, [{}] * FRAMES)
    columns = "clip,file,skeleton,source_fps,seconds,unit_to_metres,caption"
    row = f"{name},{name}.amc,toy.asf,120,0.5,0.056444,a person kicks"
    (root / "clips.csv").write_text(f"{columns}\n{row}\n")


def _react_idle(root: Path) -> None:
    theirs = dict(react_idle.MAPPING)
    del theirs["spine2"]  # one of their joints stands for two of SMPL's
    names = tuple(theirs.get(name, name) for name in SMPL22.names)
    motion = t_pose(FRAMES)
    bvh.write(replace(motion, skeleton=replace(SMPL22, names=names)), root / "000_genuine.bvh", 1.0)


def _listed(**columns: str) -> Callable[[Path], None]:
    """A folder with one BVH file, and a clips.csv that lists it with these columns."""

    def write(root: Path) -> None:
        bvh.write(t_pose(FRAMES), root / "01_01.bvh")
        row = {"clip": "01_01", "file": "01_01.bvh", "fps": "30", "unit_to_metres": "0.01", **columns}
        (root / "clips.csv").write_text(f"{','.join(row)}\n{','.join(row.values())}\n")

    return write


def _unitree(root: Path) -> None:
    np.savetxt(root / "G1_Take_102.csv", g1_rows(), delimiter=",")


FOLDERS: dict[str, Callable[[Path], None]] = {
    "aistpp": _aistpp,
    "bandai_namco": _bandai_namco,
    "bvh_folder": _bvh_folder,
    "cc0": _cc0,
    "cmu": _cmu,
    "g1_moves": _g1_moves,
    "hdm05": _hdm05,
    "react_idle": _react_idle,
    "cmu_fbx": _listed(
        subject="1", subject_title="climb", description="walk", sentences="A person walks.", ankle_p5_cm="8"
    ),
    "cmu_alt": _listed(description="cartwheel", sentences="", same_trial_in="cmu_fbx_41_94"),
    "rocketbox": _listed(label="walk", description="a person walks", performer="m", one_cycle_loop="1"),
    "accad": _listed(clip="Female1_B03_Walk1", description="a person walks", lowest_joint_cm="2"),
    "jlpm": _listed(description="a person runs", skeleton="xsens", subject="1"),
    "unitree": _unitree,
}
"""Name of a dataset -> function that writes a clip of it into an empty folder."""
