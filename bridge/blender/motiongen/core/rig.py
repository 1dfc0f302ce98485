"""Puts the stream's pose on an armature of any humanoid, by rotations alone.

With N the rotation of a joint in the world since its T-pose, and T the bone's rotation in the armature's T-pose, the
bone's rotation is N T. T comes from the rest pose, in which arms and legs are laid along the stream's T-pose by the
shortest way, so that an A-pose does no harm. Joints that the armature lacks turn those below them all the same, since N
is that of the world. The hips go over by the length of the legs, and soles to the height of the armature's own.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from .quaternion import (
    IDENTITY,
    Quaternion,
    Vector,
    add,
    between,
    cross,
    dot,
    from_columns,
    inverse,
    length,
    multiply,
    rotate,
    scaled,
    subtract,
    unit,
)
from .rig_match import find_roles

SIDES = ("left", "right")
NEEDED = ("pelvis", *(f"{side}_{part}" for side in SIDES for part in ("hip", "knee", "shoulder", "elbow")))
ANKLE_HEIGHT = 0.085
"""Height of the stream's ankles over the sole, metres."""
SNAP = 0.9
"""Cosine of the angle to an axis within which a body stands along it."""


class Bone(NamedTuple):
    """A bone at rest, in the armature's space.

    Attributes:
        name: of the bone.
        parent: index of its parent, which comes before it; -1 for none.
        rotation: xyzw.
        head: where it begins.
    """

    name: str
    parent: int
    rotation: Quaternion
    head: Vector


class BonePose(NamedTuple):
    """What is to be done to a bone from its rest, in its own space.

    Attributes:
        name: the bone's.
        rotation: xyzw.
        location: of the hips; None for bones that only turn.
    """

    name: str
    rotation: Quaternion
    location: Vector | None


