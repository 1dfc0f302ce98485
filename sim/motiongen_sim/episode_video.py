"""VideoRecorder: a video of an episode, with a title bar, and at the end a coloured frame and a mark for the result."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from motiongen.render.caption import font
from motiongen.render.video import write_mp4

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

SUCCESS, FAILURE = (46, 145, 84), (200, 62, 58)
_DARK, _WORDS = (38, 44, 56), (255, 255, 255)
_FRAME = 4
_MOMENTS = 5
_SMALL = 288  # width of a picture on the sheet
_GAP = 6
_END_SECONDS = 1.0  # for which the last picture is shown


@dataclass(frozen=True)
class EpisodeVideo:
    """A finished video.

    Attributes:
        mp4: the file's bytes.
        moments: pictures (H, W, 3) from the first to the last, the same number for every video.
    """

    mp4: bytes
    moments: tuple[Picture, ...]


class VideoRecorder:
    """Collects the pictures of one episode and makes a video of them.

    Args:
        title: text of the bar under the pictures.
        fps: pictures a second.
    """

    def __init__(self, title: str, fps: float) -> None:
        self._title, self._fps = title, fps
        self._pictures: list[Picture] = []

    def add(self, picture: Picture | None) -> None:
        """Add the next picture (H, W, 3): first that of the start, then one for each step."""
        assert picture is not None and picture.dtype == np.uint8, type(picture)
        self._pictures.append(picture)

    def finish(self, success: bool) -> EpisodeVideo:
        """Return the video; its last picture is marked by the success of the episode."""
        last = len(self._pictures) - 1

        def drawn(step: int) -> Picture:
            colour = _DARK if step < last else SUCCESS if success else FAILURE
            picture = _framed(self._pictures[step], colour, self._title, f"step {step}")
            return _marked(picture, colour, success) if step == last else picture

        steps = [*range(last + 1), *[last] * round(_END_SECONDS * self._fps)]
        height, width = drawn(0).shape[:2]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "episode.mp4"
            write_mp4(map(drawn, steps), path, (width, height), self._fps)
            mp4 = path.read_bytes()
        moments = np.linspace(0, last, _MOMENTS).round().astype(int)
        return EpisodeVideo(mp4, tuple(_small(drawn(step)) for step in moments))


def draw_sheet(videos: Sequence[EpisodeVideo]) -> Image.Image:
    """Return one picture of several videos: a row each, from the first moment to the last."""
    height, width = videos[0].moments[0].shape[:2]
    sheet = Image.new(
        "RGB", (_GAP + _MOMENTS * (width + _GAP), _GAP + len(videos) * (height + _GAP)), (255, 255, 255)
    )
    for row, video in enumerate(videos):
        for column, picture in enumerate(video.moments):
            corner = (_GAP + column * (width + _GAP), _GAP + row * (height + _GAP))
            sheet.paste(Image.fromarray(picture), corner)
    return sheet


def _framed(picture: Picture, colour: Colour, title: str, step: str) -> Picture:
    """Return a picture in a coloured frame, with words under it, of even size."""
    height, width = picture.shape[:2]
    bar = max(20, height // 14)
    size = (width + 2 * _FRAME, height + _FRAME + bar)
    image = Image.new("RGB", ((size[0] + 1) // 2 * 2, (size[1] + 1) // 2 * 2), colour)
    image.paste(Image.fromarray(picture), (_FRAME, _FRAME))
    draw, face, middle = ImageDraw.Draw(image), font(0.52 * bar), height + _FRAME + bar / 2
    draw.text((0.4 * bar, middle), title, fill=_WORDS, font=face, anchor="lm")
    draw.text((image.width - 0.4 * bar, middle), step, fill=_WORDS, font=face, anchor="rm")
    return np.asarray(image)


def _marked(picture: Picture, colour: Colour, success: bool) -> Picture:
    """Return a picture with a check mark or a cross on a coloured disc in its upper right corner."""
    image = Image.fromarray(picture)
    side, fine = image.width // 10, 4  # drawn larger and shrunk: smooth edges
    disc = Image.new("RGBA", (side * fine, side * fine))
    pen, unit = ImageDraw.Draw(disc), side * fine / 100
    pen.ellipse((0, 0, disc.width - 1, disc.height - 1), fill=(*colour, 255))
    check = [[(26, 52), (44, 70), (76, 34)]]
    cross = [[(32, 32), (68, 68)], [(68, 32), (32, 68)]]
    for line in check if success else cross:
        points = [(x * unit, y * unit) for x, y in line]
        pen.line(points, fill=(255, 255, 255, 255), width=round(11 * unit), joint="curve")
    disc = disc.resize((side, side), Image.Resampling.BOX)
    margin = _FRAME + side // 5
    image.paste(disc, (image.width - side - margin, margin), disc)
    return np.asarray(image)


def _small(picture: Picture) -> Picture:
    height = round(picture.shape[0] * _SMALL / picture.shape[1])
    return np.asarray(Image.fromarray(picture).resize((_SMALL, height), Image.Resampling.LANCZOS))
