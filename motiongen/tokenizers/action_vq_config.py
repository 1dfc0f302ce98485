"""Sizes of the action tokenizer."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ActionVQConfig:
    """Sizes; the published ones, but for action_dim."""

    action_dim: int = 2
    horizon: int = 16
    widths: tuple[int, ...] = (2, 4, 8)
    """Channels before, between and after the stages that halve time."""
    latent_dim: int = 8
    codebook_size: int = 512
    scales: tuple[int, ...] = (1, 2, 3, 4)
    """Places of each scale; the last is the length of the latents."""
    decay: float = 0.99
    """Of the count of a code's uses."""

    def __post_init__(self) -> None:
        length = self.horizon // 2 ** (len(self.widths) - 1)
        if self.horizon % 2 ** (len(self.widths) - 1) or self.scales[-1] != length:
            raise ValueError(
                f"scales: expected to end with horizon / 2 ** {len(self.widths) - 1} = {length}, got {self.scales}; "
                "change horizon or widths"
            )
        if list(self.scales) != sorted(set(self.scales)) or self.scales[0] < 1:
            raise ValueError(f"scales: expected to rise, got {self.scales}; use (1, 2, 3, 4)")

    @property
    def num_places(self) -> int:
        """Codes N of one number, over all scales."""
        return sum(self.scales)