class Rig:
    """An armature and what plays which part in it.

    Attributes:
        roles: joint of the stream -> index of the bone.
        scale: the armature's legs over the stream's.
    """

    def __init__(
        self,
        bones: Sequence[Bone],
        names: Sequence[str],
        parents: Sequence[int],
        offsets: Sequence[Sequence[float]],
    ) -> None:
        """Find the parts.

        Args:
            bones: parents before their children.
            names: the stream's joints, `hello.skeleton.names`.
            parents: their parents, `hello.skeleton.parents`.
            offsets: their places on their parents, metres.

        Raises:
            ValueError: it is no humanoid, or has no length.
        """
        self._bones, self._names, self._parents = bones, list(names), list(parents)
        self._offsets = [(float(x), float(y), float(z)) for x, y, z in offsets]
        found = find_roles(tuple(bone.name for bone in bones), tuple(bone.parent for bone in bones))
        self.roles = {role: bone for role, (bone, _) in found.items() if role in self._names}
        missing = [role for role in NEEDED if role not in self.roles]
        if missing:
            raise ValueError(
                f"armature: expected a humanoid, found no bone for {', '.join(missing)} among "
                f"{', '.join(bone.name for bone in bones[:8])} …; rename them as Mixamo, VRM or Unreal do"
            )
        self._places = self._rest_places()
        self._axes = self._find_axes()
        legs = self._leg_length(lambda role: bones[self.roles[role]].head)
        if legs <= 0:
            raise ValueError("armature: expected legs that have a length, got none")
        self.scale = legs / self._leg_length(lambda role: self._places[self._index(role)])
        self._t_pose = self._find_t_pose()
        self._hips = self._find_hips()
        self._joint_of = {bone: self._index(role) for role, bone in self.roles.items()}
        self._joint_of.setdefault(self._hips, self._index("pelvis"))
        self._moved = self._find_moved()
        middle = scaled(add(self._head("left_hip"), self._head("right_hip")), 0.5)
        self._hip_offset = subtract(middle, bones[self._hips].head)
        self._lift = self._find_lift(legs)

    def apply(self, rotations: Sequence[Quaternion], root: Vector) -> list[BonePose]:
        """Return what is to be done to the bones for a pose of the stream.

        Args:
            rotations: local rotations of the stream's joints, xyzw.
            root: place of its root, metres.
        """
        turns, places = self._world(rotations, root)
        axes, back = self._axes, inverse(self._axes)
        world: dict[int, Quaternion] = {}
        poses = []
        for number in self._moved:
            bone = self._bones[number]
            carried = bone.rotation
            if bone.parent in world:
                from_rest = multiply(world[bone.parent], inverse(self._bones[bone.parent].rotation))
                carried = multiply(from_rest, carried)
            joint = self._joint_of.get(number)
            world[number] = carried
            if joint is not None:
                turned = multiply(axes, multiply(turns[joint], back))
                world[number] = multiply(turned, self._t_pose[number])
            location = None
            if number == self._hips:
                hips = scaled(add(places[self._index("left_hip")], places[self._index("right_hip")]), 0.5)
                up = rotate(axes, (0.0, self._lift, 0.0))
                middle = add(rotate(axes, scaled(hips, self.scale)), up)
                pelvis = multiply(axes, multiply(turns[self._index("pelvis")], back))
                head = subtract(middle, rotate(pelvis, self._hip_offset))
                location = rotate(inverse(bone.rotation), subtract(head, bone.head))
            poses.append(BonePose(bone.name, multiply(inverse(carried), world[number]), location))
        return poses

    def to_stream(self, place: Vector) -> tuple[float, float]:
        """Return x and z on the stream's floor of a place in the armature's space."""
        x, _, z = scaled(rotate(inverse(self._axes), place), 1 / self.scale)
        return x, z

    def _index(self, role: str) -> int:
        return self._names.index(role)

    def _head(self, role: str) -> Vector:
        return self._bones[self.roles[role]].head

    def _rest_places(self) -> list[Vector]:
        places: list[Vector] = []
        for parent, offset in zip(self._parents, self._offsets, strict=True):
            places.append(add(places[parent], offset) if parent >= 0 else (0.0, 0.0, 0.0))
        return places

    def _leg_length(self, place: Callable[[str], Vector]) -> float:
        total = 0.0
        for side in SIDES:
            joints = [f"{side}_{part}" for part in ("hip", "knee", "ankle")]
            at = [place(joint) for joint in joints if joint in self.roles]
            total += sum(length(subtract(b, a)) for a, b in itertools.pairwise(at))
        return total / 2

    def _find_axes(self) -> Quaternion:
        """Return the rotation from the stream's space to the armature's, in which a body may stand along any axis."""
        hips = [self._head(f"{side}_hip") for side in SIDES]
        shoulders = [self._head(f"{side}_shoulder") for side in SIDES]
        up = _snapped(subtract(add(*shoulders), add(*hips)))
        left = add(subtract(*hips), subtract(*shoulders))
        left = _snapped(subtract(left, scaled(up, dot(left, up))))
        left = unit(subtract(left, scaled(up, dot(left, up))))
        return from_columns(left, up, cross(left, up))

    def _find_t_pose(self) -> list[Quaternion]:
        """Return each bone's rotation in the T-pose, in the armature's space. Feet stay as they rest, flat."""
        swings = [IDENTITY] * len(self._bones)
        for side in SIDES:
            feet = self._below(self.roles.get(f"{side}_ankle"))
            for part, tip in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
                joint, end = f"{side}_{part}", f"{side}_{tip}"
                if joint not in self.roles or end not in self.roles:
                    continue
                at = self.roles[joint]
                way = self._offsets[self._index(end)]
                if tip in ("knee", "ankle"):
                    way = (0.0, way[1], 0.0)  # straight down
                now = rotate(swings[at], subtract(self._head(end), self._head(joint)))
                swing = between(now, rotate(self._axes, way))
                for bone in self._below(at):
                    if bone not in feet or part in ("shoulder", "elbow"):
                        swings[bone] = multiply(swing, swings[bone])
        return [multiply(swing, bone.rotation) for swing, bone in zip(swings, self._bones, strict=True)]

    def _find_hips(self) -> int:
        """Return the bone that carries the whole body: the pelvis, or the one above it on which the spine hangs too."""
        pelvis = self.roles["pelvis"]
        spine = next(
            (self.roles[role] for role in ("spine1", "spine2", "spine3") if role in self.roles), pelvis
        )
        line = [spine, *self._above(spine)]
        return next((bone for bone in [pelvis, *self._above(pelvis)] if bone in line), pelvis)

    def _find_moved(self) -> list[int]:
        """Return the bones that play a part, and those between them, parents first."""
        moved = set(self._joint_of)
        for bone in self._joint_of:
            line = self._above(bone)
            if self._hips in line:
                moved.update(line[: line.index(self._hips)])
        return sorted(moved)

    def _find_lift(self, legs: float) -> float:
        """Return how much higher than the stream's the armature's hips are, because its ankles are."""
        ankles = [self._head(f"{side}_ankle") for side in SIDES if f"{side}_ankle" in self.roles]
        if not ankles:
            return 0.0
        height = sum(rotate(inverse(self._axes), ankle)[1] for ankle in ankles) / len(ankles)
        return height - ANKLE_HEIGHT * self.scale if 0 <= height < 0.4 * legs else 0.0

    def _world(self, rotations: Sequence[Quaternion], root: Vector) -> tuple[list[Quaternion], list[Vector]]:
        turns: list[Quaternion] = []
        places: list[Vector] = []
        for parent, offset, turn in zip(self._parents, self._offsets, rotations, strict=True):
            if parent < 0:
                turns.append(turn)
                places.append(root)
                continue
            places.append(add(places[parent], rotate(turns[parent], offset)))
            turns.append(multiply(turns[parent], turn))
        return turns, places

    def _above(self, bone: int) -> list[int]:
        line = []
        while (bone := self._bones[bone].parent) >= 0:
            line.append(bone)
        return line

    def _below(self, top: int | None) -> set[int]:
        """Return a bone and all that hang on it."""
        if top is None:
            return set()
        found = {top}
        for number, bone in enumerate(self._bones):
            if bone.parent in found:
                found.add(number)
        return found


def _snapped(way: Vector) -> Vector:
    """Return the axis near a direction, or the direction itself where none is near."""
    way = unit(way)
    axis = max(range(3), key=lambda n: abs(way[n]))
    if abs(way[axis]) < SNAP:
        return way
    sign = 1.0 if way[axis] > 0 else -1.0
    return (sign if axis == 0 else 0.0, sign if axis == 1 else 0.0, sign if axis == 2 else 0.0)
