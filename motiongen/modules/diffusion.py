"""Gaussian diffusion with prediction of clean data: cosine schedule, forward noising, and the DDIM step.

DDPM (Ho et al., NeurIPS 2020), the cosine schedule (Nichol & Dhariwal, ICML 2021, equation 17), DDIM (Song et al.,
ICLR 2021, equation 12, eta = 0).
"""

import math

import torch
from torch import Tensor, nn


class CosineSchedule(nn.Module):
    """Cosine noise schedule: alpha_bar, the share of signal variance after each of T diffusion steps."""

    alpha_bar: Tensor

    def __init__(self, num_steps: int = 1000, offset: float = 0.008) -> None:
        super().__init__()
        self.num_steps = num_steps
        times = torch.arange(num_steps + 1, dtype=torch.float64) / num_steps
        curve = torch.cos((times + offset) / (1 + offset) * math.pi / 2).square()
        betas = (1 - curve[1:] / curve[:-1]).clamp(max=0.999)
        self.register_buffer("alpha_bar", (1 - betas).cumprod(0).float(), persistent=False)

    def add_noise(self, clean: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """Return clean data noised to a diffusion step.

        Args:
            clean: (B, ...) data.
            noise: (B, ...) standard normal noise.
            step: (B,) in 0 .. T - 1; -1 for no noise.
        """
        alpha_bar = self._alpha_bar_at(step, clean)
        return alpha_bar.sqrt() * clean + (1 - alpha_bar).sqrt() * noise

    def back(self, noisy: Tensor, clean: Tensor, step: Tensor, to: Tensor) -> Tensor:
        """Return data (B, ...) at diffusion step `to`: one DDIM step.

        Args:
            noisy: (B, ...) data at `step`.
            clean: (B, ...) predicted clean data.
            step: (B,) step of `noisy`.
            to: (B,) the next, less noisy step; -1 for no noise.
        """
        alpha_bar = self._alpha_bar_at(step, noisy)
        noise = (noisy - alpha_bar.sqrt() * clean) / (1 - alpha_bar).sqrt()
        return self.add_noise(clean, noise, to)

    def sampling_steps(self, count: int) -> list[int]:
        """Return the diffusion steps of a sampler with `count` steps, evenly from T - 1 down, and -1 at the end.

        Raises:
            ValueError: count is not in 1 .. T.
        """
        if not 1 <= count <= self.num_steps:
            raise ValueError(f"steps: expected 1..{self.num_steps}, got {count}; 50 is the paper's")
        times = torch.linspace(self.num_steps - 1, -1, count + 1, dtype=torch.float64)
        return [round(time) for time in times.tolist()]

    def _alpha_bar_at(self, step: Tensor, like: Tensor) -> Tensor:
        """Return alpha_bar at steps (B,), 1 at -1, in a shape that broadcasts with `like` (B, ...)."""
        alpha_bar = torch.where(step < 0, 1.0, self.alpha_bar[step.clamp_min(0)])
        return alpha_bar.view(-1, *[1] * (like.dim() - 1)).to(like.dtype)


def timestep_embedding(step: Tensor, dim: int) -> Tensor:
    """Return sinusoidal embeddings (B, dim) of diffusion steps (B,) (Ho et al. 2020, appendix B)."""
    count = dim // 2
    rates = torch.exp(-math.log(10_000.0) * torch.arange(count, device=step.device) / count)
    angles = step[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
