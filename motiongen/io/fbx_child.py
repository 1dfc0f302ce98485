"""Reads one FBX file by ufbx, alone in a process: the binding may crash, and then only this process ends.

`python fbx_child.py FILE OUT ANIMATION FPS` writes OUT, an .npz: names of the file's animations, and the bones in one
of them: in the only one if ANIMATION is empty, at the file's rate if FPS is 0; or, if FPS is -1, at rest, with the skin
on them. Faults of the file are printed.
It imports nothing of motiongen, so that it starts at once.
"""

import math
import os
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POSES = 20_000_000
"""Joints times frames that are sampled at most."""


def main() -> None:
    """Run the command line; end the process without tearing the binding down, which may crash as well."""
    held: list[Any] = []
    try:
        run(held, sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
        status = 0
    except Fault as fault:
        print(fault)
        status = 1
    sys.stdout.flush()
    os._exit(status)


class Fault(Exception):
    """What is wrong with a file."""


def run(held: list[Any], path: str, out: str, animation: str, fps: float) -> None:
    """Write what a file says; `held` keeps the objects of the binding until the process ends."""
    import ufbx

    try:
        scene = ufbx.load_file(
            path,
            target_axes=ufbx.axes_right_handed_y_up,
            target_unit_meters=1.0,
            space_conversion=ufbx.SpaceConversion.ADJUST_TRANSFORMS,
        )
    except Exception as error:  # the binding has a class for each fault, and no base but Exception
        raise Fault(
            f"expected an FBX file, got one that cannot be read ({type(error).__name__}: {error}); "
            "export it again as binary FBX, or as GLB"
        ) from error
    listed = list(scene.anim_stacks)
    held += [scene, listed]
    stacks = {stack.name or f"animation{number}": stack for number, stack in enumerate(listed)}
    arrays: dict[str, Any] = {"animations": np.array(list(stacks), dtype=str)}
    if animation and animation not in stacks:
        raise Fault(f"animation: expected one of {', '.join(stacks)}, got {animation!r}")
    if fps < 0 or animation or len(stacks) == 1:
        tree = Tree(scene)
        held.append(tree)
        rate = fps or float(scene.settings.frames_per_second)
        arrays |= resting(tree) | {"fps": rate, "left_out": tree.left_out}
        if fps < 0:
            arrays |= skinned(scene, tree, held)
        else:
            arrays["world"] = sampled(tree, stacks[animation or next(iter(stacks))], rate)
    np.savez(out, **arrays)


class Tree:
    """The largest tree of bones in a scene.

    Attributes:
        nodes: all nodes of the scene.
        above: nodes over the tree, from the scene's root down.
        joints: nodes of the tree, parents first: bones, and what lies between them.
        parents: place of each joint's parent among the joints, -1 for the first.
        curves: of all animations.
        binds: joint's node -> its matrix in the skin's bind pose.
        left_out: bones that are in other trees.
    """

    def __init__(self, scene: Any) -> None:
        # Each object of the binding is held as long as this process runs: it crashes after some were let go.
        self.nodes, clusters = list(scene.nodes), list(scene.skin_clusters)
        parents, bones = [node.parent for node in self.nodes], [node.bone for node in self.nodes]
        bound = [cluster.bone_node for cluster in clusters]
        self.curves = list(scene.anim_curves)
        self._held = clusters, parents, bones, bound
        self._parent = [-1 if parent is None else parent.typed_id for parent in parents]
        self.binds = {
            node.typed_id: matrix(cluster.bind_to_world)
            for node, cluster in zip(bound, clusters, strict=True)
            if node is not None
        }
        all_bones = {node.typed_id for node, bone in zip(self.nodes, bones, strict=True) if bone is not None}
        all_bones |= self.binds.keys()
        trees: dict[int, set[int]] = {}
        for number in all_bones:
            line = self._line(number)
            top = max(place for place, node in enumerate(line) if node in all_bones)
            trees.setdefault(line[top], set()).update(line[: top + 1])
        if not trees:
            raise Fault("expected bones, got none; export the armature, too")
        largest = max(trees.values(), key=len)
        self.joints = sorted(largest, key=lambda node: (len(self._line(node)), node))
        self.left_out = len(all_bones - largest)
        places = {node: place for place, node in enumerate(self.joints)}
        self.parents = [places.get(self._parent[node], -1) for node in self.joints]
        self.above = self._line(self.joints[0])[:0:-1]

    def _line(self, node: int) -> list[int]:
        """Return a node and those above it, up to the scene's root."""
        line = [node]
        while self._parent[line[-1]] >= 0:
            line.append(self._parent[line[-1]])
        return line


def sampled(tree: Tree, stack: Any, fps: float) -> NDArray[np.float64]:
    """Return the matrices in the world of joints in every frame (T, J, 4, 4)."""
    begin, end = span(tree, stack)
    count = max(1, math.floor((end - begin) * fps + 1e-3) + 1)
    if count * len(tree.joints) > MOST_POSES:
        raise Fault(
            f"expected at most {MOST_POSES:,} poses, got {count:,} frames of {len(tree.joints)} joints"
        )
    times, anim = begin + np.arange(count) / fps, stack.anim
    root = np.broadcast_to(np.eye(4), (count, 4, 4))
    for node in tree.above:
        root = root @ local(anim, tree.nodes[node], times)
    world = np.empty((count, len(tree.joints), 4, 4))
    for joint, (node, parent) in enumerate(zip(tree.joints, tree.parents, strict=True)):
        world[:, joint] = (root if parent < 0 else world[:, parent]) @ local(anim, tree.nodes[node], times)
    return world


def span(tree: Tree, stack: Any) -> tuple[float, float]:
    """Return when an animation begins and ends, seconds: as its stack says, else as its first and last keys do."""
    if stack.time_end > stack.time_begin or not tree.curves:
        return float(stack.time_begin), float(stack.time_end)
    return min(curve.min_time for curve in tree.curves), max(curve.max_time for curve in tree.curves)


def resting(tree: Tree) -> dict[str, Any]:
    """Return names, parents, and matrices in the world of joints at rest (J, 4, 4)."""
    rest = [
        tree.binds[node] if node in tree.binds else matrix(tree.nodes[node].node_to_world)
        for node in tree.joints
    ]
    names = np.array([tree.nodes[node].name for node in tree.joints], dtype=str)
    return {"names": names, "parents": np.array(tree.parents), "rest": np.array(rest)}


def skinned(scene: Any, tree: Tree, held: list[Any]) -> dict[str, Any]:
    """Return the meshes that the joints move, at rest: nothing where there are none.

    Vertices (V, 3) in the world, triangles (F, 3), bones and weights (V, 4), colours (V, 3) as the file has them.
    """

    def keep(of: Any) -> Any:
        held.append(of)
        return of

    places = {node: place for place, node in enumerate(tree.joints)}
    parts: list[dict[str, NDArray[Any]]] = []
    for mesh in keep(list(keep(scene.meshes))):
        for skin in keep(list(keep(mesh.skin_deformers))):
            binds = []
            for cluster in keep(list(keep(skin.clusters))):
                node = keep(cluster.bone_node)
                if node is not None and node.typed_id in places:
                    bind = matrix(keep(cluster.bind_to_world)) @ matrix(keep(cluster.geometry_to_bone))
                    touched = np.array(keep(cluster.vertices), dtype=np.int64)
                    weights = np.array(keep(cluster.weights), dtype=np.float64)
                    binds.append((places[node.typed_id], bind, touched, weights))
            if binds:
                parts.append(part(mesh, binds, keep))
                break
    if not parts:
        return {}
    starts = np.cumsum([0] + [len(each["vertices"]) for each in parts])
    whole = {name: np.concatenate([each[name] for each in parts]) for name in parts[0] if name != "faces"}
    faces = [each["faces"] + start for each, start in zip(parts, starts, strict=False)]
    return whole | {"faces": np.concatenate(faces)}


def part(mesh: Any, binds: list[tuple[int, Any, Any, Any]], keep: Any) -> dict[str, NDArray[Any]]:
    """Return one mesh as `skinned` does, for (joint, matrix at rest, vertices, their weights) of each cluster."""
    points = np.array(keep(mesh.vertices), dtype=np.float64).reshape(-1, 3)
    touched = np.concatenate([vertices for _, _, vertices, _ in binds])
    weights = np.concatenate([weights for _, _, _, weights in binds])
    cluster = np.concatenate([np.full(len(v), n) for n, (_, _, v, _) in enumerate(binds)])
    order = np.lexsort((-weights, touched))  # of each vertex the heaviest first
    touched, weights, cluster = touched[order], weights[order], cluster[order]
    rank = np.arange(len(touched)) - np.searchsorted(touched, touched)
    chosen = (rank < 4) & (touched < len(points))
    own, amount = np.zeros((len(points), 4), dtype=np.int64), np.zeros((len(points), 4))
    own[touched[chosen], rank[chosen]] = cluster[chosen]
    amount[touched[chosen], rank[chosen]] = weights[chosen]
    amount[amount.sum(1) <= 1e-9, 0] = 1.0  # what no bone moves goes with the first one
    amount /= amount.sum(1, keepdims=True)
    matrices = np.array([each for _, each, _, _ in binds])
    blended = (amount[:, :, None, None] * matrices[own]).sum(1)
    placed = (blended[:, :3, :3] @ points[:, :, None])[..., 0] + blended[:, :3, 3]
    faces = triangles(mesh, keep)
    if float(np.linalg.det(matrices[0][:3, :3])) < 0:  # mirrored
        faces = faces[:, ::-1]
    joints = np.array([joint for joint, _, _, _ in binds])
    colour = colours(mesh, len(points), keep)
    return {"vertices": placed, "faces": faces, "bones": joints[own], "weights": amount, "colours": colour}


def triangles(mesh: Any, keep: Any) -> NDArray[np.int64]:
    """Return the faces of a mesh as triangles (F, 3) of its vertices: fans, where they have more corners."""
    corners = np.array(keep(mesh.vertex_indices), dtype=np.int64)
    begin, count = np.array(keep(mesh.faces), dtype=np.int64).reshape(-1, 2).T
    fans = [
        np.stack([begin[many], begin[many] + step, begin[many] + step + 1], axis=1)
        for step in range(1, int(count.max(initial=2)) - 1)
        if (many := count > step + 1).any()
    ]
    return corners[np.concatenate(fans)] if fans else np.zeros((0, 3), dtype=np.int64)


def colours(mesh: Any, count: int, keep: Any) -> NDArray[np.float64]:
    """Return the colours (V, 3) of a mesh's vertices: its own, or those of the materials of its faces, or grey."""
    found = np.full((count, 3), 0.8)
    corners = np.array(keep(mesh.vertex_indices), dtype=np.int64)
    own = keep(mesh.vertex_color)
    if own.exists:
        values = np.array(keep(own.values), dtype=np.float64).reshape(-1, 4)
        found[corners] = values[np.array(keep(own.indices), dtype=np.int64), :3]
        return found.clip(0.0, 1.0)
    surfaces = np.array(keep(mesh.face_material), dtype=np.int64)
    faces = np.array(keep(mesh.faces), dtype=np.int64).reshape(-1, 2)
    for number, material in enumerate(keep(list(keep(mesh.materials)))):
        plain = keep(keep(material.fbx).diffuse_color)
        if not plain.has_value or len(surfaces) != len(faces):
            continue
        shade = keep(plain.value_vec4)
        for begin, size in faces[surfaces == number]:
            found[corners[begin : begin + size]] = shade.x, shade.y, shade.z
    return found.clip(0.0, 1.0)


def local(anim: Any, node: Any, times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the matrices (T, 4, 4) of a node in its parent."""
    values = np.empty((len(times), 10))
    for frame, time in enumerate(times.tolist()):
        transform = node.evaluate_transform(anim, time)
        t, r, s = transform.translation, transform.rotation, transform.scale
        values[frame] = t.x, t.y, t.z, r.x, r.y, r.z, r.w, s.x, s.y, s.z
    x, y, z, w = values[:, 3:7].T
    matrices = np.zeros((len(times), 4, 4))
    matrices[:, :3, :3] = np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], axis=-1),
            np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], axis=-1),
            np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], axis=-1),
        ],
        axis=1,
    )
    matrices[:, :3, :3] *= values[:, None, 7:]
    matrices[:, :3, 3], matrices[:, 3, 3] = values[:, :3], 1.0
    return matrices


def matrix(of: Any) -> NDArray[np.float64]:
    """Return a matrix of ufbx, whose columns are c0 to c3, as an array (4, 4)."""
    columns = [[column.x, column.y, column.z] for column in (of.c0, of.c1, of.c2, of.c3)]
    return np.vstack([np.array(columns).T, [0.0, 0.0, 0.0, 1.0]])


if __name__ == "__main__":
    main()
