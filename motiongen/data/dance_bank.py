"""Dance bank: rhythmic clips of a cache, warped to a constant tempo and paired with several songs.

A clip whose beat is known (`meta["bpm"]`, `meta["first_beat"]`) is not warped; if its audio is available
(`meta["audio"]`), it is one of the songs. The other songs are synthesised at the tempo of the clip, so that their beats
are exact. The bank is computed once, stored in a folder beside the cache, and memory-mapped.
"""

import json
import logging
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.atomic import atomic_path
from motiongen.checkpoint import config_from_dict
from motiongen.data.cache import ClipCache, ClipRecord
from motiongen.data.dance_bank_config import DanceBankConfig
from motiongen.data.pairing import Pairing, pair
from motiongen.files import read_json, reading
from motiongen.kinematic_beats import kinematic_beats
from motiongen.motion import Motion
from motiongen.music.audio import Audio, read_audio
from motiongen.music.beats import beat_one_hot
from motiongen.music.features import MUSIC_DIM, music_features
from motiongen.music.synthesis import STYLES, synthesise

log = logging.getLogger(__name__)

BANK_VERSION = 1
INDEX = "pairs.json"
"""Written last: a bank without it is not whole."""
_ROWS = 1 << 16
"""Rows whose numbers are checked at once."""
IDLE = "idle"
"""Content of clips that are paired with silence."""
RHYTHMIC = ("jumping-jacks", "karate", "walk")
"""Contents of rhythmic motion that is no dance; each is a style of its own."""
LONGEST = 60.0
"""Seconds; longer clips are split into segments."""


@dataclass(frozen=True)
class PairRecord:
    """A warped motion paired with songs.

    Attributes:
        clip: id of the clip.
        split: of the clip.
        style: dance style, or a content of RHYTHMIC, or IDLE.
        is_dance: whether the style is a dance style.
        bpm: tempo, beats a minute; 0 for idles.
        first_beat: seconds from the first frame; see `Pairing`.
        score: see `Pairing`.
        songs: number of songs.
        start: first frame in the bank.
        num_frames: T at 30 fps.
    """

    clip: str
    split: str
    style: str
    is_dance: bool
    bpm: float
    first_beat: float
    score: float
    songs: int
    start: int = 0
    num_frames: int = 0

    def __post_init__(self) -> None:
        if self.songs < 1 or self.start < 0 or self.num_frames < 0 or not 0 <= self.bpm <= 1000:
            raise ValueError(f"pair: expected songs, frames and a tempo that can be, got {self}")

    def beat_times(self) -> Tensor:
        """Return the beat times (K,), seconds from the first frame."""
        if not self.bpm:
            return torch.zeros(0, dtype=torch.float64)
        period = 60 / self.bpm
        first = self.first_beat % period
        count = int(np.ceil((self.num_frames / features.FPS - first) / period))
        return first + period * torch.arange(max(count, 0), dtype=torch.float64)


