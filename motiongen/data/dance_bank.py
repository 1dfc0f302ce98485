"""Dances with their music: a cache's rhythmic clips, each warped to an even beat and heard with several songs.

A clip whose dataset knows its beat (`meta["bpm"]`, `meta["first_beat"]`) keeps its time; if the user has its sound too
(`meta["audio"]`), that is one of its songs. The others are synthesised at its tempo, so their beats are exact. All is
made once and kept in a folder beside the cache, read by memory map.
"""

import json
import logging
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motiongen import features
from motiongen.atomic import atomic_path
from motiongen.data.cache import ClipCache, ClipRecord
from motiongen.data.dance_bank_config import DanceBankConfig
from motiongen.data.pairing import Pairing, pair
from motiongen.kinematic_beats import kinematic_beats
from motiongen.motion import Motion
from motiongen.music.audio import Audio, read_audio
from motiongen.music.beats import beat_one_hot
from motiongen.music.features import MUSIC_DIM, music_features
from motiongen.music.synthesis import STYLES, synthesise

log = logging.getLogger(__name__)

BANK_VERSION = 1
IDLE = "idle"
"""Content of clips that are paired with silence."""
RHYTHMIC = ("jumping-jacks", "karate", "walk")
"""Contents that are no dances but have accents; they are styles of their own."""
LONGEST = 60.0
"""Seconds; longer clips are cut into pieces."""


@dataclass(frozen=True)
class PairRecord:
    """A warped motion and its songs.

    Attributes:
        clip: id of the clip.
        split: the clip's.
        style: dance style, or a content of RHYTHMIC, or IDLE.
        is_dance: whether the style is a dance's.
        bpm, first_beat, score: see `Pairing`; 0 bpm for idles.
        songs: how many lie in the bank.
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

    def beat_times(self) -> Tensor:
        """Return the beats, seconds from the first frame."""
        if not self.bpm:
            return torch.zeros(0, dtype=torch.float64)
        period = 60 / self.bpm
        first = self.first_beat % period
        count = int(np.ceil((self.num_frames / features.FPS - first) / period))
        return first + period * torch.arange(max(count, 0), dtype=torch.float64)


class DanceBank:
    """Paired dances, open for reading."""

    def __init__(self, folder: Path, records: Sequence[PairRecord]) -> None:
        self.folder, self.records = folder, tuple(records)
        frames = sum(record.num_frames for record in self.records)
        heard = sum(record.num_frames * record.songs for record in self.records)
        self._frames = np.memmap(folder / "frames.f16", np.float16, "r", shape=(frames, features.FEATURE_DIM))
        self._music = np.memmap(folder / "music.f16", np.float16, "r", shape=(heard, MUSIC_DIM))
        lengths = [record.num_frames * record.songs for record in self.records]
        self._music_starts = np.concatenate([[0], np.cumsum(lengths)])

    @classmethod
    def open(
        cls, cache: ClipCache, config: DanceBankConfig | None = None, folder: Path | None = None
    ) -> "DanceBank":
        """Return the bank of a cache; it is made, and kept in `folder`, where there is none for these options."""
        config, folder = config or DanceBankConfig(), folder or cache.folder / "badm"
        options = asdict(config)
        del options["workers"]  # changes nothing in what is made
        made_from = {"version": BANK_VERSION, "config": options, "clips": len(cache)}
        index = folder / "pairs.json"
        if index.is_file():
            found = json.loads(index.read_text())
            if found["made_from"] == made_from:
                return cls(folder, [PairRecord(**record) for record in found["pairs"]])
        folder.mkdir(parents=True, exist_ok=True)
        _write(cache, config, folder, made_from)
        return cls.open(cache, config, folder)

    def frames(self, index: int, mirrored: bool = False) -> Tensor:
        """Return the feature frames (T, 140) of a pair."""
        record = self.records[index]
        frames = torch.from_numpy(
            self._frames[record.start : record.start + record.num_frames].astype(np.float32)
        )
        return features.mirror(frames) if mirrored else frames

    def music(self, index: int, song: int, start: int = 0, end: int | None = None) -> Tensor:
        """Return music features (T, 34) of one of a pair's songs."""
        count = self.records[index].num_frames
        begin = int(self._music_starts[index]) + song * count
        end = count if end is None else min(end, count)
        return torch.from_numpy(self._music[begin + start : begin + end].astype(np.float32))

    def beats(self, index: int) -> Tensor:
        """Return (T,), 1 on the frames of beats."""
        record = self.records[index]
        return beat_one_hot(record.beat_times().numpy(), record.num_frames)

    def accents(self, index: int) -> Tensor:
        """Return (T,), 1 on the frames of a dance's own kinematic beats; none for idles."""
        motion = self.motion(index)
        found = kinematic_beats(motion.positions(), motion.fps) if self.records[index].bpm else torch.zeros(0)
        return beat_one_hot(found.numpy(), motion.num_frames)

    def motion(self, index: int) -> Motion:
        """Return a pair's motion."""
        return features.decode(self.frames(index))


