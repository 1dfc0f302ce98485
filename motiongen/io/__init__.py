"""Files of motion: a registry of formats, and load and save, which choose one by the file's extension.

Importing this package costs no torch: a format's module is imported when the format is first used.
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from motiongen.files import reading
from motiongen.io.options import ReadOptions
from motiongen.registry import lookup_extension

if TYPE_CHECKING:
    from motiongen.motion import Motion
    from motiongen.skinned_mesh import SkinnedMesh

__all__ = [
    "FORMATS",
    "FormatSpec",
    "ReadOptions",
    "animations",
    "format_of",
    "load",
    "readable",
    "save",
    "writable",
]


class Reader(Protocol):
    """Function that reads a file of motion; its ValueError names the file and the position of the fault."""

    def __call__(self, path: Path, /, **options: Any) -> "Motion":
        """Return the motion in a file; `options` holds what was said of those that the format takes."""
        ...


class Writer(Protocol):
    """Function that writes a file of motion, whole or not at all; the same motion gives the same bytes."""

    def __call__(self, motion: "Motion", path: Path, /, **options: Any) -> None:
        """Write a motion; `options` holds `mesh` or `character` for a format that takes them, else nothing."""
        ...


@dataclass(frozen=True, kw_only=True)
class FormatSpec:
    """One format of motion files.

    Attributes:
        name: name of the format, for messages.
        summary: contents of a file, in a few words.
        extensions: lower-case file extensions, each with its dot.
        read: returns the motion in a file; None for a format that is only written.
        write: writes a motion to a file; None for a format that is only read.
        options: what `read` takes in place of a guess: of fps, unit_to_metres, up, animation, character_index. The
            first three are applied to what was read where they are not among them.
        animations: returns the names of the animations in a file; None for a format that holds one.
        takes_mesh: whether `write` takes `mesh`, the skinned mesh that the motion moves.
        read_needs: (module, extra) without which nothing is read: `motiongen[extra]` has it; None for none.
        write_needs: the same for writing.
        takes_character: whether `write` takes `character`, the path of the user's own figure, to be kept as it is.
    """

    name: str
    summary: str
    extensions: tuple[str, ...]
    read: Reader | None = None
    write: Writer | None = None
    options: tuple[str, ...] = ()
    animations: Callable[[Path], tuple[str, ...]] | None = None
    takes_mesh: bool = False
    takes_character: bool = False
    read_needs: tuple[str, str] | None = None
    write_needs: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        if not self.extensions or any(e != e.lower() or not e.startswith(".") for e in self.extensions):
            raise ValueError(
                f"extensions: expected lower-case ones with a dot such as '.bvh', got {self.extensions}"
            )
        if self.read is None and self.write is None:
            raise ValueError(f"format: expected {self.name} to have read, write or both, got neither")

    def check_reads(self, path: Path) -> None:
        """Raise ImportError, which names the extra, if what reading needs is not installed."""
        self._check(path, self.read_needs, "read")

    def check_writes(self, path: Path) -> None:
        """Raise ImportError, which names the extra, if what writing needs is not installed."""
        self._check(path, self.write_needs, "written")

    def _check(self, path: Path, needs: tuple[str, str] | None, done: str) -> None:
        if needs is not None and importlib.util.find_spec(needs[0]) is None:
            raise ImportError(
                f"{path}: {self.name} is {done} with an extra; run pip install 'motiongen[{needs[1]}]'"
            )


def _function(module: str, name: str) -> Callable[..., Any]:
    """Return a function that imports `name` from a module of this package when it is first called."""

    def call(*args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module(f"motiongen.io.{module}"), name)(*args, **options)

    return call


FORMATS: dict[str, FormatSpec] = {
    "bvh": FormatSpec(
        name="BVH",
        summary="a tree of joints and Euler angles, in centimetres",
        extensions=(".bvh",),
        read=_function("bvh", "read"),
        write=_function("bvh", "write"),
        options=("unit_to_metres", "up"),
    ),
    "npz": FormatSpec(
        name="NPZ",
        summary="NumPy arrays, exact; AMASS, SMPL-H, SMPL-X and Kimodo files are read too",
        extensions=(".npz",),
        read=_function("npz", "read"),
        write=_function("npz", "write"),
        options=("fps", "up"),
    ),
    "gltf": FormatSpec(
        name="glTF 2.0",
        summary="an animated skeleton with a skinned body",
        extensions=(".glb", ".gltf"),
        read=_function("gltf", "read"),
        write=_function("gltf", "write"),
        options=("fps", "animation", "character_index"),
        animations=_function("gltf", "animations"),
        takes_mesh=True,
        takes_character=True,
    ),
    "fbx": FormatSpec(
        name="FBX",
        summary="a skinned, animated skeleton, in centimetres",
        extensions=(".fbx",),
        read=_function("fbx", "read"),
        write=_function("fbx_write", "write"),
        options=("fps", "animation"),
        animations=_function("fbx", "animations"),
        takes_mesh=True,
        read_needs=("ufbx", "fbx"),
    ),
    "vrma": FormatSpec(
        name="VRM Animation",
        summary="humanoid bones for any VRM avatar, a GLB",
        extensions=(".vrma",),
        read=_function("gltf", "read"),
        write=_function("vrma", "write"),
        options=("fps", "animation", "character_index"),
        animations=_function("gltf", "animations"),
    ),
    "usd": FormatSpec(
        name="USD",
        summary="UsdSkel: an animated skeleton with a skinned body",
        extensions=(".usda", ".usdc"),
        write=_function("usd", "write"),
        takes_mesh=True,
        write_needs=("pxr", "usd"),
    ),
    "csv": FormatSpec(
        name="CSV",
        summary="a table of the joints in the world, metres and quaternions",
        extensions=(".csv",),
        write=_function("table", "write"),
    ),
    "trc": FormatSpec(
        name="TRC",
        summary="joints as markers, for OpenSim",
        extensions=(".trc",),
        write=_function("trc", "write"),
    ),
    "c3d": FormatSpec(
        name="C3D",
        summary="joints as points, for laboratories",
        extensions=(".c3d",),
        write=_function("c3d", "write"),
        write_needs=("ezc3d", "c3d"),
    ),
    "amc": FormatSpec(
        name="ASF/AMC",
        summary="Acclaim motion at 120 fps, with the .asf skeleton beside it",
        extensions=(".amc",),
        read=_function("asf", "read"),
        options=("fps", "unit_to_metres"),
    ),
}
"""Name -> format. Whatever reads or writes motion finds its formats here."""


def format_of(path: str | Path) -> FormatSpec:
    """Return the format that a path's extension names.

    Raises:
        ValueError: no format has that extension; the message lists those that are known.
    """
    return lookup_extension(FORMATS, path)


def readable() -> tuple[str, ...]:
    """Return the extensions of the formats that can be read."""
    return tuple(ext for spec in FORMATS.values() if spec.read for ext in spec.extensions)


def writable() -> tuple[str, ...]:
    """Return the extensions of the formats that can be written."""
    return tuple(ext for spec in FORMATS.values() if spec.write for ext in spec.extensions)


def load(path: str | Path, options: ReadOptions | None = None) -> "Motion":
    """Return the motion in a file.

    Args:
        path: the file.
        options: what is known of the file; what is not is read from it, or guessed and told in the log.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: an unknown extension, a format that is only written, a broken file, or one of several animations.
    """
    path, options = Path(path), options or ReadOptions()
    spec = _readable(path)
    assert spec.read is not None
    with reading(path, f"a whole {spec.name} file"):
        options.check(spec.options, path, spec.name)
        return options.applied(spec.read(path, **options.said(spec.options)), spec.options, path)


def animations(path: str | Path) -> tuple[str, ...]:
    """Return the names of the animations in a file; none for a format that holds one motion.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: as `load`.
    """
    path = Path(path)
    spec = _readable(path)
    if spec.animations is None:
        return ()
    with reading(path, f"a whole {spec.name} file"):
        return spec.animations(path)


def _readable(path: Path) -> FormatSpec:
    """Return the format of a file that is there, and can be read."""
    spec = format_of(path)
    if spec.read is None:
        raise ValueError(
            f"{path}: expected a format that can be read, got {spec.name}, which is only written; "
            f"use one of {', '.join(readable())}"
        )
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a motion file, got no such file; check the path")
    spec.check_reads(path)
    return spec


def save(
    motion: "Motion",
    path: str | Path,
    *,
    mesh: "SkinnedMesh | None" = None,
    character: str | Path | None = None,
) -> None:
    """Write a motion to a file, whole or not at all.

    Args:
        motion: the motion.
        path: a file to make or replace.
        mesh: the skinned mesh that the motion moves, for formats that hold one; without it they show the bare skeleton.
        character: the .glb, .gltf or .vrm of the character that the motion is on, in place of a mesh, for formats that
            keep its meshes, materials and textures.

    Raises:
        FileNotFoundError: the folder does not exist.
        ImportError: the format needs an extra.
        ValueError: an unknown extension, a format that is only read, or a mesh or character for one that holds none.
    """
    path = Path(path)
    spec = format_of(path)
    if spec.write is None:
        raise ValueError(
            f"{path}: expected a format that can be written, got {spec.name}, which is only read; "
            f"use one of {', '.join(writable())}"
        )
    spec.check_writes(path)
    if mesh is not None and not spec.takes_mesh:
        raise ValueError(f"mesh: expected none for {spec.name}, which holds no mesh, got one; leave it out")
    if character is not None and not spec.takes_character:
        raise ValueError(
            f"character: expected none for {spec.name}, which keeps the skeleton alone, got one; leave it out"
        )
    options: dict[str, Any] = {"mesh": mesh} if spec.takes_mesh else {}
    if character is not None:
        options = {"character": character}
    spec.write(motion.to("cpu"), path, **options)
