"""The scene: a tiled floor that fades into the background, characters, and their shadows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongen.render.camera import FIELD_OF_VIEW
from motiongen.render.canvas import Canvas
from motiongen.render.character import Character
from motiongen.render.shading import Light, shade, to_linear
from motiongen.render.shadow import CELLS, Shadow

Array = NDArray[np.float32]

BACKGROUND = (0.945, 0.953, 0.965)
_TILES = ((0.890, 0.902, 0.922), (0.846, 0.862, 0.888))
_TILE = 0.5  # metres
_SHADOW_COLOUR = (0.20, 0.23, 0.30)
_SHADOW_STRENGTH = 0.62


class Scene:
    """Characters with their shadows over a floor, drawn on a canvas.

    Args:
        canvas: the canvas, which the caller closes.
        characters: animated meshes, each with a pose for every frame that is drawn.
        floor_radius: distance at which the floor has faded out, metres.
        light: the lights.
    """

    def __init__(
        self,
        canvas: Canvas,
        characters: Sequence[Character],
        *,
        floor_radius: float = 6.5,
        light: Light | None = None,
    ) -> None:
        self._canvas, self._light = canvas, light or Light()
        self._floor = _Floor(canvas.root, floor_radius)
        self._nodes = [_CharacterNode(canvas.root, character) for character in characters]

    def draw(self, frame: int, eye: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Return the picture (height, width, 4) of a frame, as of Canvas.draw.

        Args:
            frame: number of the frame.
            eye: (3,) position of the camera, metres.
            target: (3,) point looked at, metres.
        """
        self._canvas.look(eye, target, FIELD_OF_VIEW)
        return self._draw(frame, eye, target)

    def draw_flat(
        self, eye: NDArray[np.float64], target: NDArray[np.float64], height: float
    ) -> NDArray[np.uint8]:
        """Return the orthographic picture of the first frame, `height` metres high; arguments as for `draw`."""
        self._canvas.look_flat(eye, target, height)
        return self._draw(0, eye, target)

    def _draw(self, frame: int, eye: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.uint8]:
        self._floor.follow(np.asarray(target, dtype=np.float32))
        yaw = float(np.arctan2(eye[0] - target[0], eye[2] - target[2]))
        towards_light = self._light.direction(yaw)
        for node in self._nodes:
            node.update(frame, np.asarray(eye, dtype=np.float32), towards_light, self._light)
        return self._canvas.draw()


class _Mesh:
    """A Panda3D mesh whose vertex positions and colours are updated from one array."""

    def __init__(self, root: Any, faces: NDArray[np.int64], num_vertices: int) -> None:
        from panda3d import core

        columns = core.GeomVertexArrayFormat()
        columns.add_column(core.InternalName.get_vertex(), 3, core.Geom.NT_float32, core.Geom.C_point)
        columns.add_column(core.InternalName.get_color(), 4, core.Geom.NT_uint8, core.Geom.C_color)
        layout = core.GeomVertexFormat()
        layout.add_array(columns)
        self._data = core.GeomVertexData(
            "mesh", core.GeomVertexFormat.register_format(layout), core.Geom.UH_dynamic
        )
        self._data.set_num_rows(num_vertices)
        self.rows = np.zeros(num_vertices, dtype=[("position", "<f4", 3), ("colour", "u1", 4)])
        self.rows["colour"] = 255
        triangles = core.GeomTriangles(core.Geom.UH_static)
        triangles.set_index_type(core.Geom.NT_uint32)
        indices = triangles.modify_vertices()
        indices.set_num_rows(faces.size)
        memoryview(indices).cast("B")[:] = faces.astype("<u4").tobytes()
        geometry = core.Geom(self._data)
        geometry.add_primitive(triangles)
        node = core.GeomNode("mesh")
        node.add_geom(geometry)
        node.set_bounds(core.OmniBoundingVolume())  # never culled, so never measured again
        node.set_final(True)
        self.path = root.attach_new_node(node)

    def upload(self) -> None:
        """Copy `rows` to Panda3D."""
        memoryview(self._data.modify_array(0)).cast("B")[:] = self.rows.tobytes()


class _CharacterNode:
    """A character's mesh and its shadow in the scene graph."""

    def __init__(self, root: Any, character: Character) -> None:
        vertices, _ = character.pose(0)
        self._character = character
        self._mesh = _Mesh(root, _outward(character.faces, vertices), len(vertices))
        self._colours = to_linear(character.colours)
        self._shadow = Shadow(character.faces, vertices)
        self._shadow_card = _ShadowCard(root, self._shadow.width)

    def update(self, frame: int, eye: Array, towards_light: Array, light: Light) -> None:
        """Pose and light the mesh, and draw its shadow, for a frame."""
        vertices, normals = self._character.pose(frame)
        self._mesh.rows["position"] = vertices
        self._mesh.rows["colour"][:, :3] = shade(self._colours, vertices, normals, eye, towards_light, light)
        self._mesh.upload()
        self._shadow_card.show(*self._shadow.cast(vertices, towards_light))


