"""Mogo: words to motion codes, a token at a time, without end: one causal transformer a quantizer level.

After Mogo (Fu et al. 2024, arXiv 2412.07797): a stack of causal transformers, the deeper the coarser its level, in
which level q of a token is written from the sum of its levels below q. Ours differs where the release cannot stream:
keys and values are kept at every level, attention looks back a window only, the finer levels read the base level's
features instead of the text, END is a code, and guidance is classifier-free. A prompt may change at any token: each
position looks at its own prompt's words, in training as in a stream.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.conditions.text import DEFAULT_ENCODER, TextCondition
from motiongen.inference.sampling import (
    Generators,
    SamplingConfig,
    counter_uniform,
    draw,
    filter_logits,
    guide,
    item_generators,
)
from motiongen.modules.attention import Transformer, TransformerConfig
from motiongen.modules.kv_cache import Context, Push, TransformerState, lengths_within
from motiongen.modules.residual_transformer import CodeVectors
from motiongen.modules.text_input import TextInput


@dataclass(frozen=True, kw_only=True)
class MogoOptions:
    """How a stream is written."""

    guidance_scale: float = 3.0
    """Weight of the text against no text; 1 is the text alone."""
    plausible: float = 0.05
    """Codes that the text makes less likely than this part of the likeliest are never taken, whatever the guidance."""
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    fine_temperature: float = 0.5
    """Temperature of the finer levels."""
    min_tokens: int = 4
    """Shortest clip, in tokens, where the length is the model's choice."""
    max_tokens: int = 90
    """Longest clip, in tokens, where the length is the model's choice."""

    def __post_init__(self) -> None:
        if not 0 <= self.plausible <= 1:
            raise ValueError(f"plausible: expected 0..1, got {self.plausible}; take 0.05")
        if not 1 <= self.min_tokens <= self.max_tokens:
            expected = f"1 <= min_tokens <= max_tokens, got {self.min_tokens} and {self.max_tokens}"
            raise ValueError(f"min_tokens: expected {expected}; take 4 and 90")
        self.sampling(), self.fine_sampling()  # which check their own

    def adjusted(self, guidance_scale: float | None, temperature: float | None) -> "MogoOptions":
        """Return these options with what is given in place of their own."""
        return replace(
            self,
            guidance_scale=self.guidance_scale if guidance_scale is None else guidance_scale,
            temperature=self.temperature if temperature is None else temperature,
        )

    def sampling(self) -> SamplingConfig:
        """Return how first-level codes are drawn."""
        return SamplingConfig(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)

    def fine_sampling(self) -> SamplingConfig:
        """Return how codes of the finer levels are drawn."""
        return SamplingConfig(temperature=self.fine_temperature, top_k=self.top_k, top_p=self.top_p)


DEFAULTS = MogoOptions()


