"""Characters: the animated meshes of motions, a skinned body for SMPL-22 and sticks for any other skeleton."""

from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.body import load
from motiongen.body.smpl import SmplBody, vertex_normals
from motiongen.motion import Motion
from motiongen.render.clip import base_joint
from motiongen.rotation import matrix_from_quat, quat_inverse, quat_multiply, quat_rotate
from motiongen.skeleton import SMPL22, Skeleton
from motiongen.skinned_mesh import SkinnedMesh

Array = NDArray[np.float32]

_LEFT, _RIGHT, _MIDDLE = (0.42, 0.62, 0.82), (0.91, 0.58, 0.38), (0.62, 0.65, 0.70)
_SKIN = (0.80, 0.80, 0.78)
_AROUND, _ALONG = 12, 6  # facets of a stick
_CHUNK = 32
_FAR = 0.06  # of a figure's height: vertices nearer to their joint are no tips


class Character(Protocol):
    """An animated mesh: faces (F, 3), counter-clockwise from outside, sRGB colours (V, 3), and poses."""

    @property
    def faces(self) -> NDArray[np.int64]:
        """Vertex indices (F, 3)."""
        ...

    @property
    def colours(self) -> Array:
        """Display colours (V, 3)."""
        ...

    def pose(self, frame: int) -> tuple[Array, Array]:
        """Return vertices (V, 3), metres, and unit normals (V, 3) of a frame."""
        ...


def character_of(motion: Motion, body: SkinnedMesh | SmplBody | str | Path | None = None) -> Character:
    """Return the character that is drawn for a motion.

    Args:
        motion: SMPL-22 (or a longer SMPL skeleton) moves a body; another skeleton is drawn bone by bone, or
            retargeted if a body is given that has other joints.
        body: a rigged mesh, an SMPL-family body, or the path of its model file; motiongen's own body if None.
    """
    if is_own(motion, body) and isinstance(body, SkinnedMesh):
        rest, _ = motion.skeleton.fk(motion.skeleton.rest_rotations, motion.skeleton.offsets.new_zeros(3))
        from_rest = quat_multiply(motion.global_rotations(), quat_inverse(rest).to(motion.rotations))
        return Skinned(body, from_rest, motion.positions())
    joints = smpl22_joints(motion.skeleton)
    if joints is None:
        if body is None:
            return Bones(motion)
        motion = motion.retarget(SMPL22)
        joints = list(range(SMPL22.num_joints))
    rotations = motion.rotations[:, joints]
    figure = _figure(body)
    skeleton = body_skeleton(figure.joints) if isinstance(figure, SkinnedMesh) else figure.skeleton
    # The body keeps its own proportions; its steps are as long as its legs allow.
    root = motion.root * (_stature(skeleton) / _stature(motion.skeleton))
    if isinstance(figure, SkinnedMesh):
        return Skinned(figure, *skeleton.fk(rotations.float(), root.float()))
    return SmplCharacter(figure, rotations, root)


def is_own(motion: Motion, body: object) -> bool:
    """Return whether a body is a mesh on the very joints of a motion that is not SMPL-22's."""
    return isinstance(body, SkinnedMesh) and body.names == motion.skeleton.names != SMPL22.names


def with_tips(motion: Motion, body: SkinnedMesh) -> Motion:
    """Return a motion whose skeleton has tips where its mesh reaches far from a joint, along each axis.

    Pictures then show the whole of a figure, however large its head.
    """
    skeleton = motion.skeleton
    rest, _ = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))
    owner = body.joint_indices.gather(1, body.joint_weights.argmax(1, keepdim=True))[:, 0]
    way = body.vertices - body.joints[owner]
    far = _FAR * float(body.vertices[:, 1].max())
    tips = []
    for joint in owner[way.norm(dim=-1) > far].unique().tolist():
        own = way[owner == joint]
        outer = own[torch.cat([own.argmax(0), own.argmin(0)]).unique()]  # (up to 6, 3)
        local = quat_rotate(quat_inverse(rest[joint]).expand(len(outer), 4), outer)
        tips += [(joint, (x, y, z)) for x, y, z in local.tolist()]
    return replace(motion, skeleton=replace(skeleton, ends=tuple(tips)))


def _figure(body: SkinnedMesh | SmplBody | str | Path | None) -> SkinnedMesh | SmplBody:
    if body is None:
        return load()
    if not isinstance(body, str | Path):
        return body
    return SmplBody(body)


