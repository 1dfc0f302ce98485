"""CARP without its scales: the codes of a chunk one after another, in the order of time, as language models write.

The tokenizer has one scale, as long as the chunk: a code for each number of each action. The transformer is CARP's,
with a causal mask over the H x A codes; it is run once for each of them, with a KV cache.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongen.heads.carp.model import CARP, CARPConfig
from motiongen.heads.carp.model import model as carp


@dataclass(frozen=True, kw_only=True)
class FlatARConfig(CARPConfig):
    """CARP's sizes, but for the tokenizer: no stage of it halves time."""

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
    """Observations to chunks of actions."""

    model_type = "flat_ar"

    config_class = FlatARConfig

    def __init__(self, config: FlatARConfig) -> None:
        super().__init__(config)
        self.mask = self.mask.tril()

    def _logits(self, cond: Tensor, codes: Tensor) -> Tensor:
        """Return logits (B, H, A, K) of every code (B, H, A), each told the codes before it alone."""
        told = self._told(cond)
        before = self.tokenizer.vectors(codes).flatten(1, 2)[:, :-1]  # (B, H * A - 1, D')
        inputs = F.pad(before, (0, 0, 1, 0)).unflatten(1, codes.shape[1:])
        x = self._embed(inputs, slice(0, codes.shape[1]), told).flatten(1, 2)
        x = self._through(x, told, [None] * len(self.blocks), self.mask)
        return self._classify(x, told).unflatten(1, codes.shape[1:])

    def _write(self, cond: Tensor, heat: float, generator: torch.Generator | None) -> Tensor:
        """Return the normalised actions (B, H, A) of codes that are written, told the encoded observations (B, C)."""
        memory: list[Tensor | None] = [None] * len(self.blocks)
        told = self._told(cond)
        before = cond.new_zeros(len(cond), 1, self.config.latent_dim)
        codes: list[Tensor] = []
        for place in self.place:
            for number in range(self.config.action_dim):
                token = self.latent(before) + place + self.number[number] + told.start[:, 0]  # (B, 1, D)
                logits = self._classify(self._through(token, told, memory, None), told)
                codes.append(carp._draw(logits.float(), heat, generator))  # (B, 1)
                before = self.tokenizer.codebooks[number, codes[-1]]
        chunk = torch.cat(codes, dim=1).unflatten(1, (-1, self.config.action_dim))  # (B, H, A)
        return self.tokenizer.decode(chunk)