@dataclass(frozen=True, kw_only=True)
class MogoConfig:
    """Sizes of Mogo; the defaults are the shipped `small` one."""

    num_quantizers: int = 6
    codebook_size: int = 512
    frames_per_token: int = 4
    text_encoder: str = DEFAULT_ENCODER
    text_dim: int = 384
    """Channels of the text encoder."""
    text_tokens: int = 40
    """Word pieces that the layers look at; those beyond count in the sentence's vector only."""
    context_dim: int = 96
    """Channels of a word piece inside the model."""
    code_dim: int = 64
    """Channels of a code's vector."""
    layers: tuple[int, ...] = (5, 2, 1, 1, 1, 1)
    """Layers of each level's transformer."""
    dim: int = 192
    num_heads: int = 6
    feedforward_dim: int = 512
    window: int = 48
    """Tokens that the base level sees."""
    fine_dim: int = 128
    fine_heads: int = 4
    fine_feedforward_dim: int = 320
    fine_window: int = 16
    """Tokens that the finer levels see."""
    max_count: int = 96
    """Largest number of tokens that "so many since the prompt began" and "so many to its end" can say."""
    dropout: float = 0.0
    condition_dropout: float = 0.1
    """Part of the training clips that are seen without their text, for guidance."""
    corruption: float = 0.1
    """Part of the training clips' past tokens that are another clip's, so that a stream recovers from its own slips."""
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))  # JSON has lists
        sizes = ("num_quantizers", "codebook_size", "frames_per_token", "text_tokens", "window", "max_count")
        for name in (*sizes, "fine_window", "code_dim", "context_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")
        if len(self.layers) != self.num_quantizers or min(self.layers) < 1:
            raise ValueError(
                f"layers: expected {self.num_quantizers} numbers >= 1, got {self.layers}; one a quantizer level"
            )
        for name in ("dropout", "condition_dropout", "corruption", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; fix config.json")

    def transformer(self) -> TransformerConfig:
        """Return the sizes of the base level's transformer."""
        return TransformerConfig(
            dim=self.dim,
            num_layers=self.layers[0],
            num_heads=self.num_heads,
            feedforward_dim=self.feedforward_dim,
            context_dim=self.context_dim,
            dropout=self.dropout,
            window=self.window,
        )

    def fine_transformer(self, level: int) -> TransformerConfig:
        """Return the sizes of a finer level's transformer."""
        return TransformerConfig(
            dim=self.fine_dim,
            num_layers=self.layers[level],
            num_heads=self.fine_heads,
            feedforward_dim=self.fine_feedforward_dim,
            context_dim=0,
            dropout=self.dropout,
            window=self.fine_window,
        )


PRESETS: dict[str, MogoConfig] = {
    "small": MogoConfig(),
    "open": MogoConfig(
        context_dim=64, code_dim=48, layers=(4, 1, 1, 1, 1, 1), dim=160, num_heads=5, feedforward_dim=384,
        fine_dim=96, fine_heads=3, fine_feedforward_dim=256,
    ),
    "paper": MogoConfig(
        text_encoder="openai/clip-vit-base-patch32", text_dim=512, context_dim=512, code_dim=512,
        layers=(18, 10, 6, 4, 2, 2), dim=1024, num_heads=16, feedforward_dim=4096, window=65,
        fine_dim=1024, fine_heads=16, fine_feedforward_dim=4096, fine_window=65, dropout=0.1,
    ),
}  # fmt: skip


class FineLevel(nn.Module):
    """Writes one level of each token from its levels below and the base level's features."""

    def __init__(self, config: MogoConfig, level: int) -> None:
        super().__init__()
        self.code_in = nn.Linear(config.code_dim, config.fine_dim)
        self.base_in = nn.Linear(config.dim, config.fine_dim)
        self.transformer = Transformer(config.fine_transformer(level))
        self.code_out = nn.Linear(config.fine_dim, config.code_dim)

    def forward(self, below: Tensor, base: Tensor, skip: Tensor) -> Tensor:
        """Return vectors (B, N, C) of a whole clip.

        Args:
            below: (B, N, C) sum of the vectors of the levels below.
            base: (B, N, D) features of the base level.
            skip: (B, N) bool, true where there is no token.
        """
        return self.code_out(self.transformer(self.code_in(below) + self.base_in(base), padding=skip))

    def step(self, below: Tensor, base: Tensor, memory: Sequence[Tensor], push: Push) -> Tensor:
        """Return vectors (B, n, C) of the next tokens, whose keys and values go where `push` says."""
        return self.code_out(
            self.transformer.step_into(self.code_in(below) + self.base_in(base), memory, push)
        )


@dataclass
class MogoState:
    """What B streams remember.

    Attributes:
        base: keys and values of the base level, for 2 B items, with the text and without; its context is the words.
        fine: those of the finer levels, all their layers in one state: they take every step together.
        sentence: (2 B, D) the prompts' vectors.
        past: (B, spare + 1, Q) the last tokens, the newest last.
    """

    base: TransformerState
    fine: TransformerState
    sentence: Tensor
    past: Tensor

    @property
    def lengths(self) -> Tensor:
        """Tokens seen (B,)."""
        return self.base.lengths[: len(self.past)]

    @property
    def tensors(self) -> list[Tensor]:
        """Everything that a step changes or reads."""
        return [*self.base.tensors, *self.fine.tensors, self.sentence, self.past]

    def over(self, tensors: Sequence[Tensor]) -> "MogoState":
        """Return this state with other tensors, in the order of `tensors`."""
        base, both = len(self.base.tensors), len(self.base.tensors) + len(self.fine.tensors)
        fine = self.fine.over(tensors[base:both])
        return MogoState(self.base.over(tensors[:base]), fine, *tensors[both:])

    def reset(self, items: Tensor) -> None:
        """Put items (B,) bool back to rest; their text stays."""
        self.base.reset(items.repeat(2))
        self.fine.reset(items)

    def rewind(self, counts: Tensor) -> None:
        """Take back the last counts (B,) tokens of each item, at most the spare ones."""
        self.base.rewind(counts.repeat(2))
        self.fine.rewind(counts)
        index = (torch.arange(self.past.shape[1], device=counts.device) - counts[:, None]).clamp_min(0)
        self.past.copy_(self.past.gather(1, index[..., None].expand_as(self.past)))


@dataclass(frozen=True)
class Request:
    """What B streams want of their next token.

    Attributes:
        age: (B,) tokens since the prompt began, itself included; 0 for no saying.
        remaining: (B,) tokens to the motion's end, itself included; 0 for no saying.
        guidance_scale: (B,) float.
        seed: (B,) int64.
        active: (B,) bool, false for items that take no step.
    """

    age: Tensor
    remaining: Tensor
    guidance_scale: Tensor
    seed: Tensor
    active: Tensor


class Mogo(nn.Module):
    """Hierarchical causal model of motion codes that runs a token at a time."""

    config_class = MogoConfig
    options_class = MogoOptions

    def __init__(self, config: MogoConfig) -> None:
        super().__init__()
        self.config = config
        self.vectors = CodeVectors(config.num_quantizers, config.codebook_size, config.code_dim)
        self.text = TextInput(config.text_dim, config.context_dim, config.dim)
        self.age = nn.Embedding(config.max_count + 1, config.dim)  # 0: not told
        self.remaining = nn.Embedding(config.max_count + 1, config.dim)  # 0: not told
        self.start = nn.Parameter(torch.empty(2, config.dim))  # of a clip, of a cut
        self.code_in = nn.Linear(config.code_dim, config.dim)
        self.transformer = Transformer(config.transformer())
        self.code_out = nn.Linear(config.dim, config.code_dim)
        self.end_out = nn.Linear(config.dim, 1)
        self.fine = nn.ModuleList(FineLevel(config, level) for level in range(1, config.num_quantizers))
        for embedding in (self.age.weight, self.remaining.weight):
            nn.init.normal_(embedding, std=0.02)
        nn.init.normal_(self.start, std=0.5)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.start.device

    def sums(self, codes: Tensor) -> Tensor:
        """Return running sums (..., Q, C) over the levels of the vectors of codes (..., Q)."""
        levels, size, dim = self.vectors.vectors.shape
        offsets = torch.arange(levels, device=codes.device) * size
        return F.embedding(codes + offsets, self.vectors.vectors.view(-1, dim)).cumsum(dim=-2)

    def base_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., K + 1) of the next first-level code of features (..., D); the last one is END's."""
        codes = self.vectors.logits(self.code_out(features), 0)
        return torch.cat([codes, self.end_out(features).float()], dim=-1)

    def loss(self, batch: "MogoBatch", generator: torch.Generator) -> dict[str, Tensor]:
        """Return training losses: `loss` and its parts, cross entropies in nats a code.

        Args:
            batch: clips, cut or whole or one after the other, with the prompt of each position.
            generator: on the CPU.
        """
        config, device = self.config, batch.codes.device
        tokens = batch.codes.shape[1]
        index = torch.arange(tokens + 1, device=device)
        valid = index < batch.lengths[:, None]  # (B, N + 1)
        at_end = (index == batch.lengths[:, None]) & batch.ended[:, None]
        sums = self.sums(batch.codes)  # (B, N, Q, C)
        seen = self.sums(self._corrupted(batch.codes, valid[:, :-1], generator))[..., -1, :]
        x = torch.cat([self.start[batch.is_cut.long()][:, None], self.code_in(seen)], dim=1)
        context, sentence = self._training_context(batch, generator)
        x = x + sentence + self.age(batch.age) + self.remaining(batch.remaining)
        padding = ~(valid | at_end)
        features = self.transformer(x, context, padding)  # (B, N + 1, D)
        targets = F.pad(batch.codes[..., 0], (0, 1)).masked_fill(at_end, config.codebook_size)
        base = self._cross_entropy(self.base_logits(features[~padding]), targets[~padding])
        real, parts = valid[:, :-1], []
        for level, fine in enumerate(self._fine(), start=1):
            made = fine(sums[:, :, level - 1], features[:, :-1], ~real)
            logits = self.vectors.logits(made[real], level)
            parts.append(self._cross_entropy(logits, batch.codes[..., level][real]))
        fine_loss = torch.stack(parts).mean() if parts else base.new_zeros(())
        return {
            "loss": base.mean() + fine_loss,
            "base": base.mean(),
            "end": base[at_end[~padding]].mean() if bool(at_end.any()) else base.new_zeros(()),
            "fine": fine_loss,
        }

    def _training_context(self, batch: "MogoBatch", generator: torch.Generator) -> tuple[Context, Tensor]:
        """Return the words that each position looks at, and its sentence (B, N + 1, D)."""
        items, pieces = len(batch.codes), self.config.text_tokens
        prompts = len(batch.condition) // items
        dropped = torch.rand(items, generator=generator) < self.config.condition_dropout
        silent = dropped.to(batch.codes.device)[:, None] | batch.silent  # (B, P)
        shown = batch.condition.first(pieces)
        tokens, text_padding, sentence = self.text(shown, silent.flatten())
        tokens = tokens.view(items, -1, tokens.shape[-1])  # (B, P L, C)
        length = tokens.shape[1] // prompts
        owner = torch.arange(prompts, device=tokens.device).repeat_interleave(length)
        padding = (batch.segment[..., None] != owner) | text_padding.view(items, 1, -1)  # (B, N + 1, P L)
        sentence = sentence.view(items, prompts, -1)
        index = batch.segment[..., None].expand(-1, -1, sentence.shape[-1])
        return self.transformer.make_context(tokens, padding), sentence.gather(1, index)

    def _corrupted(self, codes: Tensor, valid: Tensor, generator: torch.Generator) -> Tensor:
        """Return codes (B, N, Q) with some tokens taken from anywhere in the batch."""
        if not self.training or not self.config.corruption:
            return codes
        flat, real = codes.flatten(0, 1), valid.flatten().nonzero()[:, 0].cpu()
        picks = real[torch.randint(len(real), (len(flat),), generator=generator)]
        hit = torch.rand(valid.shape, generator=generator) < self.config.corruption
        other = flat[picks.to(codes.device)].view_as(codes)
        return torch.where(hit.to(codes.device)[..., None], other, codes)

    def _cross_entropy(self, logits: Tensor, targets: Tensor) -> Tensor:
        smoothing = self.config.label_smoothing if self.training else 0.0
        return F.cross_entropy(logits.float(), targets, reduction="none", label_smoothing=smoothing)

    def _fine(self) -> list[FineLevel]:
        return cast(list[FineLevel], list(self.fine))

    @torch.no_grad()
    def init_state(self, batch_size: int, spare: int = 0) -> MogoState:
        """Return the state of B streams at rest, all without a prompt; `spare` tokens can be taken back."""
        config, device = self.config, self.device
        like = self.transformer.norm.weight
        base = self.transformer.init_state(
            2 * batch_size, config.window + spare, context_tokens=config.text_tokens, spare=spare
        )
        sizes = config.fine_transformer(1)
        layers, slots = sum(config.layers[1:]), config.fine_window + spare
        fine = TransformerState.rest(like, layers, batch_size, sizes.num_heads, sizes.head_dim, 0, slots)
        for level in (base, fine):
            level.filled = level.slots  # one shape from the first step on: empty slots are masked
        state = MogoState(
            base=base,
            fine=fine,
            sentence=like.new_zeros(2 * batch_size, config.dim),
            past=torch.zeros(batch_size, spare + 1, config.num_quantizers, dtype=torch.long, device=device),
        )
        self._write_text(state, torch.arange(2 * batch_size), None)
        return state

    @torch.no_grad()
    def set_text(self, state: MogoState, items: Sequence[int], condition: TextCondition | None) -> None:
        """Give the streams `items` new prompts, from their next token on; None for no prompt."""
        self._write_text(state, torch.tensor(list(items)), condition)

    def _write_text(self, state: MogoState, items: Tensor, condition: TextCondition | None) -> None:
        pieces, items = self.config.text_tokens, items.to(self.device)
        if condition is None:
            nothing = self.start.new_zeros(len(items), 1, self.config.text_dim)
            condition = TextCondition(nothing, nothing[..., 0] > 0, nothing[:, 0])
            silent = torch.ones(len(items), dtype=torch.bool, device=self.device)
        else:
            condition = condition.to(self.device)
            silent = torch.zeros(len(items), dtype=torch.bool, device=self.device)
        tokens, padding, sentence = self.text(condition.first(pieces), silent)
        state.base.set_context(self.transformer.make_context(tokens, padding), items)
        state.sentence[items] = sentence.to(state.sentence.dtype)

    @torch.no_grad()
    def step(
        self, state: MogoState, request: Request, options: MogoOptions = DEFAULTS
    ) -> tuple[Tensor, Tensor]:
        """Write the next token of B streams: codes (B, Q), and whether the motion has ended before it (B,) bool.

        A stream's token depends on its own past, prompt, seed and request alone. What is drawn where `ended` is true is
        a token as if the motion went on. Updates state in place; items that are not active keep theirs.
        """
        config = self.config
        noise = counter_uniform(request.seed, state.lengths, config.num_quantizers + 1)  # (B, Q + 1)
        skip = ~request.active[:, None]
        age, remaining = request.age[:, None], request.remaining[:, None]
        features = self._base_step(state, state.past[:, -1:], age, remaining, skip)
        guided, end = _guided(self.base_logits(features[:, 0]), request.guidance_scale, options.plausible)
        sampling, fine_sampling = options.sampling(), options.fine_sampling()
        ended = noise[:, 0] < _end_share(guided, end, sampling)
        codes = [draw(guided, noise[:, 1], sampling)]
        base = features[: len(request.age)]  # (B, 1, D), with the text
        below = self.vectors.vectors.new_zeros(len(base), 1, config.code_dim)
        push = state.fine.push(1, skip, config.fine_window)
        for level, (fine, memory) in enumerate(self._fine_memory(state), start=1):
            below = below + self.vectors.vectors[level - 1][codes[-1]][:, None]  # (B, 1, C)
            logits = self.vectors.logits(fine.step(below, base, memory, push)[:, 0], level)
            codes.append(draw(logits, noise[:, level + 1], fine_sampling))
        token = torch.stack(codes, dim=-1)  # (B, Q)
        moved = torch.cat([state.past[:, 1:], token[:, None]], dim=1)
        state.past.copy_(torch.where(request.active[:, None, None], moved, state.past))
        return token, ended

    @torch.no_grad()
    def push(
        self, codes: Tensor, state: MogoState, skip: Tensor | None = None, age: Tensor | None = None
    ) -> None:
        """Give B streams tokens that they did not write; updates state in place.

        Args:
            codes: (B, n, Q).
            state: from `init_state`.
            skip: (B, n) bool, true at the end of shorter items.
            age: (B, n) tokens since each stream's prompt began, itself included; 0, or left out, for no saying.
        """
        tokens = codes.shape[1]
        skip = torch.zeros(codes.shape[:2], dtype=torch.bool, device=self.device) if skip is None else skip
        age = torch.zeros_like(codes[..., 0]) if age is None else age
        start = 0
        for length in lengths_within(tokens, state.fine.slots, state.fine.filled, self.config.fine_window):
            part = slice(start, start := start + length)
            self._push_few(codes[:, part], state, skip[:, part], age[:, part])

    def _push_few(self, codes: Tensor, state: MogoState, skip: Tensor, age: Tensor) -> None:
        inputs = torch.cat([state.past[:, -1:], codes[:, :-1]], dim=1)
        base = self._base_step(state, inputs, age, torch.zeros_like(age), skip)[: len(codes)]
        sums = self.sums(codes)  # (B, n, Q, C)
        push = state.fine.push(codes.shape[1], skip, self.config.fine_window)
        for level, (fine, memory) in enumerate(self._fine_memory(state), start=1):
            fine.step(sums[:, :, level - 1], base, memory, push)
        kept, count = torch.cat([state.past, codes], dim=1), (~skip).sum(dim=1)
        index = count[:, None] + torch.arange(state.past.shape[1], device=self.device)
        state.past.copy_(kept.gather(1, index[..., None].expand_as(state.past)))

    def _fine_memory(self, state: MogoState) -> Iterator[tuple[FineLevel, Sequence[Tensor]]]:
        """The finer levels, each with its own layers of the state."""
        start = 0
        for fine, layers in zip(self._fine(), self.config.layers[1:], strict=True):
            yield fine, state.fine.memory[start : (start := start + layers)]

    def _base_step(
        self, state: MogoState, inputs: Tensor, age: Tensor, remaining: Tensor, skip: Tensor
    ) -> Tensor:
        """Return features (2 B, n, D) of the positions after input tokens (B, n, Q), with and without the text."""
        x = self.code_in(self.sums(inputs)[..., -1, :])  # (B, n, D)
        first = state.lengths[:, None] + torch.arange(x.shape[1], device=x.device) == 0
        x = torch.where(first[..., None], self.start[0], x)
        x = x + self.age(age.clamp(0, self.config.max_count))
        x = x + self.remaining(remaining.clamp(0, self.config.max_count))
        return self.transformer.step(
            x.repeat(2, 1, 1) + state.sentence[:, None], state.base, skip.repeat(2, 1)
        )

    @torch.no_grad()
    def generate(
        self,
        condition: TextCondition,
        *,
        lengths: Sequence[int | None] | int | None = None,
        prefix_codes: Sequence[Tensor] | None = None,
        generator: Generators = None,
        options: MogoOptions = DEFAULTS,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt.

        Args:
            condition: B prompts.
            lengths: tokens of each clip, or of all; None lets the model find the end.
            prefix_codes: (n_i, Q) codes that each clip goes on from; they are not returned.
            generator: one for all, or one an item, whose clip then does not depend on the others.
            options: how they are written.

        Raises:
            ValueError: sizes that do not fit together, or lengths below 1.
        """
        batch, device = len(condition), self.device
        wanted = [lengths] * batch if lengths is None or isinstance(lengths, int) else list(lengths)
        if len(wanted) != batch or any(length is not None and length < 1 for length in wanted):
            raise ValueError(f"lengths: expected {batch} lengths >= 1, got {wanted}; one a prompt")
        seeds = [
            torch.randint(2**62, (1,), generator=own, device=own.device).item()
            for own in item_generators(generator, batch)
        ]
        state = self.init_state(batch)
        if prefix_codes is not None:
            self._push_prefixes(list(prefix_codes), state)
        self.set_text(state, range(batch), condition)
        goal = torch.tensor([length or options.max_tokens for length in wanted], device=device)
        told = torch.tensor([length is not None for length in wanted], device=device)
        written: list[Tensor] = []
        stops, going = goal.clone(), torch.ones(batch, dtype=torch.bool, device=device)
        scale = torch.full((batch,), options.guidance_scale, device=device)
        seed = torch.tensor(seeds, device=device)
        while bool(going.any()):
            age = torch.full_like(goal, len(written) + 1)
            request = Request(age, torch.where(told, goal - len(written), 0), scale, seed, going)
            token, ended = self.step(state, request, options)
            over = ended & ~told & (len(written) >= options.min_tokens)
            stops = torch.where(going & over, len(written), stops)
            written.append(token)
            going = going & ~over & (len(written) < goal)
        codes = torch.stack(written, dim=1)  # (B, N, Q)
        return [row[:stop] for row, stop in zip(codes, stops.tolist(), strict=True)]

    def _push_prefixes(self, prefixes: list[Tensor], state: MogoState) -> None:
        """Push what each item goes on from, of which the windows see the end only."""
        tails = [codes[-self.config.window :].to(self.device, torch.long) for codes in prefixes]
        if len(tails) != len(state.past) or any(tail.shape[1:] != state.past.shape[2:] for tail in tails):
            expected = f"{len(state.past)} tensors (n, {self.config.num_quantizers})"
            raise ValueError(f"prefix_codes: expected {expected}, got {[tuple(t.shape) for t in prefixes]}")
        longest = max(len(tail) for tail in tails)
        if longest:
            codes = torch.stack([F.pad(tail, (0, 0, 0, longest - len(tail))) for tail in tails])
            lengths = torch.tensor([len(tail) for tail in tails], device=self.device)
            self.push(codes, state, torch.arange(longest, device=self.device) >= lengths[:, None])


@dataclass(frozen=True)
class MogoBatch:
    """Training clips of Mogo; position n of N + 1 stands before token n.

    Attributes:
        codes: (B, N, Q), anything after an item's length.
        lengths: (B,) tokens of each item.
        ended: (B,) bool, whether the item's last token is its motion's last.
        is_cut: (B,) bool, whether the motion began before the item's first token.
        condition: B x P prompts, item by item.
        silent: (B, P) bool, prompts that are not told.
        segment: (B, N + 1) which of the P prompts each position obeys.
        age: (B, N + 1) tokens since that prompt's motion began, itself included; 0 for no saying.
        remaining: (B, N + 1) tokens to that motion's end, itself included; 0 for no saying.
    """

    codes: Tensor
    lengths: Tensor
    ended: Tensor
    is_cut: Tensor
    condition: TextCondition
    silent: Tensor
    segment: Tensor
    age: Tensor
    remaining: Tensor


def _guided(logits: Tensor, scale: Tensor, plausible: float) -> tuple[Tensor, Tensor]:
    """Return guided logits of the codes (B, K) and of END (B, 1), of logits (2 B, K + 1) with the text and without."""
    codes = guide(logits[:, :-1], scale[:, None], plausible)
    told = logits[: len(scale)]
    floor = told[:, :-1].amax(dim=-1, keepdim=True) + math.log(plausible or 1e-12)
    end = guide(logits[:, -1:], scale[:, None]).masked_fill(told[:, -1:] < floor, -torch.inf)
    return codes, end


def _end_share(codes: Tensor, end: Tensor, sampling: SamplingConfig) -> Tensor:
    """Return the probability (B,) of END (B, 1) beside codes (B, K); 0 or 1 where the likeliest is taken."""
    codes = filter_logits(codes, sampling)
    end = end / (sampling.temperature or 1.0)
    if sampling.temperature == 0:
        return (end[:, 0] > codes.amax(dim=-1)).float()
    return torch.sigmoid(end[:, 0] - codes.logsumexp(dim=-1))
