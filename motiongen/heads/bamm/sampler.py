"""How BAMM writes codes: left to right, then the least sure ones again in both directions, then the finer levels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from motiongen.conditions.text import TextCondition
from motiongen.modules.sampling import (
    SamplingConfig,
    confidence,
    cosine_schedule,
    guide,
    gumbel_noise,
    least_confident,
    sample,
)

if TYPE_CHECKING:
    from motiongen.heads.bamm.model import BAMM


@dataclass(frozen=True, kw_only=True)
class GenerationConfig:
    """How clips are written."""

    guidance_scale: float = 3.0
    """Weight of the text against no text while writing from left to right; 1 is the text alone."""
    refine_guidance_scale: float = 2.5
    """The same while revising."""
    residual_guidance_scale: float = 2.0
    """The same for the finer levels."""
    plausible: float = 0.05
    """Codes that the text makes less likely than this part of the likeliest are never taken, whatever the guidance."""
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    residual_temperature: float = 0.5
    refine_share: float = 0.4
    """Part of the codes, the least sure ones, that are hidden and written again in both directions; 0 for none."""
    refine_steps: int = 6
    edit_steps: int = 12
    """Steps in which an edited span is filled."""
    min_tokens: int = 4
    """Shortest clip, in tokens, where the length is the model's choice."""
    overlap: int = 16
    """Tokens of its past that a clip longer than the model's window goes on from."""

    def __post_init__(self) -> None:
        if not 0 <= self.refine_share <= 1:
            raise ValueError(f"refine_share: expected 0..1, got {self.refine_share}; take 0.4")
        if not 0 <= self.plausible <= 1:
            raise ValueError(f"plausible: expected 0..1, got {self.plausible}; take 0.05")
        for name in ("refine_steps", "edit_steps", "min_tokens", "overlap"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; take 6 or more")
        self.sampling(), self.residual_sampling()  # which check their own

    def adjusted(self, guidance_scale: float | None, temperature: float | None) -> "GenerationConfig":
        """Return these options with what is given in place of their own; the guidance for both passes."""
        return replace(
            self,
            guidance_scale=self.guidance_scale if guidance_scale is None else guidance_scale,
            refine_guidance_scale=self.refine_guidance_scale if guidance_scale is None else guidance_scale,
            temperature=self.temperature if temperature is None else temperature,
        )

    def sampling(self) -> SamplingConfig:
        """Return how first-level codes are drawn."""
        return SamplingConfig(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)

    def residual_sampling(self) -> SamplingConfig:
        """Return how codes of the finer levels are drawn."""
        return SamplingConfig(temperature=self.residual_temperature, top_k=self.top_k, top_p=self.top_p)


@dataclass
class Clip:
    """What is to be written of one item, in one window of the model."""

    codes: Tensor
    """(N, Q); where they are not kept they are written over."""
    keep: Tensor
    """(N,) bool."""
    ended: bool
    """Whether the window reaches the clip's end."""


class Writer:
    """One window of a batch: its projected text, with it and, for guidance, once more without, and its randomness."""

    def __init__(
        self,
        model: "BAMM",
        condition: TextCondition,
        generators: Sequence[torch.Generator],
        options: GenerationConfig,
    ) -> None:
        self.model, self.generators, self.options, self.device = model, generators, options, model.device
        condition = condition.to(self.device)[list(range(len(condition))) * 2]
        dropped = torch.arange(len(condition), device=self.device) >= len(condition) // 2
        tokens, padding, self.sentence = model.text(condition, dropped)
        self.context = model.transformer.make_context(tokens, padding)
        self.residual_context = model.residual.make_context(tokens, padding)

    def write(self, prefixes: Sequence[Tensor], missing: Sequence[int | None]) -> list[Tensor]:
        """Return new codes (n, Q): as many as are missing, or as fit the window, or (None) until the model ends.

        Args:
            prefixes: (p, Q) codes that each item goes on from.
            missing: tokens that each item lacks.
        """
        clips, scores = self.write_forward(prefixes, missing)
        for clip, score in zip(clips, scores, strict=True):
            count = round(self.options.refine_share * int((~clip.keep).sum()))
            clip.keep = ~least_confident(score, ~clip.keep, count)
        if self.options.refine_share:
            self.fill(clips, self.options.refine_steps)
        for clip, prefix in zip(clips, prefixes, strict=True):
            clip.keep = torch.arange(len(clip.codes), device=self.device) < len(prefix)
        self.write_finer(clips)
        return [clip.codes[len(prefix) :] for clip, prefix in zip(clips, prefixes, strict=True)]

    def write_forward(
        self, prefixes: Sequence[Tensor], missing: Sequence[int | None]
    ) -> tuple[list[Clip], list[Tensor]]:
        """Pass 1: first-level codes from left to right; return the clips and how sure each code was (N,)."""
        model, config, batch = self.model, self.model.config, len(prefixes)
        started = [len(prefix) for prefix in prefixes]
        goals = [config.max_tokens + 1 if m is None else n + m for n, m in zip(started, missing, strict=True)]
        limits = [min(goal, config.max_tokens) for goal in goals]
        ended = [m is None or goal <= config.max_tokens for m, goal in zip(missing, goals, strict=True)]
        told = torch.tensor([0 if goal > config.max_tokens else goal for goal in goals], device=self.device)
        prefix = pad_sequence([p[:, 0] for p in prefixes], batch_first=True, padding_value=config.pad)
        first = model.first_token(self.sentence, told.repeat(2))
        x = torch.cat([first, model.embed(prefix.repeat(2, 1))], dim=1)  # (2 B, 1 + p, D)
        last = torch.tensor(started, device=self.device).repeat(2)
        state = model.transformer.init_state(2 * batch, x.shape[1] + max(limits), self.context)
        unused = torch.arange(x.shape[1], device=self.device) > last[:, None]
        features = model.transformer.step(x, state, unused)[torch.arange(2 * batch), last]  # (2 B, D)
        codes, scores = [p[:, 0].tolist() for p in prefixes], [[1.0] * n for n in started]
        ongoing = [len(row) < limit for row, limit in zip(codes, limits, strict=True)]
        while any(ongoing):
            logits = model.logits(features)  # (2 B, K + 1)
            for i, row in enumerate(codes):
                if missing[i] is not None or len(row) - started[i] < self.options.min_tokens:
                    logits[[i, batch + i], config.end] = -1e4
            logits = guide(logits, self.options.guidance_scale, self.options.plausible)  # (B, K + 1)
            drawn = self._draw(logits[:, None], [int(go) for go in ongoing], self.options.sampling())[
                :, 0
            ]  # (B,)
            for i, (code, sure) in enumerate(
                zip(drawn.tolist(), confidence(logits, drawn).tolist(), strict=True)
            ):
                if ongoing[i] and code != config.end:
                    codes[i].append(code)
                    scores[i].append(sure)
                ongoing[i] = ongoing[i] and code != config.end and len(codes[i]) < limits[i]
            if any(ongoing):
                features = model.transformer.step(model.embed(drawn.repeat(2)[:, None]), state)[:, 0]
        clips = [self._clip(*item) for item in zip(codes, prefixes, ended, strict=True)]
        return clips, [torch.tensor(score, device=self.device) for score in scores]

    def fill(self, clips: Sequence[Clip], steps: int) -> None:
        """Pass 2: write the first-level codes that are not kept, the surest first (MaskGIT), seeing both directions."""
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
            rows = [
                least_confident(score, candidates, int(left * count))
                for score, candidates, count in zip(scores, hidden, counts, strict=True)
            ]
            hidden = torch.stack(rows)
        for row, clip in zip(tokens, clips, strict=True):
            clip.codes = torch.cat([row[: len(clip.codes), None], clip.codes[:, 1:]], dim=1)

    def write_finer(self, clips: Sequence[Clip]) -> None:
        """Write levels 2 to Q of the codes that are not kept, level by level."""
        codes = pad_sequence([clip.codes for clip in clips], batch_first=True)  # (B, N, Q)
        keep = pad_sequence([clip.keep for clip in clips], batch_first=True, padding_value=True)
        sizes = [len(clip.codes) for clip in clips]
        padding = (
            torch.arange(codes.shape[1], device=self.device)
            >= torch.tensor(sizes, device=self.device)[:, None]
        )
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
            drawn = self._draw(logits, sizes, self.options.residual_sampling())
            codes[..., level] = torch.where(keep, codes[..., level], drawn)
        for row, clip in zip(codes, clips, strict=True):
            clip.codes = row[: len(clip.codes)]

    def _draw(self, logits: Tensor, sizes: Sequence[int], sampling: SamplingConfig) -> Tensor:
        """Draw codes (B, N) from logits (B, N, K); an item takes noise for its own size, as if it were alone."""
        noise = torch.zeros(logits.shape)
        for row, size, generator in zip(noise, sizes, self.generators, strict=True):
            row[:size] = gumbel_noise((size, logits.shape[-1]), generator)
        return sample(logits, noise, sampling)

    def _clip(self, first_level: Sequence[int], prefix: Tensor, ended: bool) -> Clip:
        codes = torch.zeros(
            len(first_level), self.model.config.num_quantizers, dtype=torch.long, device=self.device
        )
        codes[:, 0] = torch.tensor(first_level, device=self.device)
        codes[: len(prefix)] = prefix
        return Clip(codes, torch.arange(len(codes), device=self.device) < len(prefix), ended)