class DanceBank:
    """Dances paired with music, opened for reading; create one with `DanceBank.open`.

    Attributes:
        folder: of the bank.
        records: of all pairs.
    """

    def __init__(self, folder: Path, records: Sequence[PairRecord]) -> None:
        self.folder, self.records = folder, tuple(records)
        starts = np.concatenate([[0], np.cumsum([record.num_frames for record in self.records])])
        if [record.start for record in self.records] != starts[:-1].tolist():
            raise ValueError("pairs: expected one behind the other, got gaps")
        lengths = [record.num_frames * record.songs for record in self.records]
        self._music_starts = np.concatenate([[0], np.cumsum(lengths)])
        self._frames = _mapped(folder / "frames.f16", int(starts[-1]), features.FEATURE_DIM)
        self._music = _mapped(folder / "music.f16", int(self._music_starts[-1]), MUSIC_DIM)

    @classmethod
    def open(
        cls, cache: ClipCache, config: DanceBankConfig | None = None, folder: Path | None = None
    ) -> "DanceBank":
        """Return the bank of a cache; it is computed if the folder has none for these options.

        Args:
            cache: the clips.
            config: pairing options.
            folder: of the bank; None for `badm` in the cache.
        """
        config, folder = config or DanceBankConfig(), folder or cache.folder / "badm"
        options = asdict(config)
        del options["workers"]  # does not affect the result
        made_from = {"version": BANK_VERSION, "config": options, "clips": len(cache)}
        if (found := cls.read(folder, made_from)) is not None:
            return found
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INDEX).unlink(missing_ok=True)  # a kill must not leave it beside files of another bank
        _write(cache, config, folder, made_from)
        return cls.open(cache, config, folder)

    @classmethod
    def read(cls, folder: Path, made_from: dict[str, Any]) -> "DanceBank | None":
        """Return the bank in a folder; None where there is none that is made from this.

        Raises:
            ValueError: its files are damaged; the message names one, and says to remove the folder.
        """
        path = folder / INDEX
        if not path.is_file():
            return None
        with reading(path, "the index of a dance bank"):
            found = read_json(path)
            if found.get("made_from") != made_from:
                return None
            records = [config_from_dict(PairRecord, record, "pairs") for record in found["pairs"]]
            try:
                return cls(folder, records)
            except ValueError as error:
                raise ValueError(f"{error}; remove {folder}, it is made again") from error

    def frames(self, index: int, mirrored: bool = False) -> Tensor:
        """Return the feature frames (T, 140) of a pair, or of its mirror image."""
        record = self.records[index]
        frames = torch.from_numpy(
            self._frames[record.start : record.start + record.num_frames].astype(np.float32)
        )
        return features.mirror(frames) if mirrored else frames

    def music(self, index: int, song: int, start: int = 0, end: int | None = None) -> Tensor:
        """Return music features (T, 34) of one song of a pair.

        Args:
            index: of the pair.
            song: index of the song.
            start: first frame.
            end: frame after the last; None for all.
        """
        count = self.records[index].num_frames
        begin = int(self._music_starts[index]) + song * count
        end = count if end is None else min(end, count)
        return torch.from_numpy(self._music[begin + start : begin + end].astype(np.float32))

    def beats(self, index: int) -> Tensor:
        """Return (T,), 1 at frames with a beat of the music, else 0."""
        record = self.records[index]
        return beat_one_hot(record.beat_times().numpy(), record.num_frames)

    def accents(self, index: int) -> Tensor:
        """Return (T,), 1 at frames with a kinematic beat of the dance, else 0; all 0 for idles."""
        motion = self.motion(index)
        found = kinematic_beats(motion.positions(), motion.fps) if self.records[index].bpm else torch.zeros(0)
        return beat_one_hot(found.numpy(), motion.num_frames)

    def motion(self, index: int) -> Motion:
        """Return the motion of a pair."""
        return features.decode(self.frames(index))


def _mapped(path: Path, rows: int, columns: int) -> "np.memmap[Any, np.dtype[np.float16]]":
    """Return finite numbers (rows, columns) of a file, memory-mapped. Raises ValueError for others."""
    expected = 2 * rows * columns
    if (size := path.stat().st_size) != expected:
        raise ValueError(f"{path}: expected {expected} bytes, got {size}")
    values = np.memmap(path, np.float16, "r", shape=(rows, columns))
    if not all(np.isfinite(values[row : row + _ROWS]).all() for row in range(0, rows, _ROWS)):
        raise ValueError(f"{path}: expected numbers, got NaN or infinity")
    return values


@dataclass(frozen=True)
class _Segment:
    """A segment of a clip that is to be paired with music; it starts `offset` seconds into the clip."""

    record: ClipRecord
    offset: float
    style: str
    is_dance: bool
    motion: Motion
    seed: int


def _write(cache: ClipCache, config: DanceBankConfig, folder: Path, made_from: dict[str, Any]) -> None:
    records: list[PairRecord] = []
    start = 0
    segments = list(_segments(cache, config))
    if not any(segment.is_dance for segment in segments):
        raise ValueError(
            "cache: expected clips of dances (meta dance_style), found none; prepare a dataset that has dances"
        )
    with (
        atomic_path(folder / "frames.f16") as frames_path,
        atomic_path(folder / "music.f16") as music_path,
        open(frames_path, "wb") as frames_file,
        open(music_path, "wb") as music_file,
        ProcessPoolExecutor(config.workers) as pool,
    ):
        for done, found in enumerate(pool.map(_paired, segments, [config] * len(segments)), start=1):
            for record, frames, music in found:
                records.append(PairRecord(**asdict(record) | {"start": start}))
                start += record.num_frames
                frames_file.write(frames.tobytes())
                music_file.write(music.tobytes())
            if done % 20 == 0 or done == len(segments):
                log.info("paired %d of %d segments of clips with music", done, len(segments))
    write_index(folder, made_from, records)


