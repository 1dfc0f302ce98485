"""Sheets: poses over time from left to right, with their times, captions, and the path seen from above."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from motiongen.render.camera import view_axes
from motiongen.render.canvas import Canvas
from motiongen.render.caption import INK, font, wrap
from motiongen.render.character import Array, Character
from motiongen.render.clip import Clip
from motiongen.render.scene import BACKGROUND, Scene
from motiongen.render.video import shrink

Points = NDArray[np.float64]

_PALE, _ACCENT, _RULE = (118, 128, 145), (58, 112, 186), (200, 207, 217)
_GAP = 0.16  # metres between neighbours
_SAME = 0.02  # metres between poses that count as the same
_HEADROOM, _FLESH = 0.06, 0.07  # metres beyond joints and tips
_WIDTH = 1600
_LARGEST = 0.14  # of the width, a metre
_SUPERSAMPLING = 3  # drawn larger by this, then shrunk: smooth edges
_MOST_PIXELS = 4096  # a side of the canvas


@dataclass(frozen=True)
class StaticCharacter:
    """A character in one pose, the same at every frame."""

    faces: NDArray[np.int64]
    colours: Array
    vertices: Array
    normals: Array

    def pose(self, frame: int) -> tuple[Array, Array]:
        """Return vertices and normals, the same at any frame."""
        return self.vertices, self.normals


@dataclass(frozen=True)
class _Row:
    """A row of a sheet: poses of one character beside each other.

    Attributes:
        clip: a clip of one motion.
        character: its mesh.
        frames: the frames of the poses.
        points: (N, P, 3) joints and tips over the origin, metres.
    """

    clip: Clip
    character: Character
    frames: list[int]
    points: Points

    @cached_property
    def reaches(self) -> Points:
        """Extent of each pose to the left and to the right of its middle (N, 2), metres."""
        across = self.points @ view_axes(self.clip.yaw)[1]
        return np.stack([-across.min(1), across.max(1)], axis=1) + _FLESH

    @property
    def width(self) -> float:
        return float(self.reaches.sum() + _GAP * (len(self.frames) + 1))

    def centres(self) -> Points:
        """Return the middles of the poses (N,), metres to the right of the middle of the row."""
        left, right = self.reaches.T
        before = np.concatenate([[0.0], np.cumsum(left + right + _GAP)[:-1]])
        return np.asarray(before + left + _GAP - self.width / 2)

    def part(self, index: NDArray[np.int64]) -> "_Row":
        return replace(self, frames=[self.frames[i] for i in index], points=self.points[index])


def draw_sheet(
    clip: Clip,
    characters: Sequence[Character],
    captions: Sequence[tuple[float, float, str]],
    size: tuple[int, int] | None,
    *,
    poses: int = 8,
    display: str = "auto",
) -> Image.Image:
    """Return a sheet of poses: the first, the last, and the most distinct ones in between; a row for each character.

    Args:
        clip: the motions.
        characters: the mesh of each motion of the clip.
        captions: (start, end, text), seconds.
        size: width and height in pixels; without it the sheet is 1600 wide and as high as it needs.
        poses: number of poses of each character.
        display: display of the canvas.
    """
    rows = [_row(clip.one(i), character, poses) for i, character in enumerate(characters)]
    heights = np.concatenate([(row.points @ view_axes(clip.yaw)[2]).ravel() for row in rows])
    low, high = min(0.0, float(heights.min())) - _HEADROOM, float(heights.max()) + _HEADROOM
    width = size[0] if size else _WIDTH
    em = width / 64
    title = wrap(captions[0][2], width - 15 * em, 1.35 * em, max_lines=2) if len(captions) == 1 else []
    head, foot = em * (1.7 + 1.75 * max(1, len(title))), em * (2.2 if len(captions) < 2 else 4.6)
    room = size[1] - head if size else None
    rows, per_metre = _arrange(rows, high - low, width, room, foot)
    band = round(per_metre * (high - low))
    if room is not None:  # spare height goes to the floor and the background
        spare = max(0, int(room / len(rows) - foot) - band)
        band, low = band + spare, low - 0.4 * spare / per_metre
    height = size[1] if size else round(head + len(rows) * (band + foot))
    sheet = Image.new("RGB", (width, height), tuple(round(255 * c) for c in BACKGROUND))
    for i, row in enumerate(rows):
        top = round(head + i * (band + foot))
        sheet.paste(Image.fromarray(_draw_row(row, (width, band), per_metre, low, display)), (0, top))
        _label(sheet, row, captions, per_metre, top + band, em)
    for i, line in enumerate(title):
        position = (1.4 * em, (1.7 + 1.75 * i) * em)
        ImageDraw.Draw(sheet).text(position, line, fill=INK, font=font(1.35 * em), anchor="lm")
    if len(characters) == 1:
        frames = [frame for row in rows for frame in row.frames]
        _draw_path(sheet, clip, frames, (width - 6 * em, 0.3 * em, width - em, head), em)
    return sheet


def _row(clip: Clip, character: Character, poses: int) -> _Row:
    frames = distinct_frames(clip.points - clip.centres[:, None], poses)
    points = clip.points[frames] - clip.centres[frames][:, None] * [1, 0, 1]
    return _Row(clip=clip, character=character, frames=frames, points=points)


def distinct_frames(points: Points, count: int) -> list[int]:
    """Return the frames of distinct poses, in order: the first, the last, and one of each equal span between them.

    Of each span it is the frame whose pose differs most from the others: poses at even times would miss quick
    movements, such as a kick of half a second between two of them.

    Args:
        points: (T, P, 3) relative to the root, metres.
        count: number of frames; fewer if there are not as many.
    """
    last = len(points) - 1
    if count < 3 or last < count:
        return sorted({round(last * i / max(1, count - 1)) for i in range(count)})
    edges = np.linspace(0, last, count).round().astype(int)
    chosen = [0]
    for low, high in zip((edges[:-2] + edges[1:-1]) // 2 + 1, (edges[1:-1] + edges[2:]) // 2, strict=True):
        frames = np.arange(low, max(high, low + 1))
        difference = _SAME + np.linalg.norm(
            points[frames, None] - points[None, [*chosen, last]], axis=-1
        ).mean(-1).min(1)
        # Frames near the middle of the span are preferred, which decides where all its poses are alike.
        centred = 1.0 - 0.25 * np.abs(frames - frames.mean()) / max(1.0, np.ptp(frames) / 2)
        chosen.append(int(frames[np.argmax(difference * centred)]))
    return [*chosen, last]


def _arrange(
    rows: list[_Row], height_range: float, width: int, room: float | None, foot: float
) -> tuple[list[_Row], float]:
    """Return the rows, and the pixels a metre, with which the figures are largest."""
    best: tuple[list[_Row], float] | None = None
    for count in range(1, 4):
        parts = [
            row.part(p) for row in rows for p in np.array_split(np.arange(len(row.frames)), count) if len(p)
        ]
        per_metre = min(width / max(part.width for part in parts), _LARGEST * width)
        if room is not None:
            per_metre = min(per_metre, (room / len(parts) - foot) / height_range)
        # With a free height, rows are broken only when they get too small to read.
        if best is None or per_metre > best[1] * (1.0 if room else 1.35):
            best = parts, per_metre
    assert best is not None
    if best[1] * height_range < 8:
        raise ValueError(
            f"size: expected room for {len(best[0])} rows, got {width} pixels of width; use a larger size"
        )
    return best


def _draw_row(
    row: _Row, size: tuple[int, int], per_metre: float, low: float, display: str
) -> NDArray[np.uint8]:
    """Return the picture (height, width, 3) of a row: one scene, orthographic, so that poses are comparable."""
    away, right, up = view_axes(row.clip.yaw)
    stills = []
    for frame, centre in zip(row.frames, row.centres(), strict=True):
        shift = (right * centre - row.clip.centres[frame] * [1, 0, 1]).astype(np.float32)
        vertices, normals = row.character.pose(frame)
        stills.append(StaticCharacter(row.character.faces, row.character.colours, vertices + shift, normals))
    factor = max(1, min(_SUPERSAMPLING, _MOST_PIXELS // max(size)))
    height = size[1] / per_metre
    target = up * (low + height / 2)
    with Canvas((size[0] * factor, size[1] * factor), BACKGROUND, display=display) as canvas:
        scene = Scene(canvas, stills, floor_radius=max(4.0, 0.75 * size[0] / per_metre))
        return shrink(scene.draw_flat(target + 30 * away, target, height), factor)


def _label(
    sheet: Image.Image,
    row: _Row,
    captions: Sequence[tuple[float, float, str]],
    per_metre: float,
    top: int,
    em: float,
) -> None:
    """Write the time under each pose, and the captions under the times."""
    draw, middle = ImageDraw.Draw(sheet), sheet.width / 2
    columns = middle + row.centres() * per_metre
    for frame, x in zip(row.frames, columns, strict=True):
        draw.text(
            (x, top + 0.8 * em), f"{frame / row.clip.fps:.1f} s", fill=_PALE, font=font(em), anchor="mm"
        )
    if len(captions) < 2:
        return
    for start, end, text in captions:
        inside = [i for i, frame in enumerate(row.frames) if start <= frame / row.clip.fps < end]
        if not inside:
            continue
        left = columns[inside[0]] - (row.reaches[inside[0], 0] + _GAP / 3) * per_metre
        right = columns[inside[-1]] + (row.reaches[inside[-1], 1] + _GAP / 3) * per_metre
        draw.line((left, top + 1.75 * em, right, top + 1.75 * em), fill=_ACCENT, width=max(1, round(em / 8)))
        for i, line in enumerate(wrap(text, right - left, em, max_lines=2)):
            draw.text(
                ((left + right) / 2, top + (2.5 + 1.2 * i) * em), line, fill=INK, font=font(em), anchor="mm"
            )


def _draw_path(
    sheet: Image.Image, clip: Clip, frames: list[int], box: tuple[float, float, float, float], em: float
) -> None:
    """Draw the path over the floor, seen from above with the camera below, and the heading at each pose."""
    _, right, _ = view_axes(clip.yaw)
    towards = np.cross(right, [0.0, 1.0, 0.0])  # along the floor, to the camera
    centres = clip.centres - clip.centres[:1]
    path = np.stack([centres @ right, centres @ towards], axis=1)  # (T, 2), the picture's x and y
    extent = float(np.ptp(path, axis=0).max())
    if extent < 0.5:  # in place
        return
    left, top, right_end, bottom = (round(side) for side in box)
    inset = sheet.crop((left, top, right_end, bottom))
    inset = inset.resize(
        (inset.width * _SUPERSAMPLING, inset.height * _SUPERSAMPLING), Image.Resampling.NEAREST
    )
    draw, side = ImageDraw.Draw(inset), min(inset.size)
    scale = 0.7 * side / max(extent, 1.0)
    dots = np.array(inset.size) / 2 + (path - (path.max(0) + path.min(0)) / 2) * scale
    draw.line([tuple(dot) for dot in dots], fill=_RULE, width=max(2, side // 40), joint="curve")
    headings = clip.headings()
    for frame in frames:
        angle = headings[frame]
        facing = np.array([np.sin(angle), 0.0, np.cos(angle)])
        tip = dots[frame] + np.array([facing @ right, facing @ towards]) * side * 0.11
        draw.line([tuple(dots[frame]), tuple(tip)], fill=_ACCENT, width=max(2, side // 50))
        radius = side / 34
        draw.ellipse((*(dots[frame] - radius), *(dots[frame] + radius)), fill=_ACCENT)
    sheet.paste(inset.resize((right_end - left, bottom - top), Image.Resampling.BOX), (left, top))
    length = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
    words = f"seen from above: {length:.1f} m"
    ImageDraw.Draw(sheet).text(
        (left - 0.3 * em, (top + bottom) / 2), words, fill=_PALE, font=font(0.8 * em), anchor="rm"
    )