def body_skeleton(joints: Tensor) -> Skeleton:
    """Return SMPL-22 with the proportions of a body whose joints rest at (22, 3) in the T-pose."""
    offsets = joints - joints[[max(parent, 0) for parent in SMPL22.parents]]
    return Skeleton(names=SMPL22.names, parents=SMPL22.parents, offsets=offsets)


def smpl22_joints(skeleton: Skeleton) -> list[int] | None:
    """Return the indices of SMPL-22's joints in a skeleton that has them by name; None for another skeleton."""
    if skeleton.rest is not None or not set(SMPL22.names) <= set(skeleton.names):
        return None
    index = [skeleton.names.index(name) for name in SMPL22.names]
    parents = [-1 if p < 0 else index[p] for p in SMPL22.parents]
    return index if [skeleton.parents[i] for i in index] == parents else None


def _stature(skeleton: Skeleton) -> float:
    """Return the height of the first joint over the lowest one in the rest pose, metres."""
    return -float(skeleton.rest_positions[:, 1].min())


class Skinned:
    """A rigged mesh, by linear blend skinning (Magnenat-Thalmann et al. 1988).

    Args:
        body: the mesh in its rest pose.
        rotations: (T, J, 4) rotations in the world, identity in the rest pose.
        positions: (T, J, 3) joints in the world, metres.
    """

    def __init__(self, body: SkinnedMesh, rotations: Tensor, positions: Tensor) -> None:
        matrices = matrix_from_quat(rotations.float())  # (T, J, 3, 3)
        shifts = positions.float() - (matrices @ body.joints[..., None]).squeeze(-1)
        self._bones = torch.cat([matrices, shifts[..., None]], dim=-1).flatten(2).numpy()  # (T, J, 12)
        self._vertices, self._normals = body.vertices.float().numpy(), body.normals.float().numpy()
        # A dense product over all joints is faster than a gather of four.
        weights = torch.zeros(len(body.vertices), len(body.joints))
        self._weights = weights.scatter_add_(1, body.joint_indices, body.joint_weights.float()).numpy()
        self.faces, self.colours = body.faces.numpy(), body.colours.float().numpy()

    def pose(self, frame: int) -> tuple[Array, Array]:
        """Return vertices (V, 3) and normals (V, 3) of a frame."""
        blended = (self._weights @ self._bones[frame]).reshape(-1, 3, 4)  # (V, 3, 4)
        turn = blended[:, :, :3]
        vertices = np.einsum("vij,vj->vi", turn, self._vertices) + blended[:, :, 3]
        return vertices, _unit(np.einsum("vij,vj->vi", turn, self._normals))


class SmplCharacter:
    """An SMPL-family body with its pose-dependent shape, by smplx.

    Args:
        body: the model.
        rotations: (T, 22, 4) local rotations.
        root: (T, 3) pelvis, metres.
    """

    def __init__(self, body: SmplBody, rotations: Tensor, root: Tensor) -> None:
        self._body, self._rotations, self._root = body, rotations, root
        self._first, self._chunk = -_CHUNK, np.zeros((0, 0, 3), dtype=np.float32)
        self.faces = np.asarray(body.faces, dtype=np.int64)
        self.colours = np.tile(np.array(_SKIN, dtype=np.float32), (body.num_vertices, 1))

    def pose(self, frame: int) -> tuple[Array, Array]:
        """Return vertices (V, 3) and normals (V, 3) of a frame."""
        if not self._first <= frame < self._first + len(self._chunk):
            span = slice(frame, frame + _CHUNK)  # smplx is several times faster over a batch
            self._first = frame
            self._chunk = self._body.vertices(self._rotations[span], self._root[span]).float().numpy()
        vertices = self._chunk[frame - self._first]
        return vertices, vertex_normals(vertices, self.faces)


