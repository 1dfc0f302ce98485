"""The skinned mesh of a character in a glTF file, in metres, in the rest pose of its skeleton."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen.files import reading
from motiongen.io.gltf_container import GltfReader
from motiongen.io.gltf_nodes import NodeTree
from motiongen.io.pictures import colours_at, pixels
from motiongen.rotation import matrix_from_quat
from motiongen.skeleton import Skeleton
from motiongen.skinned_mesh import SkinnedMesh, smooth_normals

_PLAIN = (0.8, 0.8, 0.8)


def read_character(path: str | Path) -> tuple[Skeleton, SkinnedMesh | None]:
    """Return the skeleton of a file's character in its rest pose, and its mesh; None where nothing is skinned.

    Args:
        path: a .glb, .gltf or .vrm, animated or not.

    Raises:
        ValueError: the file is broken, or has neither a skin nor animated nodes.
    """
    with reading(path, "glTF 2.0 with well-formed nodes, skins and meshes"):
        reader = GltfReader(path)
        tree = NodeTree(reader)
        return tree.skeleton, _mesh(reader, tree)


def _mesh(reader: GltfReader, tree: NodeTree) -> SkinnedMesh | None:
    skeleton = tree.skeleton
    rotations, positions = skeleton.fk(skeleton.rest_rotations.double(), torch.zeros(3).double())
    parts = []
    for node in reader.items("nodes"):
        if "mesh" not in node or "skin" not in node:
            continue
        skin = reader.item("skins", node["skin"])
        if not any(skin is own for own in tree.skins):
            continue
        bind = _bind(reader, tree, skin, rotations, positions)
        parts += [
            _part(reader, primitive, *bind)
            for primitive in reader.item("meshes", node["mesh"])["primitives"]
            if primitive.get("mode", 4) == 4 and "JOINTS_0" in primitive["attributes"]
        ]
    if not parts:
        return None
    starts = np.cumsum([0] + [len(part["vertices"]) for part in parts])
    whole: dict[str, Any] = {
        name: torch.cat([part[name] for part in parts]) for name in parts[0] if name != "faces"
    }
    lift = torch.stack([torch.zeros(()), -whole["vertices"][:, 1].min(), torch.zeros(())])
    whole["vertices"] = whole["vertices"] + lift
    faces = [part["faces"] + int(start) for part, start in zip(parts, starts, strict=False)]
    return SkinnedMesh(**whole, faces=torch.cat(faces), joints=positions.float() + lift, names=skeleton.names)


def _bind(
    reader: GltfReader, tree: NodeTree, skin: dict[str, Any], rotations: Tensor, positions: Tensor
) -> tuple[Tensor, Tensor]:
    """Return matrices (S, 3, 4) of a skin's joints, from the space of its mesh to the rest pose, and their numbers."""
    number = {node: joint for joint, node in enumerate(tree.joints)}
    joints = torch.tensor([number[node] for node in skin["joints"]])
    if "inverseBindMatrices" in skin:
        stored = torch.from_numpy(reader.accessor(skin["inverseBindMatrices"])).double().view(-1, 4, 4).mT
    else:
        stored = torch.eye(4).double().repeat(len(joints), 1, 1)
    if len(stored) < len(joints) or not bool((torch.linalg.det(stored).abs() > 0).all()):
        raise reader.broken(f"{len(joints)} inverse bind matrices", f"{len(stored)} or singular ones")
    binds = torch.linalg.inv(stored[: len(joints)])
    # Bones as long as in the rest pose tell the unit of the mesh; turns alone are kept of each joint's own axes.
    at, place = binds[:, :3, 3], positions[joints]
    spread, metres = (at - at.mean(0)).norm(), (place - place.mean(0)).norm()
    scale = float(metres / spread) if float(spread) > 0 else 1.0
    axes = binds[:, :3, :3] / torch.linalg.det(binds[:, :3, :3]).abs()[:, None, None] ** (1 / 3)
    turn = matrix_from_quat(rotations[joints]) @ axes.mT  # (S, 3, 3)
    shift = place - scale * (turn @ at[..., None])[..., 0]
    return torch.cat([scale * turn, shift[..., None]], dim=-1), joints


