"""Flat autoregressive baseline: CARP without scales, one code after another in the order of time.

The tokenizer has one scale of the length of the chunk: a code for each action dimension at each step. The transformer
is that of CARP with a causal mask over the H x A codes, sampled code by code with a KV cache.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.heads.carp.config import CARPConfig
from motiongen.heads.carp.loss import loss
from motiongen.heads.carp.model import CARP
from motiongen.heads.carp.sampler import CARPSampler, draw_codes
from motiongen.modules.observation import Observation


@dataclass(frozen=True, kw_only=True)
class FlatARConfig(CARPConfig):
    """Sizes of CARP with a tokenizer that keeps the time resolution."""

    widths: tuple[int, ...] = (32,)
    scales: tuple[int, ...] = (16,)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.widths) != 1 or self.scales != (self.horizon,) or self.chained or self.offset_dim:
            raise ValueError(
                f"widths, scales, chained, offset_dim: expected one stage, ({self.horizon},), false and 0, got "
                f"{self.widths}, {self.scales}, {self.chained} and {self.offset_dim}; fix config.json"
            )


PRESETS = {"paper": FlatARConfig(obs_layers=1, cond_dim=64, widths=(8,))}
"""As large as the published CARP."""


class FlatAR(CARP):
    """Policy that predicts the codes of a chunk one after another."""

    model_type = "flat_ar"
    config_class = FlatARConfig

    def __init__(self, config: FlatARConfig) -> None:
        super().__init__(config)
        self.mask = self.mask.tril()

    def code_logits(self, cond: Tensor, codes: Tensor) -> Tensor:
        """Return logits (B, H, A, K) of codes (B, H, A), each predicted from the codes before it."""
        conditioning = self.conditioning(cond)
        before = self.tokenizer.vectors(codes).flatten(1, 2)[:, :-1]  # (B, H * A - 1, D')
        inputs = F.pad(before, (0, 0, 1, 0)).unflatten(1, codes.shape[1:])
        x = self.embed(inputs, slice(0, codes.shape[1]), conditioning).flatten(1, 2)
        x = self.transform(x, conditioning, [None] * len(self.blocks), self.mask)
        return self.classify(x, conditioning).unflatten(1, codes.shape[1:])

    def training_pass(self, batch: Observation, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch, as CARP has them."""
        return loss(self, batch, generator)

    def predict(self, observation: Observation, **options: Any) -> Tensor:
        """Return the actions (B, H, A) that follow; see `CARPSampler.predict`."""
        return _FlatSampler(self).predict(observation, **options)


class _FlatSampler(CARPSampler):
    """Samples codes one after another."""

    def _sample_written(self, cond: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
        """Return what sampled codes say (B, H, A), for encoded observations (B, C)."""
        model = self.model
        memory: list[Tensor | None] = [None] * len(model.blocks)
        conditioning = model.conditioning(cond)
        before = cond.new_zeros(len(cond), 1, model.config.latent_dim)
        codes: list[Tensor] = []
        for position in model.place:
            for number in range(model.config.action_dim):
                token = model.latent(before) + position + model.number[number] + conditioning.start[:, 0]
                features = model.transform(token, conditioning, memory, None)  # (B, 1, D)
                logits = model.classify(features, conditioning)
                codes.append(draw_codes(logits.float(), temperature, generator))  # (B, 1)
                before = model.tokenizer.codebooks[number, codes[-1]]
        chunk = torch.cat(codes, dim=1).unflatten(1, (-1, model.config.action_dim))  # (B, H, A)
        return model.tokenizer.decode(chunk)
