"""Sound files read and written by PyAV, as mono samples."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from motiongen import limits
from motiongen.atomic import atomic_path
from motiongen.files import reading

Samples = NDArray[np.float32]
"""Mono samples (S,), -1 to 1."""

SAMPLE_RATE = 15360
HOP = 512
"""Sample rate and step of the music features: 30 frames a second exactly."""
MAX_SECONDS = 3600.0
"""Longest piece that is read at once, seconds."""

_RATES = (4000, 384_000)
_PREROLL = 1.0
"""Seconds decoded before the start asked for: compressed frames depend on those before them."""
_BLOCK = 1 << 16
_UNTIMED = {"aac", "ac3", "amr", "amrnb", "amrwb", "dts", "eac3", "loas", "mp3", "truehd"}
"""FFmpeg's names of formats without times: it guesses their length, and places in them, from the bit rate."""
_CODECS = {
    ".wav": ("pcm_s16le", "s16", None),
    ".flac": ("flac", "s16", None),
    ".ogg": ("libopus", "flt", 48_000),
    ".mp3": ("libmp3lame", "fltp", 48_000),
    ".m4a": ("aac", "fltp", 48_000),
}
"""Extension -> codec, its sample format, and the one sample rate that all players know; None keeps the rate."""


@dataclass(frozen=True)
class Audio:
    """Mono sound.

    Attributes:
        samples: (S,) float32, -1..1.
        sample_rate: samples a second.
    """

    samples: Samples
    sample_rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or not _RATES[0] <= self.sample_rate <= _RATES[1]:
            raise ValueError(
                f"audio: expected samples (S,) at {_RATES[0]} to {_RATES[1]} a second, got {self.samples.shape} at "
                f"{self.sample_rate}; mix to mono and resample"
            )

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate


def read_audio(
    path: str | Path, *, start: float = 0.0, seconds: float | None = None, sample_rate: int = 22050
) -> Audio:
    """Return the sound of a file (wav, mp3, ogg, flac, m4a, the sound of a video …), its channels averaged.

    Only the part asked for is decoded. Samples beyond -1..1 are clipped, as a player does.

    Args:
        path: the file.
        start: seconds to leave out at the beginning.
        seconds: length to read, None for all of it; the result is shorter where the file ends earlier.
        sample_rate: samples a second of the result; 22050 is enough for beats and features, 44100 for listening.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds no sound, ends before the start, or is too long.
    """
    path = Path(path)
    if not 0 <= start <= limits.MAX_START:
        raise ValueError(
            f"start: expected 0 to {limits.MAX_START:g} seconds, got {start}; leave it out for the beginning"
        )
    if seconds is not None and not 0 < seconds <= MAX_SECONDS:
        raise ValueError(
            f"seconds: expected more than 0 and at most {MAX_SECONDS:g}, got {seconds}; or leave it out"
        )
    with _opened(path) as container:
        if seconds is None and (container.duration or 0) / av.time_base - start > MAX_SECONDS:
            length = probe_seconds(path)  # the packets tell whether that is true
            if length - start > MAX_SECONDS:
                raise _too_long(length)
        samples = _decode(container, start, seconds, sample_rate)
    if samples is None:
        raise _too_long(probe_seconds(path))
    if not len(samples):
        if start > 0:
            raise _too_late(path, start, probe_seconds(path))
        raise ValueError(f"{path}: expected sound, got none that can be decoded; check the file")
    return Audio(samples, sample_rate)


def probe_seconds(path: str | Path) -> float:
    """Return the length of a file until its sound ends, seconds, from its packets: none is decoded.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file holds no sound.
    """
    with _opened(Path(path)) as container:
        stream = container.streams.audio[0]
        origin = _origin(container)
        # Lengths that files state may be guesses, or those of recordings that were cut off.
        ends = (
            packet.pts + (packet.duration or 0)
            for packet in container.demux(stream)
            if packet.pts is not None
        )
        return max(max(ends, default=0) * float(stream.time_base) - origin, 0.0)


def write_audio(audio: Audio, path: str | Path) -> None:
    """Write sound to .wav, .flac (16 bits), .ogg (Opus), .mp3 or .m4a (all at 48 kHz), whole or not at all.

    Raises:
        FileNotFoundError: the folder does not exist.
        ValueError: an unknown extension, or a codec that this build of PyAV lacks.
    """
    path = Path(path)
    if path.suffix.lower() not in _CODECS:
        raise ValueError(
            f"{path}: expected one of {', '.join(_CODECS)}, got {path.suffix or 'no extension'!r}; choose one"
        )
    codec, form, rate = _CODECS[path.suffix.lower()]
    if codec not in av.codecs_available:
        raise ValueError(f"{path}: expected a PyAV with {codec}, got one without; write .wav instead")
    with atomic_path(path) as aside, av.open(str(aside), "w") as container:
        stream = container.add_stream(codec, rate=rate or audio.sample_rate, layout="mono", format=form)
        track = SoundTrack(stream, audio.sample_rate)
        for first in range(0, len(audio.samples), _BLOCK):
            container.mux(track.encode(audio.samples[first : first + _BLOCK]))
        container.mux(track.finish())