def _part(
    reader: GltfReader, primitive: dict[str, Any], matrices: Tensor, joints: Tensor
) -> dict[str, Tensor]:
    """Return what a primitive adds to the mesh."""
    attributes = primitive["attributes"]
    points = torch.from_numpy(reader.accessor(attributes["POSITION"])).double()
    own = torch.from_numpy(reader.accessor(attributes["JOINTS_0"]).astype(np.int64))
    weights = torch.from_numpy(reader.accessor(attributes["WEIGHTS_0"])).double()
    weights = weights / weights.sum(1, keepdim=True).clamp_min(1e-9)
    blended = (weights[:, :, None, None] * matrices[own]).sum(1)  # (V, 3, 4)
    vertices = (blended[..., :3] @ points[..., None])[..., 0] + blended[..., 3]
    if "indices" in primitive:
        faces = torch.from_numpy(reader.accessor(primitive["indices"]).astype(np.int64)).view(-1, 3)
    else:
        faces = torch.arange(len(points) // 3 * 3).view(-1, 3)
    if "NORMAL" in attributes:
        normals = torch.from_numpy(reader.accessor(attributes["NORMAL"])).double()
        normals = (blended[..., :3] @ normals[..., None])[..., 0].nan_to_num()  # of faces without an area
    else:
        normals = smooth_normals(vertices, faces)
    return {
        "vertices": vertices.float(),
        "normals": torch.nn.functional.normalize(normals, dim=-1).float(),
        "faces": faces,
        "joint_indices": joints[own],
        "joint_weights": weights.float(),
        "colours": torch.from_numpy(_colours(reader, primitive, len(points))),
    }


def _colours(reader: GltfReader, primitive: dict[str, Any], count: int) -> NDArray[np.float32]:
    """Return display colours (V, 3) of a primitive's vertices: base colour, times its texture at each vertex."""
    if "material" not in primitive:
        return np.tile(np.array(_PLAIN, dtype=np.float32), (count, 1))
    surface = reader.item("materials", primitive["material"]).get("pbrMetallicRoughness", {})
    linear = np.array(surface.get("baseColorFactor", [1.0, 1.0, 1.0, 1.0])[:3], dtype=np.float64)
    display = np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-8) ** (1 / 2.4) - 0.055
    )
    colours = np.tile(display, (count, 1))
    texture = surface.get("baseColorTexture")
    channel = f"TEXCOORD_{texture.get('texCoord', 0)}" if texture else ""
    if channel in primitive["attributes"]:
        source = reader.item("textures", texture["index"]).get("source")
        shown = None if source is None else _pixels(reader, reader.item("images", source))
        if shown is not None:
            colours = colours * colours_at(shown, reader.accessor(primitive["attributes"][channel]))
    return np.asarray(colours.clip(0, 1), dtype=np.float32)


def _pixels(reader: GltfReader, image: dict[str, Any]) -> NDArray[np.uint8] | None:
    """Return the pixels (H, W, 3) of an image; None for one that is not there or cannot be decoded here."""
    try:
        return pixels(image_bytes(reader, image))
    except (OSError, ValueError):
        return None


def image_bytes(reader: GltfReader, image: dict[str, Any]) -> bytes:
    """Return the bytes of an image's file, wherever it lies.

    Raises:
        ValueError: a file beside the character that is not there.
    """
    if "bufferView" in image:
        return reader.view_bytes(image["bufferView"])
    return reader.uri_bytes(str(image.get("uri", "")), "image")


def foot_depths(
    mesh: SkinnedMesh, skeleton: Skeleton, ankles: tuple[int, int], upright: Tensor
) -> tuple[float, float] | None:
    """Return how far the lowest vertex of each foot lies under its ankle in the rest pose, metres.

    Args:
        mesh: of the skeleton.
        skeleton: its joints.
        ankles: the left and the right one.
        upright: rotation (4,) that makes the rest pose stand upright.
    """
    up = matrix_from_quat(upright.double())[1].float()  # the row that gives heights
    heights, joints = mesh.vertices @ up, mesh.joints @ up
    depths = []
    for ankle in ankles:
        foot = {ankle}
        for joint in range(ankle + 1, skeleton.num_joints):
            if skeleton.parents[joint] in foot:
                foot.add(joint)
        inside = torch.isin(mesh.joint_indices, torch.tensor(sorted(foot)))
        own = (mesh.joint_weights * inside).sum(1) > 0.5
        if not bool(own.any()):
            return None
        depth = float(joints[ankle] - heights[own].min())
        if not math.isfinite(depth) or depth <= 0:
            return None
        depths.append(depth)
    return depths[0], depths[1]
