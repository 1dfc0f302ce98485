"""A skinned mesh: vertices that follow the joints of a motion by linear blend skinning."""

from dataclasses import dataclass

import torch
from torch import Tensor

from motiongen import limits
from motiongen.motion import Motion
from motiongen.rotation import matrix_from_quat, quat_inverse, quat_multiply, quat_normalize
from motiongen.skeleton import Skeleton

CHUNK = 32
"""Frames that are skinned at once, which bounds the memory of a long clip."""


def smooth_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Return unit normals (V, 3) of vertices: the mean of those of the faces (F, 3) around each, by area."""
    corners = vertices[faces]  # (F, 3, 3)
    across = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    summed = torch.zeros_like(vertices).index_add(0, faces.flatten(), across.repeat_interleave(3, 0))
    return torch.nn.functional.normalize(summed, dim=-1)


@dataclass(frozen=True)
class Surface:
    """What faces of a mesh are covered with.

    Attributes:
        name: of the material.
        colour: display (sRGB) red, green, blue, 0 to 1; None for the colours of the vertices.
        picture: bytes of a PNG or JPEG file that is laid on the faces, and multiplied with the colour; None for none.
        is_cut: whether the picture's alpha cuts holes, so that the faces are seen from behind.
    """

    name: str
    colour: tuple[float, float, float] | None = None
    picture: bytes | None = None
    is_cut: bool = False


@dataclass(frozen=True, eq=False)
class Look:
    """What a mesh is covered with, beyond a colour for each vertex.

    Attributes:
        surfaces: the materials, at least one.
        face_surfaces: (F,) int64, number of each face's surface.
        uvs: (V, 2) places in the pictures, from the upper left corner to the right and down, 1 the whole picture.
    """

    surfaces: tuple[Surface, ...]
    face_surfaces: Tensor
    uvs: Tensor


@dataclass(frozen=True, eq=False)
class SkinnedMesh:
    """A triangle mesh in its rest pose, and the joints that move each vertex.

    Attributes:
        vertices: (V, 3) metres, standing on y = 0, facing +Z.
        normals: (V, 3) unit.
        faces: (F, 3) int64, counter-clockwise seen from outside.
        joint_indices: (V, 4) int64, the joints that move each vertex.
        joint_weights: (V, 4) the weights of those joints, which sum to one.
        colours: (V, 3) display (sRGB) red, green, blue, 0 to 1.
        joints: (J, 3) rest position of each joint, metres.
        names: J joint names.
        look: its materials and pictures, which not all formats keep; None where colours are all.
    """

    vertices: Tensor
    normals: Tensor
    faces: Tensor
    joint_indices: Tensor
    joint_weights: Tensor
    colours: Tensor
    joints: Tensor
    names: tuple[str, ...]
    look: Look | None = None

    def __post_init__(self) -> None:
        for name in ("vertices", "joint_weights", "joints"):
            if not bool((getattr(self, name).abs() <= limits.MAX_DISTANCE).all()):  # NaN is not, either
                raise ValueError(
                    f"mesh: expected {name} that are numbers up to {limits.MAX_DISTANCE:g}, got others; "
                    "export it again"
                )
        if self.faces.numel() and not 0 <= int(self.faces.min()) <= int(self.faces.max()) < len(
            self.vertices
        ):
            raise ValueError(
                f"mesh: expected faces of {len(self.vertices)} vertices, got others; export it again"
            )

    def check(self, skeleton: Skeleton) -> None:
        """Raise ValueError for a skeleton of other joints."""
        if self.names != skeleton.names:
            raise ValueError(
                f"mesh: expected the joints of the motion ({skeleton.label}), got {len(self.names)} joints from "
                f"{self.names[0]!r}; retarget the motion, or leave the mesh out"
            )

    def rest_pose(self, skeleton: Skeleton) -> tuple[Tensor, Tensor]:
        """Return how the joints of a skeleton, which are the mesh's, lie in it: float64.

        Returns:
            Offsets (J, 3) from each joint's parent, in its axes, the root's from the origin; and matrices (J, 4, 4)
            from each joint's own space to the world. Metres.
        """
        offsets = skeleton.offsets.double().clone()
        offsets[0] = self.joints[0].double()
        rotations, _ = skeleton.fk(skeleton.rest_rotations.double(), offsets[0])
        world = torch.eye(4, dtype=torch.float64).repeat(skeleton.num_joints, 1, 1)
        world[:, :3, :3] = matrix_from_quat(quat_normalize(rotations))
        world[:, :3, 3] = self.joints.double()
        return offsets, world

    def skin(self, motion: Motion) -> Tensor:
        """Return the vertices (T, V, 3) in each frame of a motion of the same joints, metres.

        Raises:
            ValueError: the motion has other joints.
        """
        if motion.skeleton.names != self.names:
            raise ValueError(
                f"body: expected a motion of the {len(self.names)} joints of SMPL-22, got "
                f"{motion.skeleton.num_joints} joints; call motion.retarget(SMPL22) first"
            )
        rest, _ = motion.skeleton.fk(motion.skeleton.rest_rotations, motion.skeleton.offsets.new_zeros(3))
        from_rest = quat_multiply(motion.global_rotations(), quat_inverse(rest).to(motion.rotations))
        return self.skin_joints(from_rest, motion.positions())

    def skin_joints(self, rotations: Tensor, positions: Tensor) -> Tensor:
        """Return the vertices (T, V, 3) for given joints, by linear blend skinning.

        Args:
            rotations: (T, J, 4) global rotations, identity in the rest pose.
            positions: (T, J, 3) global positions, metres.
        """
        matrices = matrix_from_quat(rotations)  # (T, J, 3, 3)
        shifts = positions - (matrices @ self.joints.to(positions)[:, :, None])[..., 0]
        transforms = torch.cat([matrices, shifts[..., None]], dim=-1).flatten(2)  # (T, J, 12)
        weights = positions.new_zeros(len(self.vertices), len(self.names))
        weights.scatter_add_(1, self.joint_indices, self.joint_weights.to(positions))  # (V, J)
        points = self.vertices.to(positions)
        chunks = []
        for part in transforms.split(CHUNK):
            blended = (weights @ part).unflatten(-1, (3, 4))  # (T, V, 3, 4)
            chunks.append((blended[..., :3] @ points[:, :, None])[..., 0] + blended[..., 3])
        return torch.cat(chunks)  # (T, V, 3)
