"""Sizes of the action VQ-VAE."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ActionVQConfig:
    """Sizes of an action VQ-VAE; the defaults, except action_dim, are the published ones."""

    action_dim: int = 2
    horizon: int = 16
    widths: tuple[int, ...] = (2, 4, 8)
    """Channels before, between and after the stages, each of which halves the time resolution."""
    latent_dim: int = 8
    codebook_size: int = 512
    scales: tuple[int, ...] = (1, 2, 3, 4)
    """Code positions of each scale; the last is the length of the latents."""
    decay: float = 0.99
    """Decay of the moving average of code uses."""

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
    def num_positions(self) -> int:
        """Codes N of one action dimension, over all scales."""
        return sum(self.scales)
