"""Sampling of BAMM: autoregressive, then bidirectional for the least confident codes, then the finer levels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from motiongen.conditions.text import TextCondition
from motiongen.heads.bamm.config import BAMMOptions
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.code_sampler import checked_prefixes, requested_lengths
from motiongen.modules.memory_pointer import HISTORY, mix, narrow, restarts, weigh
from motiongen.modules.sampling import (
    Generators,
    confidence,
    cosine_schedule,
    guide,
    gumbel_noise,
    item_generators,
    least_confident,
    sample,
)
from motiongen.modules.sampling_config import SamplingConfig

DEFAULTS = BAMMOptions()


class BAMMSampler:
    """Samples codes from a BAMM; see `EditingSampler`."""

    def __init__(self, model: BAMM) -> None:
        self.model = model

    @torch.no_grad()
    def generate(
        self,
        condition: TextCondition,
        *,
        lengths: Sequence[int | None] | int | None = None,
        prefix_codes: Sequence[Tensor] | None = None,
        generator: Generators = None,
        options: BAMMOptions = DEFAULTS,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt.

        Args:
            condition: B prompts.
            lengths: tokens of each clip, or of all; None lets the model end the clip. A clip longer than the window of
                the model is sampled window by window, each continuing the last tokens of the one before.
            prefix_codes: (n_i, Q) codes that each clip continues; they are not returned.
            generator: one for the batch, or one for each item, which is then independent of the others.
            options: sampling options.

        Raises:
            ValueError: sizes that do not match, or lengths below 1.
        """
        batch = len(condition)
        requested, given = requested_lengths(lengths, batch), self._checked(prefix_codes, batch)
        generators = item_generators(generator, batch)
        clips = list(given)
        goals = [
            None if count is None else len(clip) + count for clip, count in zip(clips, requested, strict=True)
        ]
        open_items = list(range(batch))
        while open_items:
            tails = [clips[i][max(0, len(clips[i]) - self._overlap(options)) :] for i in open_items]
            missing = [None if (goal := goals[i]) is None else goal - len(clips[i]) for i in open_items]
            window_pass = _Window(
                self.model, condition[open_items], [generators[i] for i in open_items], options
            )
            new = window_pass.sample(tails, missing)
            for i, codes in zip(open_items, new, strict=True):
                clips[i] = torch.cat([clips[i], codes])
            open_items = [i for i in open_items if (goal := goals[i]) is not None and goal > len(clips[i])]
        return [clip[len(codes) :] for clip, codes in zip(clips, given, strict=True)]

    @torch.no_grad()
    def edit(
        self,
        codes: Sequence[Tensor],
        keep_mask: Sequence[Tensor],
        condition: TextCondition,
        *,
        generator: Generators = None,
        options: BAMMOptions = DEFAULTS,
    ) -> list[Tensor]:
        """Return codes (N_i, Q) whose kept tokens are unchanged and whose other tokens are resampled at all levels.

        Keeping both ends is in-betweening; keeping the start, continuation to a given length; keeping the end,
        generation of a lead-in; keeping nothing, generation of a given length.

        Args:
            codes: (N_i, Q) codes; any values where they are not kept.
            keep_mask: (N_i,) bool, true = keep.
            condition: one prompt for each item.
            generator: one for the batch, or one for each item.
            options: sampling options.

        Raises:
            ValueError: sizes that do not match.
        """
        if not len(codes) == len(keep_mask) == len(condition):
            counts = f"{len(codes)}, {len(keep_mask)} and {len(condition)}"
            raise ValueError(
                f"codes, keep_mask, condition: expected as many of each, got {counts}; repeat the prompt"
            )
        clips, keeps = (
            [item.clone() for item in self._checked(codes, len(codes))],
            [keep.to(self.model.device) for keep in keep_mask],
        )
        for clip, keep in zip(clips, keeps, strict=True):
            if keep.shape != clip.shape[:1] or keep.dtype != torch.bool:
                got = f"{tuple(keep.shape)} {keep.dtype}"
                raise ValueError(f"keep_mask: expected ({len(clip)},) bools, got {got}; one a token")
        generators, window = item_generators(generator, len(clips)), self.model.config.max_tokens
        while open_items := [i for i, keep in enumerate(keeps) if not keep.all()]:
            spans = []
            for i in (
                open_items
            ):  # a window starts before its first open token, for context, and ends within the clip
                start = int((~keeps[i]).int().argmax()) - self._overlap(options)
                start = max(0, min(start, len(clips[i]) - window))
                spans.append(slice(start, min(start + window, len(clips[i]))))
            parts = [
                _Clip(clips[i][span], keeps[i][span], ended=span.stop == len(clips[i]))
                for i, span in zip(open_items, spans, strict=True)
            ]
            window_pass = _Window(
                self.model, condition[open_items], [generators[i] for i in open_items], options
            )
            window_pass.sample_masked(parts, options.edit_steps)
            window_pass.sample_residual(parts)
            for i, span, part in zip(open_items, spans, parts, strict=True):
                clips[i][span], keeps[i] = part.codes, keeps[i].clone()
                keeps[i][span] = True
        return clips

    def _overlap(self, options: BAMMOptions) -> int:
        """Return the tokens of context from the previous window: at most half of a window, so that new ones fit."""
        return min(options.overlap, self.model.config.max_tokens // 2)

    def _checked(self, codes: Sequence[Tensor] | None, count: int) -> list[Tensor]:
        config = self.model.config
        return checked_prefixes(codes, count, config.num_quantizers, config.codebook_size, self.model.device)


@dataclass
class _Clip:
    """Part of one item within a window of the model."""

    codes: Tensor
    """(N, Q); those that are not kept are overwritten."""
    keep: Tensor
    """(N,) bool, true = keep."""
    ended: bool
    """Whether the window contains the end of the clip."""
    pointers: Tensor | None = None
    """(N, R M) weights of the tokens of the prompt's clips at each token; None where no clip is pointed to."""


class _Window:
    """Sampler of one window of a batch.

    Args:
        model: the head.
        condition: B prompts, which are projected with and, for guidance, without text.
        generators: one for each item.
        options: sampling options.
    """

    def __init__(
        self,
        model: BAMM,
        condition: TextCondition,
        generators: Sequence[torch.Generator],
        options: BAMMOptions,
    ) -> None:
        self.model, self.generators, self.options, self.device = model, generators, options, model.device
        points = model.memory is not None and options.pointer_share > 0
        self.clips = condition.to(self.device).pointed if points else None
        self.memory = torch.empty(0) if self.clips is None else self.clips.flatten(1, 2)  # (B, R M, Q)
        self.table = model.vectors.vectors[0]  # (K, C)
        if self.clips is not None:
            self.clip_vectors = self.table[self.clips[..., 0].long().clamp_min(0)]  # (B, R, M, C)
            self.spread = 2 * self.table.var(dim=0).sum()
            self.there = self.clips[..., 0] >= 0  # (B, R, M)
            self.again = restarts(self.clip_vectors, self.there, self.spread)
        condition = condition.to(self.device)[list(range(len(condition))) * 2]
        dropped = torch.arange(len(condition), device=self.device) >= len(condition) // 2
        tokens, padding, self.sentence = model.context(condition, dropped)
        self.context = model.transformer.make_context(tokens, padding)
        self.residual_context = model.residual.make_context(tokens, padding)

    def sample(self, prefixes: Sequence[Tensor], missing: Sequence[int | None]) -> list[Tensor]:
        """Return new codes (n_i, Q) of each item, at most as many as fit the window.

        Args:
            prefixes: (p_i, Q) codes that each item continues.
            missing: tokens to sample for each item; None lets the model end the clip.
        """
        clips, scores = self.sample_autoregressive(prefixes, missing)
        for item, (clip, score) in enumerate(zip(clips, scores, strict=True)):
            revised = ~clip.keep & ~self._is_read(item, clip)
            count = round(self.options.refine_share * int(revised.sum()))
            clip.keep = ~least_confident(score, revised, count)
        if self.options.refine_share:
            self.sample_masked(clips, self.options.refine_steps)
        for clip, prefix in zip(clips, prefixes, strict=True):
            clip.keep = torch.arange(len(clip.codes), device=self.device) < len(prefix)
        self.sample_residual(clips)
        return [clip.codes[len(prefix) :] for clip, prefix in zip(clips, prefixes, strict=True)]

    def sample_autoregressive(
        self, prefixes: Sequence[Tensor], missing: Sequence[int | None]
    ) -> tuple[list[_Clip], list[Tensor]]:
        """Pass 1: sample first-level codes autoregressively.

        Args:
            prefixes: as in `sample`.
            missing: as in `sample`.

        Returns:
            The clips, and the confidence (N_i,) of each code.
        """
        model, config, batch = self.model, self.model.config, len(prefixes)
        started = [len(prefix) for prefix in prefixes]
        goals = [config.max_tokens + 1 if m is None else n + m for n, m in zip(started, missing, strict=True)]
        limits = [min(goal, config.max_tokens) for goal in goals]
        ended = [m is None or goal <= config.max_tokens for m, goal in zip(missing, goals, strict=True)]
        given_lengths = torch.tensor(
            [0 if goal > config.max_tokens else goal for goal in goals], device=self.device
        )
        prefix = pad_sequence([p[:, 0] for p in prefixes], batch_first=True, padding_value=config.pad)
        first = model.first_token(self.sentence, given_lengths.repeat(2))
        x = torch.cat([first, model.embed(prefix.repeat(2, 1))], dim=1)  # (2 B, 1 + p, D)
        last = torch.tensor(started, device=self.device).repeat(2)
        state = model.transformer.init_state(2 * batch, x.shape[1] + max(limits), self.context)
        unused = torch.arange(x.shape[1], device=self.device) > last[:, None]
        features = model.transformer.step(x, state, unused)[torch.arange(2 * batch), last]  # (2 B, D)
        codes, scores = [p[:, 0].tolist() for p in prefixes], [[1.0] * n for n in started]
        pointers: list[list[Tensor]] = [[] for _ in prefixes]
        ongoing = [len(item) < limit for item, limit in zip(codes, limits, strict=True)]
        while any(ongoing):
            logits = model.logits(features)  # (2 B, K + 1)
            for i, item in enumerate(codes):
                if missing[i] is not None or len(item) - started[i] < self.options.min_tokens:
                    logits[[i, batch + i], config.end] = -1e4
            logits = guide(logits, self.options.guidance_scale, self.options.plausible)  # (B, K + 1)
            near = self._near(codes, started)
            if near is not None:
                logits = mix(logits, near, self.memory[..., 0], self.options.pointer_share)
            drawn = self._draw(logits[:, None], [int(go) for go in ongoing], self.options.sampling())[
                :, 0
            ]  # (B,)
            for i, (code, score) in enumerate(
                zip(drawn.tolist(), confidence(logits, drawn).tolist(), strict=True)
            ):
                if ongoing[i] and code != config.end:
                    codes[i].append(code)
                    scores[i].append(score)
                    if near is not None:
                        pointers[i].append(near[i])
                ongoing[i] = ongoing[i] and code != config.end and len(codes[i]) < limits[i]
            if any(ongoing):
                features = model.transformer.step(model.embed(drawn.repeat(2)[:, None]), state)[:, 0]
        clips = [self._clip(*parts) for parts in zip(codes, prefixes, ended, pointers, strict=True)]
        return clips, [torch.tensor(item, device=self.device) for item in scores]

    def _near(self, codes: Sequence[Sequence[int]], started: Sequence[int]) -> Tensor | None:
        """Return the weights (B, R M) of the memory's tokens as the next one; None without a memory."""
        if self.clips is None:
            return None
        last = torch.tensor([([0] * HISTORY + list(item))[-HISTORY:] for item in codes], device=self.device)
        position = [len(item) - start for item, start in zip(codes, started, strict=True)]
        positions = torch.tensor(position, device=self.device)
        return weigh(self.table[last], positions, self.clip_vectors, self.there, self.again, self.spread)

    def _is_read(self, item: int, clip: _Clip) -> Tensor:
        """Return bools (N,): whether each first-level code of an item is read off the memory."""
        if clip.pointers is None:
            return torch.zeros_like(clip.keep)
        codes = self.memory[item, :, 0].expand(len(clip.codes), -1)  # (N, R M)
        return narrow(clip.pointers, codes, clip.codes[:, 0]).amax(dim=-1) > 0

    def sample_masked(self, clips: Sequence[_Clip], steps: int) -> None:
        """Pass 2: sample the first-level codes that are not kept bidirectionally, most confident first (MaskGIT).

        Args:
            clips: their codes are replaced.
            steps: number of sampling steps.
        """
        model, config = self.model, self.model.config
        sizes = torch.tensor([len(clip.codes) for clip in clips], device=self.device)
        ended = torch.tensor([clip.ended for clip in clips], device=self.device)
        tokens = pad_sequence(
            [clip.codes[:, 0] for clip in clips], batch_first=True, padding_value=config.pad
        )
        tokens = F.pad(tokens, (0, 1), value=config.pad)  # (B, N + 1): room for END
        tokens[torch.arange(len(clips)), sizes] = torch.where(ended, config.end, config.pad)
        hidden = F.pad(pad_sequence([~clip.keep for clip in clips], batch_first=True), (0, 1))
        padding = torch.arange(tokens.shape[1] + 1, device=self.device) > (sizes + ended)[:, None]
        first = model.first_token(
            self.sentence, torch.zeros(2 * len(clips), dtype=torch.long, device=self.device)
        )
        counts = hidden.sum(dim=1).tolist()
        for step in range(steps):
            shown = model.embed(tokens.masked_fill(hidden, config.mask)).repeat(2, 1, 1)
            x = torch.cat([first, shown], dim=1)
            features = model.transformer(x, self.context, padding.repeat(2, 1), causal=False)[:, :-1]
            logits = model.logits(features)[..., : config.end]
            logits = guide(
                logits, self.options.refine_guidance_scale, self.options.plausible
            )  # (B, N + 1, K)
            drawn = self._draw(logits, sizes.tolist(), self.options.sampling())
            tokens, scores = torch.where(hidden, drawn, tokens), confidence(logits, drawn)
            left = cosine_schedule((step + 1) / steps)
            still_hidden = [
                least_confident(score, candidates, int(left * count))
                for score, candidates, count in zip(scores, hidden, counts, strict=True)
            ]
            hidden = torch.stack(still_hidden)
        for row, clip in zip(tokens, clips, strict=True):
            clip.codes = torch.cat([row[: len(clip.codes), None], clip.codes[:, 1:]], dim=1)

    def sample_residual(self, clips: Sequence[_Clip]) -> None:
        """Sample levels 2 to Q of the codes that are not kept, level by level; the clips' codes are replaced."""
        codes = pad_sequence([clip.codes for clip in clips], batch_first=True)  # (B, N, Q)
        keep = pad_sequence([clip.keep for clip in clips], batch_first=True, padding_value=True)
        sizes = [len(clip.codes) for clip in clips]
        padding = (
            torch.arange(codes.shape[1], device=self.device)
            >= torch.tensor(sizes, device=self.device)[:, None]
        )
        near = self._pointers(clips)

        def of_level(level: int) -> Tensor:
            return self.memory[:, None, :, level].expand(-1, codes.shape[1], -1).flatten(0, 1)  # (B N, R M)

        for level in range(1, self.model.config.num_quantizers):
            levels = torch.full((2 * len(clips),), level, device=self.device)
            logits = self.model.residual(
                codes.repeat(2, 1, 1),
                levels,
                padding.repeat(2, 1),
                self.residual_context,
                self.sentence,
                self.model.vectors,
            )
            logits = guide(logits, self.options.residual_guidance_scale, self.options.plausible)  # (B, N, K)
            if near is not None:
                near = narrow(near, of_level(level - 1), codes[..., level - 1].flatten())
                mixed = mix(logits.flatten(0, 1), near, of_level(level), self.options.fine_pointer_share)
                logits = mixed.view_as(logits)
            drawn = self._draw(logits, sizes, self.options.residual_sampling())
            codes[..., level] = torch.where(keep, codes[..., level], drawn)
        for row, clip in zip(codes, clips, strict=True):
            clip.codes = row[: len(clip.codes)]

    def _pointers(self, clips: Sequence[_Clip]) -> Tensor | None:
        """Return the weights (B N, R M) of the memory's tokens at each token of the clips; None without a memory."""
        if self.clips is None:
            return None
        none = torch.zeros(max(len(clip.codes) for clip in clips), self.memory.shape[1], device=self.device)
        rows = [none[: len(clip.codes)] if clip.pointers is None else clip.pointers for clip in clips]
        return pad_sequence(rows, batch_first=True).flatten(0, 1)

    def _draw(self, logits: Tensor, sizes: Sequence[int], sampling: SamplingConfig) -> Tensor:
        """Return codes (B, N) sampled from logits (B, N, K), with noise that depends on the item alone.

        Args:
            logits: (B, N, K).
            sizes: tokens of each item, for which its generator draws noise.
            sampling: sampling options.
        """
        noise = torch.zeros(logits.shape)
        for row, size, generator in zip(noise, sizes, self.generators, strict=True):
            row[:size] = gumbel_noise((size, logits.shape[-1]), generator)
        return sample(logits, noise, sampling)

    def _clip(
        self, first_level: Sequence[int], prefix: Tensor, ended: bool, pointers: Sequence[Tensor]
    ) -> _Clip:
        codes = torch.zeros(
            len(first_level), self.model.config.num_quantizers, dtype=torch.long, device=self.device
        )
        codes[:, 0] = torch.tensor(first_level, device=self.device)
        codes[: len(prefix)] = prefix
        keep = torch.arange(len(codes), device=self.device) < len(prefix)
        if self.clips is None:
            return _Clip(codes, keep, ended)
        before = torch.zeros(len(prefix), self.memory.shape[1], device=self.device)
        return _Clip(
            codes, keep, ended, torch.cat([before, torch.stack(list(pointers))] if pointers else [before])
        )
