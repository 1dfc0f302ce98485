"""Training recipe of the evaluator: contrastive learning on clips and captions."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.conditions.text import TextCondition, TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.data.caption_table import CaptionTable
from motiongen.evaluation.evaluator import MotionTextEvaluator, contrastive_loss, pad
from motiongen.evaluation.evaluator_config import EvaluatorConfig, EvaluatorTrainConfig
from motiongen.evaluation.labels import balance
from motiongen.evaluation.r_precision import r_precision
from motiongen.training.model_card import model_card


@dataclass(frozen=True)
class Example:
    """A clip or its mirror image, with the row indices of its captions in the caption table."""

    clip: int
    mirrored: bool
    captions: tuple[int, ...]


class EvaluatorRecipe:
    """Trains a MotionTextEvaluator on a cache; see `Recipe`.

    Args:
        cache: the clips.
        table: encoded captions of the cache.
        config: batches.
        model: the evaluator.

    Raises:
        ValueError: fewer than two training clips with captions.
    """

    name = "evaluator"

    def __init__(
        self, cache: ClipCache, table: CaptionTable, config: EvaluatorTrainConfig, model: MotionTextEvaluator
    ) -> None:
        self.cache, self.table, self.config, self.model = cache, table, config, model
        self.train = examples(cache, table, "train", held_out=False)
        self.test = examples(cache, table, "test", held_out=True)
        if len(self.train) < 2:
            raise ValueError(
                f"cache: expected 2 or more training clips with captions, got {len(self.train)}; "
                "prepare data with labels or captions"
            )
        labels = [(cache.records[e.clip].content, cache.records[e.clip].style) for e in self.train]
        self.weights = torch.tensor(balance(labels))
        self.true_of = [frozenset(example.captions) for example in self.train]
        model.set_normaliser(*normaliser(cache))

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        config: EvaluatorTrainConfig | None = None,
        model_config: EvaluatorConfig | None = None,
    ) -> "EvaluatorRecipe":
        """Return the recipe for a prepared cache, with a new model.

        Args:
            cache: the clips, whose captions are encoded.
            config: batches.
            model_config: sizes of the model.
        """
        model_config = model_config or EvaluatorConfig()
        encoder = TextEncoder.load(model_config.text_encoder)
        table = CaptionTable.build(encoder, all_captions(cache), cache.folder)
        return cls(cache, table, config or EvaluatorTrainConfig(), MotionTextEvaluator(model_config))

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay, and vectors without."""
        decayed = [p for p in self.model.parameters() if p.dim() >= 2]
        free = [p for p in self.model.parameters() if p.dim() < 2]
        return [{"params": decayed, "weight_decay": 0.05}, {"params": free, "weight_decay": 0.0}]

    def sample(self, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a random batch: cropped clips with one caption each, and which captions match which clips."""
        count = min(self.config.batch_size, len(self.train))
        chosen = torch.multinomial(self.weights, count, generator=generator).tolist()
        clips, rows = [], []
        for index in chosen:
            example = self.train[index]
            clips.append(self._cut(self.cache.features(example.clip, example.mirrored), generator))
            pick = int(torch.randint(len(example.captions), (), generator=generator))
            rows.append(example.captions[pick])
        features, lengths = pad(clips, self.model.config.max_frames)
        condition = self.table.gather(rows)
        same = torch.tensor([[row in self.true_of[index] for row in rows] for index in chosen])
        return {
            "features": features,
            "lengths": lengths,
            "tokens": condition.tokens,
            "padding": condition.padding_mask,
            "pooled": condition.pooled,
            "same": same,
        }

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the contrastive loss of a batch."""
        texts = self.model.encode_text(TextCondition(batch["tokens"], batch["padding"], batch["pooled"]))
        motions = self.model.encode_motion(batch["features"], batch["lengths"])
        temperature = self.model.log_temperature.exp().clamp(0.02, 0.5)
        loss = contrastive_loss(texts, motions, batch["same"], temperature)
        return {"loss": loss, "temperature": temperature}

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the R-precision of held-out clips and captions."""
        assert isinstance(model, MotionTextEvaluator)
        every = max(1, len(self.test) // self.config.validation_clips)
        tests = self.test[::every]
        if len(tests) < 2:
            return {}
        motions = model.embed_clips([self.cache.features(e.clip, e.mirrored) for e in tests])
        texts = model.eval().encode_text(
            self.table.gather([e.captions[i % len(e.captions)] for i, e in enumerate(tests)])
        )
        keys = [frozenset(e.captions) for e in tests]
        groups = [keys.index(key) for key in keys]
        found = r_precision(texts, motions, torch.Generator().manual_seed(0), groups=groups, repeats=5)
        return {f"top{k}": value for k, value in enumerate(found, start=1)}

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Save the evaluator in fp16 with its model card."""
        assert isinstance(model, MotionTextEvaluator)
        facts = {"clips": len(self.cache.split("train")), "captions": len(self.table)}
        card = model_card("motion and text evaluator", facts, model, metrics, "evaluator")
        checkpoint.save(model, model.config, directory, card, half=True)

    def _cut(self, features: Tensor, generator: torch.Generator) -> Tensor:
        most = min(len(features), self.model.config.max_frames)
        least = max(4, round(self.config.min_part * most))
        length = int(torch.randint(min(least, most), most + 1, (), generator=generator))
        start = int(torch.randint(len(features) - length + 1, (), generator=generator))
        return features[start : start + length]


def examples(cache: ClipCache, table: CaptionTable, split: str, held_out: bool) -> list[Example]:
    """Return the clips of a split and their mirror images, with captions.

    Args:
        cache: the clips.
        table: encoded captions.
        split: "train" or "test".
        held_out: prefer held-out captions.
    """
    found = []
    for index in cache.split(split):
        record = cache.records[index]
        plain, mirrored = record.captions, record.mirrored_captions
        if held_out:
            plain = record.held_out_captions or plain
            mirrored = record.mirrored_held_out_captions or mirrored
        for flag, captions in ((False, plain), (True, mirrored)):
            if captions:
                found.append(Example(index, flag, tuple(table.index(caption) for caption in captions)))
    return found


def all_captions(cache: ClipCache) -> list[str]:
    """Return all distinct captions of a cache, including held-out ones, sorted."""
    kinds = ("captions", "held_out_captions", "mirrored_captions", "mirrored_held_out_captions")
    return sorted(
        {caption for record in cache.records for kind in kinds for caption in getattr(record, kind)}
    )


def normaliser(cache: ClipCache, clips: int = 512) -> tuple[Tensor, Tensor]:
    """Return mean and std, (140,) each, of the features of evenly spaced training clips."""
    train = cache.split("train")
    frames = torch.cat([cache.features(i) for i in train[:: max(1, len(train) // clips)]])
    return frames.mean(0), frames.std(0)
