"""A motion on the user's own character: its glTF file as it is, with the motion in place of its animations."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen.files import reading
from motiongen.io.gltf_container import GltfBuilder, GltfReader
from motiongen.io.gltf_mesh import image_bytes
from motiongen.io.gltf_nodes import NodeTree
from motiongen.motion import Motion
from motiongen.rotation import quat_inverse, quat_multiply, quat_rotate

Track = tuple[int, str, Tensor]
"""Node, property, and its values: (T, 3 or 4) in every frame, or (1, 3 or 4) for all of them."""

_MOVED = 1e-5
"""Difference of a joint's place from its node's, metres, from which it is written."""


def with_motion(motion: Motion, path: str | Path) -> tuple[GltfBuilder, list[Track]]:
    """Return the document of a character without its animations, and the tracks that move its nodes.

    Nodes, meshes, materials, textures and extensions stay, under their numbers.

    Args:
        motion: on the skeleton that `gltf_mesh.read_character` returns.
        path: the character's .glb, .gltf or .vrm.

    Raises:
        ValueError: the file is broken, or its joints are others than the motion's.
    """
    with reading(path, "glTF 2.0 with well-formed nodes, skins and meshes"):
        reader = GltfReader(path)
        tree = NodeTree(reader)
        skeleton = tree.skeleton
        if skeleton.names != motion.skeleton.names:
            raise ValueError(
                f"{path}: expected the joints of the motion ({motion.skeleton.label}), got {skeleton.label}; retarget "
                "the motion to this character first"
            )
        builder = _without_animations(reader)
        _add_root(builder.json, tree)
        tracks = list(_tracks(motion, tree))
        for node in {node for node, _, _ in tracks}:
            _without_matrix(builder.json["nodes"][node], tree, node)
        return builder, tracks


def _tracks(motion: Motion, tree: NodeTree) -> Iterator[Track]:
    """Yield the tracks of the nodes that are joints; what lies above them stays as it is."""
    rotation, root = motion.rotations[:, 0].double(), motion.root.double()
    for node in reversed(tree.above):  # from the scene down to the root's parent
        rest, offset = tree.local(node)
        root = quat_rotate(quat_inverse(rest), root - offset * tree.scale_above[node])
        rotation = quat_multiply(quat_inverse(rest), rotation)
    for joint, node in enumerate(tree.joints):
        size = tree.scale_above[node]
        turns = rotation if joint == 0 else motion.rotations[:, joint].double()
        if tree.is_flipped(node):
            turns = quat_multiply(turns, quat_inverse(tree.flip(node)))
        yield node, "rotation", turns
        if joint == 0:
            yield node, "translation", root / size
        elif motion.translations is not None:
            yield node, "translation", motion.translations[:, joint].double() / size
        else:
            offset = motion.skeleton.offsets[joint].double()
            if float((offset - tree.local(node)[1] * size).norm()) > _MOVED:
                yield node, "translation", offset[None] / size


def _add_root(document: dict[str, Any], tree: NodeTree) -> None:
    """Give trees that have no root in common the one that the skeleton has."""
    if len(tree.nodes) == len(document["nodes"]):
        return
    root, tops = len(document["nodes"]), set(tree.nodes[-1]["children"])
    document["nodes"].append({"name": "root", "children": sorted(tops)})
    for scene in document.get("scenes", []):
        if not tops.isdisjoint(scene.get("nodes", [])):
            scene["nodes"] = [node for node in scene["nodes"] if node not in tops] + [root]


def _without_matrix(item: dict[str, Any], tree: NodeTree, node: int) -> None:
    """Write a node's matrix as rotation, translation and scale, as animated nodes must have it."""
    if "matrix" not in item:
        return
    rotation, translation = tree.local(node)
    matrix = torch.tensor(item.pop("matrix"), dtype=torch.float64).view(4, 4).mT[:3, :3]
    sign = float(torch.linalg.det(matrix).sign())
    item |= {
        "rotation": rotation.tolist(),
        "translation": translation.tolist(),
        "scale": (matrix.norm(dim=0) * sign).tolist(),
    }


def _without_animations(reader: GltfReader) -> GltfBuilder:
    """Return the document without animations and without their data, all else under its number, in one buffer."""
    document = copy.deepcopy(reader.json)
    animations = document.pop("animations", [])
    views = document.get("bufferViews", [])
    if any("extensions" in view for view in views):  # compressed: their bytes stay where they are
        document["buffers"] = document.get("buffers", [])[:1]
        if len(reader.items("buffers")) != 1:
            raise ValueError(
                f"{reader.path}: expected plain buffers, got compressed ones; export the character again without "
                "that compression"
            )
        return GltfBuilder(document=document, binary=reader.buffer(0))
    _drop_accessors(document, animations)
    used = _used_views(document)
    builder = GltfBuilder(document=document)
    document["bufferViews"] = []
    for number, view in enumerate(views[: max(used, default=-1) + 1]):
        builder.add_bytes(reader.view_bytes(number) if number in used else b"\0")
        kept = {key: value for key, value in view.items() if not key.startswith(("byteO", "byteL", "buffer"))}
        document["bufferViews"][-1] |= kept if number in used else {}
    for image in document.get("images", []):
        if "uri" in image:
            data = image_bytes(reader, image)
            image["bufferView"] = builder.add_bytes(data)
            image["mimeType"] = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
            del image["uri"]
    if not document["bufferViews"]:
        del document["bufferViews"]
    return builder


def _drop_accessors(document: dict[str, Any], animations: list[dict[str, Any]]) -> None:
    """Empty the accessors that only animations use: one number, without data; those at the end go."""
    dead = {
        sampler[end] for item in animations for sampler in item["samplers"] for end in ("input", "output")
    }
    dead -= _living(document)
    accessors = document.get("accessors", [])
    for number in dead:
        accessors[number] = {"componentType": 5126, "count": 1, "type": "SCALAR"}
    while accessors and len(accessors) - 1 in dead:
        accessors.pop()


def _living(document: dict[str, Any]) -> set[int]:
    """Return the accessors that meshes, skins and what extends nodes use."""
    living = {
        skin["inverseBindMatrices"] for skin in document.get("skins", []) if "inverseBindMatrices" in skin
    }
    for mesh in document.get("meshes", []):
        for primitive in mesh["primitives"]:
            living.update(primitive["attributes"].values())
            for target in primitive.get("targets", []):
                living.update(target.values())
            if "indices" in primitive:
                living.add(primitive["indices"])
    for node in document.get("nodes", []):
        for extension in node.get("extensions", {}).values():  # instances have accessors of their own
            if isinstance(extension, dict) and isinstance(extension.get("attributes"), dict):
                living.update(extension["attributes"].values())
    return living


def _used_views(item: Any) -> set[int]:
    """Return the buffer views that anything in a document names."""
    if isinstance(item, list):
        return set().union(*(_used_views(value) for value in item))
    if not isinstance(item, dict):
        return set()
    found = set().union(*(_used_views(value) for value in item.values()))
    return found | ({item["bufferView"]} if isinstance(item.get("bufferView"), int) else set())
