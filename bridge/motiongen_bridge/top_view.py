"""Draws a path on the floor from above, in braille characters for a terminal."""

from collections.abc import Iterable

import numpy as np

BRAILLE = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
"""Bits of a braille character's dots, by row and column (Unicode 15, section 21.1)."""


def top_view(path: Iterable[np.ndarray], columns: int = 46, rows: int = 9) -> list[str]:
    """Return lines of text that show a path from above: +Z up, +X to the left.

    Args:
        path: points (x, z), metres.
        columns: characters of a line.
        rows: lines.
    """
    cells, points = np.full((rows, columns), 0x2800), np.array(list(path)).reshape(-1, 2)
    if not len(points):
        return []
    low, high = points.min(axis=0), points.max(axis=0)
    size = np.array([2 * columns - 1, 4 * rows - 1])  # dots
    metres = max(0.05, *((high - low) / size))  # of a dot
    x, z = np.rint(size / 2 - (points - (low + high) / 2) / metres).astype(int).clip(0, size).T
    np.bitwise_or.at(cells, (z // 4, x // 2), BRAILLE[z % 4, x % 2])
    cells[z[-1] // 4, x[-1] // 2] = ord("●")
    return ["".join(map(chr, row)) for row in cells]
