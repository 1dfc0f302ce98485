"""Kinematics of the Unitree G1: 29 joint angles to the motion of a humanoid skeleton, by the robot's URDF.

The robot has three single-axis joints for a person's hip, shoulder or waist. Each such group becomes one joint, with
the rotation of the group's last link and the position where the limb starts. The waist's rotation is distributed over
three spine joints. The robot's axes (x forward, y left, z up) become ours (x left, y up, z forward) by a permutation
of the coordinates, for positions and quaternions alike.
"""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import (
    quat_from_axis_angle,
    quat_from_euler,
    quat_identity,
    quat_inverse,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)
from motiongen.skeleton import Skeleton, local_rotations

_URDF = "g1_29dof_rev_1_0.urdf"
_LEG = ("hip_pitch", "hip_roll", "hip_yaw", "knee", "ankle_pitch", "ankle_roll")
_ARM = ("shoulder_pitch", "shoulder_roll", "shoulder_yaw", "elbow", "wrist_roll", "wrist_pitch", "wrist_yaw")
ANGLES = tuple(
    [f"{side}_{name}_joint" for side in ("left", "right") for name in _LEG]
    + [f"waist_{name}_joint" for name in ("yaw", "roll", "pitch")]
    + [f"{side}_{name}_joint" for side in ("left", "right") for name in _ARM]
)
"""The robot's joints in the order of its 29 angles."""

# SMPL's joint -> (parent, the robot's joint that gives its position, the robot's joint whose child link gives its
# rotation).
_LIMBS = {
    "hip": ("pelvis", "hip_roll", "hip_yaw"),
    "knee": ("hip", "knee", "knee"),
    "ankle": ("knee", "ankle_pitch", "ankle_roll"),
    "shoulder": ("spine3", "shoulder_roll", "shoulder_yaw"),
    "elbow": ("shoulder", "elbow", "elbow"),
    "wrist": ("elbow", "wrist_pitch", "wrist_yaw"),
}
_SPINE = (
    ("spine1", 1 / 3, 0.0),
    ("spine2", 2 / 3, 0.08),
    ("spine3", 1.0, 0.16),
)  # joint, share of the waist's rotation, height over the waist in metres


@dataclass(frozen=True)
class _Joint:
    """A revolute joint of the URDF.

    Attributes:
        name: of the joint.
        parent: name of its parent link.
        child: name of its child link.
        position: (3,) in the parent link's frame, metres.
        frame: (4,) rotation of its frame in the parent link's.
        axis: (3,) of rotation, in its own frame.
    """

    name: str
    parent: str
    child: str
    position: Tensor
    frame: Tensor
    axis: Tensor


def motion_from_angles(root: Tensor, root_rotation: Tensor, angles: Tensor, fps: float) -> Motion:
    """Return the robot's motion on a humanoid skeleton whose joints have SMPL's names.

    Args:
        root: pelvis (T, 3) in the robot's world (z up), metres.
        root_rotation: pelvis (T, 4) xyzw in the robot's world.
        angles: (T, 29) radians in the order of ANGLES.
        fps: frames per second.
    """
    names, parents, rotations, positions = _joints(root, root_rotation, angles)
    zero = (root.new_zeros(1, 3), quat_identity(1, dtype=root.dtype), angles.new_zeros(1, len(ANGLES)))
    _, _, rest_rotations, rest_positions = _joints(*zero)
    offsets = _translations(rest_rotations, rest_positions, parents)[0].float()
    skeleton = Skeleton(names, parents, offsets)
    skeleton = replace(skeleton, rest=local_rotations(rest_rotations, skeleton)[0].float())
    return Motion(
        skeleton,
        local_rotations(rotations, skeleton).float(),
        positions[:, 0].float(),
        fps,
        _translations(rotations, positions, parents).float(),
    )


