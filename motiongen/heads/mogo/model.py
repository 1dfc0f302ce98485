"""Mogo: streaming text to motion codes, one token at a time, by one causal transformer for each quantizer level.

After Mogo (Fu et al. 2024, arXiv 2412.07797): a stack of causal transformers, deeper for coarser levels, in which level
q of a token is predicted from the sum of its levels below q. Differences that streaming requires: every level has a KV
cache, attention has a limited window, the finer levels are conditioned on the features of the base level instead of the
text, END is a code, and guidance is classifier-free. The prompt may change at any token: each position attends to the
text of its own prompt, in training as in a stream.
"""

from collections.abc import Iterator, Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongen.conditions.text import TextCondition
from motiongen.heads.mogo.config import MogoConfig, MogoOptions
from motiongen.heads.mogo.stream import MogoState, end_share, guided
from motiongen.heads.streaming_head import TokenRequest
from motiongen.modules.attention import Transformer
from motiongen.modules.kv_cache import Push, TransformerState, chunk_lengths
from motiongen.modules.memory_input import MemoryInput, extend
from motiongen.modules.memory_pointer import HISTORY, REACH, mix, narrow, restarts, weigh
from motiongen.modules.residual_transformer import CodeVectors
from motiongen.modules.sampling import counter_uniform, draw
from motiongen.modules.text_input import TextInput

DEFAULTS = MogoOptions()


class FineLevel(nn.Module):
    """Predicts one finer level of each token from its levels below and the features of the base level."""

    def __init__(self, config: MogoConfig, level: int) -> None:
        super().__init__()
        self.code_in = nn.Linear(config.code_dim, config.fine_dim)
        self.base_in = nn.Linear(config.dim, config.fine_dim)
        self.transformer = Transformer(config.fine_transformer(level))
        self.code_out = nn.Linear(config.fine_dim, config.code_dim)

    def forward(self, below: Tensor, base: Tensor, skip: Tensor) -> Tensor:
        """Return output vectors (B, N, C) of a whole clip, for `CodeVectors.logits`.

        Args:
            below: (B, N, C) sum of the code embeddings of the levels below.
            base: (B, N, D) features of the base level.
            skip: (B, N) bool, true = padding.
        """
        return self.code_out(self.transformer(self.code_in(below) + self.base_in(base), padding=skip))

    def step(self, below: Tensor, base: Tensor, memory: Sequence[Tensor], push: Push) -> Tensor:
        """Return output vectors (B, n, C) of the next tokens.

        Args:
            below: (B, n, C) sum of the code embeddings of the levels below.
            base: (B, n, D) features of the base level.
            memory: KV cache of each layer; written in place.
            push: cache slots of the tokens.
        """
        return self.code_out(
            self.transformer.step_into(self.code_in(below) + self.base_in(base), memory, push)
        )


