"""NPZ: motions as plain NumPy arrays, read and written; AMASS, SMPL-H, SMPL-X and Kimodo files are read too.

motiongen's own files hold `format` ("motiongen/motion-v1"), `fps` (), `names` (J,), `parents` (J,), `offsets` (J, 3),
`rotations` (T, J, 4) xyzw and `root` (T, 3); and where a motion has them `rest` (J, 4), `translations` (T, J, 3),
`end_joints` (E,) and `end_offsets` (E, 3). Pickled data is never loaded.
"""

import math
import zipfile
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen import limits
from motiongen.atomic import atomic_path
from motiongen.files import reading
from motiongen.io import kimodo
from motiongen.io.axes import Z_TO_Y
from motiongen.io.options import note
from motiongen.io.smpl_poses import rotations_of
from motiongen.motion import Motion
from motiongen.rotation import quat_multiply, quat_normalize, quat_rotate
from motiongen.skeleton import SMPL22, UNIT_TOLERANCE, Skeleton, are_unit

FORMAT = "motiongen/motion-v1"
_RATES = ("mocap_frame_rate", "mocap_framerate", "fps", "frame_rate", "framerate")
_ROOTS = ("trans", "transl", "smpl_trans")
_POSES = (("poses",), ("smpl_poses",), ("root_orient", "pose_body"), ("global_orient", "body_pose"))
"""Names of the poses, whole or as root and body: AMASS's, AIST++'s, those of AMASS's newer files and smplx's own."""
_NEEDED = ("fps", "names", "parents", "offsets", "rotations", "root")
_USED = {"format", *_NEEDED, "rest", "translations", "end_joints", "end_offsets", "licence"} | {
    kimodo.PLACES, kimodo.TURNS, *_RATES, *_ROOTS, *(name for names in _POSES for name in names),
}  # fmt: skip
"""Names of the arrays that are read; others, which may be large, are not inflated."""

Arrays = dict[str, NDArray[np.generic]]


def read(path: str | Path, up: Literal["auto", "y", "z"] = "auto", fps: float | None = None) -> Motion:
    """Return the motion in an .npz file.

    Args:
        path: a file of motiongen's or of Kimodo's, or one with SMPL's poses, path and rate under the names of AMASS or
            of smplx; poses are axis-angle, quaternions, matrices or 6-D, told by their shape.
        up: the axis that points up in a SMPL-family file: z in AMASS, y elsewhere; "auto" takes that along which the
            body stands in most frames, else z. In motiongen's own files it is y.
        fps: frames a second of a SMPL-family file that states none, and of Kimodo's files, 30 if None.

    Raises:
        ValueError: the file is neither, is damaged, or holds NaN; the message names it.
    """
    with reading(path, "an .npz archive of plain arrays"):
        arrays, names = _load(Path(path))
        if "format" in arrays:
            return _read_ours(path, arrays)
        poses = next((names for names in _POSES if set(names) <= set(arrays)), None)
        root = next((name for name in _ROOTS if name in arrays), None)
        if poses is not None and root is not None:
            return _read_smpl(Path(path), arrays, poses, root, up, fps)
        if {kimodo.PLACES, kimodo.TURNS} <= set(arrays):
            return kimodo.read(Path(path), arrays, fps)
        raise ValueError(
            f"{path}: expected the arrays format, rotations, root … or poses, trans, mocap_frame_rate … or "
            f"{kimodo.PLACES}, {kimodo.TURNS}, "
            f"got {', '.join(sorted(names)) or 'none'}; is this a motion?"
        )


def write(motion: Motion, path: str | Path) -> None:
    """Write a motion; the same motion gives the same bytes."""
    skeleton = motion.skeleton
    arrays: Arrays = {
        "format": np.array(FORMAT),
        "fps": np.array(motion.fps, dtype=np.float64),
        "names": np.array(skeleton.names),
        "parents": np.array(skeleton.parents, dtype=np.int32),
        "offsets": skeleton.offsets.numpy(),
        "rotations": motion.rotations.numpy(),
        "root": motion.root.numpy(),
    }
    if skeleton.rest is not None:
        arrays["rest"] = skeleton.rest.numpy()
    if motion.translations is not None:
        arrays["translations"] = motion.translations.numpy()
    if skeleton.ends:
        arrays["end_joints"] = np.array([joint for joint, _ in skeleton.ends], dtype=np.int32)
        arrays["end_offsets"] = np.array([tip for _, tip in skeleton.ends], dtype=np.float64)
    if motion.licence:
        arrays["licence"] = np.array(motion.licence)
    with atomic_path(path) as aside:
        np.savez_compressed(aside, **arrays)  # type: ignore[arg-type]


def _load(path: Path) -> tuple[Arrays, list[str]]:
    """Return the arrays of a file that a motion needs, and the names of all that are not pickled objects."""
    arrays: Arrays = {}
    names = []
    stored, expanded = path.stat().st_size, 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            with archive.open(member) as file:
                shape, dtype = _header(file)
                size = file.tell() + math.prod(shape) * dtype.itemsize
            if dtype.hasobject:
                continue
            names.append(name)
            if name not in _USED:
                continue
            if size != member.file_size:
                raise ValueError(f"{path}: {name}: expected {size} bytes for {shape}, got {member.file_size}")
            expanded += size
            limits.check_expanded(expanded, stored)
            with archive.open(member) as file:
                arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays, names


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the shape and the type of an array in NumPy's format, of which the header is read."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"array: expected NumPy's format 1.0 or 2.0, got {version}")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    return shape, dtype