def _joints(
    root: Tensor, root_rotation: Tensor, angles: Tensor
) -> tuple[tuple[str, ...], tuple[int, ...], Tensor, Tensor]:
    """Return names, parents, world rotations (T, K, 4) and positions (T, K, 3), in our axes."""
    links, joints = _forward(root, root_rotation, angles)
    torso = links["torso_link"]
    waist = joints["waist_pitch_joint"]
    found = {"pelvis": ("", links["pelvis"], root)}
    above = "pelvis"
    for name, share, height in _SPINE:
        position = waist + quat_rotate(torso, waist.new_tensor([0.0, 0.0, height]).expand_as(waist))
        found[name] = (above, quat_slerp(links["pelvis"], torso, share), position)
        above = name
    for side in ("left", "right"):
        for name, (parent, at, after) in _LIMBS.items():
            parent = parent if parent in found else f"{side}_{parent}"
            rotation = links[_children()[f"{side}_{after}_joint"]]
            found[f"{side}_{name}"] = (parent, rotation, joints[f"{side}_{at}_joint"])
    names = tuple(found)
    parents = tuple(names.index(parent) if parent else -1 for parent, _, _ in found.values())
    rotations = torch.stack([rotation for _, rotation, _ in found.values()], dim=1)  # (T, K, 4)
    positions = torch.stack([position for _, _, position in found.values()], dim=1)  # (T, K, 3)
    return names, parents, rotations[..., [1, 2, 0, 3]], positions[..., [1, 2, 0]]


def _forward(
    root: Tensor, root_rotation: Tensor, angles: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return world rotations (T, 4) of links and positions (T, 3) of joints, in the robot's axes."""
    links, positions, joints = {"pelvis": root_rotation}, {"pelvis": root}, {}
    for joint in _chain():
        rotation, base = links[joint.parent], positions[joint.parent]
        angle = angles[:, ANGLES.index(joint.name), None]
        position = base + quat_rotate(rotation, joint.position.to(root).expand_as(base))
        local = quat_multiply(
            joint.frame.to(root).expand(len(root), 4), quat_from_axis_angle(joint.axis.to(root) * angle)
        )
        links[joint.child] = quat_multiply(rotation, local)
        positions[joint.child] = joints[joint.name] = position
    return links, joints


def _translations(rotations: Tensor, positions: Tensor, parents: tuple[int, ...]) -> Tensor:
    """Return local translations (T, K, 3) of world positions; the root's is its position."""
    above = [max(parent, 0) for parent in parents]
    local = quat_rotate(quat_inverse(rotations[:, above]), positions - positions[:, above])
    return torch.cat([positions[:, :1], local[:, 1:]], dim=1)


@cache
def _chain() -> tuple[_Joint, ...]:
    """Return the 29 joints, parents first."""
    tree = ElementTree.parse(urdf_path())
    elements = {element.get("name"): element for element in tree.iterfind("joint")}
    missing = [name for name in ANGLES if name not in elements]
    if missing:
        raise ValueError(
            f"{_URDF}: expected the 29 joints of a G1, got no {', '.join(missing)}; is it revision 1.0?"
        )
    return tuple(_joint(elements[name]) for name in ANGLES)


@cache
def _children() -> dict[str, str]:
    """Return joint -> its child link."""
    return {joint.name: joint.child for joint in _chain()}


def _joint(element: ElementTree.Element) -> _Joint:
    def numbers(tag: str, key: str) -> Tensor:
        found = element.find(tag)
        text = "0 0 0" if found is None else found.get(key, "0 0 0")
        return torch.tensor([float(word) for word in text.split()], dtype=torch.float64)

    def link(tag: str) -> str:
        found = element.find(tag)
        return "" if found is None else found.get("link", "")

    # URDF: roll, pitch, yaw about fixed axes, x first.
    frame = quat_from_euler(numbers("origin", "rpy").flip(0), "ZYX")
    name = element.get("name", "")
    return _Joint(
        name, link("parent"), link("child"), numbers("origin", "xyz"), frame, numbers("axis", "xyz")
    )


def urdf_path() -> Path:
    """Return the robot's URDF in the package example-robot-data. Raises ValueError when that is not installed."""
    try:
        files = metadata.files("example-robot-data") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == _URDF:
            return Path(str(file.locate()))
    raise ValueError(
        f"g1: expected {_URDF} of the package example-robot-data, got none; pip install motiongen[g1]"
    )
