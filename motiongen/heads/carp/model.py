"""CARP: robot policy that predicts a chunk of actions coarse to fine, by next-scale prediction.

CARP (Gong et al., ICCV 2025, section 3.2): the codes of a chunk are ordered by scale, time and action dimension; a
token attends to its own scale and the coarser ones, so that a scale is predicted in one pass. Observations modulate
every layer.

Three options extend the paper. In one pass, the action dimensions of the coarsest scale are predicted independently: if
several modes are possible, they may choose different ones. With `chained`, they are predicted autoregressively. With
`offset_dim`, a layer adds a continuous offset to the decoded actions (VQ-BeT, Lee et al., ICML 2024, section 3.3). With
`residual`, the codes write what a regression from the observation leaves of the actions.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.heads.carp.config import CARPConfig
from motiongen.modules.observation import Normaliser, Observation, ObservationEncoder
from motiongen.tokenizers.action_vq import ActionVQ

MAX_LOG_SCALE = math.log(100.0)
"""Upper bound of the logarithmic attention scale between unit vectors."""


@dataclass(frozen=True)
class Conditioning:
    """Modulations of all layers by the observations, computed once for all scales of a chunk.

    Attributes:
        start: (B, 1, 1, D), added to every token.
        blocks: for each block scale, shift and gate of attention and of the feed-forward layer, (B, 1, D) each.
        out: scale and shift before the last layer, (B, 1, D) each.
    """

    start: Tensor
    blocks: tuple[tuple[Tensor, ...], ...]
    out: tuple[Tensor, ...]


class CARP(nn.Module):
    """Policy that maps observations to codes of action chunks."""

    model_type = "carp"
    config_class = CARPConfig
    mask: Tensor

    def __init__(self, config: CARPConfig) -> None:
        super().__init__()
        self.config = config
        self.observation = ObservationEncoder(config)
        self.action_normaliser = Normaliser(len(config.tasks), config.action_dim)
        self.tokenizer = ActionVQ(config.tokenizer)
        self.regression = _Regression(config) if config.residual else None
        dim, positions = config.dim, config.tokenizer.num_positions
        self.start = nn.Linear(config.cond_dim, dim)
        self.latent = nn.Linear(config.latent_dim, dim)
        self.place = nn.Parameter(torch.randn(positions, dim) * 0.02)
        self.number = nn.Parameter(torch.randn(config.action_dim, dim) * 0.02)
        self.shared = nn.Linear(config.cond_dim, 6 * dim) if config.shared_modulation else None
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.num_layers))
        self.out_modulation = nn.Linear(config.cond_dim, 2 * dim)
        self.out = nn.Linear(dim, config.codebook_size)
        self.offset = _Offset(config) if config.offset_dim else None
        for layer in (self.out_modulation, self.shared):
            if layer is not None:
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)
        self.register_buffer("mask", _mask(config), persistent=False)  # (N * A, N * A), true = attend
        self.freeze_codes()

    def freeze_codes(self) -> None:
        """Stop the training of what the codes mean: tokenizer and, where there is one, regression and its encoder."""
        self.tokenizer.requires_grad_(False)
        if self.regression is not None:
            self.observation.requires_grad_(False)
            self.regression.requires_grad_(False)

    def written(self, actions: Tensor, cond: Tensor, task: Tensor) -> Tensor:
        """Return what the codes of actions say (B, H, A): normalised actions, or what the regression leaves of them.

        Args:
            actions: (B, H, A), in the units of the data.
            cond: (B, C) encoded observations.
            task: (B,).
        """
        actions = self.action_normaliser(actions, task)
        if self.regression is None:
            return actions
        return self.regression.normaliser(actions - self.regression(cond), task)

    def actions(self, written: Tensor, cond: Tensor, task: Tensor) -> Tensor:
        """Return the actions (B, H, A), in the units of the data, of what codes say; the inverse of `written`."""
        if self.regression is not None:
            written = self.regression(cond) + self.regression.normaliser.inverse(written, task)
        return self.action_normaliser.inverse(written, task)

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self.place.device

    def logits(
        self, observation: Observation, codes: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return logits (B, N, A, K) of all codes, each predicted from the codes of coarser scales.

        Args:
            observation: of the last To frames.
            codes: (B, N, A).
            generator: draws random image crops; None for centre crops.
        """
        return self.code_logits(self.observation(observation, generator), codes)

    def code_logits(self, cond: Tensor, codes: Tensor) -> Tensor:
        """Return logits (B, N, A, K) of codes (B, N, A), for encoded observations (B, C); see `logits`."""
        conditioning = self.conditioning(cond)
        inputs = self.tokenizer.inputs(codes)  # (B, N, A, D')
        if (
            self.config.chained
        ):  # at the coarsest scale, the input is the code of the previous action dimension
            inputs[:, :1, 1:] = self.tokenizer.vectors(codes[:, :1])[:, :, :-1]
        x = self.embed(inputs, slice(0, inputs.shape[1]), conditioning).flatten(1, 2)
        x = self.transform(x, conditioning, [None] * len(self.blocks), self.mask)
        return self.classify(x, conditioning).unflatten(1, (-1, self.config.action_dim))

    def conditioning(self, cond: Tensor) -> Conditioning:
        """Return the modulations of all layers by encoded observations (B, C)."""
        start = self.start(cond)[:, None, None]
        cond = F.silu(cond)
        shared = None if self.shared is None else self.shared(cond)
        blocks = tuple(block.modulations(cond, shared) for block in self.blocks)  # type: ignore[operator]
        return Conditioning(start, blocks, self.out_modulation(cond)[:, None].chunk(2, dim=-1))

    def embed(self, inputs: Tensor, positions: slice, conditioning: Conditioning) -> Tensor:
        """Return input tokens (B, n, A, D).

        Args:
            inputs: (B, n, A, D') latents, see `ActionVQ.inputs`.
            positions: the n of the N code positions.
            conditioning: from `conditioning`.
        """
        return self.latent(inputs) + (self.place[positions, None] + self.number) + conditioning.start

    def transform(
        self, x: Tensor, conditioning: Conditioning, memory: list[Tensor | None], mask: Tensor | None
    ) -> Tensor:
        """Return tokens (B, n, D) after all blocks.

        Args:
            x: (B, n, D) input tokens.
            conditioning: from `conditioning`.
            memory: KV cache of each block, None if empty; the keys and values of the tokens are appended.
            mask: (n, n) bool, true = attend; None for all.
        """
        for layer, (block, modulation) in enumerate(zip(self.blocks, conditioning.blocks, strict=True)):
            x, memory[layer] = block(x, modulation, memory[layer], mask)
        return x

    def classify(self, x: Tensor, conditioning: Conditioning) -> Tensor:
        """Return logits (B, n, K) of codes, for tokens (B, n, D)."""
        return self.out(_modulated(x, *conditioning.out))


