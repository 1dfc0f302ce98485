"""What an FBX file's meshes are covered with: its materials, and the pictures that lie in it or beside it."""

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from motiongen import limits
from motiongen.files import beside
from motiongen.io.options import note
from motiongen.io.pictures import as_png_or_jpeg, colours_at, pixels
from motiongen.skinned_mesh import Look, Surface

_GREY = (0.8, 0.8, 0.8)
"""In place of a picture that is not there."""
_Decoded = tuple[bytes | None, NDArray[np.uint8] | None]
"""A picture as PNG or JPEG, and its pixels (H, W, 3); None, None for one that is not there or cannot be decoded."""


def covering(path: Path, arrays: dict[str, Any]) -> tuple[Look | None, Tensor]:
    """Return the look of a file's mesh, None where colours are all that it has, and its colours (V, 3).

    A picture that is not there or cannot be decoded is grey, which a note says.

    Args:
        path: the .fbx file; pictures must lie beside it, or below.
        arrays: what `fbx_child.skinned` says of it.
    """
    colours, faces = arrays["colours"], arrays["faces"]
    known: dict[bytes, _Decoded] = {}
    surfaces = []
    for number in range(len(arrays["surface_names"])):
        surface, shown = _surface(path, arrays, number, known)
        surfaces.append(surface)
        own = np.unique(faces[arrays["surfaces"] == number])
        if shown is not None:
            colours[own] = colours_at(shown, arrays["uvs"][own])
        elif surface.colour is not None:
            colours[own] = surface.colour
    vertices = torch.from_numpy(colours).float()
    if all(surface.colour is None for surface in surfaces):
        return None, vertices
    of_faces, uvs = torch.from_numpy(arrays["surfaces"]), torch.from_numpy(arrays["uvs"]).float()
    return Look(tuple(surfaces), of_faces, uvs), vertices


def _surface(
    path: Path, arrays: dict[str, Any], number: int, known: dict[bytes, _Decoded]
) -> tuple[Surface, NDArray[np.uint8] | None]:
    """Return a surface, and the pixels (H, W, 3) of its picture; `known` keeps those of others that show the same."""
    name, colour = str(arrays["surface_names"][number]), arrays["surface_colours"][number].clip(0.0, 1.0)
    files = [str(file) for file in arrays["surface_files"][number] if file]
    if not files:
        return Surface(name, None if np.isnan(colour).any() else tuple(colour.tolist())), None
    ends, inside = arrays["picture_ends"], int(arrays["surface_pictures"][number])
    data = arrays["picture_bytes"][ends[inside] : ends[inside + 1]].tobytes() or _beside(path, files)
    if data not in known:
        known[data] = _decoded(data)
    picture, shown = known[data]
    if picture is None:
        where = (
            f"its picture {files[0][:200]!r} is neither in the file nor beside it, or is damaged or too large"
        )
        note(path, f"{name[:200]!r} is grey, for {where}; copy it there as PNG or JPEG")
        return Surface(name, _GREY), None
    return Surface(name, (1.0, 1.0, 1.0), picture, bool(arrays["surface_cut"][number])), shown


def _decoded(data: bytes) -> _Decoded:
    shown = pixels(data)
    return (None, None) if shown is None else (as_png_or_jpeg(data), shown)


def _beside(path: Path, files: list[str]) -> bytes:
    """Return the bytes of the first of a picture's paths that is there, empty if none is."""
    for name in _places(path, files):
        try:
            file = beside(path.parent, name)
            if file.is_file():
                limits.check_file_size(file, limits.MAX_PICTURE_BYTES)
                return file.read_bytes()
        except (OSError, ValueError):  # it leads elsewhere, may not be read, or is no name at all
            continue
    return b""


def _places(path: Path, files: list[str]) -> Iterator[str]:
    """Yield where a picture may lie: as the file says, else by its name, for most paths are of another machine."""
    for file in files:
        yield PureWindowsPath(file).as_posix()
    for name in dict.fromkeys(PureWindowsPath(file).name for file in files):
        yield from (name, f"textures/{name}", f"Textures/{name}", f"{path.stem}.fbm/{name}")
