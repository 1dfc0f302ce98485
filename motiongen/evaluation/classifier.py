"""Motion classifier: content and style of a clip by logistic regression on its statistics."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.evaluation.labels import balance, mirror_label
from motiongen.evaluation.statistics import statistics

if TYPE_CHECKING:
    from motiongen.data.cache import ClipCache

MIN_CLIPS = 6
"""A label with fewer training clips, mirrored ones included, is not learned and not evaluated."""
UNKNOWN = -1


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig:
    """Labels in the order of the outputs.

    Attributes:
        contents: labels of actions.
        styles: labels of styles.
        dim: numbers in the statistics of a clip.
    """

    contents: tuple[str, ...]
    styles: tuple[str, ...]
    dim: int


class MotionClassifier(nn.Module):
    """Two linear layers, for content and style, on standardised statistics."""

    model_type = "classifier"
    config_class = ClassifierConfig
    mean: Tensor
    std: Tensor

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.dim))
        self.register_buffer("std", torch.ones(config.dim))
        self.content = nn.Linear(config.dim, len(config.contents))
        self.style = nn.Linear(config.dim, len(config.styles))

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of contents (B, C) and of styles (B, S) for statistics (B, dim)."""
        rows = ((rows - self.mean) / self.std).clamp(-8, 8)
        return self.content(rows), self.style(rows)

    @torch.no_grad()
    def recognise(self, clips: Sequence[Tensor]) -> tuple[list[str], list[str]]:
        """Return the predicted contents and the predicted styles of clips of features (T_i, 140)."""
        content, style = self(torch.stack([statistics(clip) for clip in clips]))
        contents, styles = self.config.contents, self.config.styles
        return [contents[i] for i in content.argmax(1)], [styles[i] for i in style.argmax(1)]


def train_classifier(cache: "ClipCache", *, steps: int = 400, weight_decay: float = 0.02) -> MotionClassifier:
    """Return a classifier trained on the training clips of a cache and their mirror images.

    Deterministic: full-batch training from zero weights.

    Args:
        cache: the clips, with content labels.
        steps: optimizer steps.
        weight_decay: of AdamW.

    Raises:
        ValueError: no training clips with a content.
    """
    rows, contents, styles = labelled_statistics(cache)
    return fit(rows, contents, styles, steps=steps, weight_decay=weight_decay)


def labelled_statistics(cache: "ClipCache") -> tuple[Tensor, list[str], list[str | None]]:
    """Return statistics (M, dim), contents and styles of the training clips with a content, and of their mirror images.

    Raises:
        ValueError: no training clips with a content.
    """
    rows, contents, styles = [], list[str](), []
    for index in cache.split("train"):
        record = cache.records[index]
        if record.content is None:
            continue
        for mirrored in (False, True):
            rows.append(statistics(cache.features(index, mirrored)))
            contents.append((mirror_label(record.content) if mirrored else None) or record.content)
            styles.append(record.style)
    if not rows:
        raise ValueError(
            "cache: expected training clips with a content, got none; prepare data that has labels"
        )
    return torch.stack(rows), contents, styles


def fit(
    rows: Tensor,
    contents: Sequence[str | None],
    styles: Sequence[str | None],
    *,
    steps: int = 400,
    weight_decay: float = 0.02,
) -> MotionClassifier:
    """Return a classifier trained on statistics with labels.

    Args:
        rows: (M, dim) statistics of clips.
        contents: label of each clip; None if unknown.
        styles: label of each clip; None if unknown.
        steps: optimizer steps.
        weight_decay: of AdamW.
    """
    config = ClassifierConfig(contents=_frequent(contents), styles=_frequent(styles), dim=rows.shape[1])
    model = MotionClassifier(config)
    model.mean.copy_(rows.mean(0))
    model.std.copy_(rows.std(0, correction=0).clamp_min(1e-4))
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    targets = [
        torch.tensor([names.index(label) if label in names else UNKNOWN for label in labels])
        for names, labels in ((config.contents, contents), (config.styles, styles))
    ]
    weights = [torch.tensor(balance(labels)) for labels in (contents, styles)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.03, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.03, total_steps=steps)
    for _ in range(steps):
        loss = torch.stack([_loss(*part) for part in zip(model(rows), targets, weights, strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model.eval()


def _loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    known = target != UNKNOWN
    if not known.any():
        return logits.sum() * 0
    losses = F.cross_entropy(logits[known], target[known], reduction="none", label_smoothing=0.02)
    return (losses * weight[known]).sum() / weight[known].sum()


def _frequent(labels: Sequence[str | None]) -> tuple[str, ...]:
    counts = Counter(label for label in labels if label is not None)
    return tuple(sorted(label for label, count in counts.items() if count >= MIN_CLIPS))


def save(classifier: MotionClassifier, directory: str | Path) -> None:
    """Save a classifier to a folder."""
    checkpoint.save(classifier, classifier.config, directory, half=True)


def load(directory: str | Path) -> MotionClassifier:
    """Return the classifier saved in a folder."""
    return checkpoint.load(directory, MotionClassifier).eval()