class _Block(nn.Module):
    """Pre-norm transformer block with adaptive layer norm (adaLN, Peebles & Xie 2023)."""

    def __init__(self, config: CARPConfig) -> None:
        super().__init__()
        dim = config.dim
        self.num_heads, self.dropout = config.num_heads, config.dropout
        if config.shared_modulation:
            self.modulation = None
            self.offset = nn.Parameter(torch.randn(6, dim) / dim**0.5)
        else:
            self.modulation = nn.Linear(config.cond_dim, 6 * dim)
            nn.init.normal_(self.modulation.weight, std=0.02)
            nn.init.zeros_(self.modulation.bias)
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.log_scale = nn.Parameter(torch.full((config.num_heads, 1, 1), math.log(4.0)))
        self.attention_out = nn.Linear(dim, dim)
        self.feedforward_in = nn.Linear(dim, config.feedforward * dim)
        self.feedforward_out = nn.Linear(config.feedforward * dim, dim)

    def modulations(self, cond: Tensor, shared: Tensor | None) -> tuple[Tensor, ...]:
        """Return scale, shift and gate of attention and of the feed-forward layer, (B, 1, D) each.

        Args:
            cond: (B, C) encoded observations.
            shared: (B, 6 * D) modulation shared by all blocks, or None.
        """
        if self.modulation is None:
            assert shared is not None
            parts = shared.unflatten(1, (6, -1)) + self.offset
        else:
            parts = self.modulation(cond).unflatten(1, (6, -1))
        return parts[:, :, None].unbind(1)

    def forward(
        self, x: Tensor, modulation: tuple[Tensor, ...], memory: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return tokens (B, n, D), and the KV cache (2, B, H, m, Dh) with theirs appended; see `CARP.transform`."""
        scale, shift, gate, scale2, shift2, gate2 = modulation
        query, new = self._heads(self.query_key_value(_modulated(x, scale, shift)))
        cache = new if memory is None else torch.cat([memory, new], dim=3)
        attended = F.scaled_dot_product_attention(query, cache[0], cache[1], attn_mask=mask, scale=1.0)
        attended = self.attention_out(attended.transpose(1, 2).flatten(2))
        x = torch.addcmul(x, gate, F.dropout(attended, self.dropout, self.training))
        hidden = F.gelu(self.feedforward_in(_modulated(x, scale2, shift2)), approximate="tanh")
        hidden = F.dropout(self.feedforward_out(hidden), self.dropout, self.training)
        return torch.addcmul(x, gate2, hidden), cache

    def _heads(self, packed: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries (B, H, n, Dh), and keys with values (2, B, H, n, Dh); queries and keys are unit vectors."""
        query, key, value = packed.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        scale = self.log_scale.clamp(max=MAX_LOG_SCALE).exp()
        query = F.normalize(query, dim=-1) * scale
        return query.to(value.dtype), torch.stack([F.normalize(key, dim=-1).to(value.dtype), value])


class _Offset(nn.Module):
    """Predicts a continuous offset of normalised actions from the decoded actions and the observations."""

    def __init__(self, config: CARPConfig) -> None:
        super().__init__()
        numbers = config.horizon * config.action_dim
        self.hidden = nn.Linear(config.cond_dim + numbers, config.offset_dim)
        self.out = nn.Linear(config.offset_dim, numbers)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, cond: Tensor, actions: Tensor) -> Tensor:
        """Return corrected actions (B, H, A), for encoded observations (B, C)."""
        conditioning = torch.cat([F.silu(cond), actions.flatten(1).to(cond.dtype)], dim=1)
        return actions + self.out(F.gelu(self.hidden(conditioning))).view_as(actions)


class _Regression(nn.Module):
    """Predicts normalised actions from the observations alone; its errors are what codes say of them.

    Attributes:
        normaliser: of its errors, to deviation 1.
    """

    def __init__(self, config: CARPConfig) -> None:
        super().__init__()
        self.config = config
        self.out = nn.Linear(config.cond_dim, config.horizon * config.action_dim)
        self.normaliser = Normaliser(len(config.tasks), config.action_dim)

    def forward(self, cond: Tensor) -> Tensor:
        """Return normalised actions (B, H, A), for encoded observations (B, C)."""
        return self.out(F.silu(cond)).float().unflatten(1, (self.config.horizon, -1))


def _mask(config: CARPConfig) -> Tensor:
    """Return the attention mask (N * A, N * A), true = attend: to own and coarser scales; in a chain, causally."""
    counts = torch.tensor(config.scales) * config.action_dim
    size = sum(config.scales) * config.action_dim  # said, since counts on the meta device have no sum
    scale = torch.arange(len(config.scales)).repeat_interleave(counts, output_size=size)
    mask = scale[:, None] >= scale
    if config.chained:
        chain = slice(0, config.action_dim)
        mask[chain, chain] = mask[chain, chain].tril()
    return mask


def _modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale)