@dataclass(frozen=True)
class _Task:
    """A piece of a clip, which begins `offset` seconds into it, that waits for its music."""

    record: ClipRecord
    offset: float
    style: str
    is_dance: bool
    motion: Motion
    seed: int


def _write(cache: ClipCache, config: DanceBankConfig, folder: Path, made_from: dict[str, object]) -> None:
    records: list[PairRecord] = []
    start = 0
    tasks = list(_tasks(cache, config))
    if not any(task.is_dance for task in tasks):
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
        for done, found in enumerate(pool.map(_paired, tasks, [config] * len(tasks)), start=1):
            for record, frames, music in found:
                records.append(PairRecord(**asdict(record) | {"start": start}))
                start += record.num_frames
                frames_file.write(frames.tobytes())
                music_file.write(music.tobytes())
            if done % 20 == 0 or done == len(tasks):
                log.info("paired %d of %d pieces of clips with music", done, len(tasks))
    with atomic_path(folder / "pairs.json") as path:
        path.write_text(json.dumps({"made_from": made_from, "pairs": [asdict(r) for r in records]}))


def _tasks(cache: ClipCache, config: DanceBankConfig) -> Iterator[_Task]:
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
            piece = motion[begin : begin + size]
            if piece.num_frames >= features.FPS:
                seed = zlib.crc32(f"{record.id}/{number}/{config.song_seed}".encode())
                yield _Task(record, begin / features.FPS, label, style is not None, piece, seed)


def _paired(task: _Task, config: DanceBankConfig) -> list[tuple[PairRecord, np.ndarray, np.ndarray]]:
    """Return a piece's pairings, each with its frames and its songs' features, fp16."""
    torch.set_num_threads(1)
    found = []
    for number, pairing in enumerate(_pairings(task)):
        if pairing.bpm and pairing.score < config.least_score:
            continue
        frames = features.encode(pairing.motion)
        songs = list(_songs(task, pairing, len(frames), config.songs, number))
        record = PairRecord(
            task.record.id, task.record.split, task.style, task.is_dance, pairing.bpm, pairing.first_beat,
            pairing.score, len(songs), num_frames=len(frames),
        )  # fmt: skip
        music = np.concatenate([song.numpy() for song in songs]).astype(np.float16)
        found.append((record, frames.numpy().astype(np.float16), music))
    return found


def _pairings(task: _Task) -> list[Pairing]:
    meta = task.record.meta
    if task.style == IDLE and not task.is_dance:
        return [Pairing(task.motion, 0.0, 0.0, 0.0)]
    if "bpm" in meta:
        first_beat = float(meta.get("first_beat", 0)) - task.offset
        return [Pairing(task.motion, float(meta["bpm"]), first_beat, 1.0)]
    return pair(task.motion)


def _songs(task: _Task, pairing: Pairing, frames: int, count: int, number: int) -> Iterator[Tensor]:
    """Yield music features (T, 34) of a pairing's songs."""
    rng = np.random.default_rng([task.seed, number])
    seconds = frames / features.FPS
    if not pairing.bpm:
        noise = rng.standard_normal(int(seconds * 22050)).astype(np.float32)
        for level in (0.0, 1e-3, 0.05)[:count]:
            yield _heard(Audio(noise * np.float32(level), 22050), frames)
        return
    own = task.record.meta.get("audio")
    if own is not None:
        yield _heard(read_audio(own, start=task.offset, seconds=seconds), frames)
    fitting = [name for name, style in STYLES.items() if _fits(style.tempo, pairing.bpm)] or list(STYLES)
    for _ in range(count - (own is not None)):
        style = str(rng.choice(fitting))
        song = synthesise(
            style, pairing.bpm, seconds, int(rng.integers(2**31)), first_beat=pairing.first_beat
        )
        yield _heard(Audio(song.samples, song.sample_rate), frames)


def _fits(tempo: tuple[float, float], bpm: float) -> bool:
    """Whether a style of music is played about as fast."""
    return tempo[0] * 0.85 <= bpm <= tempo[1] * 1.15


def _heard(audio: Audio, frames: int) -> Tensor:
    """Features (T, 34) of a sound, cut, or held at its end, to a number of frames."""
    music = music_features(audio)
    missing = frames - len(music)
    return torch.cat([music, music[-1:].expand(missing, -1)]) if missing > 0 else music[:frames]
