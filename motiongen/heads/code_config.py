"""Sizes and sampling options shared by heads that predict codes of the tokenizer."""

from dataclasses import dataclass, replace
from typing import Any, Self

from motiongen.checks import check_at_least, check_share
from motiongen.conditions.encoder_files import DEFAULT_ENCODER
from motiongen.modules.sampling_config import MAX_GUIDANCE, SamplingConfig


@dataclass(frozen=True, kw_only=True)
class CodeHeadConfig:
    """Sizes of a head that turns text into codes."""

    num_quantizers: int = 6
    codebook_size: int = 512
    frames_per_token: int = 4
    text_encoder: str = DEFAULT_ENCODER
    text_dim: int = 384
    """Channels of the text encoder."""
    context_dim: int = 96
    """Channels of a text token inside the model."""
    code_dim: int = 64
    """Channels of a code embedding."""
    dim: int = 192
    num_heads: int = 6
    dropout: float = 0.0
    memory_clips: int = 0
    """Clips of a memory that a prompt brings with it; 0 for a model that reads none."""
    memory_tokens: int = 32
    """Tokens of such a clip that are attended to, from its start; `modules.memory_pointer` reads off more."""
    condition_dropout: float = 0.1
    """Share of training clips without text, for classifier-free guidance."""
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        check_at_least(self, 1, "num_quantizers", "codebook_size", "frames_per_token")
        check_at_least(self, 1, "text_dim", "context_dim", "code_dim", "memory_tokens")
        check_at_least(self, 0, "memory_clips")
        check_share(self, "dropout", "condition_dropout", "label_smoothing")

    def resized(self, num_quantizers: int, **sizes: Any) -> Self:
        """Return this config with the sizes that are determined by tokenizer and text encoder."""
        return replace(self, num_quantizers=num_quantizers, **sizes)


@dataclass(frozen=True, kw_only=True)
class CodeOptions:
    """Sampling options of a head that predicts codes."""

    guidance_scale: float = 3.0
    """Classifier-free guidance scale; 1 for no guidance."""
    plausible: float = 0.05
    """Codes with less than this share of the highest conditional probability are excluded from guided sampling."""
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    pointer_share: float = 0.85
    """Share of what the clips of a memory point to in the next first-level code, where one is like the present; 0 for
    nothing."""
    fine_pointer_share: float = 0.95
    """The same at the finer levels, where the coarser ones are the clip's."""
    min_tokens: int = 4
    """Shortest clip, tokens, if no length is given."""

    def __post_init__(self) -> None:
        if not 0 <= self.plausible <= 1:
            raise ValueError(f"plausible: expected 0..1, got {self.plausible}; take 0.05")
        if not 0 <= self.guidance_scale <= MAX_GUIDANCE:
            raise ValueError(
                f"guidance_scale: expected 0..{MAX_GUIDANCE}, got {self.guidance_scale}; 3 is usual"
            )
        for name in ("pointer_share", "fine_pointer_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; take 0.85")
        check_at_least(self, 1, "min_tokens", fix="take 4")
        self.sampling()  # checks temperature, top_k and top_p

    def adjusted(self, guidance_scale: float | None = None, temperature: float | None = None) -> Self:
        """Return these options with those replaced that are not None."""
        return replace(
            self,
            guidance_scale=self.guidance_scale if guidance_scale is None else guidance_scale,
            temperature=self.temperature if temperature is None else temperature,
        )

    def sampling(self) -> SamplingConfig:
        """Return the sampling options of the first level."""
        return SamplingConfig(temperature=self.temperature, top_k=self.top_k, top_p=self.top_p)
