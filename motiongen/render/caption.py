"""Captions on pictures: text that is wrapped, shortened if too long, and drawn once on a translucent panel."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Captions = str | Sequence[tuple[float, float, str]] | None
"""One text for the whole clip, or several as (start, end, text) in seconds."""

INK = (38, 44, 56)
_PANEL = (255, 255, 255, 214)
_MAX_LINES = 3


def timed(captions: Captions, seconds: float) -> list[tuple[float, float, str]]:
    """Return captions as (start, end, text) in seconds, without blank ones.

    Raises:
        ValueError: a caption ends before it starts.
    """
    if captions is None:
        return []
    if isinstance(captions, str):
        captions = [(0.0, seconds, captions)]
    for start, end, text in captions:
        if not start < end:
            raise ValueError(
                f"captions: expected start < end, got {start} to {end} for {text[:40]!r}; give seconds"
            )
    return [(start, end, " ".join(text.split())) for start, end, text in captions if text.strip()]


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font, the same on every machine."""
    return ImageFont.load_default(size=size)


def wrap(text: str, width: float, size: float, max_lines: int = _MAX_LINES) -> list[str]:
    """Return the lines of a text, each at most `width` pixels wide; text that does not fit ends in an ellipsis."""
    face, lines, line = font(size), [], ""
    for word in text.split():
        while face.getlength(word) > width:  # one word longer than a line
            fits = max(1, bisect_right(range(1, len(word)), width, key=lambda n: face.getlength(word[:n])))
            if line:
                lines.append(line)
            line, word = word[:fits], word[fits:]
            if len(lines) > max_lines or not word:
                break
        longer = f"{line} {word}".strip()
        if face.getlength(longer) > width:
            lines.append(line)
            longer = word
        line = longer
        if len(lines) > max_lines:
            break
    if line:
        lines.append(line)
    if len(lines) > max_lines:
        lines = lines[:max_lines]
        while lines[-1] and face.getlength(lines[-1] + "…") > width:
            lines[-1] = lines[-1][:-1].rstrip()
        lines[-1] += "…"
    return lines


@dataclass(frozen=True)
class Overlay:
    """A translucent picture: row and column of its upper left corner, colour times opacity, and transparency."""

    row: int
    column: int
    colour: NDArray[np.uint16]
    through: NDArray[np.uint16]

    def draw(self, picture: NDArray[np.uint8]) -> None:
        """Draw the overlay on `picture` (height, width, 3), in place."""
        height, width = self.colour.shape[:2]
        region = picture[self.row : self.row + height, self.column : self.column + width]
        region[:] = (region * self.through + self.colour) // 255


class CaptionTrack:
    """The captions of a clip, for pictures of one size.

    Args:
        captions: (start, end, text), seconds; where two overlap the later one is shown.
        size: width and height of the pictures.
    """

    def __init__(self, captions: Sequence[tuple[float, float, str]], size: tuple[int, int]) -> None:
        self._captions, self._height = captions, size[1]
        self._overlays = {text: panel(text, size) for _, _, text in captions}

    @property
    def foot(self) -> float:
        """Share of the picture's height, from below, that the captions cover; at most a third."""
        top = min((overlay.row for overlay in self._overlays.values()), default=self._height)
        return min(1 / 3, 1.0 - top / self._height)

    def draw(self, picture: NDArray[np.uint8], time: float) -> None:
        """Draw the caption of a time in seconds on `picture` (height, width, 3), in place."""
        text = next((text for start, end, text in reversed(self._captions) if start <= time < end), None)
        if text is not None:
            self._overlays[text].draw(picture)


def panel(text: str, size: tuple[int, int]) -> Overlay:
    """Return a rounded panel with a text, centred at the foot of a picture of a size."""
    width, height = size
    em = max(9.0, height / 24)
    lines = wrap(text, width * 0.86, em)
    face = font(em)
    inner = max(face.getlength(line) for line in lines)
    pad, step = em * 0.6, em * 1.28
    box = (min(width, int(inner + 2.4 * pad)), min(height, int(step * len(lines) + 1.1 * pad)))
    scale = 3  # drawn large and shrunk: round corners without steps
    mask = Image.new("L", (box[0] * scale, box[1] * scale), 0)
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, mask.width - 1, mask.height - 1), radius=0.5 * em * scale, fill=255
    )
    cover = np.asarray(mask.resize(box, Image.Resampling.BOX), dtype=np.float32) / 255 * (_PANEL[3] / 255)
    sheet = Image.new("RGB", box, _PANEL[:3])
    draw = ImageDraw.Draw(sheet)
    for i, line in enumerate(lines):
        draw.text((box[0] / 2, 0.55 * pad + step * (i + 0.5)), line, fill=INK, font=face, anchor="mm")
    ink = np.asarray(sheet, dtype=np.float32)
    opaque = np.maximum(cover, 1.0 - ink.mean(-1) / 255)[
        ..., None
    ]  # the letters themselves are not see-through
    return Overlay(
        row=max(0, height - box[1] - int(0.8 * em)),
        column=(width - box[0]) // 2,
        colour=np.round(ink * opaque * 255).astype(np.uint16),
        through=np.round(255 - 255 * opaque).astype(np.uint16),
    )
