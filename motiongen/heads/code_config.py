"""Sizes and sampling options that heads which write the tokenizer's codes share."""

from dataclasses import dataclass, replace
from typing import Any, Self

from motiongen.checks import check_at_least, check_share
from motiongen.conditions.encoder_files import DEFAULT_ENCODER
from motiongen.modules.sampling_config import SamplingConfig


@dataclass(frozen=True, kw_only=True)
class CodeHeadConfig:
    """Sizes of a head that turns words into codes."""

    num_quantizers: int = 6
    codebook_size: int = 512
    frames_per_token: int = 4
    text_encoder: str = DEFAULT_ENCODER
    text_dim: int = 384
    """Channels of the text encoder."""
    context_dim: int = 96
    """Channels of a word piece inside the model."""
    code_dim: int = 64
    """Channels of a code's vector."""
    dim: int = 192
    num_heads: int = 6
    dropout: float = 0.0
    condition_dropout: float = 0.1
    """Part of the training clips that are seen without their text, for guidance."""
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        check_at_least(self, 1, "num_quantizers", "codebook_size", "frames_per_token")
        check_at_least(self, 1, "text_dim", "context_dim", "code_dim")
        check_share(self, "dropout", "condition_dropout", "label_smoothing")

    def resized(self, num_quantizers: int, **sizes: Any) -> Self:
        """Return this config with the sizes that a tokenizer and a text encoder set."""
        return replace(self, num_quantizers=num_quantizers, **sizes)


@dataclass(frozen=True, kw_only=True)
class CodeOptions:
    """How codes are sampled."""

    guidance_scale: float = 3.0
    """Weight of the text against no text; 1 is the text alone."""
    plausible: float = 0.05
    """Codes that the text makes less likely than this part of the likeliest are never taken, whatever the guidance."""
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    min_tokens: int = 4
    """Shortest clip, in tokens, where the length is the model's choice."""

    def __post_init__(self) -> None:
        if not 0 <= self.plausible <= 1:
            raise ValueError(f"plausible: expected 0..1, got {self.plausible}; take 0.05")
        check_at_least(self, 1, "min_tokens", fix="take 4")
        self.sampling()  # which checks its own

    def adjusted(self, guidance_scale: float | None = None, temperature: float | None = None) -> Self:
        """Return these options with what is given in place of their own."""
        return replace(
            self,
            guidance_scale=self.guidance_scale if guidance_scale is None else guidance_scale,
            temperature=self.temperature if temperature is None else temperature,
        )

    def sampling(self) -> SamplingConfig:
        """Return how first-level codes are drawn."""
        return SamplingConfig(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)
