"""Meshes of the shapes in a robot's URDF, coarse enough to be drawn without a GPU."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.urdf import numbers_of, turn_of

Faces = NDArray[np.int64]
Colour = tuple[float, float, float]

GRAIN = 0.012
"""Cell size of vertex clustering, in metres."""
PLAIN: Colour = (0.7, 0.7, 0.7)
_AROUND, _ALONG = 20, 5
_STL_HEADER, _STL_FACE = 84, np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("rest", "<u2")])


@dataclass(frozen=True, eq=False)
class Part:
    """A mesh that is attached to a link.

    Attributes:
        link: name of the link.
        vertices: (V, 3) metres, in the link's frame.
        normals: (V, 3) unit.
        faces: (F, 3), counter-clockwise from outside.
        colour: sRGB.
    """

    link: str
    vertices: Array
    normals: Array
    faces: Faces
    colour: Colour


def parts(text: str, scale: float) -> list[Part]:
    """Return the meshes of a URDF: its visual shapes, or its collision shapes where it has no visual ones.

    Args:
        text: of the URDF.
        scale: factor on its lengths.
    """
    tree = ElementTree.fromstring(text)
    colours = {m.get("name", ""): _colour(m, {}) for m in tree.iterfind("material")}
    tag = "visual" if tree.find("link/visual") is not None else "collision"
    found = []
    for link in tree.iterfind("link"):
        for shape in link.iterfind(tag):
            geometry = shape.find("geometry")
            assert geometry is not None, link.get("name")
            vertices, normals, faces = _mesh(geometry[0], scale)
            turn = turn_of(numbers_of(shape, "origin", "rpy"))
            position = scale * numbers_of(shape, "origin", "xyz")
            material = shape.find("material")
            colour = PLAIN if material is None else _colour(material, colours)
            vertices, normals = quaternion.rotate(turn, vertices) + position, quaternion.rotate(turn, normals)
            found.append(Part(link.get("name", ""), vertices, normals, faces, colour))
    return found


def _mesh(shape: Element, scale: float) -> tuple[Array, Array, Faces]:
    """Return vertices, normals and faces of a URDF's geometry."""
    match shape.tag:
        case "sphere":
            return _capsule(scale * float(shape.get("radius", "1")), 0.0)
        case "capsule":
            return _capsule(scale * float(shape.get("radius", "1")), scale * float(shape.get("length", "1")))
        case "box":
            return _box(scale * np.array([float(word) for word in shape.get("size", "1 1 1").split()]))
        case "mesh" if shape.get("filename", "").lower().endswith(".stl"):
            return _coarse(_read_stl(Path(shape.get("filename", ""))) * scale)
    raise ValueError(
        f"urdf: expected a sphere, capsule, box or STL mesh to draw, got {shape.tag}; see shapes.py"
    )


def _capsule(radius: float, length: float) -> tuple[Array, Array, Faces]:
    """Return a capsule along z, a sphere where its length is zero."""
    slant = np.concatenate([np.linspace(-np.pi / 2, 0, _ALONG + 1), np.linspace(0, np.pi / 2, _ALONG + 1)])
    turn = np.arange(_AROUND) * 2 * np.pi / _AROUND
    rings = np.stack(
        [
            np.cos(slant)[:, None] * np.cos(turn),
            np.cos(slant)[:, None] * np.sin(turn),
            np.sin(slant)[:, None] * np.ones(_AROUND),
        ],
        axis=-1,
    )  # (R, around, 3)
    normals = rings.reshape(-1, 3)
    ends = np.repeat([-length / 2, length / 2], (_ALONG + 1) * _AROUND)
    vertices = radius * normals + ends[:, None] * np.array([0.0, 0.0, 1.0])
    ring, step = np.meshgrid(np.arange(len(slant) - 1), np.arange(_AROUND), indexing="ij")
    a, b = (ring * _AROUND + step).ravel(), (ring * _AROUND + (step + 1) % _AROUND).ravel()
    faces = np.concatenate([np.stack([a, b, b + _AROUND], 1), np.stack([a, b + _AROUND, a + _AROUND], 1)])
    return vertices, normals, faces


def _box(size: Array) -> tuple[Array, Array, Faces]:
    """Return a box about the origin; every side has corners of its own, so that edges are sharp."""
    corners, normals = [], []
    for axis in range(3):
        for sign in (1.0, -1.0):
            u, v = np.eye(3)[(axis + 1) % 3], np.eye(3)[(axis + 2) % 3] * sign
            normal = np.eye(3)[axis] * sign
            corners += [normal - u - v, normal + u - v, normal + u + v, normal - u + v]
            normals += [normal] * 4
    faces = 4 * np.arange(6)[:, None, None] + np.array([(0, 1, 2), (0, 2, 3)])
    return np.array(corners) * size / 2, np.array(normals), faces.reshape(-1, 3)


def _read_stl(path: Path) -> Array:
    """Return the corners (F, 3, 3) of a binary STL file."""
    data = path.read_bytes()
    corners: Array = np.frombuffer(data, _STL_FACE, offset=_STL_HEADER)["corners"].astype(np.float64)
    return corners


def _coarse(corners: Array) -> tuple[Array, Array, Faces]:
    """Return a coarser mesh of triangles (F, 3, 3): corners in one cell of a grid become one (vertex clustering)."""
    cells = np.floor(corners.reshape(-1, 3) / GRAIN).astype(np.int64)
    _, index = np.unique(cells, axis=0, return_inverse=True)
    index = index.ravel()
    count = np.bincount(index)
    vertices: Array = np.stack(
        [np.bincount(index, corners.reshape(-1, 3)[:, i]) / count for i in range(3)], axis=1
    )
    # The normals are those of the fine mesh: a coarse one's would be all facets.
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]).repeat(3, axis=0)
    normals: Array = np.stack([np.bincount(index, across[:, i]) for i in range(3)], axis=1)
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    faces: Faces = index.reshape(-1, 3)
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return vertices, normals, np.unique(faces[whole], axis=0)


def _colour(material: Element, known: dict[str, Colour]) -> Colour:
    colour = material.find("color")
    if colour is None:
        return known.get(material.get("name", ""), PLAIN)
    red, green, blue = (float(word) for word in colour.get("rgba", "1 1 1 1").split()[:3])
    return red, green, blue