def _read_ours(path: str | Path, arrays: Arrays) -> Motion:
    if str(arrays["format"]) != FORMAT:
        raise ValueError(f"{path}: expected format {FORMAT}, got {arrays['format']}; update motiongen")
    if missing := [name for name in _NEEDED if name not in arrays]:
        raise ValueError(
            f"{path}: expected {', '.join(_NEEDED)}, got no {', '.join(missing)}; write the file again"
        )
    ends: tuple[tuple[int, tuple[float, float, float]], ...] = ()
    if "end_joints" in arrays and "end_offsets" in arrays:
        tips = zip(arrays["end_joints"].tolist(), arrays["end_offsets"].tolist(), strict=True)
        ends = tuple((int(joint), (x, y, z)) for joint, (x, y, z) in tips)
    skeleton = Skeleton(
        names=tuple(str(name) for name in arrays["names"]),
        parents=tuple(int(parent) for parent in arrays["parents"]),
        offsets=_tensor(arrays["offsets"]),
        rest=_tensor(arrays["rest"]) if "rest" in arrays else None,
        ends=ends,
    )
    return Motion(
        skeleton=SMPL22 if _same(skeleton, SMPL22) else skeleton,
        rotations=_unit(_tensor(arrays["rotations"])),
        root=_tensor(arrays["root"]),
        fps=float(arrays["fps"]),
        translations=_tensor(arrays["translations"]) if "translations" in arrays else None,
        licence=str(arrays.get("licence", "")),
    )


def _read_smpl(
    path: Path, arrays: Arrays, poses: tuple[str, ...], trans: str, up: str, fps: float | None
) -> Motion:
    """Return a SMPL-family file on SMPL-22: its first 22 joints' rotations and `trans` as the root.

    The subject's shape is left out: `trans` is the pelvis to within a constant of the shape (some 3 cm in height),
    and the bones are those of SMPL-22. Ground the motion if its feet must touch the floor.
    """
    rate = next((arrays[name] for name in _RATES if name in arrays and arrays[name].size == 1), None)
    if rate is None and fps is None:
        raise ValueError(
            f"{path}: expected one of {', '.join(_RATES)}, got none; add the frame rate to the file, or give --fps"
        )
    if len(poses) == 1:  # SMPL-22 alone, SMPL, SMPL-H, SMPL-X
        rotations = rotations_of(path, poses[0], arrays[poses[0]], (22, 24, 52, 55))
    else:
        first = rotations_of(path, poses[0], arrays[poses[0]], (1,))
        body = rotations_of(path, poses[1], arrays[poses[1]], (21, 23))
        if len(first) != len(body):
            raise ValueError(
                f"{path}: expected {poses[0]} and {poses[1]} of one length, got {len(first)}, {len(body)}"
            )
        rotations = torch.cat([first, body], dim=1)
    rotations = rotations[:, :22]  # (T, 22, 4)
    root = _tensor(arrays[trans]).double()
    root = root[:, 0] if root.ndim == 3 and root.shape[1] == 1 else root
    frames = min(len(rotations), len(root)) if root.ndim == 2 else 0
    if root.shape[1:] != (3,) or max(len(rotations), len(root)) > frames + 1:
        raise ValueError(
            f"{path}: expected {' and '.join(poses)} and {trans} (T, 3) of one length, got {len(rotations)} poses and "
            f"{tuple(root.shape)}; is this a SMPL, SMPL-H or SMPL-X motion?"
        )
    if len(rotations) != len(root):
        note(
            path,
            f"the first {frames} frames are read: {len(rotations)} poses, but {len(root)} rows of {trans}",
        )
        rotations, root = rotations[:frames], root[:frames]
    if up == "auto":
        up = _guess_up(rotations[:, 0])
        note(path, f"taken as {up} up; --up says otherwise")
    if up == "z":
        rotations = torch.cat([quat_multiply(Z_TO_Y.double(), rotations[:, :1]), rotations[:, 1:]], dim=1)
        root = quat_rotate(Z_TO_Y.double(), root)
    rate_of = float(rate.reshape(-1)[0]) if rate is not None else float(fps or 0.0)
    return Motion(skeleton=SMPL22, rotations=rotations.float(), root=root.float(), fps=rate_of)


def _guess_up(pelvis: Tensor) -> str:
    """Return the axis along which the pelvis (T, 4) stands upright in most frames; z, AMASS's, if neither is."""
    up = quat_rotate(pelvis, pelvis.new_tensor([0.0, 1.0, 0.0]).expand(len(pelvis), 3))
    upright = (up[:, 1:] > 0.7).double().mean(dim=0)  # y, z
    return "y" if float(upright[0]) > max(0.5, float(upright[1])) else "z"


def _tensor(array: NDArray[np.generic]) -> Tensor:
    if array.dtype.kind not in "fiu":
        raise ValueError(f"array: expected real numbers, got {array.dtype}")
    return torch.from_numpy(np.asarray(array, dtype=np.float64 if array.dtype == np.float64 else np.float32))


def _unit(rotations: Tensor) -> Tensor:
    """Return rotations whose quaternions are scaled to unit length where Motion would refuse them, else to the bit.

    Quaternions shorter than 0.1 are left as they are: they say no rotation, and Motion names their frame.
    """
    if are_unit(rotations):
        return rotations
    lengths = rotations.norm(dim=-1, keepdim=True)
    scaled = ((lengths - 1).abs() > UNIT_TOLERANCE) & (lengths > 0.1)
    return torch.where(scaled, quat_normalize(rotations), rotations)


def _same(a: Skeleton, b: Skeleton) -> bool:
    return a.names == b.names and a.rest is None and not a.ends and torch.equal(a.offsets, b.offsets)
