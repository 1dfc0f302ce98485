"""Motion into pictures: MP4, GIF, or a PNG sheet of poses, drawn by Panda3D without a screen."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.body import BodyMesh
from motiongen.body.smpl import SmplBody
from motiongen.io.atomic import atomic_path
from motiongen.motion import Motion
from motiongen.music.audio import Audio
from motiongen.render.camera import plan_shot
from motiongen.render.canvas import Canvas
from motiongen.render.caption import Captions, CaptionTrack, timed
from motiongen.render.character import Character, character_of
from motiongen.render.clip import Clip, prepare
from motiongen.render.scene import BACKGROUND, Scene
from motiongen.render.sheet import draw_sheet
from motiongen.render.video import draw_and_write, shrink, write_gif, write_mp4

__all__ = ["PICTURES", "Captions", "render"]

PICTURES = (".mp4", ".gif", ".png")
"""Extensions that `render` knows."""

_VIDEO_SIZE, _GIF_SIZE = (960, 540), (640, 360)
_FASTEST = 60.0
_GIF_RATE = 25.0
_FINE = 2  # drawn larger by this, then shrunk: the software display smooths no edges itself

Progress = Callable[[int, int], None]


def render(
    motion: Motion | Sequence[Motion],
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    captions: Captions = None,
    body: BodyMesh | SmplBody | str | Path | None = None,
    fps: float | None = None,
    poses: int = 8,
    audio: Audio | None = None,
    progress: Progress | None = None,
    display: str = "auto",
) -> None:
    """Draw a motion, or several side by side, to .mp4, .gif or .png (a sheet of poses over time).

    The same input gives the same pixels.

    Args:
        motion: SMPL-22 is drawn as a body, any other skeleton bone by bone.
        path: the file; its extension says what is drawn. It is there whole or not at all.
        size: width and height in pixels, rounded down to even ones for video; by default 960 x 540, 640 x 360 for a
            GIF, and for a sheet 1600 wide and as high as it needs.
        captions: words to show: a text, or several as (start, end, text) in seconds.
        body: a rigged mesh or an SMPL-family body (or its model file) instead of the body that is shipped.
        fps: frames a second; by default the motion's own up to 60, 30 for faster ones, at most 25 in a GIF.
        poses: how many poses a sheet shows.
        audio: what is heard in an MP4 from the first frame to the last; other pictures are silent.
        progress: called with (frames done, frames in all) after each frame.
        display: "auto", "egl" (a GPU) or "software".

    Raises:
        ValueError: an unknown extension, a folder that is missing, or options that cannot be.
    """
    path = Path(path)
    _check(path, size, fps, poses)
    motions = [motion] if isinstance(motion, Motion) else list(motion)
    clip = prepare(motions, _rate(path.suffix.lower(), motions[0].fps if motions else 30.0, fps))
    words = timed(captions, clip.seconds)
    characters = [character_of(each, body) for each in clip.motions]
    with atomic_path(path) as aside:
        if path.suffix.lower() == ".png":
            draw_sheet(clip, characters, words, size, poses=poses, display=display).save(aside, format="PNG")
            if progress is not None:
                progress(1, 1)
            return
        size = size or (_GIF_SIZE if path.suffix.lower() == ".gif" else _VIDEO_SIZE)
        size = (size[0] // 2 * 2, size[1] // 2 * 2)
        _write_video(clip, characters, words, size, aside, audio, progress, display)


def _write_video(
    clip: Clip,
    characters: Sequence[Character],
    captions: Sequence[tuple[float, float, str]],
    size: tuple[int, int],
    path: Path,
    audio: Audio | None,
    progress: Progress | None,
    display: str,
) -> None:
    track = CaptionTrack(captions, size)
    shot = plan_shot(clip.points, clip.centres, clip.yaw, clip.fps, size[0] / size[1], track.foot)

    def finished(drawn: tuple[int, NDArray[np.uint8]]) -> NDArray[np.uint8]:
        frame, pixels = drawn
        picture = shrink(pixels, _FINE)
        track.lay(picture, frame / clip.fps)
        return picture

    with Canvas((size[0] * _FINE, size[1] * _FINE), BACKGROUND, display=display) as canvas:
        scene = Scene(canvas, [_Held(c, m.num_frames) for c, m in zip(characters, clip.motions, strict=True)])

        def draw(frame: int) -> tuple[int, NDArray[np.uint8]]:
            return frame, scene.draw(frame, shot.eye(frame), shot.targets[frame])

        def draw_all() -> Iterator[tuple[int, NDArray[np.uint8]]]:
            for frame in range(clip.num_frames):
                yield draw(frame)
                if progress is not None:
                    progress(frame + 1, clip.num_frames)

        if path.suffix.lower() == ".mp4":
            draw_and_write(
                draw_all(), lambda items: write_mp4(map(finished, items), path, size, clip.fps, audio)
            )
            return
        sampled = np.unique(np.linspace(0, clip.num_frames - 1, 5).astype(int)).tolist()
        samples = [finished(draw(frame)) for frame in sampled]
        delay = round(100 / clip.fps)
        draw_and_write(draw_all(), lambda items: write_gif(map(finished, items), path, samples, delay))


class _Held:
    """A character whose last pose goes on."""

    def __init__(self, character: Character, frames: int) -> None:
        self.faces, self.colours = character.faces, character.colours
        self._character, self._last = character, frames - 1

    def pose(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._character.pose(min(frame, self._last))


def _rate(extension: str, own: float, wanted: float | None) -> float:
    """Return the frames a second that are drawn."""
    rate = wanted or (own if own <= _FASTEST else 30.0)
    if extension == ".gif":
        return 100 / max(2, round(100 / min(rate, wanted or _GIF_RATE)))  # whole hundredths of a second
    return rate


def _check(path: Path, size: tuple[int, int] | None, fps: float | None, poses: int) -> None:
    extension = path.suffix.lower()
    if extension not in PICTURES:
        near = difflib.get_close_matches(extension, PICTURES, n=1, cutoff=0.0)[0]
        raise ValueError(
            f"{path}: expected one of {', '.join(PICTURES)}, got {extension or 'no extension'}; did you mean {near}?"
        )
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
