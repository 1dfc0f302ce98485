"""Render jobs, and the functions that draw them in each picture format."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.body.smpl import SmplBody
from motiongen.motion import Motion
from motiongen.music.audio import Audio
from motiongen.render.camera import plan_camera
from motiongen.render.canvas import Canvas
from motiongen.render.caption import Captions, CaptionTrack, timed
from motiongen.render.character import Character, character_of, is_own, with_tips
from motiongen.render.clip import Clip, prepare
from motiongen.render.scene import BACKGROUND, Scene
from motiongen.render.sheet import draw_sheet
from motiongen.render.video import Picture, draw_and_write, shrink, write_gif, write_mp4, write_webm
from motiongen.skinned_mesh import SkinnedMesh

_VIDEO_SIZE, _GIF_SIZE = (960, 540), (640, 360)
_MAX_FPS = 60.0  # faster motion is drawn at 30
_GIF_FPS = 25.0
_SUPERSAMPLING = 2  # drawn larger by this factor, then shrunk: the software display smooths no edges itself
_PALETTE_FRAMES = 5  # frames that a GIF's palette is made from

Body = SkinnedMesh | SmplBody | str | Path | None
"""A rigged mesh, an SMPL-family body, its model file, or None for motiongen's own body."""
_Drawn = tuple[int, NDArray[np.uint8]]
"""A frame's number and its pixels as drawn."""


@dataclass(frozen=True, kw_only=True)
class RenderJob:
    """Motions to draw, and the options of `render`.

    Attributes:
        motions: one or more, drawn side by side.
        size: width and height in pixels; None for the format's own.
        captions: one text, or several as (start, end, text) in seconds.
        body: the body of SMPL-22 motions.
        fps: frames a second; None for the motion's own.
        poses: number of poses on a sheet.
        audio: sound of a video.
        progress: called with (frames done, frames in all).
        display: "auto", "egl" or "software".
    """

    motions: tuple[Motion, ...]
    size: tuple[int, int] | None
    captions: Captions
    body: Body
    fps: float | None
    poses: int
    audio: Audio | None
    progress: Callable[[int, int], None] | None
    display: str

    @classmethod
    def of(
        cls,
        motion: Motion | Sequence[Motion],
        *,
        size: tuple[int, int] | None,
        captions: Captions,
        body: Body,
        fps: float | None,
        poses: int,
        audio: Audio | None,
        progress: Callable[[int, int], None] | None,
        display: str,
    ) -> "RenderJob":
        """Return the job of drawing one motion or several, brought to the CPU; arguments as for the attributes."""
        motions = [motion] if isinstance(motion, Motion) else list(motion)
        if not motions:
            raise ValueError(
                "motion: expected at least one motion, got none; pass a Motion or a list of them"
            )
        motions = [each.to("cpu") for each in motions]
        if isinstance(body, SkinnedMesh):
            motions = [with_tips(each, body) if is_own(each, body) else each for each in motions]
        return cls(
            motions=tuple(motions),
            size=size,
            captions=captions,
            body=body,
            fps=fps,
            poses=poses,
            audio=audio,
            progress=progress,
            display=display,
        )

    @property
    def rate(self) -> float:
        """Frames a second to draw: those asked for, else the motion's own up to 60, else 30."""
        own = self.motions[0].fps
        return self.fps or (own if own <= _MAX_FPS else 30.0)

    def report(self, done: int, total: int) -> None:
        """Call `progress`, if there is one."""
        if self.progress is not None:
            self.progress(done, total)


def draw_png(job: RenderJob, path: Path) -> None:
    """Draw a sheet of poses over time."""
    clip, characters, captions = _prepared(job, job.rate)
    sheet = draw_sheet(clip, characters, captions, job.size, poses=job.poses, display=job.display)
    sheet.save(path, format="PNG")
    job.report(1, 1)


def draw_mp4(job: RenderJob, path: Path) -> None:
    """Draw a video, with the job's sound."""
    _draw_video(job, path, write_mp4)