class Mogo(nn.Module):
    """Hierarchical causal model of motion codes: a base level with text, and finer levels that refine each token."""

    model_type = "mogo"
    config_class = MogoConfig

    def __init__(self, config: MogoConfig) -> None:
        super().__init__()
        self.config = config
        self.vectors = CodeVectors(config.num_quantizers, config.codebook_size, config.code_dim)
        self.text = TextInput(config.text_dim, config.context_dim, config.dim)
        reads = (config.code_dim, config.context_dim, config.memory_tokens)
        self.memory = MemoryInput(*reads) if config.memory_clips else None
        self.age = nn.Embedding(config.max_count + 1, config.dim)  # 0: not given
        self.remaining = nn.Embedding(config.max_count + 1, config.dim)  # 0: not given
        self.start = nn.Parameter(torch.empty(2, config.dim))  # start of a whole clip, of a cropped one
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
        """Device of the model."""
        return self.start.device

    def context(self, condition: TextCondition, dropped: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return context tokens (B, L, C), their padding (B, L) and sentence vectors (B, D).

        Args:
            condition: B prompts, with or without clips of a memory; text tokens past `text_tokens` are left out.
            dropped: (B,) bool, true = unconditional.
        """
        context = self.text(condition.first(self.config.text_tokens), dropped)
        return extend(context, self.memory, condition.clips, dropped, self.vectors)

    def sums(self, codes: Tensor) -> Tensor:
        """Return the embeddings of codes (..., Q), summed up to each level: (..., Q, C)."""
        levels, size, dim = self.vectors.vectors.shape
        offsets = torch.arange(levels, device=codes.device) * size
        return F.embedding(codes + offsets, self.vectors.vectors.view(-1, dim)).cumsum(dim=-2)

    def base_logits(self, features: Tensor) -> Tensor:
        """Return logits (..., K + 1) of the next first-level code, for features (..., D); the last is that of END."""
        codes = self.vectors.logits(self.code_out(features), 0)
        return torch.cat([codes, self.end_out(features).float()], dim=-1)

    def fine_levels(self) -> list[FineLevel]:
        """Return the modules of the levels after the first."""
        return cast(list[FineLevel], list(self.fine))

    @torch.no_grad()
    def init_state(self, batch_size: int, spare: int = 0) -> MogoState:
        """Return the initial state of B streams without a prompt.

        Args:
            batch_size: B.
            spare: tokens that can be undone by `MogoState.rewind`.
        """
        config, device = self.config, self.device
        like = self.transformer.norm.weight
        base = self.transformer.init_state(
            2 * batch_size, config.window + spare, context_tokens=config.context_tokens, spare=spare
        )
        sizes = config.fine_transformer(1)
        layers, slots = sum(config.layers[1:]), config.fine_window + spare
        fine = TransformerState.rest(like, layers, batch_size, sizes.num_heads, sizes.head_dim, 0, slots)
        for level in (base, fine):
            level.filled = level.slots  # constant shapes: empty slots are masked
        clips = (batch_size, min(1, config.memory_clips), REACH)
        state = MogoState(
            base=base,
            fine=fine,
            sentence=like.new_zeros(2 * batch_size, config.dim),
            past=torch.zeros(
                batch_size, spare + HISTORY, config.num_quantizers, dtype=torch.long, device=device
            ),
            clips=torch.full((*clips, config.num_quantizers), -1, device=device),
            clip_vectors=like.new_zeros(*clips, config.code_dim),
            again=torch.zeros(clips[:2], dtype=torch.long, device=device),
            spread=2 * self.vectors.vectors.var(dim=1).sum(),
        )
        self._write_text(state, torch.arange(2 * batch_size), None)
        return state

    @torch.no_grad()
    def set_text(self, state: MogoState, items: Sequence[int], condition: TextCondition | None) -> None:
        """Set the prompts of some streams, from their next token on.

        Args:
            state: from `init_state`; updated in place.
            items: indices of the streams.
            condition: one prompt for each of them; None for no prompt.
        """
        self._write_text(state, torch.tensor(list(items)), condition)

    def _write_text(self, state: MogoState, items: Tensor, condition: TextCondition | None) -> None:
        items = items.to(self.device)
        dropped = torch.full((len(items),), condition is None, device=self.device)
        if condition is None:
            zeros = self.start.new_zeros(len(items), 1, self.config.text_dim)
            condition = TextCondition(zeros, zeros[..., 0] > 0, zeros[:, 0])
        tokens, padding, sentence = self.context(condition.to(self.device), dropped)
        state.base.set_context(self.transformer.make_context(tokens, padding), items)
        state.sentence[items] = sentence.to(state.sentence.dtype)
        streams = items[items < len(state.clips)]
        state.clips[streams] = -1
        if self.memory is not None and (pointed := condition.pointed) is not None:
            codes = pointed.to(state.clips)
            state.clips[streams, :, : codes.shape[2]] = codes
            vectors = self.sums(codes.clamp_min(0))[..., -1, :]
            state.clip_vectors[streams, :, : codes.shape[2]] = vectors
            state.again[streams] = restarts(vectors, codes[..., 0] >= 0, state.spread)

    @torch.no_grad()
    def step(
        self, state: MogoState, request: TokenRequest, options: MogoOptions = DEFAULTS
    ) -> tuple[Tensor, Tensor]:
        """Sample the next token of B streams.

        The token of a stream depends only on its own past, prompt, seed and request. Where the motion has ended, the
        token is sampled as if it continued.

        Args:
            state: from `init_state`; updated in place, except for inactive streams.
            request: inputs of the step.
            options: sampling options; the guidance scale is that of the request.

        Returns:
            Codes (B, Q), and bools (B,): whether the motion ended before this token.
        """
        config = self.config
        noise = counter_uniform(request.seed, state.lengths, config.num_quantizers + 1)  # (B, Q + 1)
        skip = ~request.active[:, None]
        age, remaining = request.age[:, None], request.remaining[:, None]
        features = self._base_step(state, state.past[:, -1:], age, remaining, skip)
        logits, end = guided(self.base_logits(features[:, 0]), request.guidance_scale, options.plausible)
        sampling, fine_sampling = options.sampling(), options.fine_sampling()
        ended = noise[:, 0] < end_share(logits, end, sampling)
        points = self.memory is not None and options.pointer_share > 0
        if points:
            near = self._pointers(state, request)
            clips = state.clips.flatten(1, 2)  # (B, R M, Q)
            logits = mix(logits, near, clips[..., 0], options.pointer_share)
        codes = [draw(logits, noise[:, 1], sampling)]
        base = features[: len(request.age)]  # (B, 1, D), with the text
        below = self.vectors.vectors.new_zeros(len(base), 1, config.code_dim)
        push = state.fine.push(1, skip, config.fine_window)
        for level, (fine, memory) in enumerate(self._fine_memory(state), start=1):
            below = below + self.vectors.vectors[level - 1][codes[-1]][:, None]  # (B, 1, C)
            logits = self.vectors.logits(fine.step(below, base, memory, push)[:, 0], level)
            if points:
                near = narrow(near, clips[..., level - 1], codes[-1])
                logits = mix(logits, near, clips[..., level], options.fine_pointer_share)
            codes.append(draw(logits, noise[:, level + 1], fine_sampling))
        token = torch.stack(codes, dim=-1)  # (B, Q)
        moved = torch.cat([state.past[:, 1:], token[:, None]], dim=1)
        state.past.copy_(torch.where(request.active[:, None, None], moved, state.past))
        return token, ended

    def _pointers(self, state: MogoState, request: TokenRequest) -> Tensor:
        """Return the weights (B, R M) of the tokens of the clips as the next token of each stream."""
        past = self.sums(state.past[:, -HISTORY:])[..., -1, :]  # (B, HISTORY, C)
        # The state's lengths count this token already.
        position = torch.minimum(request.age - 1, state.lengths - 1).clamp_min(0)
        there = state.clips[..., 0] >= 0
        return weigh(past, position, state.clip_vectors, there, state.again, state.spread)

    @torch.no_grad()
    def push(
        self, codes: Tensor, state: MogoState, skip: Tensor | None = None, age: Tensor | None = None
    ) -> None:
        """Append given tokens to B streams.

        Args:
            codes: (B, n, Q).
            state: from `init_state`; updated in place.
            skip: (B, n) bool, true = padding, at the end of shorter items.
            age: (B, n) tokens since the prompt of each stream began, counting this one; 0 or None if not given.
        """
        tokens = codes.shape[1]
        skip = torch.zeros(codes.shape[:2], dtype=torch.bool, device=self.device) if skip is None else skip
        age = torch.zeros_like(codes[..., 0]) if age is None else age
        start = 0
        for length in chunk_lengths(tokens, state.fine.slots, state.fine.filled, self.config.fine_window):
            part = slice(start, start := start + length)
            self._push_chunk(codes[:, part], state, skip[:, part], age[:, part])

    def _push_chunk(self, codes: Tensor, state: MogoState, skip: Tensor, age: Tensor) -> None:
        inputs = torch.cat([state.past[:, -1:], codes[:, :-1]], dim=1)
        base = self._base_step(state, inputs, age, torch.zeros_like(age), skip)[: len(codes)]
        sums = self.sums(codes)  # (B, n, Q, C)
        push = state.fine.push(codes.shape[1], skip, self.config.fine_window)
        for level, (fine, memory) in enumerate(self._fine_memory(state), start=1):
            fine.step(sums[:, :, level - 1], base, memory, push)
        past, count = torch.cat([state.past, codes], dim=1), (~skip).sum(dim=1)
        index = count[:, None] + torch.arange(state.past.shape[1], device=self.device)
        state.past.copy_(past.gather(1, index[..., None].expand_as(state.past)))

    def _fine_memory(self, state: MogoState) -> Iterator[tuple[FineLevel, Sequence[Tensor]]]:
        """Yield the finer levels, each with the KV caches of its layers."""
        start = 0
        for fine, layers in zip(self.fine_levels(), self.config.layers[1:], strict=True):
            yield fine, state.fine.memory[start : (start := start + layers)]

    def _base_step(
        self, state: MogoState, inputs: Tensor, age: Tensor, remaining: Tensor, skip: Tensor
    ) -> Tensor:
        """Return base features (2 B, n, D) of the next positions, conditional, then unconditional.

        Args:
            state: updated in place.
            inputs: (B, n, Q) the token before each position.
            age: (B, n), see `TokenRequest`.
            remaining: (B, n), see `TokenRequest`.
            skip: (B, n) bool, true = padding.
        """
        x = self.code_in(self.sums(inputs)[..., -1, :])  # (B, n, D)
        first = state.lengths[:, None] + torch.arange(x.shape[1], device=x.device) == 0
        x = torch.where(first[..., None], self.start[0], x)
        x = x + self.age(age.clamp(0, self.config.max_count))
        x = x + self.remaining(remaining.clamp(0, self.config.max_count))
        return self.transformer.step(
            x.repeat(2, 1, 1) + state.sentence[:, None], state.base, skip.repeat(2, 1)
        )
