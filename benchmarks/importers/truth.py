"""Truth test: world positions and turns of joints as importers of others find them, beside this project's kinematics.

python benchmarks/importers/truth.py CLIPS... --characters A.glb B.glb [--picture OUT.png] [--blender PYTHON]

Each clip is put on each character (SMPL-22 is one more), written in each format, and read by each importer:
pygltflib, bvhio, ufbx, usd-core, and three.js by Node; Blender by a Python that has bpy. Three frames of each are
compared: places, and turns in the world from the first of them on, so that axes of bones do not matter.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motiongen import Motion
from motiongen.retargeting import Character, retarget
from motiongen.rotation import matrix_from_quat

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "bridge/web/package.json"
FRAMES = 24
"""Frames of a clip that are written."""
CENTIMETRES = 0.01
Worlds = list[dict[str, np.ndarray]]
"""For each frame: name -> (3, 4) world matrix."""


@dataclass(frozen=True)
class Job:
    """A written file, and the motion in it."""

    path: Path
    motion: Motion
    frames: tuple[int, ...]

    @property
    def times(self) -> list[float]:
        """Seconds of the frames."""
        return [frame / self.motion.fps for frame in self.frames]


def by_pygltflib(job: Job) -> Worlds:
    """Read a GLB or VRMA by pygltflib and matrices alone."""
    import pygltflib

    document = pygltflib.GLTF2().load_binary(str(job.path))
    blob = document.binary_blob()

    def values(index: int, width: int) -> np.ndarray:
        accessor = document.accessors[index]
        start = (document.bufferViews[accessor.bufferView].byteOffset or 0) + (accessor.byteOffset or 0)
        return np.frombuffer(blob, "<f4", accessor.count * width, start).reshape(-1, width).astype(float)

    worlds = []
    for frame in job.frames:
        rotation = {i: node.rotation or [0, 0, 0, 1] for i, node in enumerate(document.nodes)}
        offset = {i: node.translation or [0, 0, 0] for i, node in enumerate(document.nodes)}
        scale = {i: node.scale or [1, 1, 1] for i, node in enumerate(document.nodes)}
        for channel in document.animations[0].channels:
            sampler = document.animations[0].samplers[channel.sampler]
            keys = values(sampler.input, 1)[:, 0]
            at = int(np.abs(keys - frame / job.motion.fps).argmin())
            width, store = {"rotation": (4, rotation), "translation": (3, offset), "scale": (3, scale)}[
                channel.target.path
            ]
            store[channel.target.node] = values(sampler.output, width)[at]
        found: dict[str, np.ndarray] = {}
        children = {child for node in document.nodes for child in node.children or []}
        stack = [(node, np.eye(4)) for node in range(len(document.nodes)) if node not in children]
        while stack:
            node, above = stack.pop()
            local = np.eye(4)
            turn = matrix_from_quat(torch.tensor(np.array(rotation[node], dtype=float)))
            local[:3, :3] = turn.numpy() * np.array(scale[node], dtype=float)
            local[:3, 3] = offset[node]
            world = above @ local
            found.setdefault(document.nodes[node].name or f"node{node}", world[:3])
            stack += [(child, world) for child in document.nodes[node].children or []]
        worlds.append(found)
    return worlds


def by_bvhio(job: Job) -> Worlds:
    """Read a BVH by bvhio; its turns are in w, x, y, z."""
    import bvhio

    root, worlds = bvhio.readAsHierarchy(str(job.path)), []
    for frame in job.frames:
        found = {}
        for joint, _, _ in root.loadPose(frame).layout():
            w, x, y, z = (float(part) for part in joint.RotationWorld)
            turn = matrix_from_quat(torch.tensor([x, y, z, w])).numpy()
            place = np.array(joint.PositionWorld, dtype=float) * CENTIMETRES
            found[joint.Name] = np.concatenate([turn, place[:, None]], axis=1)
        worlds.append(found)
    return worlds


def by_ufbx(job: Job) -> Worlds:
    """Read an FBX by ufbx."""
    command = [sys.executable, str(HERE / "ufbx_worlds.py"), str(job.path), json.dumps(job.times)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return [
        {name: np.array(numbers).reshape(4, 3).T * CENTIMETRES for name, numbers in frame.items()}
        for frame in said
    ]


def by_usd(job: Job) -> Worlds:
    """Read a stage by usd-core's own skeleton query."""
    from pxr import Usd, UsdSkel

    stage = Usd.Stage.Open(str(job.path))
    cache = UsdSkel.Cache()
    cache.Populate(UsdSkel.Root(stage.GetDefaultPrim()), Usd.PrimDefaultPredicate)
    skeleton = next(prim for prim in stage.Traverse() if prim.IsA(UsdSkel.Skeleton))
    query = cache.GetSkelQuery(UsdSkel.Skeleton(skeleton))
    names = [str(path).rpartition("/")[2] for path in query.GetJointOrder()]
    worlds = []
    for frame in job.frames:
        matrices = [np.array(m).T[:3] for m in query.ComputeJointSkelTransforms(Usd.TimeCode(frame))]
        worlds.append(dict(zip(names, matrices, strict=True)))
    return worlds


