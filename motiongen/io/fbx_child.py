"""Reads one FBX file by ufbx, alone in a process: the binding may crash, and then only this process ends.

`python fbx_child.py FILE OUT ANIMATION FPS` writes OUT, an .npz: names of the file's animations, and the bones in one
of them: in the only one if ANIMATION is empty, at the file's rate if FPS is 0; or, if FPS is -1, at rest, with the skin
on them. Faults of the file are printed.
It imports nothing of motiongen, so that it starts at once.
"""

import math
import os
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_POSES = 20_000_000
"""Joints times frames that are sampled at most."""
UNKNOWN = math.nan, math.nan, math.nan
"""Colour of what has none."""
GREY = 0.8
"""Drawn in its place."""
LONGEST_NAME = 1000
"""Letters of a name that are kept: arrays of text have room for the longest one in each place."""
FARTHEST = 1e6
"""Places in pictures are cut there: they repeat."""


def main() -> None:
    """Run the command line; end the process without tearing the binding down, which may crash as well."""
    held: list[Any] = []
    try:
        run(held, sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
        status = 0
    except Fault as fault:
        print(fault)
        status = 1
    except Exception as error:  # numbers that contradict each other, in any of its parts
        said = " ".join(str(error).split())[:200]
        print(
            f"expected a whole FBX file, got a damaged one ({type(error).__name__}: {said}); export it again"
        )
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
    stacks = {stack.name[:LONGEST_NAME] or f"animation{number}": stack for number, stack in enumerate(listed)}
    arrays: dict[str, Any] = {"animations": texts(stacks)}
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


def texts(names: Iterable[str]) -> NDArray[np.str_]:
    """Return names as an array, cut to the longest that is kept."""
    return np.array([str(name)[:LONGEST_NAME] for name in names], dtype=str)


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
    names = texts(tree.nodes[node].name for node in tree.joints)
    return {"names": names, "parents": np.array(tree.parents), "rest": np.array(rest)}


def skinned(scene: Any, tree: Tree, held: list[Any]) -> dict[str, Any]:
    """Return the meshes that the joints move, at rest: nothing where there are none.

    Vertices (V, 3) in the world, one for each of its places in pictures `uvs` (V, 2); `whole` (V,), the number that
    copies of one vertex share; triangles (F, 3) and their `surfaces` (F,); bones and weights (V, 4), colours (V, 3) as
    the file has them; and what `Surfaces.arrays` returns.
    """

    def keep(of: Any) -> Any:
        held.append(of)
        return of

    places = {node: place for place, node in enumerate(tree.joints)}
    parts: list[dict[str, NDArray[Any]]] = []
    surfaces = Surfaces(keep, is_linear="Blender" in str(keep(scene.metadata).creator))
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
                made = part(mesh, binds, surfaces, keep)
                parts += [made] if len(made["faces"]) else []
                break
    if not parts:
        return {}
    vertices = points = 0
    for each in parts:
        each["faces"], each["whole"] = each["faces"] + vertices, each["whole"] + points
        vertices, points = vertices + len(each["vertices"]), int(each["whole"].max()) + 1
    return {name: np.concatenate([each[name] for each in parts]) for name in parts[0]} | surfaces.arrays()


def part(
    mesh: Any, binds: list[tuple[int, Any, Any, Any]], surfaces: "Surfaces", keep: Any
) -> dict[str, NDArray[Any]]:
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
    joints = np.array([joint for joint, _, _, _ in binds])
    covered = cover(mesh, surfaces, keep)
    if float(np.linalg.det(matrices[0][:3, :3])) < 0:  # mirrored
        covered["faces"] = covered["faces"][:, ::-1]
    whole = covered["whole"]
    return {
        "vertices": placed[whole],
        "bones": joints[own][whole],
        "weights": amount[whole],
        **covered,
    }


def cover(mesh: Any, surfaces: "Surfaces", keep: Any) -> dict[str, NDArray[Any]]:
    """Return the faces of a mesh and what they are covered with, as `skinned` does.

    A vertex is there as often as it has places in pictures and surfaces around it.
    """
    corners, polygons = triangles(mesh, keep)
    vertices = np.array(keep(mesh.vertex_indices), dtype=np.int64)
    uv, tint = keep(mesh.vertex_uv), keep(mesh.vertex_color)
    uvs, places = np.zeros((1, 2)), np.zeros_like(vertices)
    if uv.exists:  # some files have a value for each corner
        values = np.nan_to_num(np.array(keep(uv.values), dtype=np.float64), nan=0.0).reshape(-1, 2)
        uvs, back = np.unique(values.clip(-FARTHEST, FARTHEST), axis=0, return_inverse=True)
        places = back.ravel()[np.array(keep(uv.indices), dtype=np.int64)]
    materials = keep(list(keep(mesh.materials)))
    numbers = np.array([surfaces.number(material, tint.exists) for material in materials or [None]])
    of_polygons = np.array(keep(mesh.face_material), dtype=np.int64)
    slots = of_polygons[polygons] if len(of_polygons) else np.zeros_like(polygons)
    of_faces = numbers[np.where(slots < len(numbers), slots, 0)]  # a polygon may have no material
    keys = np.stack(
        [vertices[corners], places[corners], np.broadcast_to(of_faces[:, None], corners.shape)], axis=-1
    )
    kept, first, faces = np.unique(keys.reshape(-1, 3), axis=0, return_index=True, return_inverse=True)
    whole, place, surface = kept.T
    colour = surfaces.colours()[surface]
    if tint.exists:
        values = np.array(keep(tint.values), dtype=np.float64).reshape(-1, 4)
        own = values[np.array(keep(tint.indices), dtype=np.int64)[corners.ravel()[first]], :3]
        colour = np.where(np.isnan(colour), own, colour)
    return {
        "whole": whole,
        "faces": faces.reshape(-1, 3),
        "surfaces": of_faces,
        "uvs": uvs[place] * (1.0, -1.0) + (0.0, 1.0),
        "colours": np.nan_to_num(colour, nan=GREY).clip(0.0, 1.0),
    }


def triangles(mesh: Any, keep: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the corners (F, 3) of triangles and their polygons (F,): fans, where those have more corners."""
    begin, count = np.array(keep(mesh.faces), dtype=np.int64).reshape(-1, 2).T
    fans = np.maximum(count - 2, 0)
    polygons = np.repeat(np.arange(len(fans)), fans)
    steps = np.arange(len(polygons)) - np.repeat(fans.cumsum() - fans, fans) + 1
    first = begin[polygons]
    return np.stack([first, first + steps, first + steps + 1], axis=1), polygons


class Surfaces:
    """The materials of the meshes, each once.

    Args:
        keep: holds an object of the binding.
        is_linear: whether colours are linear, as Blender writes them, and not those that are displayed.
    """

    def __init__(self, keep: Any, is_linear: bool) -> None:
        self._keep, self._is_linear = keep, is_linear
        self._numbers: dict[tuple[int, bool], int] = {}
        self._pictures: dict[bytes, int] = {b"": 0}  # many materials may show one
        self._rows: list[tuple[str, tuple[float, float, float], list[str], int, bool]] = []

    def number(self, material: Any, is_tinted: bool) -> int:
        """Return the number of a material, on a mesh whose vertices have colours or not; None is the lack of one."""
        key = -1 if material is None else material.typed_id, is_tinted
        if key not in self._numbers:
            self._numbers[key] = len(self._rows)
            self._rows.append(
                ("body", UNKNOWN, [], 0, False) if material is None else self._row(material, is_tinted)
            )
        return self._numbers[key]

    def colours(self) -> NDArray[np.float64]:
        """Return the display colours (S, 3); NaN for those of the vertices."""
        return np.array([colour for _, colour, _, _, _ in self._rows])

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the surfaces: names, colours, pictures, whether they are cut.

        Of each picture its path as the file says it, relative and not, and the number of its bytes where they are in
        the file: all in one array, with the end of each. The first is empty.
        """
        return {
            "surface_names": texts(name for name, _, _, _, _ in self._rows),
            "surface_colours": self.colours(),
            "surface_files": np.stack([texts([*files, "", ""][:2]) for _, _, files, _, _ in self._rows]),
            "surface_pictures": np.array([picture for _, _, _, picture, _ in self._rows]),
            "surface_cut": np.array([is_cut for *_, is_cut in self._rows]),
            "picture_bytes": np.frombuffer(b"".join(self._pictures), np.uint8),
            "picture_ends": np.cumsum([0, *map(len, self._pictures)]),
        }

    def _row(
        self, material: Any, is_tinted: bool
    ) -> tuple[str, tuple[float, float, float], list[str], int, bool]:
        keep = self._keep
        maps, old = keep(material.pbr), keep(material.fbx)
        base, factor = keep(maps.base_color), keep(maps.base_factor)
        if (texture := self._texture(base)) is not None:
            files = [str(texture.relative_filename), str(texture.absolute_filename or texture.filename)]
            cuts = [keep(maps.opacity), keep(old.transparency_color)]
            is_cut = any(self._texture(each) is not None for each in cuts)
            content = bytes(keep(texture.content))
            picture = self._pictures.setdefault(content, len(self._pictures))
            return material.name, (1.0, 1.0, 1.0), files, picture, is_cut
        if is_tinted or not base.has_value:
            return material.name, UNKNOWN, [], 0, False
        shade, share = keep(base.value_vec4), keep(factor.value_vec4).x if factor.has_value else 1.0
        red, green, blue = (
            display(each * share) if self._is_linear else each * share for each in (shade.x, shade.y, shade.z)
        )
        return material.name, (red, green, blue), [], 0, False

    def _texture(self, shown: Any) -> Any:
        """Return the first picture of a map, or None."""
        texture = self._keep(shown.texture)
        if texture is None:
            return None
        files = self._keep(list(self._keep(texture.file_textures)))
        return files[0] if files else None


def display(linear: float) -> float:
    """Return the display (sRGB) value of a linear one."""
    return linear * 12.92 if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


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
