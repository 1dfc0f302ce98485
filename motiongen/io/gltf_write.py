"""Motion to glTF: joints as nodes, a skinned mesh (a stick for each bone unless given) and one animation."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motiongen.atomic import atomic_path
from motiongen.io.gltf_character import Track, with_motion
from motiongen.io.gltf_container import ARRAY_BUFFER, GltfBuilder
from motiongen.io.gltf_surfaces import primitives
from motiongen.motion import Motion
from motiongen.rotation import quat_normalize, quat_rotate, quat_unroll
from motiongen.skeleton import Skeleton
from motiongen.skinned_mesh import SkinnedMesh


def write(
    motion: Motion,
    path: str | Path,
    *,
    mesh: SkinnedMesh | None = None,
    character: str | Path | None = None,
    name: str = "motion",
) -> None:
    """Write a motion as a GLB that any viewer plays, or as a .gltf with its data embedded.

    Args:
        motion: the motion, at any rate; every frame becomes a key.
        path: a file to make or replace.
        mesh: the skinned mesh that the motion moves, with the joints of its skeleton; a stick for each bone if None.
        character: file of the character that the motion moves, in place of a mesh: a .glb, .gltf or .vrm, of which all
            is kept but its animations.
        name: name of the animation.

    Raises:
        ValueError: the mesh or the character has other joints than the motion.
    """
    if character is None:
        builder = animated(motion, name, mesh)
    else:
        builder, tracks = with_motion(motion, character)
        add_animation(builder, motion, name, tracks)
    data = builder.to_json() if Path(path).suffix.lower() == ".gltf" else builder.to_bytes()
    with atomic_path(path) as aside:
        aside.write_bytes(data)


def animated(motion: Motion, name: str, mesh: SkinnedMesh | None = None) -> GltfBuilder:
    """Return the glTF document of a motion: skeleton, mesh, skin, animation; the arguments are those of `write`."""
    mesh = stick_mesh(motion.skeleton) if mesh is None else mesh
    mesh.check(motion.skeleton)
    builder = rigged(motion.skeleton, mesh)
    add_animation(builder, motion, name)
    return builder


def rigged(skeleton: Skeleton, mesh: SkinnedMesh) -> GltfBuilder:
    """Return the glTF document of a skinned mesh on a skeleton in its rest pose; node j is joint j."""
    builder = GltfBuilder()
    offsets, world = mesh.rest_pose(skeleton)
    for joint, joint_name in enumerate(skeleton.names):
        node: dict[str, object] = {"name": joint_name, "translation": offsets[joint].tolist()}
        if skeleton.rest is not None:
            node["rotation"] = quat_normalize(skeleton.rest[joint].double()).tolist()
        if children := skeleton.children(joint):
            node["children"] = list(children)
        builder.add("nodes", node)
    columns = torch.linalg.inv(world).mT.reshape(-1, 16).numpy().astype(np.float32)  # as glTF stores matrices
    skin = {
        "name": "skin",
        "joints": list(range(skeleton.num_joints)),
        "skeleton": 0,
        "inverseBindMatrices": builder.add_accessor(columns, "MAT4"),
    }
    body = {"name": "body", "mesh": _add_mesh(builder, mesh), "skin": builder.add("skins", skin)}
    builder.add("scenes", {"name": "scene", "nodes": [0, builder.add("nodes", body)]})
    builder.json["scene"] = 0
    return builder


def stick_mesh(skeleton: Skeleton) -> SkinnedMesh:
    """Return a mesh of one slender double pyramid for each bone, so that a bare skeleton can be seen."""
    rest, joints = skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))
    tips = [(parent, joints[joint]) for joint, parent in enumerate(skeleton.parents) if parent >= 0]
    tips += [
        (joint, joints[joint] + quat_rotate(rest[joint], joints.new_tensor(end)))
        for joint, end in skeleton.ends
    ]
    tips = [(joint, tip) for joint, tip in tips if float((tip - joints[joint]).norm()) > 1e-6]
    if not tips:
        tips = [(0, joints[0] + joints.new_tensor([0.0, 0.1, 0.0]))]
    joints = joints - joints.new_tensor([0.0, float(joints[:, 1].min()), 0.0])
    floor = joints[0] - skeleton.fk(skeleton.rest_rotations, skeleton.offsets.new_zeros(3))[1][0]
    pieces = [_stick(joints[joint], tip + floor) for joint, tip in tips]
    vertices = torch.cat([piece[0] for piece in pieces])
    count = len(pieces[0][0])
    joint_of = torch.tensor([joint for joint, _ in tips]).repeat_interleave(count)
    none = torch.zeros(len(vertices), 3, dtype=torch.int64)
    return SkinnedMesh(
        vertices=vertices,
        normals=torch.cat([piece[1] for piece in pieces]),
        faces=torch.arange(len(vertices)).view(-1, 3),
        joint_indices=torch.cat([joint_of[:, None], none], dim=1),
        joint_weights=torch.tensor([1.0, 0.0, 0.0, 0.0]).repeat(len(vertices), 1),
        colours=torch.tensor([0.75, 0.78, 0.82]).repeat(len(vertices), 1),
        joints=joints,
        names=skeleton.names,
    )


def _stick(start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """Return the corners (24, 3) and normals (24, 3) of the flat-shaded triangles of a double pyramid."""
    axis = end - start
    length = float(axis.norm())
    helper = axis.new_tensor([1.0, 0.0, 0.0] if abs(float(axis[0])) < 0.7 * length else [0.0, 0.0, 1.0])
    u = torch.linalg.cross(axis, helper)
    u = u / u.norm()
    v = torch.linalg.cross(axis, u) / length
    waist, radius = start + 0.2 * axis, 0.08 * length
    ring = [waist + radius * side for side in (u, v, -u, -v)]
    corners = []
    for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
        corners += [end, a, b, start, b, a]
    triangles = torch.stack(corners).view(-1, 3, 3)
    normals = torch.linalg.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals = normals / normals.norm(dim=-1, keepdim=True)
    return triangles.view(-1, 3), normals.repeat_interleave(3, dim=0)


def _add_mesh(builder: GltfBuilder, mesh: SkinnedMesh) -> int:
    normals = mesh.normals.double()
    unit = (normals / normals.norm(dim=-1, keepdim=True)).numpy().astype(np.float32)
    weights = _sixteen_bits(mesh.joint_weights)
    joint_type = np.uint8 if len(mesh.names) <= 256 else np.uint16
    # glTF wants joint 0 where there is no weight.
    joints = np.where(weights > 0, mesh.joint_indices.numpy(), 0).astype(joint_type)
    attributes = {
        "POSITION": builder.add_accessor(
            mesh.vertices.float().numpy(), "VEC3", target=ARRAY_BUFFER, bounds=True
        ),
        "NORMAL": builder.add_accessor(unit, "VEC3", target=ARRAY_BUFFER),
        "JOINTS_0": builder.add_accessor(joints, "VEC4", target=ARRAY_BUFFER),
        "WEIGHTS_0": builder.add_accessor(weights, "VEC4", target=ARRAY_BUFFER, normalized=True),
    }
    return builder.add("meshes", {"name": "body", "primitives": primitives(builder, mesh, attributes)})


def _tracks(motion: Motion) -> list[Track]:
    """Return the tracks of a motion whose joint j is node j."""
    tracks: list[Track] = [(0, "translation", motion.root)]
    if motion.translations is not None:
        tracks += [
            (joint, "translation", motion.translations[:, joint])
            for joint in range(1, motion.skeleton.num_joints)
        ]
    tracks += [(joint, "rotation", motion.rotations[:, joint]) for joint in range(motion.skeleton.num_joints)]
    return tracks


def add_animation(builder: GltfBuilder, motion: Motion, name: str, tracks: list[Track] | None = None) -> None:
    """Add an animation of a motion to a document, and the motion's licence.

    Args:
        builder: the document.
        motion: every frame becomes a linear key.
        name: of the animation.
        tracks: of the nodes that it moves; if None node j is joint j, and the document has the licence, too.
    """
    if tracks is None:
        tracks = _tracks(motion)
        if motion.licence:
            builder.json["asset"]["copyright"] = motion.licence
    times = (np.arange(motion.num_frames) / motion.fps).astype(np.float32)
    keys = builder.add_accessor(times, "SCALAR", bounds=True)
    first = builder.add_accessor(times[:1], "SCALAR", bounds=True) if _has_still(motion, tracks) else keys
    animation: dict[str, list[object]] = {"samplers": [], "channels": []}
    for node, path, values in tracks:
        if path == "rotation":
            # Signs are continuous, since some players interpolate quaternions without regard to the sign.
            values = quat_unroll(quat_normalize(values.double()))
        output = builder.add_accessor(
            values.numpy().astype(np.float32), "VEC4" if path == "rotation" else "VEC3"
        )
        at = keys if len(values) == motion.num_frames else first
        animation["samplers"].append({"input": at, "output": output, "interpolation": "LINEAR"})
        target = {"node": node, "path": path}
        animation["channels"].append({"sampler": len(animation["samplers"]) - 1, "target": target})
    extras: dict[str, object] = {"fps": motion.fps}
    if motion.licence:
        extras["licence"] = motion.licence
    builder.add("animations", {"name": name, "extras": extras, **animation})


def _has_still(motion: Motion, tracks: list[Track]) -> bool:
    """Return whether some track has one value for all frames."""
    return any(len(values) != motion.num_frames for _, _, values in tracks)


def _sixteen_bits(weights: Tensor) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]":
    """Return weights (V, 4) as 16-bit integers whose sum is exactly 65535, as glTF asks."""
    exact = weights.double().numpy()
    integers = np.round(exact / exact.sum(1, keepdims=True) * 65535).astype(np.int64)
    rows = np.arange(len(integers))
    integers[rows, integers.argmax(1)] += 65535 - integers.sum(1)
    return integers.astype(np.uint16)