class _Floor:
    """Floor tiles that follow the camera by whole pairs and fade out with the distance from its target."""

    def __init__(self, root: Any, radius: float) -> None:
        self._radius = radius
        half = int(np.ceil(radius / (2 * _TILE))) * 2
        cells = np.stack(
            np.meshgrid(np.arange(-half, half), np.arange(-half, half), indexing="ij"), -1
        ).reshape(-1, 2)
        corners = cells[:, None] + np.array(
            [(0, 0), (0, 1), (1, 1), (1, 0)]
        )  # (N, 4, 2), counter-clockwise from above
        self._flat = np.asarray(corners.reshape(-1, 2) * _TILE, dtype=np.float32)
        self._tones = np.repeat(np.array(_TILES, dtype=np.float32)[cells.sum(1) % 2], 4, axis=0)
        faces = (4 * np.arange(len(cells))[:, None, None] + np.array([(0, 1, 2), (0, 2, 3)])).reshape(-1, 3)
        self._mesh = _Mesh(root, faces, len(self._flat))
        _flat_on_floor(self._mesh.path, 0)

    def follow(self, target: Array) -> None:
        """Centre the floor under `target` (3,)."""
        pair = 2 * _TILE
        flat = self._flat + np.round(target[[0, 2]] / pair) * pair
        away = np.linalg.norm(flat - target[[0, 2]], axis=1) / self._radius
        keep = np.clip((1.0 - away) / 0.75, 0.0, 1.0)[:, None]
        keep = keep * keep * (3 - 2 * keep)
        colours = np.array(BACKGROUND, dtype=np.float32) * (1 - keep) + self._tones * keep
        self._mesh.rows["position"][:, [0, 2]] = flat
        self._mesh.rows["colour"][:, :3] = np.round(colours * 255)
        self._mesh.upload()


class _ShadowCard:
    """A square on the floor textured with a shadow's picture."""

    def __init__(self, root: Any, width: float) -> None:
        from panda3d import core

        self._texture = core.Texture("shadow")
        self._texture.setup_2d_texture(CELLS, CELLS, core.Texture.T_unsigned_byte, core.Texture.F_rgba)
        self._texture.set_minfilter(core.SamplerState.FT_linear)
        self._texture.set_magfilter(core.SamplerState.FT_linear)
        self._texture.set_quality_level(core.Texture.QL_best)  # or the software display would not interpolate
        self._texture.set_wrap_u(core.SamplerState.WM_clamp)
        self._texture.set_wrap_v(core.SamplerState.WM_clamp)
        self._picture = np.empty((CELLS, CELLS, 4), dtype=np.uint8)
        self._picture[..., :3] = np.round(np.array(_SHADOW_COLOUR)[::-1] * 255)  # Panda3D keeps blue first
        card = core.CardMaker("shadow")
        # u runs along +X and v along +Z: the picture's first row lies at the corner.
        card.set_frame(
            core.Point3(0, 0, 0),
            core.Point3(width, 0, 0),
            core.Point3(width, 0, width),
            core.Point3(0, 0, width),
        )
        self._path = root.attach_new_node(card.generate())
        self._path.set_texture(self._texture)
        self._path.set_transparency(core.TransparencyAttrib.M_alpha)
        self._path.set_two_sided(True)
        _flat_on_floor(self._path, 1)

    def show(self, darkness: NDArray[np.uint8], corner: Array) -> None:
        """Show a shadow's picture (CELLS, CELLS) with its corner (2,) at x and z, metres."""
        self._picture[..., 3] = darkness * _SHADOW_STRENGTH
        self._texture.set_ram_image(self._picture.tobytes())
        self._path.set_pos(float(corner[0]), 0.0, float(corner[1]))


def _flat_on_floor(path: Any, order: int) -> None:
    """Draw a node before the characters, in order and without depth tests: the floor's nodes lie in one plane."""
    path.set_bin("background", order)
    path.set_depth_test(False)
    path.set_depth_write(False)


def _outward(faces: NDArray[np.int64], vertices: Array) -> NDArray[np.int64]:
    """Return the faces wound counter-clockwise from outside, by the sign of the volume they enclose."""
    corners = vertices[faces].astype(np.float64)
    volume = np.einsum("fi,fi->f", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum()
    return faces if volume >= 0 else faces[:, ::-1]
