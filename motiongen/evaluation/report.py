"""Every metric over real clips, reconstructed ones, retrieved ones and a model's own, as one table."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from motiongen import features
from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.evaluation.classifier import MotionClassifier
from motiongen.evaluation.config import EvaluateConfig
from motiongen.evaluation.directions import Judgement, direction_accuracy
from motiongen.evaluation.diversity import diversity
from motiongen.evaluation.evaluator import MotionTextEvaluator
from motiongen.evaluation.fid import frechet_distance
from motiongen.evaluation.foot_skate import foot_skate_ratio, foot_skate_speed, toes_over_floor
from motiongen.evaluation.jerk import jerk
from motiongen.evaluation.label_accuracy import label_accuracy
from motiongen.evaluation.multimodal_distance import multimodal_distance
from motiongen.evaluation.multimodality import multimodality
from motiongen.evaluation.questions import Question, choose_questions, retrieve, same_label_clips
from motiongen.evaluation.r_precision import r_precision
from motiongen.evaluation.reconstruction import mean_joint_error
from motiongen.evaluation.table import save_report, table
from motiongen.motion import Motion
from motiongen.tokenizers.rvq_vae import RVQVAE

log = logging.getLogger(__name__)

COLUMNS: dict[str, tuple[str, str]] = {
    "content": ("content", "{:.1%}"),
    "style": ("style", "{:.1%}"),
    "top1": ("R@1", "{:.3f}"),
    "top2": ("R@2", "{:.3f}"),
    "top3": ("R@3", "{:.3f}"),
    "fid": ("FID", "{:.4f}"),
    "multimodal_distance": ("MM dist", "{:.3f}"),
    "diversity": ("diversity", "{:.3f}"),
    "multimodality": ("multimodality", "{:.3f}"),
    "skate_speed": ("skate m/s", "{:.3f}"),
    "skate_ratio": ("skating", "{:.1%}"),
    "jerk": ("jerk m/s³", "{:.1f}"),
    "root_jerk": ("root jerk", "{:.1f}"),
    "joint_error": ("error mm", "{:.1f}"),
    "seconds": ("s", "{:.2f}"),
}
"""Key of a row's numbers -> heading and format, in the table's order."""


class Generator(Protocol):
    """What is asked of a model, such as `motiongen.inference.model.Model`."""

    tokenizer: RVQVAE
    text: TextEncoder

    def generate(self, prompts: Sequence[str], *, generator: Sequence[torch.Generator]) -> list[Motion]:
        """Return a motion for each prompt, drawn from its own generator."""
        ...


@dataclass
class Report:
    """What an evaluation measured.

    Attributes:
        rows: name of a row -> its numbers, by the keys of COLUMNS.
        per_label: what the classifier recognised of the model's motions, by content and by style.
        directions: the prompts that name a side or direction, with what was found.
        facts: what was evaluated on what.
    """

    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    per_label: dict[str, dict[str, float]] = field(default_factory=dict)
    directions: list[Judgement] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def bars(self) -> list[tuple[str, float, float, bool]]:
        """Return (claim, measured, bound, holds) for the model's row against the real one."""
        real, made = self.rows.get("real clips"), self.rows.get("model")
        if real is None or made is None:
            return []
        obeyed = sum(judgement.obeyed for judgement in self.directions) / max(1, len(self.directions))
        least = [
            ("content recognised", made.get("content"), 0.90),
            ("style recognised, where asked", made.get("style"), 0.70),
            ("R@3 over that of real clips", made["top3"] / real["top3"], 0.9),
            ("sides and directions obeyed", obeyed if self.directions else None, 0.85),
        ]
        most = [
            ("foot skate over real", made["skate_speed"] / max(real["skate_speed"], 1e-9), 1.5),
            ("jerk over real", made["jerk"] / max(real["jerk"], 1e-9), 1.3),
            ("root jerk over real", made["root_jerk"] / max(real["root_jerk"], 1e-9), 1.3),
        ]
        found = [(claim, value, bound, value >= bound) for claim, value, bound in least if value is not None]
        return found + [(claim, value, bound, value <= bound) for claim, value, bound in most]

    def markdown(self) -> str:
        """Return the report as Markdown tables."""
        lines = table(COLUMNS, self.rows)
        if self.bars():
            lines += ["", "| what must hold | measured | bar | |", "| --- | ---: | ---: | --- |"]
            for claim, value, bound, holds in self.bars():
                lines.append(f"| {claim} | {value:.3f} | {bound:.2f} | {'holds' if holds else 'missed'} |")
        if self.directions:
            lines += ["", "| prompt | asked | found |", "| --- | --- | --- |"]
            for judgement in self.directions:
                asked = f"{judgement.prompt.key} {' or '.join(judgement.prompt.expected)}"
                mark = "" if judgement.obeyed else " ✗"
                lines.append(f"| {judgement.prompt.text} | {asked} | {judgement.found or 'none'}{mark} |")
        for kind, accuracy in self.per_label.items():
            worst = sorted(accuracy.items(), key=lambda item: item[1])
            lines += ["", f"By {kind}: " + ", ".join(f"{label} {value:.0%}" for label, value in worst)]
        lines += ["", *(f"- {key}: {value}" for key, value in self.facts.items())]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON keeps it."""
        bars = [dict(zip(("claim", "measured", "bound", "holds"), bar, strict=True)) for bar in self.bars()]
        directions = [
            {"prompt": j.prompt.text, "key": j.prompt.key, "asked": j.prompt.expected, "found": j.found}
            for j in self.directions
        ]
        return {
            "rows": self.rows,
            "bars": bars,
            "directions": directions,
            "per_label": self.per_label,
            "facts": self.facts,
        }

    def save(self, directory: str | Path) -> None:
        """Write report.md and report.json into a folder, which is made if need be."""
        save_report(directory, self.markdown(), self.to_json())


def evaluate(
    cache: ClipCache,
    model: Generator | None,
    evaluator: MotionTextEvaluator,
    classifier: MotionClassifier,
    config: EvaluateConfig | None = None,
    *,
    text: TextEncoder | None = None,
) -> Report:
    """Return the report of a model on the held-out clips and captions of a cache.

    Args:
        cache: its training clips serve the retrieval row and the floor of FID.
        model: None for the rows that need none.
        evaluator: measures in its space; trained on the cache's training split.
        classifier: recognises content and style; trained on it, too.
        config: how much to ask.
        text: the evaluator's text encoder, if it is loaded already.
    """
    config = config or EvaluateConfig()
    draw = torch.Generator().manual_seed(config.seed)
    questions = choose_questions(cache, config.prompts, draw)
    encoder = text or TextEncoder.load(evaluator.config.text_encoder)
    judge = _Judge(questions, evaluator.eval(), classifier, encoder, config)
    real = [cache.features(q.clip, q.mirrored)[: config.max_frames] for q in questions]
    report = Report(facts=_facts(cache, questions, config))

    log.info("real clips")
    report.rows["real clips"] = row = judge.row(real)
    reference = evaluator.embed_clips(real)
    others = [clip[: config.max_frames] for clip in same_label_clips(cache, questions, draw)]
    row["fid"] = frechet_distance(evaluator.embed_clips(others), reference)

    def add(name: str, clips: Sequence[Tensor]) -> dict[str, float]:
        report.rows[name] = judge.row(clips)
        report.rows[name]["fid"] = frechet_distance(evaluator.embed_clips(clips), reference)
        return report.rows[name]

    if model is not None:
        log.info("reconstruction")
        rebuilt = reconstruct(model.tokenizer, real)
        errors = [mean_joint_error(made, clip) for made, clip in zip(rebuilt, real, strict=True)]
        add("reconstruction", rebuilt)["joint_error"] = sum(errors) / len(errors)
    log.info("retrieval")
    nearest = retrieve(cache, [question.prompt for question in questions], encoder, draw)
    add("nearest training caption", [clip[: config.max_frames] for clip in nearest])
    if model is not None:
        _add_model(report, add, judge, model, config)
    return report


def reconstruct(tokenizer: RVQVAE, clips: Sequence[Tensor]) -> list[Tensor]:
    """Return the features (T, 140) of clips after the tokenizer's way there and back."""
    device = tokenizer.mean.device
    with torch.no_grad():
        return [
            tokenizer.decode(tokenizer.encode(clip[None].to(device)))[0, : len(clip)].float().cpu()
            for clip in clips
        ]


