"""What the recipes of all heads do alike: sizes from the tokenizer, parameters with decay, batches of like length."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from motiongen.conditions.text import TextEncoder
from motiongen.heads.bamm.model import BAMMConfig
from motiongen.heads.mogo.model import MogoConfig
from motiongen.tokenizers.rvq_vae import RVQVAE

Config = TypeVar("Config", BAMMConfig, MogoConfig)


class HasCodes(Protocol):
    """An example of a recipe."""

    @property
    def codes(self) -> Tensor:
        """Codes (N, Q)."""
        ...


Example = TypeVar("Example", bound=HasCodes)


def sized_for(config: Config, tokenizer: RVQVAE, encoder: TextEncoder) -> Config:
    """Return a head's sizes with those that its tokenizer and its text encoder set."""
    sizes = tokenizer.config
    return replace(
        config,
        num_quantizers=sizes.num_quantizers,
        codebook_size=sizes.codebook_size,
        frames_per_token=sizes.frames_per_token,
        text_dim=encoder.dim,
        code_dim=min(config.code_dim, sizes.latent_dim),
    )


def parameter_groups(model: nn.Module, plain: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return AdamW's groups: matrices with weight decay; vectors, and what begins with a name in `plain`, without."""
    matrices: list[Tensor] = []
    others: list[Tensor] = []
    for name, parameter in model.named_parameters():
        (others if parameter.ndim < 2 or name.startswith(plain) else matrices).append(parameter)
    return [{"params": matrices}, {"params": others, "weight_decay": 0.0}]


def of_like_length(examples: Sequence[Example], batch_size: int, generator: torch.Generator) -> list[Example]:
    """Return a batch out of several batches' examples, all of like length, so that little of it is padding."""
    ordered = sorted(examples, key=lambda example: len(example.codes))
    batches = len(ordered) // batch_size
    start = int(torch.randint(batches, (1,), generator=generator)) * batch_size
    return ordered[start : start + batch_size]
