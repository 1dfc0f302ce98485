"""Pictures that cover meshes: their files' bytes to PNG or JPEG, to pixels, and the colours at places in them."""

import io
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from motiongen import limits
from motiongen.files import reading

T = TypeVar("T")
KINDS = "PNG", "JPEG", "TGA", "BMP", "TIFF", "DDS", "PSD", "WEBP", "GIF"
"""Formats that are decoded: what characters are painted with. Some others would start a program (EPS: Ghostscript)."""


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
    """Return the pixels (H, W, 3) of a picture's file; None for one that is damaged, too large or of another kind."""
    return _decoded(data, lambda picture: np.asarray(picture.convert("RGB")))


def colours_at(shown: NDArray[np.uint8], uvs: NDArray[Any]) -> NDArray[np.float64]:
    """Return the display colours (V, 3), 0 to 1, of pixels (H, W, 3) at places (V, 2), which repeat beyond 0 to 1."""
    spots = np.nan_to_num(uvs.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0) % 1.0
    height, width = shown.shape[:2]
    columns = np.minimum((spots[:, 0] * width).astype(np.int64), width - 1)
    rows = np.minimum((spots[:, 1] * height).astype(np.int64), height - 1)
    return np.asarray(shown[rows, columns] / 255.0)


def _decoded(data: bytes, use: Callable[[Any], T]) -> T | None:
    from PIL import Image  # costs time that motion alone does not need

    too_large = Image.DecompressionBombError, Image.DecompressionBombWarning
    try:
        with (
            reading("picture", "a whole picture", *too_large),
            Image.open(io.BytesIO(data), formats=KINDS) as picture,
        ):
            return use(picture) if picture.width * picture.height <= limits.MAX_PIXELS else None
    except (OSError, ValueError):
        return None
