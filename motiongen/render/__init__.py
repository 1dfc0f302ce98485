"""Motion drawn as videos and pictures by Panda3D, without a screen: a registry of picture formats, and render.

Importing this package costs no torch: drawing.py is imported when something is drawn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from motiongen.atomic import atomic_path
from motiongen.registry import lookup_extension

if TYPE_CHECKING:
    from motiongen.body.smpl import SmplBody
    from motiongen.motion import Motion
    from motiongen.music.audio import Audio
    from motiongen.render.caption import Captions
    from motiongen.render.drawing import RenderJob
    from motiongen.skinned_mesh import SkinnedMesh

__all__ = ["PICTURES", "PictureSpec", "drawable", "picture_of", "render"]

Progress = Callable[[int, int], None]
"""Called with (frames done, frames in all) after each frame."""


class Drawer(Protocol):
    """Function that draws a job to a file; the same job gives the same pixels."""

    def __call__(self, job: "RenderJob", path: Path, /) -> None:
        """Draw the job's motions to a path."""
        ...


@dataclass(frozen=True, kw_only=True)
class PictureSpec:
    """One format of videos or pictures.

    Attributes:
        name: name of the format, for messages.
        summary: contents of a file, in a few words.
        extensions: lower-case file extensions, each with its dot.
        draw: draws a job to a file.
    """

    name: str
    summary: str
    extensions: tuple[str, ...]
    draw: Drawer


def _draw_mp4(job: "RenderJob", path: Path) -> None:
    from motiongen.render.drawing import draw_mp4

    draw_mp4(job, path)


def _draw_webm(job: "RenderJob", path: Path) -> None:
    from motiongen.render.drawing import draw_webm

    draw_webm(job, path)


def _draw_gif(job: "RenderJob", path: Path) -> None:
    from motiongen.render.drawing import draw_gif

    draw_gif(job, path)


def _draw_png(job: "RenderJob", path: Path) -> None:
    from motiongen.render.drawing import draw_png

    draw_png(job, path)


PICTURES: dict[str, PictureSpec] = {
    "mp4": PictureSpec(name="MP4", summary="a video, with sound", extensions=(".mp4",), draw=_draw_mp4),
    "webm": PictureSpec(
        name="WebM", summary="a video, with sound, in free codecs", extensions=(".webm",), draw=_draw_webm
    ),
    "gif": PictureSpec(
        name="GIF", summary="a video that loops, without sound", extensions=(".gif",), draw=_draw_gif
    ),
    "png": PictureSpec(
        name="PNG", summary="a sheet of poses over time", extensions=(".png",), draw=_draw_png
    ),
}
"""Name -> picture format. Whatever draws motion finds its formats here."""


def picture_of(path: str | Path) -> PictureSpec:
    """Return the picture format that a path's extension names.

    Raises:
        ValueError: no picture format has that extension; the message lists those that are known.
    """
    return lookup_extension(PICTURES, path)


def drawable() -> tuple[str, ...]:
    """Return the extensions of the picture formats."""
    return tuple(extension for spec in PICTURES.values() for extension in spec.extensions)


def render(
    motion: "Motion | Sequence[Motion]",
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    captions: "Captions" = None,
    body: "SkinnedMesh | SmplBody | str | Path | None" = None,
    fps: float | None = None,
    poses: int = 8,
    audio: "Audio | None" = None,
    progress: Progress | None = None,
    display: str = "auto",
) -> None:
    """Draw a motion, or several side by side, to a video or picture whose extension names its format in PICTURES.

    The same input gives the same pixels.

    Args:
        motion: SMPL-22 is drawn as a body, any other skeleton bone by bone.
        path: a file to make or replace, whole or not at all.
        size: width and height in pixels, rounded down to even ones for video; by default 960 x 540, 640 x 360 for a
            GIF, and for a sheet 1600 wide and as high as it needs.
        captions: texts to show: one, or several as (start, end, text) in seconds.
        body: a rigged mesh or an SMPL-family body (or its model file) instead of motiongen's own body.
        fps: frames a second; by default the motion's own up to 60, 30 for faster ones, at most 25 in a GIF.
        poses: number of poses on a sheet.
        audio: sound of an MP4 or WebM, from its first frame to its last; other pictures are silent.
        progress: called with (frames done, frames in all) after each frame.
        display: "auto", "egl" (a GPU) or "software".

    Raises:
        ValueError: an unknown extension, a folder that is missing, or options out of range.
    """
    path = Path(path)
    spec = picture_of(path)
    _check(path, size, fps, poses)
    from motiongen.render.drawing import RenderJob

    job = RenderJob.of(
        motion,
        size=size,
        captions=captions,
        body=body,
        fps=fps,
        poses=poses,
        audio=audio,
        progress=progress,
        display=display,
    )
    with atomic_path(path) as aside:
        spec.draw(job, aside)


def _check(path: Path, size: tuple[int, int] | None, fps: float | None, poses: int) -> None:
    """Raise ValueError for a missing folder or options out of range."""
    if not path.parent.is_dir():
        raise ValueError(f"{path}: expected an existing folder, got {path.parent}; make it first")
    if size is not None and not (len(size) == 2 and all(16 <= side <= 4096 for side in size)):
        raise ValueError(f"size: expected width and height of 16 to 4096 pixels, got {size}; try 960 x 540")
    if fps is not None and not 1 <= fps <= 240:
        raise ValueError(
            f"fps: expected 1 to 240 frames a second, got {fps}; leave it out for the motion's own"
        )
    if poses < 1:
        raise ValueError(f"poses: expected at least 1, got {poses}; try 8")