class Bones:
    """A stick from each joint to each of its children and tips, for any skeleton, even with joints that move."""

    def __init__(self, motion: Motion) -> None:
        skeleton, base = motion.skeleton, base_joint(motion)
        rotations, positions = motion.global_rotations().float(), motion.positions().float()
        starts = list(skeleton.parents[base + 1 :])
        heads = [positions[:, joint] for joint in range(base + 1, skeleton.num_joints)]
        names = [skeleton.names[p] for p in starts]
        for joint, offset in skeleton.ends:
            starts.append(joint)
            names.append(skeleton.names[joint])
            heads.append(positions[:, joint] + quat_rotate(rotations[:, joint], positions.new_tensor(offset)))
        if not starts:
            raise ValueError(
                "motion: expected a bone to draw, got a single joint; render a skeleton with two or more"
            )
        self._tails = positions[:, starts].numpy()  # (T, B, 3)
        self._spans = torch.stack(heads, dim=1).numpy() - self._tails
        rest = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))[0].float()
        from_rest = quat_multiply(rotations, quat_inverse(rest))[:, starts]
        # A direction fixed to the bone, so that its sides do not spin.
        self._sides = quat_rotate(from_rest, torch.tensor([0.36, 0.48, 0.80])).numpy()
        lengths = np.linalg.norm(self._spans, axis=-1).max(0)  # (B,)
        height = max(float(np.ptp(positions[0].numpy(), axis=0).max()), 1e-6)
        self._radii = np.clip(0.13 * lengths, 0.006 * height, 0.024 * height).astype(np.float32)
        self._profile, self._outward, faces = _stick()
        bones, count = len(starts), len(self._profile)
        self.faces = (faces + count * np.arange(bones)[:, None, None]).reshape(-1, 3)
        self.colours = np.repeat(np.array([_tone(name) for name in names], dtype=np.float32), count, axis=0)

    def pose(self, frame: int) -> tuple[Array, Array]:
        """Return vertices (V, 3) and normals (V, 3) of a frame."""
        span, side = self._spans[frame], self._sides[frame]
        length = np.linalg.norm(span, axis=1, keepdims=True)
        along = span / np.maximum(length, 1e-9)
        across = _unit(side - (side * along).sum(1, keepdims=True) * along + 1e-9)
        frames = np.stack([across, along, np.cross(across, along)], axis=2)  # (B, 3, 3)
        x, at, cap, z = self._profile.T
        radii = self._radii[:, None]
        local = np.stack([x * radii, at * length + cap * radii, z * radii], axis=-1)  # (B, P, 3)
        vertices = np.einsum("bij,bpj->bpi", frames, local) + self._tails[frame][:, None]
        normals = np.einsum("bij,pj->bpi", frames, self._outward)
        return vertices.reshape(-1, 3).astype(np.float32), normals.reshape(-1, 3).astype(np.float32)


def _unit(vectors: Array) -> Array:
    return np.asarray(
        vectors / np.sqrt(np.einsum("vc,vc->v", vectors, vectors) + 1e-20)[:, None], dtype=np.float32
    )


def _stick() -> tuple[Array, Array, NDArray[np.int64]]:
    """Return a tapered stick with round ends: profile (P, 4) x, share of the length, cap, z; normals (P, 3); faces."""
    rings = [(np.cos(t), 0.0, np.sin(t)) for t in np.radians([-90, -60, -30, 0])]
    rings += [(1.0 - 0.45 * at, at, 0.0) for at in np.linspace(0, 1, _ALONG + 1)[1:-1]]
    rings += [(0.55 * np.cos(t), 1.0, 0.55 * np.sin(t)) for t in np.radians([0, 30, 60, 90])]
    turn = np.arange(_AROUND) * (2 * np.pi / _AROUND)
    profile = [(r * np.cos(t), at, cap, r * np.sin(t)) for r, at, cap in rings for t in turn]
    slant = np.radians([-90, -60, -30, *[4] * (_ALONG + 1), 30, 60, 90])
    normals = [(np.cos(s) * np.cos(t), np.sin(s), np.cos(s) * np.sin(t)) for s in slant for t in turn]
    faces = []
    for ring in range(len(rings) - 1):
        for i in range(_AROUND):
            a, b = ring * _AROUND + i, ring * _AROUND + (i + 1) % _AROUND
            faces += [(a, a + _AROUND, b), (b, a + _AROUND, b + _AROUND)]
    return np.array(profile, dtype=np.float32), np.array(normals, dtype=np.float32), np.array(faces)


def _tone(name: str) -> tuple[float, float, float]:
    """Return a bone's colour by the side in its name."""
    low = name.lower()
    if "left" in low or low.startswith("l_") or low.endswith(("_l", ".l")) or name[:1] == "l":
        return _LEFT
    if (
        "right" in low
        or low.startswith("r_")
        or low.endswith(("_r", ".r"))
        or (name[:1] == "r" and name != "root")
    ):
        return _RIGHT
    return _MIDDLE
