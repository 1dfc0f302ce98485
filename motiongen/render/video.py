"""Writers of pictures as MP4 and WebM (PyAV) and as GIF (Pillow)."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from motiongen.music.audio import Audio, SoundTrack

Picture = NDArray[np.uint8]
Item = TypeVar("Item")

_AHEAD = 4  # pictures drawn before the encoder has taken them
_RATES = {"aac": (16_000, 22_050, 24_000, 32_000, 48_000, 44_100), "libopus": (48_000,)}
_SOUND_BITS = 128_000
_BT709 = 1  # the number of that matrix, transfer curve and primaries in H.264 and MP4


def write_mp4(
    pictures: Iterable[Picture], path: Path, size: tuple[int, int], fps: float, audio: Audio | None = None
) -> None:
    """Write pictures (height, width, 3), RGB, as H.264, or as MPEG-4 part 2 where PyAV was built without x264.

    Args:
        pictures: all frames.
        path: the file.
        size: width and height of each, even.
        fps: frames a second.
        audio: sound from the first picture to the last, written as AAC.

    Raises:
        ValueError: there is sound, and PyAV was built without AAC.
    """
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        if "libx264" in av.codecs_available:
            codec, options = "libx264", {"crf": "19", "preset": "veryfast"}
        else:
            codec, options = "mpeg4", {"qscale": "3"}
        _write(container, pictures, size, fps, (codec, options), audio, "aac")


def write_webm(
    pictures: Iterable[Picture], path: Path, size: tuple[int, int], fps: float, audio: Audio | None = None
) -> None:
    """Write pictures (height, width, 3), RGB, as VP9 with sound as Opus, whose codecs are free of royalties and of GPL.

    The arguments are those of `write_mp4`.

    Raises:
        ValueError: PyAV was built without VP9 or Opus.
    """
    if "libvpx-vp9" not in av.codecs_available:
        raise ValueError(f"{path.name}: expected a PyAV with VP9, got one without; write .mp4 instead")
    options = {"crf": "24", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
    with av.open(str(path), "w", format="webm") as container:
        _write(container, pictures, size, fps, ("libvpx-vp9", options), audio, "libopus")


def _write(
    container: Any,
    pictures: Iterable[Picture],
    size: tuple[int, int],
    fps: float,
    codec: tuple[str, dict[str, str]],
    audio: Audio | None,
    sound_codec: str,
) -> None:
    """Encode pictures by a codec, and sound by another, into a container."""
    rate = Fraction(fps).limit_denominator(1001)
    stream = container.add_stream(codec[0], rate=rate, options=codec[1])
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"  # the one that every player and browser shows
    context = stream.codec_context
    context.thread_count = 2  # fixed: x264's output depends on it
    context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, *[_BT709] * 3
    sound = _Sound(container, audio, rate, sound_codec) if audio is not None else None
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", src_colorspace="ITU709", dst_colorspace="ITU709")
        container.mux(stream.encode(frame))
        if sound is not None:
            container.mux(sound.of(index))
    container.mux(stream.encode(None))
    if sound is not None:
        container.mux(sound.track.finish())


class _Sound:
    """The sound track of a video, encoded picture by picture so that both are interleaved in the file."""

    def __init__(self, container: Any, audio: Audio, rate: Fraction, codec: str) -> None:
        if codec not in av.codecs_available:
            raise ValueError(
                f"audio: expected a PyAV with {codec}, got one without; write the video without sound"
            )
        rates = _RATES[codec]
        own = audio.sample_rate if audio.sample_rate in rates else rates[-1]
        stream = container.add_stream(codec, rate=own, layout="mono", bit_rate=_SOUND_BITS)
        self.track = SoundTrack(stream, audio.sample_rate)
        self._samples, self._step = audio.samples, audio.sample_rate / rate

    def of(self, index: int) -> list[Any]:
        """Return the packets that are complete with the samples of a picture."""
        return self.track.encode(self._samples[round(index * self._step) : round((index + 1) * self._step)])


def write_gif(pictures: Iterable[Picture], path: Path, samples: Iterable[Picture], delay: int) -> None:
    """Write pictures (height, width, 3), RGB, as a GIF that loops.

    Args:
        pictures: all frames.
        path: the file.
        samples: a few frames from which the palette of all frames is made.
        delay: hundredths of a second that a frame lasts; GIF has no finer unit.
    """
    palette = Image.fromarray(np.concatenate(list(samples))).quantize(255, method=Image.Quantize.MEDIANCUT)
    frames = (Image.fromarray(p).quantize(palette=palette, dither=Image.Dither.NONE) for p in pictures)
    first = next(frames)
    first.save(
        path, format="GIF", save_all=True, append_images=frames, duration=delay * 10, loop=0, optimize=False
    )


def shrink(picture: Picture, factor: int) -> Picture:
    """Return RGB (H / factor, W / factor, 3) of a picture (H, W, 4) in blue, green, red order, averaged."""
    height, width = picture.shape[:2]
    image = Image.frombuffer("RGBX", (width, height), picture, "raw", "RGBX", 0, 1)  # no copy: channels wait
    small = np.asarray(image.reduce(factor) if factor > 1 else image)
    return np.ascontiguousarray(small[..., 2::-1])


def draw_and_write(items: Iterable[Item], write: Callable[[Iterator[Item]], None]) -> None:
    """Call write(iterator over items) in a second thread, while the items are made in this one.

    Graphics need the caller's thread, and the encoder works beside them. An exception in either thread ends both.

    Args:
        items: the items, made one at a time.
        write: takes an iterator over them until it ends.
    """
    waiting: queue.Queue[Item | None] = queue.Queue(maxsize=_AHEAD)
    failure: list[BaseException] = []
    complete = False

    def received() -> Iterator[Item]:
        while (item := waiting.get()) is not None:
            yield item
        if not complete:
            raise InterruptedError("the drawing ended early")

    def run() -> None:
        try:
            write(received())
        except BaseException as error:  # handed to the caller's thread, whatever it is
            failure.append(error)

    worker = threading.Thread(target=run, name="motiongen-encoder")
    worker.start()
    try:
        for item in items:
            if not _put(waiting, item, worker):
                break
        complete = True
    finally:
        _put(waiting, None, worker)
        worker.join()
    if failure:
        raise failure[0]


def _put(waiting: "queue.Queue[Item | None]", item: Item | None, worker: threading.Thread) -> bool:
    """Put an item as soon as there is room; return False when the worker has ended."""
    while worker.is_alive():
        try:
            waiting.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
