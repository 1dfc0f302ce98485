"""Dances beside real ones on the same music: alignment to the beat, feet, distance to real dances, diversity."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen import features
from motiongen.conditions.music import MusicCondition
from motiongen.data.dance_bank import DanceBank
from motiongen.evaluation.beat_alignment import alignment_margin, beat_alignment, beat_precision
from motiongen.evaluation.config import DanceEvaluateConfig
from motiongen.evaluation.dance_features import (
    dance_fid,
    distance_diversity,
    geometric_features,
    kinetic_features,
)
from motiongen.evaluation.foot_contact import physical_foot_contact
from motiongen.evaluation.foot_skate import foot_skate_speed, toes_over_floor
from motiongen.evaluation.jerk import jerk
from motiongen.evaluation.table import save_report, table
from motiongen.motion import Motion

COLUMNS: dict[str, tuple[str, str]] = {
    "alignment": ("BAS", "{:.3f}"),
    "alignment_interval": ("± 95 %", "{:.3f}"),
    "precision": ("precision", "{:.3f}"),
    "margin": ("other songs", "{:+.3f}"),
    "margin_low": ("low", "{:+.3f}"),
    "margin_high": ("high", "{:+.3f}"),
    "pfc": ("PFC", "{:.2f}"),
    "skate_speed": ("skate m/s", "{:.3f}"),
    "jerk": ("jerk m/s³", "{:.0f}"),
    "fid_k": ("FID_k", "{:.1f}"),
    "fid_g": ("FID_g", "{:.1f}"),
    "dist_k": ("Dist_k", "{:.2f}"),
    "dist_g": ("Dist_g", "{:.2f}"),
    "seconds": ("s for 10 s", "{:.2f}"),
}
"""Key of a row's numbers -> heading and format. `margin` is what alignment loses when the songs are exchanged."""

Dancer = Callable[[MusicCondition, int], Motion]
"""From a song (a batch of one) and a seed to a dance as long."""


@dataclass(frozen=True)
class Piece:
    """A part of a held-out pair: its dance, what is heard, and where the beats are, seconds from its start."""

    motion: Motion
    music: MusicCondition
    beats: Tensor
    bpm: float