def draw_webm(job: RenderJob, path: Path) -> None:
    """Draw a video in codecs that anyone may ship, with the job's sound."""
    _draw_video(job, path, write_webm)


def _draw_video(job: RenderJob, path: Path, write: Callable[..., None]) -> None:
    clip, characters, captions = _prepared(job, job.rate)
    video = _VideoDrawing(job, clip, captions, _even(job.size or _VIDEO_SIZE))
    with video.canvas() as canvas:
        drawn = video.frames(Scene(canvas, _held(characters, clip)))
        draw_and_write(
            drawn,
            lambda items: write(map(video.finished, items), path, video.size, clip.fps, job.audio),
        )


def draw_gif(job: RenderJob, path: Path) -> None:
    """Draw a GIF that loops; its frames last whole hundredths of a second."""
    rate = 100 / max(2, round(100 / min(job.rate, job.fps or _GIF_FPS)))
    clip, characters, captions = _prepared(job, rate)
    video = _VideoDrawing(job, clip, captions, _even(job.size or _GIF_SIZE))
    with video.canvas() as canvas:
        scene = Scene(canvas, _held(characters, clip))
        sampled = np.unique(np.linspace(0, clip.num_frames - 1, _PALETTE_FRAMES).astype(int)).tolist()
        samples = [video.finished(video.frame(scene, frame)) for frame in sampled]
        delay = round(100 / clip.fps)
        draw_and_write(
            video.frames(scene), lambda items: write_gif(map(video.finished, items), path, samples, delay)
        )


class _VideoDrawing:
    """The frames of a video: camera, captions and pixels of a clip at one size."""

    def __init__(
        self,
        job: RenderJob,
        clip: Clip,
        captions: Sequence[tuple[float, float, str]],
        size: tuple[int, int],
    ) -> None:
        self.size = size
        self._job, self._clip = job, clip
        self._captions = CaptionTrack(captions, size)
        self._camera = plan_camera(
            clip.points, clip.centres, clip.yaw, clip.fps, size[0] / size[1], self._captions.foot
        )

    def canvas(self) -> Canvas:
        """Return a canvas for the frames as they are drawn, larger than the video."""
        width, height = self.size
        return Canvas(
            (width * _SUPERSAMPLING, height * _SUPERSAMPLING), BACKGROUND, display=self._job.display
        )

    def frame(self, scene: Scene, frame: int) -> _Drawn:
        """Draw one frame."""
        return frame, scene.draw(frame, self._camera.eye(frame), self._camera.targets[frame])

    def frames(self, scene: Scene) -> Iterator[_Drawn]:
        """Draw all frames in order, reporting each to the job."""
        for frame in range(self._clip.num_frames):
            yield self.frame(scene, frame)
            self._job.report(frame + 1, self._clip.num_frames)

    def finished(self, drawn: _Drawn) -> Picture:
        """Return the picture of a drawn frame: shrunk, with its caption."""
        frame, pixels = drawn
        picture = shrink(pixels, _SUPERSAMPLING)
        self._captions.draw(picture, frame / self._clip.fps)
        return picture


class _HeldCharacter:
    """A character that keeps its last pose past the end of its motion."""

    def __init__(self, character: Character, frames: int) -> None:
        self.faces, self.colours = character.faces, character.colours
        self._character, self._last = character, frames - 1

    def pose(self, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return self._character.pose(min(frame, self._last))


def _held(characters: Sequence[Character], clip: Clip) -> list[Character]:
    return [_HeldCharacter(c, m.num_frames) for c, m in zip(characters, clip.motions, strict=True)]


def _prepared(job: RenderJob, fps: float) -> tuple[Clip, list[Character], list[tuple[float, float, str]]]:
    """Return the clip to draw at a rate, the character of each motion, and the captions."""
    clip = prepare(job.motions, fps)
    captions = timed(job.captions, clip.seconds)
    return clip, [character_of(motion, job.body) for motion in clip.motions], captions


def _even(size: tuple[int, int]) -> tuple[int, int]:
    return (size[0] // 2 * 2, size[1] // 2 * 2)