def _add_model(
    report: Report,
    add: Callable[[str, Sequence[Tensor]], dict[str, float]],
    judge: "_Judge",
    model: Generator,
    config: EvaluateConfig,
) -> None:
    prompts = [question.prompt for question in judge.questions]
    made = _generate(model, prompts, config)
    row = add("model", made)
    report.per_label = judge.per_label(made)
    if config.variant_prompts:
        step = max(1, len(prompts) // config.variant_prompts)
        repeated = [
            prompt for prompt in prompts[::step][: config.variant_prompts] for _ in range(config.variants)
        ]
        embedded = judge.evaluator.embed_clips(_generate(model, repeated, config)).view(
            -1, config.variants, judge.dim
        )
        row["multimodality"] = multimodality(embedded, torch.Generator().manual_seed(config.seed))

    def answer(texts: list[str]) -> list[Motion]:
        return model.generate(texts, generator=_generators(len(texts), config.seed))

    _, report.directions = direction_accuracy(answer)


def _generate(model: Generator, prompts: Sequence[str], config: EvaluateConfig) -> list[Tensor]:
    made: list[Tensor] = []
    for start in range(0, len(prompts), config.batch_size):
        batch = prompts[start : start + config.batch_size]
        log.info("generating %d of %d", start + len(batch), len(prompts))
        motions = model.generate(batch, generator=_generators(len(batch), config.seed + start))
        made += [features.encode(motion)[: config.max_frames] for motion in motions]
    return made


def _generators(count: int, seed: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + i) for i in range(count)]


