"""Pictures that cover meshes: their files' bytes to PNG or JPEG, to pixels, and the colours at places in them."""

import io
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from motiongen import limits

T = TypeVar("T")


def as_png_or_jpeg(data: bytes) -> bytes | None:
    """Return a picture's file as PNG unless it is one already, or JPEG; None for what cannot be decoded here."""

    def converted(picture: Any) -> bytes:
        if picture.format in ("PNG", "JPEG"):
            return data
        out = io.BytesIO()
        picture.convert("RGBA" if picture.mode in ("RGBA", "LA", "PA") else "RGB").save(out, "PNG")
        return out.getvalue()

    return _decoded(data, converted)


def pixels(data: bytes) -> NDArray[np.uint8] | None:
    """Return the pixels (H, W, 3) of a picture's file; None for one of a kind that cannot be decoded here."""
    return _decoded(data, lambda picture: np.asarray(picture.convert("RGB")))


def colours_at(shown: NDArray[np.uint8], uvs: NDArray[Any]) -> NDArray[np.float64]:
    """Return the display colours (V, 3), 0 to 1, of pixels (H, W, 3) at places (V, 2), which repeat beyond 0 to 1."""
    spots = uvs % 1.0
    height, width = shown.shape[:2]
    columns = np.minimum((spots[:, 0] * width).astype(np.int64), width - 1)
    rows = np.minimum((spots[:, 1] * height).astype(np.int64), height - 1)
    return np.asarray(shown[rows, columns] / 255.0)


def _decoded(data: bytes, use: Callable[[Any], T]) -> T | None:
    from PIL import Image  # costs time that motion alone does not need

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return use(picture) if max(picture.size) <= limits.MAX_SIDE else None
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
