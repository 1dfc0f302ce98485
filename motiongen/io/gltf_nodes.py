"""The node tree of a glTF file: its joints, their rest pose, and the nodes above them."""

import math
from collections.abc import Collection
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from motiongen import limits
from motiongen.io.gltf_characters import choose, vrm_roles
from motiongen.io.gltf_container import GltfReader
from motiongen.io.options import note
from motiongen.rotation import (
    quat_angle,
    quat_from_matrix,
    quat_inverse,
    quat_multiply,
    quat_normalize,
    quat_rotate,
)
from motiongen.skeleton import Skeleton

SAME_POSE = 0.01
"""Radians by which joints may differ for two poses to be the same."""


class NodeTree:
    """The joints of a character (without a skin, its animated nodes) as one tree; `gltf_characters` tells them apart.

    Nodes without a common ancestor get one, at the origin.

    Args:
        reader: the file.
        character_index: number of the character, from 0; if None the first that moves.
        moving: nodes that move.

    Attributes:
        joints: node indices, a parent before its children; the first is the ancestor of all others.
        above: nodes above the root, from its parent up to the scene.
        scale_above: for each of these nodes and of the joints the product of the scales above it.
        skins: those of the character.

    Raises:
        ValueError: no joints, or nodes that do not form a tree.
    """

    def __init__(
        self, reader: GltfReader, character_index: int | None = None, moving: Collection[int] = ()
    ) -> None:
        self._reader = reader
        self.nodes = reader.items("nodes")
        self._parents: dict[int, int] = {}
        for parent, item in enumerate(self.nodes):
            for child in item.get("children", []):
                reader.item("nodes", child)
                if child in self._parents:
                    raise reader.broken("nodes with one parent each", f"node {child} with two")
                self._parents[child] = parent
        self._check_tree()
        members, self.skins = choose(reader, self._parents, character_index, moving)
        root = self._common(members)
        inside = {*members, root}
        for node in members:  # nodes between two joints are joints too
            while node != root and (node := self._parents[node]) not in inside:
                inside.add(node)
        limits.check_joints(len(inside))
        self.joints = self._ordered(root, inside)
        self.above = self._path(root)[1:]
        self.scale_above: dict[int, float] = {}
        for node in [*reversed(self.above), *self.joints]:
            over = self._parents.get(node)
            self.scale_above[node] = 1.0 if over is None else self.scale_above[over] * self._scale(over)

    @cached_property
    def skeleton(self) -> Skeleton:
        """The joints in their rest pose; the root's offset is zero.

        The rest pose is that of the nodes, or that in which the skin was bound where the two differ: some files
        store a frame of an animation in their nodes.
        """
        number = {node: joint for joint, node in enumerate(self.joints)}
        parents = [number[self._parents[node]] if joint else -1 for joint, node in enumerate(self.joints)]
        names: dict[str, None] = {}  # in order, and quick to search
        for node in self.joints:
            name = str(self.nodes[node].get("name") or f"node{node}")
            names[name if name not in names else f"{name}.{node}"] = None
        offsets = torch.stack([self.local(node)[1] * self.scale_above[node] for node in self.joints])
        rotations = torch.stack([self.local(node)[0] for node in self.joints])
        for node in self.above:
            rotations[0] = quat_multiply(self.local(node)[0], rotations[0])
        bound = self._bound(rotations, offsets, parents)
        if bound is not None and bool((quat_angle(rotations[1:], bound[0][1:]) > SAME_POSE).any()):
            rotations, offsets = bound
        offsets[0] = 0.0
        roles = vrm_roles(self._reader.json, dict(zip(self.joints, names, strict=True)))
        return Skeleton(
            names=tuple(names),
            parents=tuple(parents),
            offsets=offsets.float(),
            rest=rotations.float(),
            roles=roles,
        )

    def _bound(self, rotations: Tensor, offsets: Tensor, parents: list[int]) -> tuple[Tensor, Tensor] | None:
        """Return local rotations (J, 4) and offsets (J, 3) of the bind pose, or None where the skin has none."""
        binds = self._binds()
        if not binds:
            return None
        worlds: list[tuple[Tensor, Tensor]] = []
        local_rotations, local_offsets = [], []
        for joint, node in enumerate(self.joints):
            above = (
                worlds[parents[joint]]
                if joint
                else (rotations.new_tensor([0.0, 0.0, 0.0, 1.0]), rotations.new_zeros(3))
            )
            if node in binds:
                bind = binds[node]
                rotation = quat_from_matrix(bind[:3, :3] / _size(bind))
                position = bind[:3, 3]
            else:  # not part of the skin: as its node says
                rotation = quat_multiply(above[0], rotations[joint])
                position = above[1] + quat_rotate(above[0], offsets[joint])
            worlds.append((rotation, position))
            local_rotations.append(quat_multiply(quat_inverse(above[0]), rotation))
            local_offsets.append(quat_rotate(quat_inverse(above[0]), position - above[1]))
        bound = torch.stack(local_offsets)
        # The bind pose may be in another unit, which the bones tell: most are as long as their nodes' offsets.
        lengths, node_lengths = bound[1:].norm(dim=-1), offsets[1:].norm(dim=-1)
        known = (lengths > 1e-9) & (node_lengths > 1e-9)
        scale = float((node_lengths[known] / lengths[known]).median()) if bool(known.any()) else 1.0
        local_rotations[0] = rotations[0] if self.joints[0] not in binds else local_rotations[0]
        return torch.stack(local_rotations), bound * scale

    def _binds(self) -> dict[int, Tensor]:
        """Return node -> world matrix (4, 4) in the bind pose, of the skins that have one, the largest first.

        Each skin is bound in the space of its own mesh; a joint that two share tells how these lie to each other.
        """
        binds: dict[int, Tensor] = {}
        for skin in sorted(self.skins, key=lambda item: -len(item["joints"])):
            if "inverseBindMatrices" not in skin:
                continue
            stored = torch.from_numpy(self._reader.accessor(skin["inverseBindMatrices"]))
            inverse = stored.double().view(-1, 4, 4).mT
            if len(inverse) != len(skin["joints"]) or not bool((torch.linalg.det(inverse).abs() > 0).all()):
                continue
            worlds = dict(zip(skin["joints"], torch.linalg.inv(inverse), strict=True))
            shared = next((node for node in worlds if node in binds), None)
            if shared is not None:
                to_first = binds[shared] @ torch.linalg.inv(worlds[shared])
                worlds = {node: to_first @ world for node, world in worlds.items()}
            binds = worlds | binds
        return binds

    def local(self, node: int) -> tuple[Tensor, Tensor]:
        """Return a node's own rotation (4,) and translation (3,), float64, its scale left out.

        A mirror is a negative scale of all axes and a half turn: diag(-1, 1, 1) = -diag(1, -1, -1).
        """
        item = self.nodes[node]
        if "matrix" in item:
            matrix = self._numbers(item["matrix"], 16).view(4, 4).mT  # stored by columns
            return quat_from_matrix(matrix[:3, :3] / self._scale(node)), matrix[:3, 3]
        rotation = self._numbers(item.get("rotation", [0, 0, 0, 1]), 4)
        if not float(rotation.norm()) > 0:
            raise self._reader.broken(f"node {node} with a quaternion for rotation", "one of length 0")
        rotation, translation = quat_normalize(rotation), self._numbers(item.get("translation", [0, 0, 0]), 3)
        return quat_multiply(rotation, self.flip(node)) if "scale" in item else rotation, translation

    def is_flipped(self, node: int) -> bool:
        """Return whether a node's scale turns it: two of its numbers are negative, or one."""
        return "scale" in self.nodes[node] and float(self.flip(node)[3]) == 0.0

    def flip(self, node: int) -> Tensor:
        """Return the half turn (4,) that a node's scale makes where some of its numbers are negative, else identity."""
        signs = self._numbers(self.nodes[node].get("scale", [1, 1, 1]), 3).sign()
        signs = signs * signs.prod()  # proper: none or two are negative
        turn = (signs > 0).double() if bool((signs < 0).any()) else signs.new_zeros(3)
        return torch.cat([turn, turn.new_tensor([0.0 if bool(turn.any()) else 1.0])])

    def _scale(self, node: int) -> float:
        """Return a node's scale as one number: the cube root of its volume, negative for a mirror."""
        item = self.nodes[node]
        if "matrix" in item:
            size = _size(self._numbers(item["matrix"], 16).view(4, 4))
        else:
            volume = float(self._numbers(item.get("scale", [1, 1, 1]), 3).prod())
            size = math.copysign(abs(volume) ** (1 / 3), volume)
        if size == 0:
            raise self._reader.broken(f"node {node} with a scale", "0")
        return size

    def _numbers(self, values: Any, count: int) -> Tensor:
        numbers = torch.tensor(values, dtype=torch.float64)
        if numbers.shape != (count,) or not bool(torch.isfinite(numbers).all()):
            raise self._reader.broken(f"{count} finite numbers in a node", str(values)[:60])
        return numbers

    def _check_tree(self) -> None:
        """Raise ValueError for a node that is its own ancestor."""
        known: set[int] = set()
        for node in self._parents:
            walked = [node]
            while walked[-1] in self._parents and walked[-1] not in known:
                walked.append(self._parents[walked[-1]])
                if len(walked) > len(self.nodes):
                    raise self._reader.broken("nodes that form a tree", "a circle")
            known.update(walked)

    def _path(self, node: int) -> list[int]:
        """Return a node and all its ancestors."""
        path = [node]
        while path[-1] in self._parents:
            path.append(self._parents[path[-1]])
        return path

    def _common(self, members: list[int]) -> int:
        """Return the lowest node that is a member or ancestor of all members; a new one where there is none."""
        line = self._path(members[0])
        meets = {node: place for place, node in enumerate(line)}  # node -> where its path meets the line
        highest = 0
        for node in members[1:]:
            walked = []
            while node not in meets:
                walked.append(node)
                if node not in self._parents:
                    return self._joined(members)
                node = self._parents[node]
            meets.update(dict.fromkeys(walked, meets[node]))
            highest = max(highest, meets[node])
        return line[highest]

    def _joined(self, members: list[int]) -> int:
        """Return a new node at the origin, above the topmost ancestors of all members."""
        tops = list(dict.fromkeys(self._path(node)[-1] for node in members))
        note(
            self._reader.path,
            f"{len(tops)} trees of joints are put under one root, for they have none in common",
        )
        self.nodes = [*self.nodes, {"name": "root", "children": tops}]
        self._parents |= dict.fromkeys(tops, len(self.nodes) - 1)
        return len(self.nodes) - 1

    def _ordered(self, root: int, inside: set[int]) -> list[int]:
        order, waiting = [], [root]
        while waiting:
            node = waiting.pop()
            order.append(node)
            waiting += [child for child in reversed(self.nodes[node].get("children", [])) if child in inside]
        return order


def _size(matrix: Tensor) -> float:
    """Return the cube root of the volume of a matrix's upper left (3, 3), with its sign."""
    volume = float(torch.linalg.det(matrix[:3, :3]))
    return math.copysign(abs(volume) ** (1 / 3), volume)
