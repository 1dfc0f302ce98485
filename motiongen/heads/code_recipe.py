"""What the recipes of heads that write codes share: sizes from the tokenizer, batches of like length, validation."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.conditions.text import TextCondition, TextEncoder
from motiongen.data.cache import ClipCache
from motiongen.data.corpus import Corpus
from motiongen.data.corpus_config import CorpusConfig
from motiongen.heads.code_config import CodeHeadConfig
from motiongen.modules.residual_transformer import CodeVectors
from motiongen.tokenizers.rvq_vae import RVQVAE
from motiongen.training.model_card import model_card
from motiongen.training.parameters import parameter_groups


class HasCodes(Protocol):
    """A training example."""

    @property
    def codes(self) -> Tensor:
        """Codes (N, Q)."""
        ...


ConfigT = TypeVar("ConfigT", bound=CodeHeadConfig)
ExampleT = TypeVar("ExampleT", bound=HasCodes)


class CodeRecipe(Generic[ExampleT]):
    """A recipe on the codes of a prepared cache; see `Recipe`. Subclasses say which examples, and their loss.

    Attributes:
        name: of the head.
        title: of its model card.
        plain: beginnings of the names of parameters without weight decay.
        model: what is trained.
        config: which motions are drawn.
        corpus: the cache's motions as codes.
        held_out: examples that validation looks at.
    """

    name: str
    title: str
    plain: tuple[str, ...]
    model_class: type[Any]
    model: Any
    config: CorpusConfig
    corpus: Corpus
    held_out: list[ExampleT]

    @classmethod
    def from_cache(
        cls,
        cache: ClipCache,
        tokenizer: RVQVAE,
        model_config: CodeHeadConfig | None = None,
        config: Any = None,
        encoder: TextEncoder | None = None,
    ) -> Self:
        """Return the recipe for a cache, with a new model whose CodeVectors, if any, start from the codebooks."""
        model_config = model_config or cls.model_class.config_class()
        encoder = encoder or TextEncoder.load(model_config.text_encoder)
        model = cls.model_class(sized_for(model_config, tokenizer, encoder))
        if isinstance(getattr(model, "vectors", None), CodeVectors):
            model.vectors.start_from(tokenizer.quantizer.codebooks)
        return cls(model, tokenizer, cache, encoder, config)  # type: ignore[call-arg]

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return matrices with weight decay; biases, embeddings and code vectors without."""
        return parameter_groups(self.model, self.plain)

    def batch(self, examples: Sequence[ExampleT]) -> dict[str, Tensor]:
        """Return examples as tensors."""
        raise TypeError(f"{type(self).__name__}: expected a batch method, got none; stack the examples there")

    def loss_of(
        self, model: Any, batch: Mapping[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Return the losses of a model on a batch."""
        raise TypeError(
            f"{type(self).__name__}: expected a loss_of method, got none; return the losses there"
        )

    def loss(self, batch: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch."""
        return self.loss_of(self.model, batch, generator)

    def like_length(
        self,
        count: int,
        generator: torch.Generator,
        example: Callable[[int, Sequence[float]], ExampleT],
        draws: int,
    ) -> list[ExampleT]:
        """Return a batch of examples of like length: a random quarter, by length, of four times as many.

        Args:
            count: examples of a batch.
            generator: of everything that is drawn.
            example: makes an example of a motion's number and uniform draws.
            draws: how many of these it takes.
        """
        uniform = torch.rand(4 * count, draws, generator=generator).tolist()
        motions = self.corpus.draw(len(uniform), generator)
        examples = [example(*item) for item in zip(motions, uniform, strict=True)]
        return of_like_length(examples, count, generator)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Return the losses on held-out motions under held-out wordings, at the same draws every time."""
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
        """Write the head in fp16 with its model card."""
        config: Any = model.config
        card = model_card(self.title, self.corpus.facts(config.text_encoder), model, metrics)
        checkpoint.save(model, config, directory, card, half=True)


def text_tensors(condition: TextCondition) -> dict[str, Tensor]:
    """Return a condition as entries of a batch of tensors."""
    return {
        "text_tokens": condition.tokens,
        "text_padding": condition.padding_mask,
        "text_pooled": condition.pooled,
    }


def text_condition(batch: Mapping[str, Tensor]) -> TextCondition:
    """Return the condition in a batch of tensors."""
    return TextCondition(batch["text_tokens"], batch["text_padding"], batch["text_pooled"])


def sized_for(config: ConfigT, tokenizer: RVQVAE, encoder: TextEncoder) -> ConfigT:
    """Return a head's sizes with those that its tokenizer and its text encoder set."""
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
    """Return a batch out of several batches' examples, all of like length, so that little of it is padding."""
    ordered = sorted(examples, key=lambda example: len(example.codes))
    batches = len(ordered) // batch_size
    start = int(torch.randint(batches, (1,), generator=generator)) * batch_size
    return ordered[start : start + batch_size]
