"""Options for sampling codes from logits."""

from dataclasses import dataclass

MAX_TEMPERATURE = 1000
"""Above it all codes are equally likely; logits by more than a float holds are no numbers."""
MAX_GUIDANCE = 100
"""Largest classifier-free guidance scale, far above what makes sense."""


@dataclass(frozen=True, kw_only=True)
class SamplingConfig:
    """Options for sampling a code from logits.

    Attributes:
        temperature: divides the logits; 0 takes the likeliest code.
        top_k: sample among the k likeliest codes; None for all.
        top_p: sample among the likeliest codes that together have this probability (nucleus sampling).
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise ValueError(
                f"temperature: expected 0..{MAX_TEMPERATURE}, got {self.temperature}; take 0 for the likeliest codes"
            )
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k: expected >= 1, got {self.top_k}; leave it out for all codes")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p: expected above 0, at most 1, got {self.top_p}; take 1 for all codes")
