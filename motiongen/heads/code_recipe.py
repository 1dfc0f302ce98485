"""Base of the training recipes of heads that predict codes: model sizes, batches of similar length, validation."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.conditions.text import TextCondition, TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.data.caption_table import CaptionTable
from motiongen.data.corpus import Corpus
from motiongen.data.corpus_config import CorpusConfig
from motiongen.data.memory import Memory, TrainingRecall
from motiongen.heads.code_config import CodeHeadConfig
from motiongen.modules.residual_transformer import CodeVectors
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.model_card import model_card
from motiongen.training.parameters import parameter_groups


class HasCodes(Protocol):
    """Protocol of a training example."""

    @property
    def codes(self) -> Tensor:
        """Codes (N, Q)."""
        ...


ConfigT = TypeVar("ConfigT", bound=CodeHeadConfig)
ExampleT = TypeVar("ExampleT", bound=HasCodes)


class CodeRecipe(Generic[ExampleT]):
    """Recipe on the codes of a prepared cache; see `Recipe`. Subclasses define the examples and the loss.

    Attributes:
        name: of the head.
        title: of the model card.
        plain: name prefixes of parameters without weight decay.
        model_class: class of the model.
        model: the model that is trained.
        config: sampling of motions.
        corpus: motions of the cache as codes.
        held_out: validation examples.
        table: text vectors of all captions.
        recalled: finds clips beside captions; None for a model that reads none.
    """

    name: str
    title: str
    plain: tuple[str, ...]
    model_class: type[Any]
    model: Any
    config: CorpusConfig
    corpus: Corpus
    held_out: list[ExampleT]
    table: CaptionTable
    recalled: TrainingRecall | None

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        tokenizer: RVQVAE,
        model_config: CodeHeadConfig | None = None,
        config: Any = None,
        encoder: TextEncoder | None = None,
    ) -> Self:
        """Return the recipe for a prepared cache, with a new model; its `CodeVectors` start from the codebooks.

        Args:
            cache: the clips.
            tokenizer: of the codes; sets sizes of the model.
            model_config: other sizes of the model.
            config: batches.
            encoder: text encoder; None loads the one of the model config.
        """
        model_config = model_config or cls.model_class.config_class()
        encoder = encoder or TextEncoder.load(model_config.text_encoder)
        model = cls.model_class(sized_for(model_config, tokenizer, encoder))
        if isinstance(getattr(model, "vectors", None), CodeVectors):
            model.vectors.start_from(tokenizer.quantizer.codebooks)
        return cls(model, tokenizer, cache, encoder, config)  # type: ignore[call-arg]

    def recall(self, table: CaptionTable) -> TrainingRecall | None:
        """Return what finds clips beside the captions of the training; None for a model that reads none."""
        sizes = self.model.config
        if not sizes.memory_clips:
            return None
        memory = Memory.of_corpus(self.corpus, table)
        return TrainingRecall(
            memory, table, sizes.memory_clips, sizes.memory_tokens, self.config.memory_share
        )

    def conditions(self, captions: Sequence[str], draws: Sequence[float]) -> TextCondition:
        """Return the condition of captions, each with clips of the corpus beside it if the model reads them.

        Args:
            captions: of the table.
            draws: a uniform draw in 0..1 for each, of its clips.
        """
        rows = [self.table.index(caption) for caption in captions]
        condition = self.table.gather(rows)
        clips = None if self.recalled is None else self.recalled.clips(rows, draws)
        return replace(condition, clips=clips)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay, and biases, embeddings and code vectors without."""
        return parameter_groups(self.model, self.plain)

    def batch(self, examples: Sequence[ExampleT]) -> dict[str, Tensor]:
        """Return a batch of examples as tensors; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__}: expected a batch method, got none; stack the examples there")

    def loss_of(
        self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch; to be defined by subclasses."""
        raise TypeError(
            f"{type(self).__name__}: expected a loss_of method, got none; return the losses there"
        )

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of the trained model on a batch."""
        return self.loss_of(self.model, batch, generator)

    def like_length(
        self,
        count: int,
        generator: torch.Generator,
        example: Callable[[int, Sequence[float]], ExampleT],
        draws: int,
    ) -> list[ExampleT]:
        """Return a batch of examples of similar length: four batches are drawn and sorted, and one of them is returned.

        Args:
            count: examples of a batch.
            generator: draws motions and uniform numbers.
            example: creates an example from the index of a motion and uniform draws in 0..1.
            draws: number of uniform draws of an example.
        """
        uniform = torch.rand(4 * count, draws, generator=generator).tolist()
        motions = self.corpus.draw(len(uniform), generator)
        examples = [example(*item) for item in zip(motions, uniform, strict=True)]
        return of_like_length(examples, count, generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the losses on held-out motions with held-out captions, with the same random draws at every call."""
        device = next(model.parameters()).device
        generator, size = torch.Generator().manual_seed(0), self.config.batch_size
        totals = dict[str, float]()
        examples = sorted(self.held_out, key=lambda example: len(example.codes))
        for start in range(0, len(examples), size):
            part = examples[start : start + size]
            batch = {key: value.to(device) for key, value in self.batch(part).items()}
            for key, value in self.loss_of(model, batch, generator).items():
                share = float(value) * len(part) / len(examples)
                totals[f"held_out/{key}"] = totals.get(f"held_out/{key}", 0.0) + share
        return totals

    def export(self, model: nn.Module, directory: Path, metrics: Mapping[str, float]) -> None:
        """Save the head in fp16 with its model card."""
        config: Any = model.config
        card = model_card(self.title, self.corpus.facts(config.text_encoder), model, metrics, "words")
        checkpoint.save(model, config, directory, card, half=True)


def text_tensors(condition: TextCondition) -> dict[str, Tensor]:
    """Return the tensors of a text condition, as entries of a batch; the inverse of `text_condition`."""
    tensors = {
        "text_tokens": condition.tokens,
        "text_padding": condition.padding_mask,
        "text_pooled": condition.pooled,
    }
    return tensors if condition.clips is None else {**tensors, "clips": condition.clips}


def text_condition(batch: Mapping[str, Tensor]) -> TextCondition:
    """Return the text condition of a batch of tensors."""
    return TextCondition(
        batch["text_tokens"], batch["text_padding"], batch["text_pooled"], batch.get("clips")
    )


def sized_for(config: ConfigT, tokenizer: RVQVAE, encoder: TextEncoder) -> ConfigT:
    """Return a head config with the sizes that are determined by its tokenizer and text encoder."""
    sizes = tokenizer.config
    return config.resized(
        num_quantizers=sizes.num_quantizers,
        codebook_size=sizes.codebook_size,
        frames_per_token=sizes.frames_per_token,
        text_dim=encoder.dim,
        code_dim=min(config.code_dim, sizes.latent_dim),
    )


def of_like_length(
    examples: Sequence[ExampleT], batch_size: int, generator: torch.Generator
) -> list[ExampleT]:
    """Return a batch of examples of similar length, to minimise padding.

    Args:
        examples: several batches of examples.
        batch_size: examples of the batch.
        generator: draws which part of the examples, sorted by length, is returned.
    """
    ordered = sorted(examples, key=lambda example: len(example.codes))
    batches = len(ordered) // batch_size
    start = int(torch.randint(batches, (1,), generator=generator)) * batch_size
    return ordered[start : start + batch_size]
