"""Report of a text-to-motion model: all metrics of real, reconstructed, retrieved and generated clips."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from motiongen import features
from motiongen.body_floor import lowest_gap
from motiongen.conditions.text import TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.engines import Run, in_order, opened
from motiongen.evaluation.classifier import MotionClassifier
from motiongen.evaluation.config import EvaluateConfig
from motiongen.evaluation.directions import DirectionResult, direction_accuracy
from motiongen.evaluation.diversity import diversity
from motiongen.evaluation.evaluator import MotionTextEvaluator
from motiongen.evaluation.fid import frechet_distance
from motiongen.evaluation.foot_skate import foot_skate_ratio, foot_skate_speed, toes_over_floor
from motiongen.evaluation.generation import Batch, BatchMaker, Generator, batches_of
from motiongen.evaluation.jerk import jerk
from motiongen.evaluation.label_accuracy import label_accuracy
from motiongen.evaluation.multimodal_distance import multimodal_distance
from motiongen.evaluation.multimodality import multimodality
from motiongen.evaluation.own_sentences import ContentResult, by_clips, own_sentences
from motiongen.evaluation.prompts import EvaluationPrompt, choose_prompts, retrieve, same_label_clips
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
    "floating": ("floating", "{:.1%}"),
    "skate_speed": ("skate m/s", "{:.3f}"),
    "skate_ratio": ("skating", "{:.1%}"),
    "jerk": ("jerk m/s³", "{:.1f}"),
    "root_jerk": ("root jerk", "{:.1f}"),
    "joint_error": ("error mm", "{:.1f}"),
    "seconds": ("s", "{:.2f}"),
}
"""Key of a value -> heading and number format, in the order of the table."""


FLOATING = 0.06
"""A body whose lowest part is higher over the floor, metres, floats, or is in a jump."""


@dataclass
class Report:
    """Results of an evaluation.

    Attributes:
        rows: name of a row -> its values, by the keys of COLUMNS.
        per_label: "content" or "style" -> label -> accuracy of the classifier on the motions of the model.
        directions: results of the prompts with a side or direction.
        own: results of each content's own sentence, rarest content first.
        facts: data and settings of the evaluation.
    """

    rows: dict[str, dict[str, float]] = field(default_factory=dict)
    per_label: dict[str, dict[str, float]] = field(default_factory=dict)
    directions: list[DirectionResult] = field(default_factory=list)
    own: list[ContentResult] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def requirements(self) -> list[tuple[str, float, float, bool]]:
        """Return the quality requirements of the model: (name, measured value, bound, whether it is met)."""
        real, model = self.rows.get("real clips"), self.rows.get("model")
        if real is None or model is None:
            return []
        correct = sum(result.is_correct for result in self.directions) / max(1, len(self.directions))
        least = [
            ("content recognised", model.get("content"), 0.90),
            ("style recognised, where asked", model.get("style"), 0.70),
            ("R@3 over that of real clips", model["top3"] / real["top3"], 0.9),
            ("sides and directions obeyed", correct if self.directions else None, 0.85),
        ]
        most = [
            ("foot skate over real", model["skate_speed"] / max(real["skate_speed"], 1e-9), 1.5),
            ("jerk over real", model["jerk"] / max(real["jerk"], 1e-9), 1.3),
            ("root jerk over real", model["root_jerk"] / max(real["root_jerk"], 1e-9), 1.3),
        ]
        found = [(claim, value, bound, value >= bound) for claim, value, bound in least if value is not None]
        return found + [(claim, value, bound, value <= bound) for claim, value, bound in most]

    def markdown(self) -> str:
        """Return the report as Markdown tables."""
        lines = table(COLUMNS, self.rows)
        if self.requirements():
            lines += ["", "| what must hold | measured | bar | |", "| --- | ---: | ---: | --- |"]
            for claim, value, bound, holds in self.requirements():
                lines.append(f"| {claim} | {value:.3f} | {bound:.2f} | {'holds' if holds else 'missed'} |")
        if self.directions:
            lines += ["", "| prompt | asked | found |", "| --- | --- | --- |"]
            for result in self.directions:
                asked = f"{result.prompt.key} {' or '.join(result.prompt.expected)}"
                mark = "" if result.is_correct else " ✗"
                lines.append(f"| {result.prompt.text} | {asked} | {result.found or 'none'}{mark} |")
        if self.own:
            lines += [
                "",
                "| training clips of a content | contents | own sentence obeyed |",
                "| --- | ---: | ---: |",
            ]
            for clips, (share, contents) in by_clips(self.own).items():
                lines.append(f"| {clips} | {contents} | {share:.1%} |")
            missed = [f"{item.content} ({item.clips})" for item in self.own if not item.hits]
            lines += ["", "Never obeyed (training clips): " + (", ".join(missed) or "none")]
        for kind, accuracy in self.per_label.items():
            worst = sorted(accuracy.items(), key=lambda item: item[1])
            lines += ["", f"By {kind}: " + ", ".join(f"{label} {value:.0%}" for label, value in worst)]
        lines += ["", *(f"- {key}: {value}" for key, value in self.facts.items())]
        return "\n".join(lines) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Return the report as a JSON-serialisable object."""
        bars = [
            dict(zip(("claim", "measured", "bound", "holds"), bar, strict=True))
            for bar in self.requirements()
        ]
        directions = [
            {"prompt": j.prompt.text, "key": j.prompt.key, "asked": j.prompt.expected, "found": j.found}
            for j in self.directions
        ]
        return {
            "rows": self.rows,
            "bars": bars,
            "directions": directions,
            "own": [asdict(item) for item in self.own],
            "per_label": self.per_label,
            "facts": self.facts,
        }

    def save(self, directory: str | Path) -> None:
        """Write report.md and report.json to a folder, which is created if missing."""
        save_report(directory, self.markdown(), self.to_json())