class SoundTrack:
    """Encodes mono samples, part by part, into an audio stream of a PyAV container, from a time on."""

    def __init__(self, stream: Any, sample_rate: int, *, begin: float = 0.0) -> None:
        """Open the stream's codec.

        Args:
            stream: a stream of `container.add_stream`, with a rate, layout and format that its codec knows.
            sample_rate: samples a second of the samples to come; they are resampled to the stream's.
            begin: time of the first sample, seconds.
        """
        self._stream, self._rate, self._count = stream, sample_rate, round(begin * sample_rate)
        codec = stream.codec_context
        codec.open()
        # Most codecs take frames of one size only: the resampler cuts them too.
        self._resampler = av.AudioResampler(
            codec.format, codec.layout, codec.sample_rate, codec.frame_size or None
        )

    def encode(self, samples: Samples) -> list[Any]:
        """Return the packets that are complete with the next samples (S,)."""
        if not len(samples):
            return []
        clipped = np.clip(samples, -1.0, 1.0).astype(np.float32)[None]  # (1, S)
        frame = av.AudioFrame.from_ndarray(clipped, format="flt", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = self._rate, self._count, Fraction(1, self._rate)
        self._count += len(samples)
        return [packet for part in self._resampler.resample(frame) for packet in self._stream.encode(part)]

    def finish(self) -> list[Any]:
        """Return the last packets."""
        rest = self._resampler.resample(None) if self._count else []
        return [packet for part in [*rest, None] for packet in self._stream.encode(part)]


def clock(seconds: float) -> str:
    """Return a length in seconds as minutes and hours: 0:07, 3:25, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file that holds sound; a file that FFmpeg cannot read is a ValueError."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: expected a sound file, got no such file; check the path")
    try:
        # A rate that changes midway is an error without a name.
        with reading(path, "sound"), av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                kind = "a video without any" if container.streams.video else "none"
                raise ValueError(f"{path}: expected sound, got {kind}; choose another file")
            yield container
    except av.error.FFmpegError as error:
        raise ValueError(
            f"{path}: expected a sound file such as wav, mp3, ogg or flac, got what FFmpeg cannot read "
            f"({error.strerror}); check the file"
        ) from error


def _origin(container: Any) -> float:
    """Return the time, seconds, at which players begin: where sound begins later, there is silence before it."""
    return (container.start_time or 0) / av.time_base


def _decode(container: Any, start: float, seconds: float | None, sample_rate: int) -> Samples | None:
    """Return the samples (S,) from `start` on, at most `seconds` of them; None if there are more than can be read."""
    stream = container.streams.audio[0]
    origin = _origin(container)
    early = start - _PREROLL + origin
    if start > _PREROLL and container.format.name not in _UNTIMED:
        container.seek(int(early / stream.time_base), stream=stream)
    resampler = av.AudioResampler("fltp", rate=sample_rate)  # keeps channels: FFmpeg's own mix is 3 dB louder
    wanted = round((MAX_SECONDS if seconds is None else seconds) * sample_rate)
    skip, count = None, 0
    parts: list[Samples] = []
    for frame in _frames(container, stream, early):
        if skip is None:
            began = origin if frame is None or frame.time is None else frame.time
            skip = round((start + origin - began) * sample_rate)
            if skip < 0 and frame is not None:
                parts.append(np.zeros(min(-skip, wanted), np.float32))
                count = -skip
            skip = max(skip, 0)
        for resampled in resampler.resample(frame):
            mono = resampled.to_ndarray().mean(axis=0, dtype=np.float32)  # (S,)
            parts.append(mono[skip:])
            skip = max(skip - len(mono), 0)
            count += len(parts[-1])
        if count > wanted:
            break
    if seconds is None and count > wanted:
        return None
    samples = np.concatenate(parts)[:wanted] if parts else np.zeros(0, np.float32)
    return np.clip(np.nan_to_num(samples), -1.0, 1.0)


def _frames(container: Any, stream: Any, begin: float) -> Iterator[Any]:
    """Yield decoded frames from packets that end after `begin`, then None; damaged ones are left out, as players do."""
    first = begin / float(stream.time_base)
    for packet in container.demux(stream):
        if packet.pts is not None and packet.pts + (packet.duration or 0) < first:
            continue
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue
    yield None


def _too_late(path: Path, start: float, length: float) -> ValueError:
    return ValueError(
        f"{path}: expected to begin before the music ends, got {start:g} s where it ends at {clock(length)}; "
        "begin sooner"
    )


def _too_long(length: float) -> ValueError:
    return ValueError(
        f"music: expected at most {MAX_SECONDS / 60:.0f} min, got {clock(length)}; choose a part with --from "
        "and --seconds"
    )
