"""CARP: a chunk of actions, written coarse to fine by a transformer that predicts the next scale.

CARP (Gong et al., ICCV 2025, section 3.2): the codes of a chunk are ordered scale, time, number of the action; a token
sees its own scale and the coarser ones, so a scale is written in one pass. What was observed modulates every layer.

Written in one pass, the numbers of the coarsest scale do not know of each other: where two ways lead on, the first
number may take one and the second the other: with `chained`, they are written one after another. And what codes are too
coarse to say may be added, an `offset` (as in VQ-BeT, Lee et al., ICML 2024, section 3.3). The rest is published.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.heads.carp.config import PRESETS, CARPConfig
from motiongen.modules.observation import Normaliser, Observation, ObservationEncoder, check_shape, task_of
from motiongen.tokenizers.action_decoder import ActionDecoder
from motiongen.tokenizers.action_vq import ActionVQ

__all__ = ["CARP", "PRESETS", "CARPConfig"]

MAX_LOG_SCALE = math.log(100.0)
"""Of attention between unit vectors."""
OFFSET_WEIGHT = 10.0
"""Of the offset's error beside the codes' cross-entropy."""


@dataclass(frozen=True)
class Told:
    """What the observations say to every pass over a chunk's codes, worked out once.

    Attributes:
        start: (B, 1, 1, D), added to every token.
        blocks: scale, shift and gate of attention and of the feed-forward layer, (B, 1, D) each, block by block.
        out: scale and shift (B, 1, D) before the last layer.
    """

    start: Tensor
    blocks: tuple[tuple[Tensor, ...], ...]
    out: tuple[Tensor, ...]


class CARP(nn.Module):
    """Observations to chunks of actions."""

    model_type = "carp"

    config_class = CARPConfig
    mask: Tensor

    def __init__(self, config: CARPConfig) -> None:
        super().__init__()
        self.config = config
        self.observation = ObservationEncoder(config)
        self.action_normaliser = Normaliser(len(config.tasks), config.action_dim)
        self.tokenizer = ActionVQ(config.tokenizer).requires_grad_(False)
        self._decoder: ActionDecoder | None = None
        dim, places = config.dim, config.tokenizer.num_places
        self.start = nn.Linear(config.cond_dim, dim)
        self.latent = nn.Linear(config.latent_dim, dim)
        self.place = nn.Parameter(torch.randn(places, dim) * 0.02)
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
        self.register_buffer("mask", _mask(config), persistent=False)  # (N * A, N * A), true = is seen

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.place.device

    def logits(
        self, observation: Observation, codes: Tensor, generator: torch.Generator | None = None
    ) -> Tensor:
        """Return logits (B, N, A, K) of every code (B, N, A), each told the coarser scales' codes alone."""
        return self._logits(self.observation(observation, generator), codes)

    def training_pass(self, batch: Observation, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the losses of a batch: observations and `action` (B, H, A) in the data's own units."""
        check_shape("action", batch["action"], (self.config.horizon, self.config.action_dim))
        with torch.autocast(self.device.type, enabled=False):
            wanted = self.action_normaliser(batch["action"], task_of(batch))
            codes = self.tokenizer.encode(wanted)
        cond = self.observation(batch, generator if self.training else None)
        logits = self._logits(cond, codes).float()
        guess = logits.detach().argmax(-1)
        losses = {"loss": F.cross_entropy(logits.flatten(0, 2), codes.flatten())}
        if self.offset is not None:
            # The coarsest codes choose the way, which is to be the data's; the finer ones are as they will be written.
            way = self.config.scales[0]
            written = self.tokenizer.decode(torch.cat([codes[:, :way], guess[:, way:]], dim=1))
            losses["offset"] = F.l1_loss(self.offset(cond, written), wanted)
            losses["loss"] = losses["loss"] + OFFSET_WEIGHT * losses["offset"]
        return {**losses, "accuracy": (guess == codes).float().mean()}

    @torch.inference_mode()
    def predict(
        self,
        observation: Observation,
        *,
        generator: torch.Generator | None = None,
        temperature: float | None = None,
    ) -> Tensor:
        """Return the actions (B, H, A) that follow, in the data's own units; see PolicyConfig for where they begin.

        Args:
            observation: of the last To frames.
            generator: draws the codes, where the temperature is above 0.
            temperature: in place of the config's.
        """
        heat = self.config.temperature if temperature is None else temperature
        cond = self.observation(observation)
        actions = self._write(cond, heat, generator)
        if self.offset is not None:
            actions = self.offset(cond, actions)
        return self.action_normaliser.inverse(actions, task_of(observation))

    def _write(self, cond: Tensor, heat: float, generator: torch.Generator | None) -> Tensor:
        """Return the normalised actions (B, H, A) of codes that are written, told the encoded observations (B, C)."""
        if self._decoder is None or not self._decoder.is_of(self.tokenizer):
            self._decoder = ActionDecoder(self.tokenizer)
        told = self._told(cond)
        total = self.tokenizer.empty(len(told.start))
        memory: list[Tensor | None] = [None] * len(self.blocks)
        for scale in range(len(self.config.scales)):
            x = self._embed(self.tokenizer.seen_at(total, scale), self.tokenizer.places(scale), told)
            if self.config.chained and scale == 0:
                codes = self._chain(x, told, memory, heat, generator)
            else:
                x = self._through(x.flatten(1, 2), told, memory, None)
                codes = _draw(self._classify(x, told).float(), heat, generator)  # (B, n * A)
            total = self._decoder.add(total, scale, codes.view(len(codes), -1, self.config.action_dim))
        return self._decoder.decode_latents(total)

    def _logits(self, cond: Tensor, codes: Tensor) -> Tensor:
        """Return logits (B, N, A, K) of every code (B, N, A), told the encoded observations (B, C)."""
        told = self._told(cond)
        inputs = self.tokenizer.inputs(codes)  # (B, N, A, D')
        if self.config.chained:  # at the coarsest scale a number is told the one before it
            inputs[:, :1, 1:] = self.tokenizer.vectors(codes[:, :1])[:, :, :-1]
        x = self._embed(inputs, slice(0, inputs.shape[1]), told).flatten(1, 2)
        x = self._through(x, told, [None] * len(self.blocks), self.mask)
        return self._classify(x, told).unflatten(1, (-1, self.config.action_dim))

    def _told(self, cond: Tensor) -> Told:
        """Return what the encoded observations (B, C) say to every pass."""
        start = self.start(cond)[:, None, None]
        cond = F.silu(cond)
        shared = None if self.shared is None else self.shared(cond)
        blocks = tuple(block.told(cond, shared) for block in self.blocks)  # type: ignore[operator]
        return Told(start, blocks, self.out_modulation(cond)[:, None].chunk(2, dim=-1))

    def _embed(self, inputs: Tensor, places: slice, told: Told) -> Tensor:
        """Return tokens (B, n, A, D) of what their places are told (B, n, A, D')."""
        return self.latent(inputs) + (self.place[places, None] + self.number) + told.start

    def _chain(
        self,
        x: Tensor,
        told: Told,
        memory: list[Tensor | None],
        heat: float,
        generator: torch.Generator | None,
    ) -> Tensor:
        """Return the coarsest codes (B, A), each drawn when those before it are known; x is (B, 1, A, D)."""
        codes: list[Tensor] = []
        for number in range(self.config.action_dim):
            token = x[:, :, number]  # (B, 1, D)
            if codes:
                token = token + F.linear(self.tokenizer.codebooks[number - 1, codes[-1]], self.latent.weight)
            logits = self._classify(self._through(token, told, memory, None), told)
            codes.append(_draw(logits.float(), heat, generator))  # (B, 1)
        return torch.cat(codes, dim=1)

    def _through(self, x: Tensor, told: Told, memory: list[Tensor | None], mask: Tensor | None) -> Tensor:
        """Return tokens (B, n, D) after all blocks; `memory` gains their keys and values."""
        for layer, (block, modulation) in enumerate(zip(self.blocks, told.blocks, strict=True)):
            x, memory[layer] = block(x, modulation, memory[layer], mask)
        return x

    def _classify(self, x: Tensor, told: Told) -> Tensor:
        return self.out(_modulated(x, *told.out))


class _Block(nn.Module):
    """Pre-norm attention and feed-forward; the condition scales, shifts and gates both (adaLN, Peebles & Xie 2023)."""

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

    def told(self, cond: Tensor, shared: Tensor | None) -> tuple[Tensor, ...]:
        """Return scale, shift and gate of both parts, (B, 1, D) each, of a condition (B, C) or what blocks share."""
        if self.modulation is None:
            assert shared is not None
            parts = shared.unflatten(1, (6, -1)) + self.offset
        else:
            parts = self.modulation(cond).unflatten(1, (6, -1))
        return parts[:, :, None].unbind(1)

    def forward(
        self, x: Tensor, modulation: tuple[Tensor, ...], memory: Tensor | None, mask: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Return tokens (B, n, D), and keys with values (2, B, H, m, Dh) of these and all before."""
        scale, shift, gate, scale2, shift2, gate2 = modulation
        query, fresh = self._heads(self.query_key_value(_modulated(x, scale, shift)))
        kept = fresh if memory is None else torch.cat([memory, fresh], dim=3)
        attended = F.scaled_dot_product_attention(query, kept[0], kept[1], attn_mask=mask, scale=1.0)
        attended = self.attention_out(attended.transpose(1, 2).flatten(2))
        x = torch.addcmul(x, gate, F.dropout(attended, self.dropout, self.training))
        hidden = F.gelu(self.feedforward_in(_modulated(x, scale2, shift2)), approximate="tanh")
        hidden = F.dropout(self.feedforward_out(hidden), self.dropout, self.training)
        return torch.addcmul(x, gate2, hidden), kept

    def _heads(self, packed: Tensor) -> tuple[Tensor, Tensor]:
        """Return queries (B, H, n, Dh), and keys with values (2, B, H, n, Dh), of unit length but for the values."""
        query, key, value = packed.unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        scale = self.log_scale.clamp(max=MAX_LOG_SCALE).exp()
        query = F.normalize(query, dim=-1) * scale
        return query.to(value.dtype), torch.stack([F.normalize(key, dim=-1).to(value.dtype), value])


class _Offset(nn.Module):
    """Moves the actions that codes say, normalised, to where the observation says that they are."""

    def __init__(self, config: CARPConfig) -> None:
        super().__init__()
        numbers = config.horizon * config.action_dim
        self.hidden = nn.Linear(config.cond_dim + numbers, config.offset_dim)
        self.out = nn.Linear(config.offset_dim, numbers)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, cond: Tensor, actions: Tensor) -> Tensor:
        """Return actions (B, H, A), told the encoded observations (B, C)."""
        told = torch.cat([F.silu(cond), actions.flatten(1).to(cond.dtype)], dim=1)
        return actions + self.out(F.gelu(self.hidden(told))).view_as(actions)


def _mask(config: CARPConfig) -> Tensor:
    """Return who sees whom (N * A, N * A): a token its own scale and the coarser ones; in a chain, those before it."""
    scale = torch.arange(len(config.scales)).repeat_interleave(
        torch.tensor(config.scales) * config.action_dim
    )
    seen = scale[:, None] >= scale
    if config.chained:
        chain = slice(0, config.action_dim)
        seen[chain, chain] = seen[chain, chain].tril()
    return seen


def _modulated(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(shift, F.layer_norm(x, x.shape[-1:]), 1 + scale)


def _draw(logits: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Return the likeliest codes (B, n) of logits (B, n, K), or drawn ones where the temperature is above 0."""
    if temperature <= 0:
        return logits.argmax(-1)
    probabilities = (logits / temperature).softmax(-1)
    drawn = torch.multinomial(probabilities.flatten(0, 1).cpu(), 1, generator=generator)
    return drawn.view(logits.shape[:2]).to(logits.device)
