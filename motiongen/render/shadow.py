"""A soft shadow on the floor, splatted from a mesh's faces: sharp at the feet, softer for higher faces."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

CELLS = 128
"""Cells along each side of the shadow's picture."""
_MOST_SAMPLES = 60_000


class Shadow:
    """The shadow of one mesh as a square picture.

    Args:
        faces: (F, 3) vertex indices of a closed mesh.
        vertices: (V, 3) the mesh in any pose, from which the density of samples is chosen.
        width: side of the square on the floor, metres.
    """

    def __init__(self, faces: NDArray[np.int64], vertices: Array, *, width: float = 3.2) -> None:
        self.width = width
        self._faces = faces
        self._cell = width / CELLS
        edge = np.linalg.norm(vertices[faces[:, 0]] - vertices[faces[:, 1]], axis=1)
        parts = np.ceil(np.quantile(edge, 0.9) / (0.8 * self._cell))
        parts = int(np.clip(parts, 1, max(1, np.sqrt(_MOST_SAMPLES / len(faces)))))
        self._samples = _samples(parts)  # (S, 3)
        self._blurs = (_blur(1.3), _blur(3.5))

    def cast(self, vertices: Array, towards_light: Array) -> tuple[NDArray[np.uint8], Array]:
        """Return the darkness (CELLS, CELLS), 0 to 255, rows along +Z and columns along +X, and its corner (2,) x, z.

        Args:
            vertices: (V, 3) metres, the floor at y = 0.
            towards_light: (3,) unit.
        """
        height = np.maximum(vertices[:, 1], 0.0)
        slide = towards_light[[0, 2]] / towards_light[1]
        flat = vertices[:, [0, 2]] - height[:, None] * slide  # (V, 2)
        # Whole cells only: a picture that moved by fractions of a cell would shimmer.
        middle = np.round((flat.min(0) + flat.max(0)) / 2 / self._cell) * self._cell
        corner = np.asarray(middle - self.width / 2, dtype=np.float32)
        triangles = ((flat - corner) / self._cell)[self._faces]  # (F, 3, 2), in cells
        a, b = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
        # A closed mesh covers each cell twice, from above and from below: hence a half of a half.
        area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / (4 * len(self._samples))
        raised = np.clip(height[self._faces[:, 0]] / 0.9, 0.0, 1.0)
        points = np.einsum("sk,fkc->sfc", self._samples, triangles).astype(np.int32)  # (S, F, 2)
        inside = ((points > 0) & (points < CELLS - 1)).all(-1)
        cells = np.where(inside, points[..., 1] * CELLS + points[..., 0], 0).ravel()
        near, far = (
            np.bincount(cells, np.broadcast_to(weight, inside.shape).ravel(), CELLS * CELLS).astype(
                np.float32
            )
            for weight in (area * (1 - raised), area * raised)
        )
        near[0] = far[0] = 0.0  # samples outside the picture were counted here
        full = 1.0 / np.maximum(near + far, 1.0)  # several casters over a cell darken it once
        layers = [(cover * full).reshape(CELLS, CELLS) for cover in (near, far)]
        dark = sum(blur @ layer @ blur.T for blur, layer in zip(self._blurs, layers, strict=True))
        return np.asarray(np.round(np.minimum(dark, 1.0) * 255), dtype=np.uint8), corner


def _samples(parts: int) -> Array:
    """Return barycentric centres (parts^2, 3) of a triangle cut into equal ones."""
    centres = []
    for i in range(parts):
        for j in range(parts - i):
            centres.append((i + 1 / 3, j + 1 / 3))
            if i + j < parts - 1:
                centres.append((i + 2 / 3, j + 2 / 3))
    uv = np.array(centres) / parts
    return np.asarray(np.concatenate([1 - uv.sum(1, keepdims=True), uv], axis=1), dtype=np.float32)


def _blur(sigma: float) -> Array:
    """Return the matrix (CELLS, CELLS) that blurs a column by a Gaussian of `sigma` cells."""
    steps = np.arange(CELLS)
    kernel = np.exp(-0.5 * ((steps[:, None] - steps) / sigma) ** 2)
    return np.asarray(kernel / (sigma * np.sqrt(2 * np.pi)), dtype=np.float32)