def evaluate(
    cache: ClipCache,
    model: Generator | None,
    evaluator: MotionTextEvaluator,
    classifier: MotionClassifier,
    config: EvaluateConfig | None = None,
    *,
    text: TextEncoder | None = None,
    run: Run | None = None,
) -> Report:
    """Return the report of a model on the held-out clips and captions of a cache.

    Args:
        cache: the clips; its training clips are used for the retrieval row and the FID of real clips.
        model: None for the rows without a model.
        evaluator: trained on the training split of the cache.
        classifier: of content and style, trained on the same split.
        config: sample sizes.
        text: text encoder of the evaluator; None to load it.
        run: generates batches elsewhere, to the same end: an engine that is open (`motiongen.engines.opened`) for
            `BatchMaker`; None to generate them here. Models compute with one thread in either case.
    """
    config = config or EvaluateConfig()
    draw = torch.Generator().manual_seed(config.seed)
    prompts = choose_prompts(cache, config.prompts, draw)
    encoder = text or TextEncoder.load(evaluator.config.text_encoder)
    metrics = _Metrics(prompts, evaluator.eval(), classifier, encoder, config)
    real = [cache.features(p.clip, p.mirrored)[: config.max_frames] for p in prompts]
    report = Report(facts=_facts(cache, prompts, config))

    log.info("real clips")
    report.rows["real clips"] = row = metrics.row(real)
    reference = evaluator.embed_clips(real)
    others = [clip[: config.max_frames] for clip in same_label_clips(cache, prompts, draw)]
    row["fid"] = frechet_distance(evaluator.embed_clips(others), reference)

    def add(name: str, clips: Sequence[Tensor]) -> dict[str, float]:
        report.rows[name] = metrics.row(clips)
        report.rows[name]["fid"] = frechet_distance(evaluator.embed_clips(clips), reference)
        return report.rows[name]

    if model is not None:
        log.info("reconstruction")
        rebuilt = reconstruct(model.tokenizer, real)
        errors = [mean_joint_error(decoded, clip) for decoded, clip in zip(rebuilt, real, strict=True)]
        add("reconstruction", rebuilt)["joint_error"] = sum(errors) / len(errors)
    log.info("retrieval")
    nearest = retrieve(cache, [prompt.text for prompt in prompts], encoder, draw)
    add("nearest training caption", [clip[: config.max_frames] for clip in nearest])
    if model is not None and run is not None:
        _add_model(report, add, metrics, run, config, cache)
    elif model is not None:
        with opened("local", lambda: BatchMaker(lambda: model), 1) as here:
            _add_model(report, add, metrics, here, config, cache)
    return report


def reconstruct(tokenizer: RVQVAE, clips: Sequence[Tensor]) -> list[Tensor]:
    """Return clips of features (T_i, 140) encoded and decoded by a tokenizer."""
    device = tokenizer.mean.device
    with torch.no_grad():
        return [
            tokenizer.decode(tokenizer.encode(clip[None].to(device)))[0, : len(clip)].float().cpu()
            for clip in clips
        ]


