"""BVH files to motion and back, with any hierarchy and any channels.

`parse` and `write_bvh` keep a file as it is; `read` and `write` translate to and from a Motion. Position channels
replace a joint's offset, as in Blender and bvhio; some writers add them.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen import limits
from motiongen.files import reading
from motiongen.humanoid import stands_along_z
from motiongen.io import units
from motiongen.io.axes import Z_TO_Y
from motiongen.io.bvh_text import POSITION, ROTATION, Bvh, columns_of, depth_first, parse, write_bvh
from motiongen.io.options import note
from motiongen.motion import Motion
from motiongen.rotation import euler_from_quat, quat_from_euler, quat_identity, quat_normalize
from motiongen.skeleton import SMPL22, Skeleton

__all__ = ["Bvh", "bvh_from_motion", "guess_unit", "motion_from_bvh", "parse", "read", "write", "write_bvh"]


def read(path: str | Path, unit_to_metres: float | None = None, up: str = "auto") -> Motion:
    """Return the motion in a BVH file.

    Args:
        path: file to read.
        unit_to_metres: length of the file's unit in metres; None guesses it by the size of the body: mm, cm, inch,
            0.45 of an inch (CMU's), dm or m.
        up: the file's axis that points up, "y" or "z"; "auto" takes z where the rest pose is a person that stands
            along z, since the format does not name its axes.

    Raises:
        ValueError: the file is not a BVH file (the message names the line), or `up` is none of these.
    """
    if up not in ("auto", "y", "z"):
        raise ValueError(f"up: expected auto, y or z, got {up!r}")
    with reading(path, "a whole BVH file"):
        bvh = parse(path)
        unit, name = (unit_to_metres, "") if unit_to_metres is not None else _unit(bvh)
        motion = motion_from_bvh(bvh, unit)
        z_up = up == "z" or (up == "auto" and stands_along_z(motion.skeleton))
        guesses = [f"unit {name}"] * bool(name) + [f"{'z' if z_up else 'y'} up"] * (up == "auto")
        if guesses and not _is_ours(motion.skeleton):
            note(path, f"taken as {', '.join(guesses)}; --unit and --up say otherwise")
        return motion.rotated(Z_TO_Y) if z_up else motion


def write(motion: Motion, path: str | Path, unit_to_metres: float = 0.01) -> None:
    """Write a motion as BVH, with ZXY rotations in degrees.

    Args:
        motion: the motion.
        path: a file to make or replace.
        unit_to_metres: length of the file's unit in metres; centimetres by default.
    """
    write_bvh(bvh_from_motion(motion, unit_to_metres), path)


def motion_from_bvh(bvh: Bvh, unit_to_metres: float | None = None) -> Motion:
    """Return a Bvh as a Motion; joints that are SMPL-22's are brought into SMPL-22's order."""
    scale = guess_unit(bvh) if unit_to_metres is None else unit_to_metres
    frames, joints = len(bvh.values), len(bvh.names)
    limits.check_joints(joints)
    limits.check_poses(frames, joints, limits.POSES_PER_NUMBER * bvh.values.size)
    rotations = quat_identity(frames, joints, dtype=torch.float64)
    translations = torch.from_numpy(bvh.offsets).repeat(frames, 1, 1)  # (T, J, 3)
    for joint, (columns, names) in enumerate(zip(columns_of(bvh.channels), bvh.channels, strict=True)):
        turns = [(name[0], column) for name, column in zip(names, columns, strict=True) if name in ROTATION]
        if turns:
            rotations[:, joint] = _rotation(bvh.values, turns)
        for name, column in zip(names, columns, strict=True):
            if name in POSITION:
                translations[:, joint, "XYZ".index(name[0])] = torch.from_numpy(bvh.values[:, column])
    moves = (
        (translations[:, 1:] - translations.new_tensor(bvh.offsets)[1:]).abs().max().item()
        if joints > 1
        else 0.0
    )
    translations, offsets = translations * scale, torch.from_numpy(bvh.offsets) * scale
    order = _smpl22_order(bvh) or list(range(joints))
    place = {joint: number for number, joint in enumerate(order)}
    ends = ((place[joint], tuple(x * scale for x in tip)) for joint, tip in bvh.end_sites if any(tip))
    skeleton = Skeleton(
        names=tuple(bvh.names[j] for j in order),
        parents=tuple(place[bvh.parents[j]] if bvh.parents[j] >= 0 else -1 for j in order),
        offsets=offsets[order].float(),
        ends=tuple((joint, (x, y, z)) for joint, (x, y, z) in ends),
    )
    return Motion(
        skeleton=skeleton,
        rotations=rotations[:, order].float(),
        root=translations[:, 0].float(),
        fps=_fps(bvh.frame_time),
        translations=translations[:, order].float() if moves * scale > 1e-5 else None,
    )


def bvh_from_motion(motion: Motion, unit_to_metres: float = 0.01) -> Bvh:
    """Return a Motion as a Bvh, with six channels for the root and for joints that move on their parents, else three.

    The root's OFFSET is zero, so that readers that add it to the position channels agree with those that do not.
    """
    skeleton, frames = motion.skeleton, motion.rotations.shape[0]
    order = depth_first(skeleton.parents)
    place = {joint: number for number, joint in enumerate(order)}
    # Normalised in double: near gimbal lock a float32 length error of 1e-7 becomes degrees.
    angles = euler_from_quat(quat_normalize(motion.rotations.double()), "ZXY").rad2deg().numpy()  # (T, J, 3)
    offsets = skeleton.offsets.double().numpy() / unit_to_metres
    translations = np.tile(offsets, (frames, 1, 1))  # (T, J, 3)
    if motion.translations is not None:
        translations = motion.translations.double().numpy() / unit_to_metres
    translations[:, 0] = motion.root.double().numpy() / unit_to_metres
    turning = ("Zrotation", "Xrotation", "Yrotation")
    channels, columns = [], []
    for joint in order:
        moves = joint == 0 or bool(
            (abs(translations[:, joint] - offsets[joint]) * unit_to_metres > 1e-6).any()
        )
        channels.append(POSITION + turning if moves else turning)
        columns += [translations[:, joint]] * moves + [angles[:, joint]]
    return Bvh(
        names=tuple("_".join(skeleton.names[j].split()) for j in order),
        parents=tuple(place[skeleton.parents[j]] if j else -1 for j in order),
        offsets=np.where(np.arange(len(order))[:, None] == 0, 0.0, offsets[order]),
        channels=tuple(channels),
        end_sites=tuple((place[j], tuple(x / unit_to_metres for x in tip)) for j, tip in skeleton.ends),  # type: ignore[misc]
        values=np.concatenate(columns, axis=1),
        frame_time=1.0 / motion.fps,
    )


def guess_unit(bvh: Bvh) -> float:
    """Return the likely length of a file's unit in metres, by the size of the body."""
    return _unit(bvh)[0]


def _unit(bvh: Bvh) -> tuple[float, str]:
    return units.guess_unit(bvh.names, bvh.parents, bvh.offsets, bvh.end_sites)


def _is_ours(skeleton: Skeleton) -> bool:
    """Return whether this is SMPL-22 to a tenth of a millimetre: a file of motiongen's, of which nothing is guessed."""
    return skeleton.names == SMPL22.names and bool((skeleton.offsets - SMPL22.offsets)[1:].abs().max() < 1e-4)


def _fps(frame_time: float) -> float:
    """Return the rate, exactly 30 for .0333333: files round frame times, rates are mostly whole."""
    fps = 1.0 / frame_time
    return float(round(fps)) if abs(fps - round(fps)) < 3e-4 * fps else fps  # 59.94 stays


def _rotation(values: NDArray[np.float64], turns: list[tuple[str, int]]) -> Tensor:
    """Return quats (T, 4) of one joint's rotation channels [(axis, column)]; absent axes are zero."""
    order = "".join(axis for axis, _ in turns)
    angles = torch.zeros(len(values), 3, dtype=torch.float64)
    for position, (_, column) in enumerate(turns):
        angles[:, position] = torch.from_numpy(values[:, column]).deg2rad()
    return quat_from_euler(angles, order + "".join(axis for axis in "XYZ" if axis not in order))


def _smpl22_order(bvh: Bvh) -> list[int] | None:
    """Return the file's joints in SMPL-22's order if it has exactly those joints with the same parents."""
    above = {
        name: bvh.names[parent] if parent >= 0 else ""
        for name, parent in zip(bvh.names, bvh.parents, strict=True)
    }
    names = SMPL22.names
    ours = {
        name: names[parent] if parent >= 0 else "" for name, parent in zip(names, SMPL22.parents, strict=True)
    }
    return [bvh.names.index(name) for name in names] if above == ours else None
