"""Constraints that Kimodo's demo saves: a JSON list of paths, whole poses, hands and feet, by frames at 30 a second.

Its axes and units are ours. Poses are axis angles from a T-pose, of SOMA's 77 or 30 joints or of SMPL-X's 22; here they
are SMPL-22's, and heights are scaled by the legs. The format: Kimodo's documentation, "Constraints JSON Format".
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from motiongen.constraints.joint_key import JointKey
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.root_path import RootPath
from motiongen.constraints.waypoint import Waypoint
from motiongen.registry import lookup

if TYPE_CHECKING:
    from torch import Tensor

FPS = 30.0
"""Frames a second of its frame numbers."""
LEG = 0.885
"""Height of SMPL-22's pelvis over its ankles, metres."""
_SPINE = ("pelvis", "spine1", "spine2", "spine3", "neck", "neck", "head")
_ARM, _LEG = ("collar", "shoulder", "elbow", "wrist"), ("hip", "knee", "ankle", "foot")


def _soma(left_arm: int, right_arm: int, left_leg: int, right_leg: int) -> dict[int, str]:
    """Return index -> SMPL joint for one of SOMA's skeletons; two of its joints are our neck's."""
    joints = dict(enumerate(_SPINE))
    for side, arm, leg in (("left", left_arm, left_leg), ("right", right_arm, right_leg)):
        joints |= {arm + i: f"{side}_{part}" for i, part in enumerate(_ARM)}
        joints |= {leg + i: f"{side}_{part}" for i, part in enumerate(_LEG)}
    return joints


_SOMA = {30: _soma(10, 16, 22, 26), 77: _soma(11, 39, 67, 72)}
_LEGS = {30: 0.938, 77: 0.938, 22: 0.948}  # height of the hips over the ankles by number of joints, metres
_EFFECTORS = {
    "LeftHand": "left_wrist", "RightHand": "right_wrist", "LeftFoot": "left_ankle", "RightFoot": "right_ankle",
}  # fmt: skip


def from_kimodo(record: Sequence[Any]) -> list[Any]:
    """Return the constraints of a list that Kimodo's demo saved.

    Args:
        record: its JSON.

    Raises:
        ValueError: no such list; the message names the entry.
    """
    found: list[Any] = []
    for number, entry in enumerate(record):
        try:
            if not isinstance(entry, dict):
                raise ValueError(f"expected an object, got {entry!r:.60}")
            found += lookup("type", _READERS, str(entry.get("type", "")))(entry)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            said = f"expected {error}, got none" if isinstance(error, KeyError) else error
            raise ValueError(f"[{number}]: {said}") from error
    return list(dict.fromkeys(found))


def _path(entry: Mapping[str, Any]) -> list[Any]:
    times, points = _times(entry), entry["smooth_root_2d"]
    headings = entry.get("global_root_heading")
    order = sorted(range(len(times)), key=times.__getitem__)
    angles = None if headings is None else [math.atan2(sine, cosine) for cosine, sine in headings]
    if len(order) == 1:
        return [_waypoint(times[0], points[0], None if angles is None else angles[0])]
    return [
        RootPath(
            times=tuple(times[i] for i in order),
            points=tuple((points[i][0], points[i][1]) for i in order),
            headings=None if angles is None else tuple(angles[i] for i in order),
        )
    ]


def _poses(entry: Mapping[str, Any]) -> list[Any]:
    rotations, roots = _smpl22(entry)
    return [
        PoseKey(time=time, rotations=_frozen(rotation), root=_frozen(root))
        for time, rotation, root in zip(_times(entry), rotations, roots, strict=True)
    ]


def _effectors(entry: Mapping[str, Any]) -> list[Any]:
    from motiongen.skeleton import SMPL22

    rotations, roots = _smpl22(entry)
    turned, positions = SMPL22.fk(rotations, roots)
    names = entry["joint_names"] if entry["type"] == "end-effector" else [_NAMES[entry["type"]]]
    found: list[Any] = []
    for name in names:
        if name == "Hips":  # the waypoint below says where they are
            continue
        joint = lookup("joint_names", _EFFECTORS, str(name))
        index = SMPL22.index(joint)
        found += [
            JointKey(joint=joint, time=time, position=_frozen(at), rotation=_frozen(turn))
            for time, at, turn in zip(_times(entry), positions[:, index], turned[:, index], strict=True)
        ]
    places = [(x, z) for x, _, z in roots.tolist()]
    return found + [_waypoint(*each) for each in zip(_times(entry), places, strict=True)]


_NAMES = {
    "left-hand": "LeftHand",
    "right-hand": "RightHand",
    "left-foot": "LeftFoot",
    "right-foot": "RightFoot",
}
_READERS: dict[str, Callable[[Mapping[str, Any]], list[Any]]] = {
    "root2d": _path, "fullbody": _poses, "end-effector": _effectors, **dict.fromkeys(_NAMES, _effectors),
}  # fmt: skip


def _times(entry: Mapping[str, Any]) -> list[float]:
    return [float(frame) / FPS for frame in entry["frame_indices"]]


def _waypoint(time: float, point: Sequence[float], heading: float | None = None) -> Waypoint:
    return Waypoint(time=time, x=point[0], z=point[1], heading=heading)


def _smpl22(entry: Mapping[str, Any]) -> "tuple[Tensor, Tensor]":
    """Return local rotations (K, 22, 4) and roots (K, 3), metres, of an entry's poses."""
    import torch

    from motiongen.rotation import quat_from_axis_angle, quat_identity, quat_multiply
    from motiongen.skeleton import SMPL22

    angles = torch.tensor(entry["local_joints_rot"], dtype=torch.float32)
    count = angles.shape[1] if angles.dim() == 3 and angles.shape[2] == 3 else 0
    if count not in _LEGS:
        raise ValueError(
            f"local_joints_rot: expected 77, 30 or 22 joints of 3 numbers, got {tuple(angles.shape)}; "
            "save it for SOMA or SMPL-X"
        )
    given = quat_from_axis_angle(angles)
    rotations = given
    if count in _SOMA:
        rotations = quat_identity(len(given), SMPL22.num_joints)
        for index, name in _SOMA[count].items():
            joint = SMPL22.index(name)
            rotations[:, joint] = quat_multiply(rotations[:, joint], given[:, index])
    roots = torch.tensor(entry["root_positions"], dtype=torch.float32)
    return rotations, roots * torch.tensor([1.0, LEG / _LEGS[count], 1.0])


def _frozen(row: "Tensor") -> Any:
    values = row.tolist()
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)