class _Judge:
    """The metrics of a row of answers to the questions."""

    def __init__(
        self,
        questions: Sequence[Question],
        evaluator: MotionTextEvaluator,
        classifier: MotionClassifier,
        encoder: TextEncoder,
        config: EvaluateConfig,
    ) -> None:
        self.questions, self.evaluator, self.classifier, self.config = (
            questions,
            evaluator,
            classifier,
            config,
        )
        self.dim = evaluator.config.embedding_dim
        with torch.no_grad():
            self.texts = evaluator.encode_text(
                encoder.encode([question.prompt for question in questions])
            ).cpu()
        groups: dict[frozenset[str], int] = {}
        self.groups = [groups.setdefault(question.answers, len(groups)) for question in questions]

    def row(self, clips: Sequence[Tensor]) -> dict[str, float]:
        """Return the numbers of one row of the table, FID apart."""
        draw = torch.Generator().manual_seed(self.config.seed)
        embedded = self.evaluator.embed_clips(clips)
        top = r_precision(self.texts, embedded, draw, groups=self.groups)
        numbers = {f"top{k}": value for k, value in enumerate(top, start=1)}
        numbers |= {
            "multimodal_distance": multimodal_distance(self.texts, embedded),
            "diversity": diversity(embedded, draw),
            "seconds": sum(map(len, clips)) / len(clips) / features.FPS,
        }
        numbers |= {kind: sum(hits) / len(hits) for kind, hits in self._hits(clips).items() if hits}
        return numbers | physical(clips)

    def per_label(self, clips: Sequence[Tensor]) -> dict[str, dict[str, float]]:
        """Return the part recognised, by content and by style."""
        contents, styles = self.classifier.recognise(clips)
        found = {}
        for kind, recognised in (("content", contents), ("style", styles)):
            pairs = [pair for pair in zip(recognised, self._asked(kind), strict=True) if pair[1] is not None]
            if pairs:
                found[kind] = label_accuracy([pair[0] for pair in pairs], [str(pair[1]) for pair in pairs])[1]
        return found

    def _hits(self, clips: Sequence[Tensor]) -> dict[str, list[bool]]:
        contents, styles = self.classifier.recognise(clips)
        return {
            kind: [
                found == asked
                for found, asked in zip(recognised, self._asked(kind), strict=True)
                if asked is not None
            ]
            for kind, recognised in (("content", contents), ("style", styles))
        }

    def _asked(self, kind: str) -> list[str | None]:
        """What each question asks for, None where the classifier does not know it or nothing is asked."""
        if kind == "content":
            return [
                q.content if q.content in self.classifier.config.contents else None for q in self.questions
            ]
        return [
            q.asked_style if q.asked_style in self.classifier.config.styles else None for q in self.questions
        ]


def physical(clips: Sequence[Tensor]) -> dict[str, float]:
    """Return the means over clips of features (T, 140) of what needs no reference: skating and jitter."""
    numbers = []
    for clip in clips:
        motion = features.decode(clip)
        feet, positions = toes_over_floor(motion), motion.positions()
        numbers.append(
            torch.stack(
                [
                    foot_skate_speed(feet, motion.fps),
                    foot_skate_ratio(feet, motion.fps),
                    jerk(positions - positions[:, :1], motion.fps),
                    jerk(positions[:, :1], motion.fps),
                ]
            )
        )
    means = torch.stack(numbers).mean(0).tolist()
    return dict(zip(("skate_speed", "skate_ratio", "jerk", "root_jerk"), means, strict=True))


def _facts(cache: ClipCache, questions: Sequence[Question], config: EvaluateConfig) -> dict[str, Any]:
    sources = sorted({cache.records[question.clip].source for question in questions})
    return {
        "prompts": f"{len(questions)} held-out captions of as many clips of the test split ({', '.join(sources)})",
        "FID of the real clips": "against training clips of the same labels: the floor that no model need beat",
        "config": asdict(config),
    }
