"""What an FBX file's meshes are covered with: its materials, and the pictures that lie in it or beside it."""

from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen import limits
from motiongen.files import beside
from motiongen.io.options import note
from motiongen.io.pictures import as_png_or_jpeg, colours_at, pixels
from motiongen.skinned_mesh import Look, Surface

_GREY = (0.8, 0.8, 0.8)
"""In place of a picture that is not there."""


def covering(path: Path, arrays: dict[str, Any]) -> tuple[Look | None, Tensor]:
    """Return the look of a file's mesh, None where colours are all that it has, and its colours (V, 3).

    A picture that is not there or cannot be decoded is grey, which a note says.

    Args:
        path: the .fbx file; pictures must lie beside it, or below.
        arrays: what `fbx_child.skinned` says of it.
    """
    surfaces = tuple(_surface(path, arrays, number) for number in range(len(arrays["surface_names"])))
    colours, faces = arrays["colours"], arrays["faces"]
    known: dict[bytes, Any] = {}
    for number, surface in enumerate(surfaces):
        own = np.unique(faces[arrays["surfaces"] == number])
        if surface.picture is None:
            colours[own] = colours[own] if surface.colour is None else surface.colour
            continue
        if surface.picture not in known:
            known[surface.picture] = pixels(surface.picture)
        if (shown := known[surface.picture]) is not None:
            colours[own] = colours_at(shown, arrays["uvs"][own])
    vertices = torch.from_numpy(colours).float()
    if all(surface.colour is None for surface in surfaces):
        return None, vertices
    return Look(
        surfaces, torch.from_numpy(arrays["surfaces"]), torch.from_numpy(arrays["uvs"]).float()
    ), vertices


def _surface(path: Path, arrays: dict[str, Any], number: int) -> Surface:
    name, colour = str(arrays["surface_names"][number]), arrays["surface_colours"][number].clip(0.0, 1.0)
    files = [str(file) for file in arrays["surface_files"][number] if file]
    if not files:
        return Surface(name, None if np.isnan(colour).any() else tuple(colour.tolist()))
    start = arrays["surface_ends"][number - 1] if number else 0
    data = arrays["surface_bytes"][start : arrays["surface_ends"][number]].tobytes()
    picture = as_png_or_jpeg(data or _beside(path, files))
    if picture is None:
        where = f"its picture {files[0][:200]!r} is neither in the file nor beside it"
        note(path, f"{name!r} is grey, for {where}; copy it there as PNG or JPEG")
        return Surface(name, _GREY)
    return Surface(name, (1.0, 1.0, 1.0), picture, bool(arrays["surface_cut"][number]))


def _beside(path: Path, files: list[str]) -> bytes:
    """Return the bytes of the first of a picture's paths that is there, empty if none is."""
    for name in _places(path, files):
        try:
            file = beside(path.parent, name)
        except ValueError:  # it leads elsewhere
            continue
        if file.is_file():
            limits.check_file_size(file)
            return file.read_bytes()
    return b""


def _places(path: Path, files: list[str]) -> Iterator[str]:
    """Yield where a picture may lie: as the file says, else by its name, for most paths are of another machine."""
    for file in files:
        yield PureWindowsPath(file).as_posix()
    for name in dict.fromkeys(PureWindowsPath(file).name for file in files):
        yield from (name, f"textures/{name}", f"Textures/{name}", f"{path.stem}.fbm/{name}")