@dataclass
class DanceReport:
    """What an evaluation of dances measured: rows by name, their numbers by the keys of COLUMNS, and facts."""

    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the report as a Markdown table."""
        lines = table(COLUMNS, self.rows)
        lines += ["", *(f"- {key}: {value}" for key, value in self.facts.items())]
        return "\n".join(lines) + "\n"

    def save(self, directory: str | Path) -> None:
        """Write report.md and report.json into a folder, which is made if need be."""
        save_report(directory, self.markdown(), {"rows": self.rows, "facts": self.facts})


class DanceJudge:
    """Measures dances on the songs of held-out pairs, against the real dances of a bank."""

    def __init__(self, bank: DanceBank, config: DanceEvaluateConfig | None = None) -> None:
        """Cut the held-out pairs into pieces, and take the features of all real dances.

        Raises:
            ValueError: the bank holds out no dance of `window` seconds.
        """
        self.config = config or DanceEvaluateConfig()
        self.pieces = held_out_pieces(bank, self.config)
        if len(self.pieces) < 2:
            raise ValueError(
                "bank: expected held-out dances, found fewer than two pieces; prepare more clips"
            )
        windows = [
            window
            for index, record in enumerate(bank.records)
            if record.is_dance
            for window in self._windows(bank.motion(index))
        ]
        step = max(1, len(windows) // self.config.reference_windows)
        self.reference = _features(windows[::step])

    def facts(self) -> dict[str, Any]:
        """Return what dances are judged on."""
        tempi = sorted(piece.bpm for piece in self.pieces)
        return {
            "songs": f"{len(self.pieces)} pieces of {self.config.split} clips' songs, "
            f"{tempi[0]:.0f} to {tempi[-1]:.0f} BPM",
            "FID": f"against {len(self.reference[0])} windows of real dances, held-out ones among them",
            "config": asdict(self.config),
        }

    def judge(self, dances: Sequence[Motion]) -> dict[str, float]:
        """Return the numbers of one dance for each piece, in order."""
        beats = [piece.beats for piece in self.pieces]
        positions = [motion.positions() for motion in dances]
        scores = torch.tensor(
            [beat_alignment(p, features.FPS, b) for p, b in zip(positions, beats, strict=True)]
        )
        margin = alignment_margin(
            positions, features.FPS, beats, generator=torch.Generator().manual_seed(self.config.seed)
        )
        samples = _features([window for motion in dances for window in self._windows(motion)])
        numbers = {
            "alignment": float(scores.mean()),
            "alignment_interval": 1.96 * float(scores.std()) / len(scores) ** 0.5,
            "precision": _mean(
                [beat_precision(p, features.FPS, b) for p, b in zip(positions, beats, strict=True)]
            ),
            "margin": margin.mean,
            "margin_low": margin.low,
            "margin_high": margin.high,
            "pfc": _mean([physical_foot_contact(p, features.FPS) for p in positions]),
            "skate_speed": _mean([float(foot_skate_speed(toes_over_floor(m), m.fps)) for m in dances]),
            "jerk": _mean([float(jerk(p - p[:, :1], features.FPS)) for p in positions]),
        }
        for name, made, real in zip(("k", "g"), samples, self.reference, strict=True):
            numbers[f"fid_{name}"] = dance_fid(made, real)
            numbers[f"dist_{name}"] = distance_diversity(made, real)
        return numbers

    def ask(self, dancer: Dancer) -> dict[str, float]:
        """Return the numbers of what dances to every piece's song, and the seconds it took for ten of dance."""
        began = time.perf_counter()
        dances = [dancer(piece.music, self.config.seed + i) for i, piece in enumerate(self.pieces)]
        took = time.perf_counter() - began
        length = sum(piece.motion.seconds for piece in self.pieces)
        return self.judge(dances) | {"seconds": took / length * 10}

    def _windows(self, motion: Motion) -> list[Motion]:
        size = round(self.config.window * features.FPS)
        return [motion[start : start + size] for start in range(0, motion.num_frames - size + 1, size // 2)]


def held_out_pieces(bank: DanceBank, config: DanceEvaluateConfig) -> list[Piece]:
    """Return the held-out dances (or those of the split), each with one of its songs, in pieces, evenly chosen."""
    size, least = round(config.seconds * features.FPS), round(config.window * features.FPS)
    pieces: list[Piece] = []
    for index, record in enumerate(bank.records):
        if record.split != config.split or not record.is_dance or not record.bpm:
            continue
        motion, beats = bank.motion(index), bank.beats(index)
        for start in range(0, record.num_frames - least + 1, size):
            end = min(start + size, record.num_frames)
            begin = start / features.FPS
            times = record.beat_times()
            inside = times[(times >= begin) & (times < end / features.FPS)] - begin
            if not len(inside):
                continue
            song = len(pieces) % record.songs  # one each: the others have the same beats
            music = MusicCondition(bank.music(index, song, start, end)[None], beats[start:end][None])
            pieces.append(Piece(motion[start:end], music, inside, record.bpm))
    step = max(1.0, len(pieces) / config.pieces)
    return [pieces[int(i * step)] for i in range(min(len(pieces), config.pieces))]


def retrieval(bank: DanceBank) -> Dancer:
    """Return the baseline that shows the training dance of nearest tempo, its beats laid on the song's."""
    chosen = [i for i, r in enumerate(bank.records) if r.split == "train" and r.is_dance and r.bpm]

    def dancer(music: MusicCondition, seed: int) -> Motion:
        beats = music.beats[0].nonzero()[:, 0].double()  # frames
        period = float((beats[1:] - beats[:-1]).mean()) / features.FPS if len(beats) > 1 else 0.5
        near = sorted(chosen, key=lambda i: abs(60 / bank.records[i].bpm - period))[: 1 + seed % 5]
        record = bank.records[near[-1]]
        first = float(record.beat_times()[0]) * features.FPS
        speed = (60 / record.bpm) / period  # of the dance's own time
        beat = 60 / record.bpm * features.FPS
        start = first - (float(beats[0]) if len(beats) else 0.0) * speed
        start += beat * max(0, -math.floor(start / beat))
        shown = start + torch.arange(music.num_frames, dtype=torch.float64) * speed
        return _repeated(bank.motion(near[-1]), beat, int(shown[-1]) + 2).at(shown)

    return dancer


def _repeated(motion: Motion, beat: float, frames: int) -> Motion:
    """The motion up to its last whole beat, again and again, blended, for at least so many frames."""
    whole = motion[: max(2, round(int((motion.num_frames - 1) / beat) * beat))]
    repeated = motion if motion.num_frames >= frames else whole
    while repeated.num_frames < frames:
        repeated = repeated.concatenate(whole)
    return repeated


def evaluate_dances(
    bank: DanceBank, dancers: Mapping[str, Dancer], config: DanceEvaluateConfig | None = None
) -> DanceReport:
    """Return the report of dancers, beside the real dances and the retrieved ones, on the songs of held-out pairs."""
    judge = DanceJudge(bank, config)
    report = DanceReport(facts=judge.facts())
    report.rows["real, paired"] = judge.judge([piece.motion for piece in judge.pieces])
    report.rows["retrieved by tempo"] = judge.ask(retrieval(bank))
    for name, dancer in dancers.items():
        report.rows[name] = judge.ask(dancer)
    return report


def _features(windows: Sequence[Motion]) -> tuple[Tensor, Tensor]:
    """Kinetic (N, 72) and geometric (N, 32) features of windows."""
    kinetic = torch.stack([kinetic_features(w.positions(), w.fps) for w in windows])
    return kinetic, torch.stack([geometric_features(w.positions(), w.fps) for w in windows])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