def _add_model(
    report: Report,
    add: Callable[[str, Sequence[Tensor]], dict[str, float]],
    metrics: "_Metrics",
    run: Run,
    config: EvaluateConfig,
    cache: ClipCache,
) -> None:
    texts = [prompt.text for prompt in metrics.prompts]
    generated = _generate(run, texts, config)
    row = add("model", generated)
    report.per_label = metrics.per_label(generated)
    if config.variant_prompts:
        step = max(1, len(texts) // config.variant_prompts)
        repeated = [text for text in texts[::step][: config.variant_prompts] for _ in range(config.variants)]
        embedded = metrics.evaluator.embed_clips(_generate(run, repeated, config)).view(
            -1, config.variants, metrics.dim
        )
        row["multimodality"] = multimodality(embedded, torch.Generator().manual_seed(config.seed))

    def generate(prompts: list[str]) -> list[Motion]:
        return next(in_order(run([Batch(tuple(prompts), config.seed)])))

    _, report.directions = direction_accuracy(generate)
    if config.own_seeds:
        log.info("own sentences")
        report.own = own_sentences(
            cache, lambda batches: _clips(run, batches, config), config.own_seeds, config.batch_size
        )


def _generate(run: Run, texts: Sequence[str], config: EvaluateConfig) -> list[Tensor]:
    clips: list[Tensor] = []
    for made in _clips(run, batches_of(texts, config.batch_size, config.seed), config):
        clips += made
        log.info("generated %d of %d", len(clips), len(texts))
    return clips


def _clips(run: Run, batches: Sequence[Batch], config: EvaluateConfig) -> Iterator[list[Tensor]]:
    """Yield the features (T_i, 140) of each batch, in order."""
    for motions in in_order(run(batches)):
        yield [features.encode(motion)[: config.max_frames] for motion in motions]


class _Metrics:
    """Metrics of clips, one for each prompt."""

    def __init__(
        self,
        prompts: Sequence[EvaluationPrompt],
        evaluator: MotionTextEvaluator,
        classifier: MotionClassifier,
        encoder: TextEncoder,
        config: EvaluateConfig,
    ) -> None:
        self.prompts, self.evaluator, self.classifier, self.config = prompts, evaluator, classifier, config
        self.dim = evaluator.config.embedding_dim
        with torch.no_grad():
            self.texts = evaluator.encode_text(encoder.encode([prompt.text for prompt in prompts])).cpu()
        groups: dict[frozenset[str], int] = {}
        self.groups = [groups.setdefault(prompt.captions, len(groups)) for prompt in prompts]

    def row(self, clips: Sequence[Tensor]) -> dict[str, float]:
        """Return the values of one row of the table, without FID."""
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
        """Return the accuracy of each label, by "content" and "style"."""
        contents, styles = self.classifier.recognise(clips)
        found = {}
        for kind, recognised in (("content", contents), ("style", styles)):
            pairs = [
                pair for pair in zip(recognised, self._requested(kind), strict=True) if pair[1] is not None
            ]
            if pairs:
                found[kind] = label_accuracy([pair[0] for pair in pairs], [str(pair[1]) for pair in pairs])[1]
        return found

    def _hits(self, clips: Sequence[Tensor]) -> dict[str, list[bool]]:
        contents, styles = self.classifier.recognise(clips)
        return {
            kind: [
                found == asked
                for found, asked in zip(recognised, self._requested(kind), strict=True)
                if asked is not None
            ]
            for kind, recognised in (("content", contents), ("style", styles))
        }

    def _requested(self, kind: str) -> list[str | None]:
        """Return the requested label of each prompt; None if there is none or the classifier does not know it."""
        if kind == "content":
            labels, known = [p.content for p in self.prompts], self.classifier.config.contents
        else:
            labels, known = [p.requested_style for p in self.prompts], self.classifier.config.styles
        return [label if label in known else None for label in labels]


def physical(clips: Sequence[Tensor]) -> dict[str, float]:
    """Return floating, foot skate and jerk, which need no reference, as means over clips of features (T_i, 140)."""
    numbers = []
    for clip in clips:
        motion = features.decode(clip)
        feet, positions = toes_over_floor(motion), motion.positions()
        numbers.append(
            torch.stack(
                [
                    (lowest_gap(positions) > FLOATING).float().mean(),
                    foot_skate_speed(feet, motion.fps),
                    foot_skate_ratio(feet, motion.fps),
                    jerk(positions - positions[:, :1], motion.fps),
                    jerk(positions[:, :1], motion.fps),
                ]
            )
        )
    means = torch.stack(numbers).mean(0).tolist()
    return dict(zip(("floating", "skate_speed", "skate_ratio", "jerk", "root_jerk"), means, strict=True))


def _facts(cache: ClipCache, prompts: Sequence[EvaluationPrompt], config: EvaluateConfig) -> dict[str, Any]:
    sources = sorted({cache.records[prompt.clip].source for prompt in prompts})
    return {
        "prompts": f"{len(prompts)} held-out captions of as many clips of the test split ({', '.join(sources)})",
        "FID of the real clips": "against training clips of the same labels: the floor that no model need beat",
        "config": asdict(config),
    }
