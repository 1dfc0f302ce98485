"""A skinned body: its mesh, its weights, where its joints rest, and how a motion bends it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

import motiongen_assets
from motiongen.io.gltf_container import GltfReader
from motiongen.motion import Motion
from motiongen.rotation import matrix_from_quat, quat_inverse, quat_multiply
from motiongen.skeleton import SMPL22

CHUNK = 32
"""Frames that are skinned at once: bounds the memory of a long clip."""


@dataclass(frozen=True, eq=False)
class BodyMesh:
    """A triangle mesh in the rest pose that hangs on joints.

    Attributes:
        vertices: (V, 3) metres, standing on y = 0, facing +Z.
        normals: (V, 3) unit.
        faces: (F, 3) int64, counter-clockwise seen from outside.
        joint_indices: (V, 4) int64, the joints that move each vertex.
        joint_weights: (V, 4) their shares, which sum to one.
        colours: (V, 3) display (sRGB) red, green, blue, 0 to 1.
        joints: (J, 3) rest position of each joint, metres.
        names: J joint names.
    """

    vertices: Tensor
    normals: Tensor
    faces: Tensor
    joint_indices: Tensor
    joint_weights: Tensor
    colours: Tensor
    joints: Tensor
    names: tuple[str, ...]

    def skin(self, motion: Motion) -> Tensor:
        """Return the vertices (T, V, 3) that a motion of the same joints gives, by linear blend skinning.

        Raises:
            ValueError: the motion has other joints.
        """
        if motion.skeleton.names != self.names:
            raise ValueError(
                f"body: expected a motion of the {len(self.names)} joints of SMPL-22, got "
                f"{motion.skeleton.num_joints} joints; call motion.retarget(SMPL22) first"
            )
        rest, _ = motion.skeleton.fk(motion.skeleton.rest_rotations, motion.skeleton.offsets.new_zeros(3))
        turns = quat_multiply(motion.global_rotations(), quat_inverse(rest).to(motion.rotations))
        return self.skin_joints(turns, motion.positions())

    def skin_joints(self, turns: Tensor, positions: Tensor) -> Tensor:
        """Return vertices (T, V, 3) for joints that have turned from the rest pose and moved.

        Args:
            turns: (T, J, 4) global rotations, identity in the rest pose.
            positions: (T, J, 3) global positions, metres.
        """
        matrices = matrix_from_quat(turns)  # (T, J, 3, 3)
        shifts = positions - (matrices @ self.joints.to(positions)[:, :, None])[..., 0]
        transforms = torch.cat([matrices, shifts[..., None]], dim=-1).flatten(2)  # (T, J, 12)
        shares = positions.new_zeros(len(self.vertices), len(self.names))
        shares.scatter_add_(1, self.joint_indices, self.joint_weights.to(positions))  # (V, J)
        points = self.vertices.to(positions)
        chunks = []
        for part in transforms.split(CHUNK):
            blended = (shares @ part).unflatten(-1, (3, 4))  # (T, V, 3, 4)
            chunks.append((blended[..., :3] @ points[:, :, None])[..., 0] + blended[..., 3])
        return torch.cat(chunks)  # (T, V, 3)


@lru_cache(maxsize=1)
def load() -> BodyMesh:
    """Return motiongen's own body, rigged to SMPL-22; do not write to its tensors."""
    return read_body(motiongen_assets.path("body/mannequin.glb"))


def read_body(path: str | Path) -> BodyMesh:
    """Return the first skinned mesh of a GLB whose joints carry SMPL-22's names.

    Raises:
        ValueError: the file is broken, has no skinned mesh, or lacks a joint.
    """
    reader = GltfReader(path)
    skinned = [node for node in reader.items("nodes") if "mesh" in node and "skin" in node]
    if not skinned:
        raise reader.broken("a node with a mesh and a skin", "none")
    skin = reader.item("skins", skinned[0]["skin"])
    primitive = reader.item("meshes", skinned[0]["mesh"])["primitives"][0]
    found = [reader.item("nodes", node).get("name", "") for node in skin["joints"]]
    missing = [name for name in SMPL22.names if name not in found]
    if missing:
        raise reader.broken("joints named as in SMPL-22", f"none named {', '.join(missing)}")
    attributes = {
        name: torch.from_numpy(reader.accessor(index)) for name, index in primitive["attributes"].items()
    }
    number = torch.tensor([SMPL22.names.index(name) if name in SMPL22.names else 0 for name in found])
    columns = torch.from_numpy(reader.accessor(skin["inverseBindMatrices"])).view(-1, 4, 4)
    places = torch.linalg.inv(columns.mT)[:, :3, 3]
    order = torch.tensor([found.index(name) for name in SMPL22.names])
    linear = (
        attributes["COLOR_0"][:, :3]
        if "COLOR_0" in attributes
        else torch.full_like(attributes["POSITION"], 0.6)
    )
    return BodyMesh(
        vertices=attributes["POSITION"],
        normals=attributes["NORMAL"],
        faces=torch.from_numpy(reader.accessor(primitive["indices"]).astype("int64")).view(-1, 3),
        joint_indices=number[attributes["JOINTS_0"].long()],
        joint_weights=attributes["WEIGHTS_0"],
        colours=_display(linear),
        joints=places[order],
        names=SMPL22.names,
    )


def _display(linear: Tensor) -> Tensor:
    """Return sRGB for the linear light that glTF keeps."""
    return torch.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=1e-8) ** (1 / 2.4) - 0.055
    )
