"""Skeletons: named joints in a tree, their offsets, forward kinematics; and the canonical SMPL-22."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property, lru_cache

import torch
from torch import Tensor

from motiongen import limits
from motiongen.registry import suggest
from motiongen.rotation import quat_identity, quat_inverse, quat_multiply, quat_normalize, quat_rotate


@dataclass(frozen=True, eq=False, repr=False)
class Skeleton:
    """A tree of joints with a rest pose.

    Attributes:
        names: J joint names, each once.
        parents: index of each joint's parent, -1 for the first joint alone; a parent comes before its children.
        offsets: (J, 3) position of each joint in its parent's frame, metres.
        rest: (J, 4) local rotations of the rest pose; None when they are all identity.
        ends: leaf tips that some formats keep: (joint, (x, y, z) in that joint's frame, metres).
        roles: (SMPL joint name, joint name or "" for none) as somebody said, in place of what the names tell.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: Tensor
    rest: Tensor | None = None
    ends: tuple[tuple[int, tuple[float, float, float]], ...] = ()
    roles: tuple[tuple[str, str], ...] | None = None

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.parents) != count or self.offsets.shape != (count, 3):
            raise ValueError(
                f"skeleton: expected {count} parents and offsets ({count}, 3), got {len(self.parents)} and "
                f"{tuple(self.offsets.shape)}; give one of each a name"
            )
        limits.check_joints(count)
        if len(set(self.names)) != count:
            twice = sorted(name for name, times in Counter(self.names).items() if times > 1)
            raise ValueError(
                f"skeleton: expected distinct joint names, got {', '.join(twice)} twice; rename them"
            )
        for joint, parent in enumerate(self.parents):
            if not (parent == -1 if joint == 0 else 0 <= parent < joint):
                raise ValueError(
                    f"skeleton: expected the parent of {self.names[joint]!r} before it, got index {parent}; "
                    "order joints from the root down, with a single root"
                )
        self._check_numbers()

    def _check_numbers(self) -> None:
        """Raise ValueError for offsets, a rest pose or tips with NaN, infinity, distances or lengths that cannot be."""
        far = ~(self.offsets.detach().abs() <= limits.MAX_DISTANCE).all(1)  # NaN is in no order
        if far.any():
            joint = int(far.nonzero()[0])
            raise ValueError(
                f"skeleton: expected finite offsets up to {limits.MAX_DISTANCE:g} m, got "
                f"{[round(x, 6) for x in self.offsets[joint].tolist()]} for {self.names[joint]!r}; check the unit"
            )
        if self.rest is not None:
            if self.rest.shape != (self.num_joints, 4):
                raise ValueError(
                    f"skeleton: expected a rest pose ({self.num_joints}, 4), got {tuple(self.rest.shape)}; "
                    "give each joint one quaternion"
                )
            check_unit(self.rest[None], self.names, "skeleton: rest pose")
        for joint, tip in self.ends:
            if not 0 <= joint < self.num_joints or not all(abs(x) <= limits.MAX_DISTANCE for x in tip):
                raise ValueError(
                    f"skeleton: expected the tip of one of {self.num_joints} joints in metres, got {tip} of joint "
                    f"{joint}; check the unit"
                )

    def __repr__(self) -> str:
        return f"Skeleton({self.label})"

    @property
    def label(self) -> str:
        """Short name for messages: "SMPL-22", or the number of joints and the root's name."""
        if self.names == tuple(name for name, _, _ in _SMPL22):
            return "SMPL-22"
        return f"{self.num_joints} joints from {self.names[0]!r}"

    @property
    def num_joints(self) -> int:
        """Number of joints J."""
        return len(self.names)

    def index(self, name: str) -> int:
        """Return the index of a joint by name.

        Raises:
            ValueError: no joint has that name; the message suggests one that is spelled alike.
        """
        if name not in self.names:
            nearest = suggest(name, self.names)
            hint = f"the nearest is {nearest!r}" if nearest else f"they are {', '.join(self.names)}"
            raise ValueError(f"joint: expected one of {len(self.names)} names, got {name!r}; {hint}")
        return self.names.index(name)

    def children(self, joint: int) -> tuple[int, ...]:
        """Return the indices of a joint's children."""
        return tuple(i for i, parent in enumerate(self.parents) if parent == joint)

    @cached_property
    def rest_rotations(self) -> Tensor:
        """Local rotations (J, 4) of the rest pose."""
        return quat_identity(self.num_joints, dtype=self.offsets.dtype) if self.rest is None else self.rest

    @cached_property
    def rest_positions(self) -> Tensor:
        """Positions (J, 3) of the rest pose with the root at the origin, metres."""
        return self.fk(self.rest_rotations, self.offsets.new_zeros(3))[1]

    @cached_property
    def mirror_index(self) -> tuple[int, ...]:
        """For each joint the index of its left-right counterpart (itself for joints in the middle)."""
        return tuple(
            self.names.index(_mirrored_name(name)) if _mirrored_name(name) in self.names else i
            for i, name in enumerate(self.names)
        )

    @cached_property
    def _levels(self) -> list[tuple[list[int], list[int]]]:
        """Joints and their parents by depth, the root left out: FK runs a level at a time, not a joint at a time."""
        depth = [0] * self.num_joints
        levels: list[list[int]] = []
        for joint, parent in enumerate(self.parents[1:], start=1):
            depth[joint] = depth[parent] + 1
            if depth[joint] > len(levels):
                levels.append([])
            levels[depth[joint] - 1].append(joint)
        return [(level, [self.parents[j] for j in level]) for level in levels]

    def fk(
        self, rotations: Tensor, root: Tensor, translations: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return global rotations (..., J, 4) and positions (..., J, 3).

        Args:
            rotations: local rotations (..., J, 4).
            root: position of the first joint (..., 3), metres.
            translations: local translations (..., J, 3) in place of the offsets, for joints that move on their parents.
        """
        offsets = self.offsets.to(rotations) if translations is None else translations
        offsets = offsets.expand(*rotations.shape[:-1], 3)
        # Lists of joints, not one tensor written in place: this stays differentiable.
        global_rotations: list[Tensor] = [rotations[..., 0, :]] * self.num_joints
        positions: list[Tensor] = [root] * self.num_joints
        for joints, parents in self._levels:
            parent_rotations = torch.stack([global_rotations[p] for p in parents], dim=-2)  # (..., level, 4)
            parent_positions = torch.stack([positions[p] for p in parents], dim=-2)  # (..., level, 3)
            level_rotations = quat_multiply(parent_rotations, rotations[..., joints, :])
            level_positions = parent_positions + quat_rotate(parent_rotations, offsets[..., joints, :])
            for i, joint in enumerate(joints):
                global_rotations[joint] = level_rotations[..., i, :]
                positions[joint] = level_positions[..., i, :]
        return torch.stack(global_rotations, dim=-2), torch.stack(positions, dim=-2)


def local_rotations(global_rotations: Tensor, skeleton: Skeleton) -> Tensor:
    """Return the local rotations (..., J, 4) of global rotations (..., J, 4)."""
    parents = [max(parent, 0) for parent in skeleton.parents]
    local = quat_multiply(quat_inverse(global_rotations[..., parents, :]), global_rotations)
    return quat_normalize(torch.cat([global_rotations[..., :1, :], local[..., 1:, :]], dim=-2))


_MOVING = 1e-4
"""Change of a joint's offset along an axis, relative to the skeleton's size, over which it moves on its parent."""


def moved_offsets(offsets: Tensor, rest: Tensor) -> Tensor | None:
    """Return offsets (T, J, 3) where a joint but the root moves on its parent, off from rest (J, 3); else None."""
    size = float(rest.norm(dim=-1).max())
    return None if bool(((offsets - rest)[:, 1:].abs() <= _MOVING * size).all()) else offsets


UNIT_TOLERANCE = 1e-3
"""Difference from 1 that the length of a quaternion may have; coarser number types may err by twice their step."""


def are_unit(rotations: Tensor) -> bool:
    """Return whether quaternions (..., 4) surely are of unit length, which is quick to see of most; NaN is not."""
    rotations = rotations.detach()
    squares = torch.linalg.vecdot(rotations, rotations)  # |q² - 1| is over |q| - 1
    return bool(((squares - 1).abs() <= UNIT_TOLERANCE).all())


def check_unit(rotations: Tensor, names: tuple[str, ...], what: str) -> None:
    """Raise ValueError for the first of rotations (T, J, 4) that is no unit quaternion; NaN and infinity are none."""
    lengths = rotations.detach().norm(dim=-1)  # (T, J)
    tolerance = max(UNIT_TOLERANCE, 2 * torch.finfo(lengths.dtype).eps)
    wrong = ~((lengths - 1).abs() <= tolerance)
    if wrong.any():
        frame, joint = wrong.nonzero()[0].tolist()
        raise ValueError(
            f"{what}: expected unit quaternions, got one of length {float(lengths[frame, joint]):.4g} in frame "
            f"{frame}, joint {names[joint]!r}; use motiongen.rotation.quat_normalize"
        )


def _mirrored_name(name: str) -> str:
    """Return a joint's name on the other side: left_x <-> right_x, x_L <-> x_R, LeftX <-> RightX."""
    for left, right in (("left", "right"), ("Left", "Right"), ("LEFT", "RIGHT")):
        if left in name:
            return name.replace(left, right)
        if right in name:
            return name.replace(right, left)
    for left, right in (("_L", "_R"), (".L", ".R"), ("_l", "_r"), (".l", ".r")):
        if name.endswith(left):
            return name[: -len(left)] + right
        if name.endswith(right):
            return name[: -len(right)] + left
    for left, right in (("l", "r"), ("L", "R")):  # lfemur, LHip: the ASF and MotionBuilder habits
        if name.startswith(left):
            return right + name[1:]
        if name.startswith(right):
            return left + name[1:]
    return name


_MIRRORED = (0.0, 0.0, 0.0)  # stands for the left joint's offset with the sign of x changed

# name, parent, offset in metres; the left side only, the right mirrors it. A person of 1.70 m with straight,
# level arms. The names and their order are SMPL's (Loper et al. 2015); the proportions are motiongen's own.
_SMPL22 = (
    ("pelvis", "", (0.0, 0.0, 0.0)),
    ("left_hip", "pelvis", (0.080, -0.080, 0.0)),
    ("right_hip", "pelvis", _MIRRORED),
    ("spine1", "pelvis", (0.0, 0.110, -0.015)),
    ("left_knee", "left_hip", (0.010, -0.400, 0.005)),
    ("right_knee", "right_hip", _MIRRORED),
    ("spine2", "spine1", (0.0, 0.130, 0.0)),
    ("left_ankle", "left_knee", (0.0, -0.405, -0.020)),
    ("right_ankle", "right_knee", _MIRRORED),
    ("spine3", "spine2", (0.0, 0.060, 0.010)),
    ("left_foot", "left_ankle", (0.015, -0.060, 0.125)),
    ("right_foot", "right_ankle", _MIRRORED),
    ("neck", "spine3", (0.0, 0.215, -0.015)),
    ("left_collar", "spine3", (0.075, 0.120, -0.010)),
    ("right_collar", "spine3", _MIRRORED),
    ("head", "neck", (0.0, 0.090, 0.030)),
    ("left_shoulder", "left_collar", (0.105, 0.035, -0.015)),
    ("right_shoulder", "right_collar", _MIRRORED),
    ("left_elbow", "left_shoulder", (0.265, 0.0, 0.0)),
    ("right_elbow", "right_shoulder", _MIRRORED),
    ("left_wrist", "left_elbow", (0.250, 0.0, 0.0)),
    ("right_wrist", "right_elbow", _MIRRORED),
)


@lru_cache(maxsize=1)
def smpl22() -> Skeleton:
    """Return the canonical skeleton: SMPL's 22 body joints, 1.70 m tall, at identity in a T-pose that faces +Z."""
    names = tuple(name for name, _, _ in _SMPL22)
    offsets = {name: offset for name, _, offset in _SMPL22}
    for name in names:
        if name.startswith("right_"):
            x, y, z = offsets["left_" + name.removeprefix("right_")]
            offsets[name] = (-x, y, z)
    parents = tuple(names.index(parent) if parent else -1 for _, parent, _ in _SMPL22)
    return Skeleton(names=names, parents=parents, offsets=torch.tensor([offsets[name] for name in names]))


SMPL22 = smpl22()
ANKLE_HEIGHT = 0.085
"""Height of SMPL-22's ankle over the sole, metres; the foot joint (ball of the foot) is at 0.025."""
