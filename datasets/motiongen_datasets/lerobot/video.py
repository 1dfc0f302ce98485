"""Videos of a camera: encoding of pictures, and decoding of those at given times."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from motiongen.files import reading

CODEC, PIXELS = "h264", "yuv444p"
_OPTIONS = {"crf": "0", "preset": "veryfast", "tune": "fastdecode", "g": "8", "bf": "0"}
"""Lossless but for the conversion to YUV and back, at most 2 of 255; yuv420p would blur small coloured objects."""
_SEEK = 4.0
"""Gap in seconds between two segments that is skipped by a seek; a shorter one is decoded."""
_TOLERANCE = 0.25
"""Largest error of a picture's time, in frames."""


class VideoWriter:
    """Encoder of one H.264 file. Each call of `add` starts with a key frame.

    Args:
        path: the file.
        fps: pictures per second.
        height: of the pictures, pixels.
        width: of the pictures, pixels.
    """

    def __init__(self, path: Path, fps: Fraction, height: int, width: int) -> None:
        self.path, self.fps, self.frames = path, fps, 0
        self._container = av.open(str(path), "w")
        self._stream = self._container.add_stream("libx264", rate=fps, options=_OPTIONS)
        self._stream.pix_fmt, self._stream.height, self._stream.width = PIXELS, height, width

    @property
    def seconds(self) -> float:
        """Length of the video so far."""
        return float(self.frames / self.fps)

    def add(self, pictures: NDArray[np.uint8]) -> None:
        """Append pictures (R, H, W, 3)."""
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = self.frames, 1 / self.fps
            frame.pict_type = PictureType.I if number == 0 else PictureType.NONE
            self._container.mux(self._stream.encode(frame))
            self.frames += 1

    def close(self) -> None:
        """Write the pending pictures and close the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


def check_pictures(path: Path, size: tuple[int, int]) -> None:
    """Raise ValueError unless a video is there whose pictures have a size (H, W)."""
    with _open(path) as stream:
        _check_size(stream.codec_context, path, (*size, 3))


def read_video(path: Path, fps: float, segments: Sequence[tuple[float, NDArray[np.uint8]]]) -> None:
    """Write the pictures of segments of a video into arrays, decoding the video once.

    Args:
        path: the video, of any codec that FFmpeg decodes.
        fps: pictures per second.
        segments: (time in seconds at which it starts, array (R, H, W, 3) that is written to), in the order of time.

    Raises:
        ValueError: the video is missing or broken, its pictures have another size, or one of them is missing.
    """
    with _open(path) as stream:
        _check_size(stream.codec_context, path, segments[0][1].shape[1:])
        _read_segments(stream.container, stream, path, fps, segments)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    """Yield the pictures' stream of a video; whatever is broken in it raises ValueError."""
    if not path.is_file():
        raise ValueError(f"{path}: expected a video, found none")
    with reading(path, "a whole video", av.FFmpegError), av.open(str(path)) as container:
        if not container.streams.video:
            raise ValueError(f"{path}: expected a video, got a file without pictures")
        yield container.streams.video[0]


def _read_segments(
    container: Any, stream: Any, path: Path, fps: float, segments: Sequence[tuple[float, NDArray[np.uint8]]]
) -> None:
    """Write the pictures of segments of an open video into their arrays."""
    stream.thread_type = "AUTO"
    converter = VideoReformatter()  # one for all frames: three times as fast as one each
    frames, frame = container.decode(stream), None
    for start, pictures in segments:
        if frame is None or start - frame.time > _SEEK:
            container.seek(max(int(start / stream.time_base), 0), stream=stream)
            frames = container.decode(stream)
            frame = next(frames, None)
        found = np.zeros(len(pictures), bool)
        while frame is not None:
            at = (frame.time - start) * fps
            index = round(at)
            if index >= len(pictures):
                break
            if index >= 0 and abs(at - index) < _TOLERANCE:
                _check_size(frame, path, pictures.shape[1:])
                pictures[index] = converter.reformat(frame, format="rgb24").to_ndarray()
                found[index] = True
            frame = next(frames, None)
        if not found.all():
            missing = start + int(found.argmin()) / fps
            raise ValueError(
                f"{path}: expected {len(pictures)} pictures from {start:.3f} s on, got none at {missing:.3f} s"
            )


def _check_size(frame: Any, path: Path, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless a frame has a shape (H, W, 3)."""
    if (frame.height, frame.width) != shape[:2]:
        raise ValueError(
            f"{path}: expected pictures of shape {shape}, got ({frame.height}, {frame.width}, 3)"
        )
