"""FBX files to motions, by ufbx in a process of its own (`fbx_child.py`); `fbx_write.py` writes them."""

import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen import limits
from motiongen.files import reading
from motiongen.io import fbx_child
from motiongen.io.fbx_pictures import covering
from motiongen.io.options import note
from motiongen.io.units import note_size
from motiongen.motion import Motion
from motiongen.rotation import quat_from_matrix, quat_normalize, quat_unroll
from motiongen.skeleton import Skeleton, local_rotations, moved_offsets
from motiongen.skinned_mesh import SkinnedMesh, smooth_normals

LONGEST_SECONDS = 300
"""Time after which a file is given up."""
_AT_REST = -1.0
"""In place of a rate: the bones at rest."""


def read(path: str | Path, *, animation: str | None = None, fps: float | None = None) -> Motion:
    """Return an animation of a file as a motion: the largest tree of bones, in metres, Y up.

    What is above the bones is folded into the root, scales into the bones. The rest pose is the bind pose of the skin,
    where there is one.

    Args:
        path: a .fbx file, of any version that ufbx reads.
        animation: name of the animation; the only one if None.
        fps: rate to sample at; if None that of the scene.

    Raises:
        ValueError: the file is broken, holds no bones or no such animation, or several animations and none is named.
    """
    if fps is not None:
        limits.check_fps(fps)
    arrays = _child(Path(path), animation or "", fps or 0.0)
    if "world" not in arrays:
        names = ", ".join(arrays["animations"].tolist())
        if not names:
            raise ValueError(
                f"{path}: expected an animation, got none; export the file with its animations, "
                "or give it as --character, whom a clip moves"
            )
        raise ValueError(
            f"{path}: expected one animation, got {len(arrays['animations'])}; choose with --animation, one of {names}"
        )
    if arrays["left_out"]:
        note(
            Path(path),
            f"the largest of several trees of bones is read, {int(arrays['left_out'])} bones are not",
        )
    motion = _motion(arrays)
    note_size(path, motion.skeleton)
    return motion


def read_character(path: str | Path) -> tuple[Skeleton, SkinnedMesh | None]:
    """Return the skeleton of a file, animated or not, in its rest pose, and its mesh; None where nothing is skinned.

    The mesh has the base colours of the file's materials, and their pictures: those in the file, or beside it.

    Raises:
        ValueError: the file is broken, or holds no bones.
    """
    arrays = _child(Path(path), "", _AT_REST)
    with reading(path, "a whole FBX file"):
        rest = torch.from_numpy(arrays["rest"])
        skeleton = _skeleton(arrays, _offsets(rest[None], tuple(arrays["parents"].tolist()))[0])
        has_mesh = "vertices" in arrays
        return skeleton, _mesh(Path(path), arrays, skeleton, rest[:, :3, 3]) if has_mesh else None


def _mesh(path: Path, arrays: dict[str, Any], skeleton: Skeleton, joints: Tensor) -> SkinnedMesh:
    """Return the mesh of a file, standing over its root, for the places (J, 3) of its joints at rest."""
    vertices, whole = torch.from_numpy(arrays["vertices"]), torch.from_numpy(arrays["whole"])
    shift = -joints[0].clone()
    shift[1] = -vertices[:, 1].min()
    faces = torch.from_numpy(arrays["faces"])
    points = vertices.new_zeros(int(whole.max()) + 1, 3)
    points[whole] = vertices
    look, colours = covering(path, arrays)
    return SkinnedMesh(
        vertices=(vertices + shift).float(),
        normals=smooth_normals(points, whole[faces])[whole].float(),  # across the seams of pictures
        faces=faces,
        joint_indices=torch.from_numpy(arrays["bones"]),
        joint_weights=torch.from_numpy(arrays["weights"]).float(),
        colours=colours,
        joints=(joints + shift).float(),
        names=skeleton.names,
        look=look,
    )


def animations(path: str | Path) -> tuple[str, ...]:
    """Return the names of the animations in a file. Raises ValueError for a broken one."""
    return tuple(_child(Path(path), "", 0.0)["animations"].tolist())


def _child(path: Path, animation: str, fps: float) -> dict[str, Any]:
    """Return what the child process says of a file."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.npz"
        command = [
            sys.executable,
            "-I",
            fbx_child.__file__,
            str(path.absolute()),
            str(out),
            animation,
            str(fps),
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"{path}: expected an FBX file that is read within {LONGEST_SECONDS} s, got one that takes longer; "
                "shorten it, or export it as GLB"
            ) from None
        said = (done.stdout or done.stderr).strip().splitlines()
        if done.returncode < 0:
            raise ValueError(f"{path}: expected an FBX file, got one that ufbx cannot bear; export it as GLB")
        if done.returncode or not out.is_file():
            raise ValueError(
                f"{path}: {said[-1] if said else 'expected an FBX file that ufbx reads, got another; export it as GLB'}"
            )
        with np.load(out, allow_pickle=False) as arrays:
            return dict(arrays)


def _motion(arrays: dict[str, Any]) -> Motion:
    world = torch.from_numpy(arrays["world"])  # (T, J, 4, 4)
    offsets = _offsets(world, tuple(arrays["parents"].tolist()))  # (T, J, 3)
    skeleton = _skeleton(arrays, offsets[0])
    return Motion(
        skeleton,
        quat_unroll(quat_normalize(local_rotations(_rotations(world), skeleton))).float(),
        world[:, 0, :3, 3].float(),
        float(arrays["fps"]),
        translations=moved_offsets(offsets.float(), offsets[0].float()),
    )


def _skeleton(arrays: dict[str, Any], offsets: Tensor) -> Skeleton:
    """Return the skeleton of a file with the offsets (J, 3) of its bones."""
    parents = tuple(arrays["parents"].tolist())
    limits.check_joints(len(parents))
    bare = Skeleton(_distinct(arrays["names"].tolist()), parents, offsets.float())
    rest = local_rotations(_rotations(torch.from_numpy(arrays["rest"])[None]), bare)[0].float()
    is_plain = bool((rest[:, 3].abs() > 1 - 1e-7).all())
    return replace(bare, rest=None if is_plain else quat_normalize(rest))


def _rotations(matrices: Tensor) -> Tensor:
    """Return the rotations (T, J, 4) of matrices (T, J, 4, 4), without their scales."""
    axes = matrices[..., :3, :3]
    return quat_from_matrix(axes / axes.norm(dim=-2, keepdim=True).clamp_min(1e-12))


def _offsets(world: Tensor, parents: tuple[int, ...]) -> Tensor:
    """Return where joints are (T, J, 3) in the axes of their parents without scale, metres; the root at 0."""
    places, offsets = world[..., :3, 3], torch.zeros(*world.shape[:2], 3, dtype=world.dtype)
    axes = world[..., :3, :3] / world[..., :3, :3].norm(dim=-2, keepdim=True).clamp_min(1e-12)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            way = places[:, joint] - places[:, parent]
            offsets[:, joint] = (axes[:, parent].mT @ way[..., None])[..., 0]
    return offsets


def _distinct(names: list[str]) -> tuple[str, ...]:
    """Return names of which none is twice: the second gets a number."""
    seen, found = Counter[str](), []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return tuple(found)
