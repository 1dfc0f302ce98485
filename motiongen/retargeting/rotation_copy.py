"""Rotations copied from one humanoid to another, as a plan: what is done once for two skeletons, and a frame's work.

Both skeletons are put into the same T-pose, and each joint's rotation from there, in the world, is copied: with a
source's local rotations A, their rest L in the T-pose and W in the world, N = W L^-1 A W^-1 (VRM's rule), here by whole
limbs. Only joints that play a part are computed; all others hang on these as in the rest pose.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongen import planes
from motiongen.planes import Planes
from motiongen.rotation import quat_inverse, quat_multiply, quat_rotate
from motiongen.skeleton import Skeleton


@dataclass(frozen=True)
class Branch:
    """Joints of a skeleton on which its other joints hang rigidly.

    Attributes:
        joints: (M,) their numbers in the skeleton, a parent before its children.
        above: for each the place in `joints` of the nearest one above it; -1 for none.
        turn: (4, M, 1, 1) the rotation of its parent joint as seen from there.
        way: (3, M, 1, 1) from there to the joint, in that one's frame, metres; from the root for the topmost.
    """

    joints: list[int]
    above: list[int]
    turn: Planes
    way: Planes

    @classmethod
    def of(cls, skeleton: Skeleton, joints: list[int]) -> "Branch":
        """Return the branch of some joints in a skeleton, with all others in the rest pose."""
        joints = sorted(joints)
        place = {joint: number for number, joint in enumerate(joints)}
        rest, offsets = skeleton.rest_rotations.double(), skeleton.offsets.double()
        above, turns, ways = [], [], []
        for joint in joints:
            turn, way = rest.new_tensor([0.0, 0, 0, 1]), offsets.new_zeros(3)
            line = []
            over = skeleton.parents[joint]
            while over >= 0 and over not in place:
                line.append(over)
                over = skeleton.parents[over]
            for passed in reversed(line):
                way = way + (quat_rotate(turn, offsets[passed]) if passed > 0 else 0)
                turn = quat_multiply(turn, rest[passed])
            way = way + (quat_rotate(turn, offsets[joint]) if joint > 0 else 0)
            above.append(place.get(over, -1))
            turns.append(turn)
            ways.append(way)
        return cls(joints, above, constant(torch.stack(turns, -1)), constant(torch.stack(ways, -1)))

    @property
    def levels(self) -> list[tuple[list[int], list[int]]]:
        """Places of joints and of those above them, level by level below the topmost."""
        depth: list[int] = []
        for over in self.above:
            depth.append(0 if over < 0 else depth[over] + 1)
        found = []
        for level in range(1, max(depth) + 1):
            here = [place for place, d in enumerate(depth) if d == level]
            found.append((here, [self.above[place] for place in here]))
        return found

    def positions(
        self, world: Planes, levels: list[tuple[list[int], list[int]]], way: Planes | None = None
    ) -> Planes:
        """Return the places (3, M, T, B) of the joints for their rotations in the world; the root is at the origin.

        Args:
            world: rotations of the joints (4, M, T, B).
            levels: from `levels`.
            way: ways (3, M, T, B) in place of the branch's own, for joints that move on their parents.
        """
        way = self.way if way is None else way
        over = [max(above, 0) for above in self.above]
        ways = planes.rotate(world[:, over], way)
        top = [place for place, above in enumerate(self.above) if above < 0]
        ways[:, top] = way[:, top]
        for here, above in levels:
            ways[:, here] = ways[:, above] + ways[:, here]
        return ways


def constant(values: Tensor) -> Planes:
    """Return constants (C, M) or (C,) as planes (C, M, 1, 1) that broadcast over frames and characters."""
    array = values.double().numpy()
    return np.ascontiguousarray(array).reshape(*array.shape, 1, 1)


class WorldRotations:
    """Rotations in the world of those joints of a skeleton that are asked for, level by level.

    Args:
        skeleton: the joints.
        wanted: those whose rotations and positions are asked for.
    """

    def __init__(self, skeleton: Skeleton, wanted: list[int]) -> None:
        needed = set(wanted)
        for joint in wanted:
            while (joint := skeleton.parents[joint]) >= 0:
                needed.add(joint)
        self.joints = sorted(needed)
        self._branch = Branch.of(skeleton, self.joints)
        self._levels = self._branch.levels
        place = {joint: number for number, joint in enumerate(self.joints)}
        self.places = [place[joint] for joint in wanted]

    def __call__(
        self, local: Planes, root: Planes, translations: Planes | None = None
    ) -> tuple[Planes, Planes]:
        """Return rotations (4, M, T, B) and positions (3, M, T, B) in the world of the joints that are wanted.

        Args:
            local: (4, J, T, B) local rotations of the whole skeleton.
            root: (3, T, B) position of the first joint.
            translations: (3, J, T, B) local translations, for joints that move on their parents.
        """
        world = planes.normalized(local[:, self.joints])
        for here, above in self._levels:
            world[:, here] = planes.multiply(world[:, above], world[:, here])
        way = None
        if translations is not None:
            way = translations[:, self.joints]
            way[:, 0] = 0.0  # the root's repeats its path
        positions = self._branch.positions(world, self._levels, way) + root[:, None]
        return world[:, self.places], positions[:, self.places]


def waist(skeleton: Skeleton, mapping: dict[str, str]) -> int | None:
    """Return the joint above the pelvis on which the spine hangs, too, if there is one: it turns with the pelvis.

    Daz's hip, Character Creator's and the waist of MMD carry a pelvis that has the legs alone, and the spine beside it.
    """
    spine = next((mapping[name] for name in ("spine1", "spine2", "spine3") if name in mapping), None)
    joint = -1 if spine is None else skeleton.parents[skeleton.index(spine)]
    line = set()
    while joint >= 0:
        line.add(joint)
        joint = skeleton.parents[joint]
    pelvis = joint = skeleton.index(mapping["pelvis"])
    while joint >= 0 and joint not in line:
        joint = skeleton.parents[joint]
    return None if joint < 0 or joint == pelvis else joint


class CopiedRotations:
    """The copy of rotations from a source to a target.

    Args:
        source_t: rotations (Js, 4) of the source in the world, in the T-pose.
        target_t: likewise of the target (Jt, 4).
        target: the skeleton to move.
        pairs: (joint of the target, joint of the source) of each part, in any order.

    Attributes:
        sources: for each joint of the branch the joint of the source.
        branch: the target's joints that turn.
    """

    def __init__(
        self, source_t: Tensor, target_t: Tensor, target: Skeleton, pairs: list[tuple[int, int]]
    ) -> None:
        pairs = sorted(pairs)
        self.branch = Branch.of(target, [joint for joint, _ in pairs])
        self.levels = self.branch.levels
        self.sources = [joint for _, joint in pairs]
        change = quat_multiply(
            quat_inverse(source_t[self.sources].double()), target_t[self.branch.joints].double()
        )
        self._change = constant(change.T)
        self._over = [max(above, 0) for above in self.branch.above]
        self._top = [place for place, above in enumerate(self.branch.above) if above < 0]

    def world(self, source: Planes) -> Planes:
        """Return the target's rotations in the world (4, M, T, B) for the source's of `sources`."""
        return planes.multiply(source, self._change)

    def local(self, world: Planes) -> Planes:
        """Return the target's local rotations (4, M, T, B) for those in the world."""
        over = planes.multiply(world[:, self._over], self.branch.turn)
        over[:, self._top] = self.branch.turn[:, self._top]
        return planes.normalized(planes.multiply(planes.inverse(over), world))
