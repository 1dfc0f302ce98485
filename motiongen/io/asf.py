"""ASF/AMC (Acclaim), read only: a skeleton file and a motion file, as in the CMU and HDM05 databases.

A bone of an ASF turns about its start: L = C M C^-1, where C is the bone's `axis` and M its degrees of freedom, both
applied first letter first. The Motion's joint of the same name sits at the bone's start, so its offset is its
parent's direction times length, and the skeleton's identity pose is the ASF's zero pose (all degrees of freedom zero:
in CMU's files arms straight out and legs 20 degrees apart).
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.files import reading
from motiongen.io.asf_text import MOVES, TURNS, Asf, Bone, parse_amc, parse_asf
from motiongen.io.options import note
from motiongen.motion import Motion
from motiongen.rotation import quat_from_euler, quat_identity, quat_inverse, quat_multiply
from motiongen.skeleton import Skeleton

DEFAULT_FPS = 120.0


def read(path: str | Path, fps: float | None = None, unit_to_metres: float | None = None) -> Motion:
    """Return the motion in an AMC file, with the ASF file beside it: for 07_01.amc 07_01.asf, 07.asf or the only one.

    Args:
        path: the AMC file.
        fps: frames a second, which the files do not hold; None takes 120, that of both databases.
        unit_to_metres: length of the file's unit in metres; None takes the ASF's own.

    Raises:
        ValueError: no such ASF file, or one of the two is broken.
    """
    path = Path(path)
    near = [
        path.with_suffix(".asf"),
        path.with_name(path.stem.split("_")[0] + ".asf"),
        *(asf for asf in sorted(path.parent.glob("*.asf")) if not asf.name.startswith(".")),
    ]
    found = [asf for asf in near if asf.is_file()]
    if not found or (found[0] not in near[:2] and len(found) > 1):
        raise ValueError(
            f"{path}: expected {near[0].name} or one ASF file beside it, got {len(found)}; use read_amc"
        )
    if fps is None:
        note(
            path, f"taken as {DEFAULT_FPS:g} frames a second, for AMC files state none; --fps says otherwise"
        )
    return read_amc(found[0], path, DEFAULT_FPS if fps is None else fps, unit_to_metres)


def read_amc(
    asf_path: str | Path, amc_path: str | Path, fps: float, unit_to_metres: float | None = None
) -> Motion:
    """Return a motion from a skeleton and a motion file.

    Args:
        asf_path: the skeleton file.
        amc_path: the motion file.
        fps: frames a second, which the files do not hold.
        unit_to_metres: length of the file's unit in metres; None takes the ASF's own.

    Raises:
        ValueError: a file is broken; one line with path and line number.
    """
    asf = parse_asf(asf_path)
    with reading(amc_path, "a whole AMC file of that skeleton"):
        return _motion(asf, parse_amc(amc_path, asf), fps, unit_to_metres)


def _motion(asf: Asf, values: dict[str, NDArray[np.float64]], fps: float, unit: float | None) -> Motion:
    scale = asf.unit_to_metres if unit is None else unit
    frames = len(values[asf.bones[0].name])
    rotations = quat_identity(frames, len(asf.bones), dtype=torch.float64)
    for joint, bone in enumerate(asf.bones):
        turns = [(dof[1].upper(), i) for i, dof in enumerate(bone.dof) if dof in TURNS]
        if turns:
            rotations[:, joint] = _bone_rotation(bone, turns, torch.from_numpy(values[bone.name]))
    root = asf.bones[0]
    positions = torch.tensor(root.direction, dtype=torch.float64).repeat(frames, 1)  # (T, 3)
    for i, dof in enumerate(root.dof):
        if dof in MOVES:
            positions[:, "xyz".index(dof[1])] += torch.from_numpy(values[root.name][:, i])
    return Motion(
        skeleton=asf_skeleton(asf, scale),
        rotations=rotations.float(),
        root=(positions * scale).float(),
        fps=float(fps),
    )


def asf_skeleton(asf: Asf, scale: float) -> Skeleton:
    """Return the skeleton with a joint at every bone's start; scale is metres a unit."""
    names = [bone.name for bone in asf.bones]
    number = {name: joint for joint, name in enumerate(names)}
    parents = [number[bone.parent] if bone.parent else -1 for bone in asf.bones]
    reach = [tuple(x * bone.length * scale for x in bone.direction) for bone in asf.bones]
    reach[0] = (0.0, 0.0, 0.0)  # the root is a point: its bones start where it is
    inner = set(parents)
    ends = [(i, (x, y, z)) for i, (x, y, z) in enumerate(reach) if i not in inner]
    offsets = torch.tensor([reach[parent] if parent >= 0 else (0.0, 0.0, 0.0) for parent in parents])
    return Skeleton(names=tuple(names), parents=tuple(parents), offsets=offsets, ends=tuple(ends))


def _bone_rotation(bone: Bone, turns: list[tuple[str, int]], values: Tensor) -> Tensor:
    """Return local rotations (T, 4) = C M C^-1."""
    axis = _first_applied_first(torch.tensor(bone.axis, dtype=torch.float64), bone.axis_order)
    order = "".join(letter for letter, _ in turns)
    angles = torch.zeros(len(values), 3, dtype=torch.float64)
    angles[:, : len(turns)] = values[:, [column for _, column in turns]]
    turned = _first_applied_first(angles, order + "".join(x for x in "XYZ" if x not in order))
    return quat_multiply(quat_multiply(axis, turned), quat_inverse(axis))


def _first_applied_first(angles: Tensor, order: str) -> Tensor:
    return quat_from_euler(angles.flip(-1), order[::-1])
