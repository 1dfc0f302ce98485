"""Dance report: beat alignment, foot, FID and diversity metrics of dances, beside real ones to the same music."""

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
"""Key of a value -> heading and number format. `margin` is the loss of beat alignment with exchanged songs."""

DanceGenerator = Callable[[MusicCondition, int], Motion]
"""Function of a song (a batch of one) and a seed that returns a dance of the same length."""


@dataclass(frozen=True)
class Excerpt:
    """An excerpt of a held-out dance with its song.

    Attributes:
        motion: the dance.
        music: features and beats.
        beats: (K,) beat times, seconds from the start of the excerpt.
        bpm: tempo, beats a minute.
    """

    motion: Motion
    music: MusicCondition
    beats: Tensor
    bpm: float


@dataclass
class DanceReport:
    """Results of an evaluation of dances.

    Attributes:
        rows: name of a row -> its values, by the keys of COLUMNS.
        facts: data and settings of the evaluation.
    """

    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        """Return the report as a Markdown table."""
        lines = table(COLUMNS, self.rows)
        lines += ["", *(f"- {key}: {value}" for key, value in self.facts.items())]
        return "\n".join(lines) + "\n"

    def save(self, directory: str | Path) -> None:
        """Write report.md and report.json to a folder, which is created if missing."""
        save_report(directory, self.markdown(), {"rows": self.rows, "facts": self.facts})


class DanceMetrics:
    """Metrics of dances to the songs of held-out dances, with the real dances of a bank as reference.

    Args:
        bank: dances paired with songs.
        config: sample sizes.

    Raises:
        ValueError: fewer than two held-out excerpts of at least `window` seconds.
    """

    def __init__(self, bank: DanceBank, config: DanceEvaluateConfig | None = None) -> None:
        self.config = config or DanceEvaluateConfig()
        self.excerpts = held_out_excerpts(bank, self.config)
        if len(self.excerpts) < 2:
            raise ValueError(
                "bank: expected held-out dances, found fewer than two excerpts; prepare more clips"
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
        """Return facts about the data and settings."""
        tempi = sorted(excerpt.bpm for excerpt in self.excerpts)
        return {
            "songs": f"{len(self.excerpts)} excerpts of songs of {self.config.split} clips, "
            f"{tempi[0]:.0f} to {tempi[-1]:.0f} BPM",
            "FID": f"against {len(self.reference[0])} windows of real dances, held-out ones among them",
            "config": asdict(self.config),
        }

    def measure(self, dances: Sequence[Motion]) -> dict[str, float]:
        """Return the metrics of dances, one for each excerpt, in order."""
        beats = [excerpt.beats for excerpt in self.excerpts]
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
        for name, generated, real in zip(("k", "g"), samples, self.reference, strict=True):
            numbers[f"fid_{name}"] = dance_fid(generated, real)
            numbers[f"dist_{name}"] = distance_diversity(generated, real)
        return numbers

    def measure_generator(self, generate: DanceGenerator) -> dict[str, float]:
        """Return the metrics of a generator on the song of every excerpt, and its `seconds` for ten of dance."""
        began = time.perf_counter()
        dances = [generate(excerpt.music, self.config.seed + i) for i, excerpt in enumerate(self.excerpts)]
        elapsed = time.perf_counter() - began
        length = sum(excerpt.motion.seconds for excerpt in self.excerpts)
        return self.measure(dances) | {"seconds": elapsed / length * 10}

    def _windows(self, motion: Motion) -> list[Motion]:
        size = round(self.config.window * features.FPS)
        return [motion[start : start + size] for start in range(0, motion.num_frames - size + 1, size // 2)]


def held_out_excerpts(bank: DanceBank, config: DanceEvaluateConfig) -> list[Excerpt]:
    """Return evenly spaced excerpts of the dances of the config's split, each with one of its songs."""
    size, least = round(config.seconds * features.FPS), round(config.window * features.FPS)
    excerpts: list[Excerpt] = []
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
            song = len(excerpts) % record.songs  # all songs of a pair have the same beats
            music = MusicCondition(bank.music(index, song, start, end)[None], beats[start:end][None])
            excerpts.append(Excerpt(motion[start:end], music, inside, record.bpm))
    step = max(1.0, len(excerpts) / config.pieces)
    return [excerpts[int(i * step)] for i in range(min(len(excerpts), config.pieces))]


def retrieval_baseline(bank: DanceBank) -> DanceGenerator:
    """Return the retrieval baseline: a training dance of nearest tempo, aligned to the beats of the song."""
    chosen = [i for i, r in enumerate(bank.records) if r.split == "train" and r.is_dance and r.bpm]

    def generate(music: MusicCondition, seed: int) -> Motion:
        beats = music.beats[0].nonzero()[:, 0].double()  # frames
        period = float((beats[1:] - beats[:-1]).mean()) / features.FPS if len(beats) > 1 else 0.5
        near = sorted(chosen, key=lambda i: abs(60 / bank.records[i].bpm - period))[: 1 + seed % 5]
        record = bank.records[near[-1]]
        first = float(record.beat_times()[0]) * features.FPS
        speed = (60 / record.bpm) / period  # relative to the original dance
        beat = 60 / record.bpm * features.FPS
        start = first - (float(beats[0]) if len(beats) else 0.0) * speed
        start += beat * max(0, -math.floor(start / beat))
        shown = start + torch.arange(music.num_frames, dtype=torch.float64) * speed
        return _repeated(bank.motion(near[-1]), beat, int(shown[-1]) + 2).at(shown)

    return generate


def _repeated(motion: Motion, beat: float, frames: int) -> Motion:
    """Return a motion repeated up to its last whole beat, with blending, for at least `frames` frames."""
    whole = motion[: max(2, round(int((motion.num_frames - 1) / beat) * beat))]
    repeated = motion if motion.num_frames >= frames else whole
    while repeated.num_frames < frames:
        repeated = repeated.concatenate(whole)
    return repeated


def evaluate_dances(
    bank: DanceBank, generators: Mapping[str, DanceGenerator], config: DanceEvaluateConfig | None = None
) -> DanceReport:
    """Return the report of dance generators, with rows for the real dances and a retrieval baseline.

    Args:
        bank: dances paired with songs.
        generators: name of a row -> generator.
        config: sample sizes.
    """
    metrics = DanceMetrics(bank, config)
    report = DanceReport(facts=metrics.facts())
    report.rows["real, paired"] = metrics.measure([excerpt.motion for excerpt in metrics.excerpts])
    report.rows["retrieved by tempo"] = metrics.measure_generator(retrieval_baseline(bank))
    for name, generate in generators.items():
        report.rows[name] = metrics.measure_generator(generate)
    return report


def _features(windows: Sequence[Motion]) -> tuple[Tensor, Tensor]:
    """Return kinetic features (N, 72) and geometric features (N, 32) of windows."""
    kinetic = torch.stack([kinetic_features(w.positions(), w.fps) for w in windows])
    return kinetic, torch.stack([geometric_features(w.positions(), w.fps) for w in windows])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