def write_index(folder: Path, made_from: dict[str, Any], records: Sequence[PairRecord]) -> None:
    """Write the index of a bank whose other files are there."""
    with atomic_path(folder / INDEX) as path:
        path.write_text(json.dumps({"made_from": made_from, "pairs": [asdict(r) for r in records]}))


def _segments(cache: ClipCache, config: DanceBankConfig) -> Iterator[_Segment]:
    counts: dict[str, int] = {}
    for index, record in enumerate(cache.records):
        style = record.meta.get("dance_style")
        label = style or (record.content if record.content in (*RHYTHMIC, IDLE) else None)
        if label is None or record.num_frames < features.FPS:
            continue
        if style is None:
            counts[label] = counts.get(label, 0) + 1
            if counts[label] > config.rhythmic_clips:
                continue
        motion = cache.motion(index)
        size = round(LONGEST * features.FPS)
        for number, begin in enumerate(range(0, motion.num_frames, size)):
            part = motion[begin : begin + size]
            if part.num_frames >= features.FPS:
                seed = zlib.crc32(f"{record.id}/{number}/{config.song_seed}".encode())
                yield _Segment(record, begin / features.FPS, label, style is not None, part, seed)


def _paired(segment: _Segment, config: DanceBankConfig) -> list[tuple[PairRecord, np.ndarray, np.ndarray]]:
    """Return the pairs of a segment: record, feature frames and music features of its songs, fp16."""
    torch.set_num_threads(1)
    found = []
    for number, pairing in enumerate(_pairings(segment)):
        if pairing.bpm and pairing.score < config.least_score:
            continue
        frames = features.encode(pairing.motion)
        songs = list(_songs(segment, pairing, len(frames), config.songs, number))
        record = PairRecord(
            segment.record.id, segment.record.split, segment.style, segment.is_dance, pairing.bpm, pairing.first_beat,
            pairing.score, len(songs), num_frames=len(frames),
        )  # fmt: skip
        music = np.concatenate([song.numpy() for song in songs]).astype(np.float16)
        found.append((record, frames.numpy().astype(np.float16), music))
    return found


def _pairings(segment: _Segment) -> list[Pairing]:
    meta = segment.record.meta
    if segment.style == IDLE and not segment.is_dance:
        return [Pairing(segment.motion, 0.0, 0.0, 0.0)]
    if "bpm" in meta:
        first_beat = float(meta.get("first_beat", 0)) - segment.offset
        return [Pairing(segment.motion, float(meta["bpm"]), first_beat, 1.0)]
    return pair(segment.motion)


def _songs(segment: _Segment, pairing: Pairing, frames: int, count: int, number: int) -> Iterator[Tensor]:
    """Yield music features (T, 34) of the songs of a pairing.

    Args:
        segment: of the clip.
        pairing: its tempo.
        frames: T.
        count: number of songs.
        number: of the pairing, for the seed.
    """
    rng = np.random.default_rng([segment.seed, number])
    seconds = frames / features.FPS
    if not pairing.bpm:
        noise = rng.standard_normal(int(seconds * 22050)).astype(np.float32)
        for level in (0.0, 1e-3, 0.05)[:count]:
            yield _features_of(Audio(noise * np.float32(level), 22050), frames)
        return
    original = segment.record.meta.get("audio")
    if original is not None:
        yield _features_of(read_audio(original, start=segment.offset, seconds=seconds), frames)
    fitting = [name for name, style in STYLES.items() if _fits(style.tempo, pairing.bpm)] or list(STYLES)
    for _ in range(count - (original is not None)):
        style = str(rng.choice(fitting))
        song = synthesise(
            style, pairing.bpm, seconds, int(rng.integers(2**31)), first_beat=pairing.first_beat
        )
        yield _features_of(Audio(song.samples, song.sample_rate), frames)


def _fits(tempo: tuple[float, float], bpm: float) -> bool:
    """Return whether a tempo is within 15 % of the tempo range of a music style."""
    return tempo[0] * 0.85 <= bpm <= tempo[1] * 1.15


def _features_of(audio: Audio, frames: int) -> Tensor:
    """Return music features (frames, 34) of audio, cropped or padded with the last frame."""
    music = music_features(audio)
    missing = frames - len(music)
    return torch.cat([music, music[-1:].expand(missing, -1)]) if missing > 0 else music[:frames]
