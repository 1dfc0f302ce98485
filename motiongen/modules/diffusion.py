"""Gaussian diffusion that predicts clean data: the cosine schedule, adding noise, and DDIM's step back.

DDPM (Ho et al., NeurIPS 2020), the cosine schedule (Nichol & Dhariwal, ICML 2021, equation 17), DDIM (Song et al.,
ICLR 2021, equation 12, eta = 0).
"""

import math

import torch
from torch import Tensor, nn


class CosineSchedule(nn.Module):
    """How much of the data is left, alpha_bar, after each of T steps of noise."""

    alpha_bar: Tensor

    def __init__(self, num_steps: int = 1000, offset: float = 0.008) -> None:
        super().__init__()
        self.num_steps = num_steps
        times = torch.arange(num_steps + 1, dtype=torch.float64) / num_steps
        curve = torch.cos((times + offset) / (1 + offset) * math.pi / 2).square()
        betas = (1 - curve[1:] / curve[:-1]).clamp(max=0.999)
        self.register_buffer("alpha_bar", (1 - betas).cumprod(0).float(), persistent=False)

    def add_noise(self, clean: Tensor, noise: Tensor, step: Tensor) -> Tensor:
        """Return clean (B, ...) with as much noise (B, ...) as at steps (B,), 0 .. T - 1; at -1 there is none."""
        kept = self._kept(step, clean)
        return kept.sqrt() * clean + (1 - kept).sqrt() * noise

    def back(self, noisy: Tensor, clean: Tensor, step: Tensor, to: Tensor) -> Tensor:
        """Return data as noisy as at steps `to` (B,), from noisy (B, ...) at `step` (B,) and the predicted clean."""
        kept = self._kept(step, noisy)
        noise = (noisy - kept.sqrt() * clean) / (1 - kept).sqrt()
        return self.add_noise(clean, noise, to)

    def sampling_steps(self, count: int) -> list[int]:
        """Return the steps at which a sampler of `count` steps looks, from T - 1 down, and -1 at the end."""
        if not 1 <= count <= self.num_steps:
            raise ValueError(f"steps: expected 1..{self.num_steps}, got {count}; 50 is the paper's")
        times = torch.linspace(self.num_steps - 1, -1, count + 1, dtype=torch.float64)
        return [round(time) for time in times.tolist()]

    def _kept(self, step: Tensor, like: Tensor) -> Tensor:
        """alpha_bar at steps (B,), 1 at -1, shaped to multiply `like` (B, ...)."""
        kept = torch.where(step < 0, 1.0, self.alpha_bar[step.clamp_min(0)])
        return kept.view(-1, *[1] * (like.dim() - 1)).to(like.dtype)


def timestep_embedding(step: Tensor, dim: int) -> Tensor:
    """Return sinusoids (B, dim) of steps (B,) (Ho et al. 2020, appendix B)."""
    count = dim // 2
    rates = torch.exp(-math.log(10_000.0) * torch.arange(count, device=step.device) / count)
    angles = step[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], dim=-1)