def by_program(jobs: list[Job], command: list[str], *more: str) -> Iterator[Worlds]:
    """Read files by another program that takes a list of jobs, all at once."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        listed = [{"path": str(job.path), "times": job.times, "fps": job.motion.fps} for job in jobs]
        json.dump(listed, file)
        file.flush()
        done = subprocess.run([*command, file.name, *more], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    text = done.stdout.rpartition("WORLDS ")[2]
    for answer in json.loads(text):
        yield [
            {name: np.array(numbers).reshape(4, 4).T[:3] for name, numbers in frame.items()}
            for frame in answer
        ]


ONE_BY_ONE: dict[tuple[str, str], Callable[[Job], Worlds]] = {
    (".glb", "pygltflib"): by_pygltflib,
    (".bvh", "bvhio"): by_bvhio,
    (".fbx", "ufbx"): by_ufbx,
    (".usdc", "usd-core"): by_usd,
}
FORMATS = (".glb", ".bvh", ".fbx", ".usdc")


def differences(job: Job, worlds: Worlds, scale: float = 1.0) -> tuple[float, float, int]:
    """Return the largest distance, mm, and turn, degrees, from our own kinematics, and how many joints were found."""
    skeleton = job.motion.skeleton
    turns = matrix_from_quat(job.motion.global_rotations()).double().numpy()
    places = job.motion.positions().double().numpy()
    plain = [{_plain(name): matrix for name, matrix in frame.items()} for frame in worlds]
    joints = [(n, _plain(name)) for n, name in enumerate(skeleton.names) if _plain(name) in plain[0]]
    apart, turned = [0.0], [0.0]
    for number, frame in enumerate(job.frames):
        for joint, name in joints:
            matrix = plain[number][name]
            apart.append(float(np.linalg.norm(matrix[:, 3] * scale - places[frame, joint])) * 1e3)
            found = _turn(matrix) @ _turn(plain[0][name]).T
            own = turns[frame, joint] @ turns[job.frames[0], joint].T
            half = np.linalg.norm(found - own) / np.sqrt(8)  # sine of half the angle between them
            turned.append(float(np.degrees(2 * np.arcsin(min(1.0, half)))))
    return max(apart), max(turned), len(joints)


def _turn(matrix: np.ndarray) -> np.ndarray:
    u, _, v = np.linalg.svd(matrix[:, :3])
    return u @ v


def _plain(name: str) -> str:
    """Return a name without what importers take out or change."""
    return re.sub(r"[^\w]|_", "", name).lower()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--characters", type=Path, nargs="*", default=[])
    parser.add_argument("--blender", help="a Python that has bpy")
    parser.add_argument("--blender-clips", type=int, default=1, help="so many clips of each character")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    rows: dict[tuple[str, str, str], list[tuple[float, float, int]]] = {}
    shown: dict[tuple[str, str], tuple[Job, Worlds]] = {}
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(name, job) for name, job in write_all(args, Path(folder))]
        for name, job in jobs:
            for (suffix, importer), read in ONE_BY_ONE.items():
                if job.path.suffix == suffix:
                    worlds = read(job)
                    rows.setdefault((name, suffix, importer), []).append(differences(job, worlds))
                    shown.setdefault((name, suffix), (job, worlds))
            print(".", end="", file=sys.stderr, flush=True)
        others = [("three.js", ["node", str(HERE / "three.mjs")], [str(MODULES.parent)], jobs)]
        if args.blender:
            few = [pair for pair in jobs if int(pair[1].path.stem.split("-")[0]) < args.blender_clips]
            others.append(("Blender", [args.blender, str(HERE / "bpy_worlds.py")], [], few))
        for importer, command, more, wanted in others:
            wanted = [pair for pair in wanted if pair[1].path.suffix != ".usdc"]
            answers = by_program([job for _, job in wanted], command, *more)
            for (name, job), worlds in zip(wanted, answers, strict=True):
                suffix = job.path.suffix
                unit = CENTIMETRES if importer == "three.js" and suffix != ".glb" else 1.0
                rows.setdefault((name, suffix, importer), []).append(differences(job, worlds, unit))
    report(rows, len(args.clips))
    if args.picture:
        draw(shown, rows, args.picture)


def write_all(args: argparse.Namespace, folder: Path) -> Iterator[tuple[str, Job]]:
    """Write each clip on each character in each format."""
    characters: list[Character | None] = [None, *(Character.load(path) for path in args.characters)]
    for number, path in enumerate(args.clips):
        clip = retarget(Motion.load(path))
        start = max(0, (len(clip) - FRAMES) // 2)
        clip = clip[start : start + FRAMES]
        for character in characters:
            motion = clip if character is None else clip.retarget(character)
            name = "SMPL-22" if character is None else character.path.stem
            for suffix in FORMATS:
                file = folder / f"{number}-{name}{suffix}"
                if character is None:
                    motion.save(file)
                else:
                    character.save(motion, file)
                yield name, Job(file, motion, (0, len(motion) // 2, len(motion) - 1))


def report(rows: dict[tuple[str, str, str], list[tuple[float, float, int]]], clips: int) -> None:
    """Print the table: one row a format and importer, one column a character."""
    names = list(dict.fromkeys(name for name, _, _ in rows))
    readers = list(dict.fromkeys((suffix, importer) for _, suffix, importer in rows))
    print(f"| file | read by | {' | '.join(names)} |\n|---|---|{'---|' * len(names)}")
    for suffix, importer in sorted(readers, key=lambda pair: FORMATS.index(pair[0])):
        cells = []
        for name in names:
            found = rows[name, suffix, importer]
            mm, degrees, joints = (max(each) for each in zip(*found, strict=True))
            cells.append(f"{mm:.3f} mm, {degrees:.3f}° ({joints} joints, {len(found)} clips)")
        print(f"| `{suffix}` | {importer} | {' | '.join(cells)} |")


def draw(
    shown: dict[tuple[str, str], tuple[Job, Worlds]],
    rows: dict[tuple[str, str, str], list[tuple[float, float, int]]],
    path: Path,
) -> None:
    """Draw bones as importers find them over our own, a row a character and a column a format."""
    from PIL import Image, ImageDraw

    names, cell, head = list(dict.fromkeys(name for name, _ in shown)), 200, 24
    image = Image.new("RGB", (cell * len(FORMATS), head + (cell + 18) * len(names)), "white")
    pen = ImageDraw.Draw(image)
    for column, suffix in enumerate(FORMATS):
        pen.text((column * cell + 8, 6), f"{suffix}  grey: ours, orange: read", fill="#333")
        for row, name in enumerate(names):
            job, worlds = shown[name, suffix]
            top = head + row * (cell + 18)
            frame, found = job.frames[1], {_plain(key): value for key, value in worlds[1].items()}
            places = job.motion.positions()[frame].numpy()
            size = (cell - 24) / max(float(np.ptp(places[:, 1])), float(np.ptp(places[:, 0])), 1e-6)
            middle, low = places[:, 0].mean(), places[:, 1].min()

            def at(point: np.ndarray) -> tuple[float, float]:
                x, y = float(point[0] - middle) * size, float(point[1] - low) * size  # noqa: B023
                return column * cell + cell / 2 + x, top + cell - 8 - y  # noqa: B023

            skeleton = job.motion.skeleton
            for joint, parent in enumerate(skeleton.parents):
                if parent < 0:
                    continue
                pen.line([at(places[joint]), at(places[parent])], fill="#c4c8cf", width=7)
            for joint, parent in enumerate(skeleton.parents):
                ends = [found.get(_plain(skeleton.names[each])) for each in (joint, parent) if each >= 0]
                if len(ends) == 2 and ends[0] is not None and ends[1] is not None:
                    pen.line([at(end[:, 3]) for end in ends], fill="#e0782f", width=2)
            worst = max(
                each[0] for key, each_row in rows.items() if key[:2] == (name, suffix) for each in each_row
            )
            pen.text((column * cell + 8, top + cell), f"{name}: {worst:.3f} mm at most", fill="#333")
    image.save(path, optimize=True)


if __name__ == "__main__":
    main()
