"""Diffusion Policy with a transformer: denoising of action chunks.

Chi et al., "Diffusion Policy" (RSS 2023, IJRR 2024), section 3.1 "Time-series diffusion transformer": noisy actions are
tokens under a causal mask, each of which attends to the diffusion step and to the observations up to its own frame. The
network predicts the noise. Sampling by DDPM (Ho et al. 2020, algorithm 2) at every step of the schedule, or by DDIM
(Song et al. 2021) at fewer.
"""

import itertools
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.policies.frames import FrameEncoder
from motiongen.modules.diffusion import CosineSchedule, timestep_embedding
from motiongen.modules.observation import Normaliser, Observation, check_shape, task_of
from motiongen.modules.policy_config import PolicyConfig


@dataclass(frozen=True, kw_only=True)
class DiffusionPolicyConfig(PolicyConfig):
    """Sizes of the transformer, and how it is sampled."""

    dim: int = 64
    num_layers: int = 4
    num_heads: int = 4
    dropout: float = 0.0
    diffusion_steps: int = 100
    sampling_steps: int = 100
    """Equal to diffusion_steps for DDPM, fewer for DDIM."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dim % self.num_heads or self.dim % 2:
            raise ValueError(
                f"dim: expected an even multiple of {self.num_heads} heads, got {self.dim}; fix config.json"
            )
        if not 1 <= self.sampling_steps <= self.diffusion_steps:
            raise ValueError(
                f"sampling_steps: expected 1..{self.diffusion_steps}, got {self.sampling_steps}; fix config.json"
            )


PRESETS = {
    "paper": DiffusionPolicyConfig(dim=256, num_layers=8, dropout=0.3, cond_dim=256, obs_layers=1),
}
"""The published size for states: 9 M parameters."""


class DiffusionPolicy(nn.Module):
    """Policy that denoises chunks of actions, conditioned on observations."""

    model_type = "diffusion_policy"
    config_class = DiffusionPolicyConfig
    causal: Tensor
    seen: Tensor

    def __init__(self, config: DiffusionPolicyConfig) -> None:
        super().__init__()
        self.config = config
        self.observation = FrameEncoder(config)
        self.action_normaliser = Normaliser(len(config.tasks), config.action_dim)
        self.schedule = CosineSchedule(config.diffusion_steps)
        dim = config.dim
        self.action_in = nn.Linear(config.action_dim, dim)
        self.observation_in = nn.Linear(config.cond_dim, dim)
        self.action_place = nn.Parameter(torch.zeros(config.horizon, dim))
        self.memory_place = nn.Parameter(torch.zeros(1 + config.obs_steps, dim))
        self.memory = nn.Sequential(nn.Linear(dim, 4 * dim), nn.Mish(), nn.Linear(4 * dim, dim))
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.num_layers))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, config.action_dim)
        for name, parameter in self.named_parameters():
            if not name.startswith("observation."):  # the encoder is initialised like CARP's
                _init(name, parameter)
        order = torch.arange(config.horizon)
        self.register_buffer("causal", order[:, None] >= order, persistent=False)  # true = attend
        seen = order[:, None] >= torch.arange(config.obs_steps)
        self.register_buffer(
            "seen", F.pad(seen, (1, 0), value=True), persistent=False
        )  # (H, 1 + To), time first

    @property
    def _layers(self) -> list["_Block"]:
        return cast(list[_Block], list(self.blocks))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.action_place.device

    def cross_attention(self, step: Tensor, frames: Tensor) -> list[Tensor]:
        """Return keys and values (2, B, heads, 1 + To, Dh) of each block for steps (B,) and frames (B, To, C)."""
        time = timestep_embedding(step, self.config.dim)[:, None]
        memory = torch.cat([time.to(frames.dtype), self.observation_in(frames)], dim=1)
        memory = self.memory(memory + self.memory_place)  # (B, 1 + To, D)
        return [block.project_memory(memory) for block in self._layers]

    def noise(self, noisy: Tensor, memories: list[Tensor]) -> Tensor:
        """Return the predicted noise (B, H, A) of noisy normalised actions, given `cross_attention`'s memories."""
        x = self.action_in(noisy) + self.action_place
        for block, memory in zip(self._layers, memories, strict=True):
            x = block(x, memory, self.causal, self.seen)
        return self.out(self.norm(x)).float()

    def training_pass(self, batch: Observation, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the loss of a batch: observations and `action` (B, H, A) in the data's own units."""
        check_shape("action", batch["action"], (self.config.horizon, self.config.action_dim))
        clean = self.action_normaliser(batch["action"], task_of(batch))
        noise = torch.randn(clean.shape, generator=generator).to(clean.device)
        step = torch.randint(self.config.diffusion_steps, (len(clean),), generator=generator).to(clean.device)
        frames = self.observation(batch, generator if self.training else None)
        predicted = self.noise(
            self.schedule.add_noise(clean, noise, step), self.cross_attention(step, frames)
        )
        return {"loss": F.mse_loss(predicted, noise)}

    @torch.inference_mode()
    def predict(self, observation: Observation, *, generator: torch.Generator | None = None) -> Tensor:
        """Return a sample of the actions (B, H, A) that follow, in the data's own units; see PolicyConfig.

        Args:
            observation: of the last To frames.
            generator: draws the noise.
        """
        frames, config = self.observation(observation), self.config
        x = self._draw(len(frames), generator)
        steps = self.schedule.sampling_steps(config.sampling_steps)
        every = torch.tensor(steps[:-1], device=self.device).repeat_interleave(len(frames))
        # The memories do not depend on the actions: computing them for all steps at once saves a tenth of the time.
        memories = self.cross_attention(every, frames.repeat(len(steps) - 1, 1, 1))
        for index, (now, to) in enumerate(itertools.pairwise(steps)):
            step = torch.full((len(frames),), now, device=self.device)
            part = slice(index * len(frames), (index + 1) * len(frames))
            clean = self._clean(x, self.noise(x, [memory[:, part] for memory in memories]), now)
            if config.sampling_steps < config.diffusion_steps:
                x = self.schedule.back(x, clean, step, torch.full_like(step, to))
            else:
                x = self._ancestral(x, clean, now, generator)
        return self.action_normaliser.inverse(x, task_of(observation))

    def _clean(self, noisy: Tensor, noise: Tensor, step: int) -> Tensor:
        """Return the predicted clean actions, clamped to -1..1."""
        alpha_bar = self.schedule.alpha_bar[step]
        return ((noisy - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()).clamp(-1, 1)

    def _ancestral(
        self, noisy: Tensor, clean: Tensor, step: int, generator: torch.Generator | None
    ) -> Tensor:
        """Return a sample of the DDPM step (Ho et al. 2020, equations 6 and 7; the smaller of the two variances)."""
        if step == 0:
            return clean
        alpha_bar, before = self.schedule.alpha_bar[step], self.schedule.alpha_bar[step - 1]
        ratio = alpha_bar / before
        mean = (before.sqrt() * (1 - ratio) * clean + ratio.sqrt() * (1 - before) * noisy) / (1 - alpha_bar)
        deviation = ((1 - before) / (1 - alpha_bar) * (1 - ratio)).sqrt()
        return mean + deviation * self._draw(len(noisy), generator)

    def _draw(self, batch: int, generator: torch.Generator | None) -> Tensor:
        return torch.randn(batch, self.config.horizon, self.config.action_dim, generator=generator).to(
            self.device
        )


class _Block(nn.Module):
    """Pre-norm transformer block with self-attention, cross-attention and feed-forward."""

    def __init__(self, config: DiffusionPolicyConfig) -> None:
        super().__init__()
        dim = config.dim
        self.num_heads, self.dropout = config.num_heads, config.dropout
        self.attention_norm, self.memory_norm, self.feedforward_norm = (nn.LayerNorm(dim) for _ in range(3))
        self.query_key_value = nn.Linear(dim, 3 * dim)
        self.attention_out = nn.Linear(dim, dim)
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.memory_out = nn.Linear(dim, dim)
        self.feedforward_in = nn.Linear(dim, 4 * dim)
        self.feedforward_out = nn.Linear(4 * dim, dim)

    def project_memory(self, memory: Tensor) -> Tensor:
        """Return keys and values (2, B, heads, M, Dh) of memory (B, M, D)."""
        return self._heads(self.key_value(memory), 2)

    def forward(self, x: Tensor, memory: Tensor, causal: Tensor, seen: Tensor) -> Tensor:
        """Return x (B, H, D) after self-attention with mask `causal` and attention to memory with mask `seen`."""
        query, key, value = self._heads(self.query_key_value(self.attention_norm(x)), 3)
        x = x + self._dropped(self.attention_out(self._attend(query, key, value, causal)))
        query = self._heads(self.query(self.memory_norm(x)), 1)[0]
        x = x + self._dropped(self.memory_out(self._attend(query, memory[0], memory[1], seen)))
        hidden = F.gelu(self.feedforward_in(self.feedforward_norm(x)))
        return x + self._dropped(self.feedforward_out(self._dropped(hidden)))

    def _heads(self, packed: Tensor, count: int) -> Tensor:
        """Return (count, B, heads, n, Dh) of (B, n, count * D)."""
        return packed.unflatten(-1, (count, self.num_heads, -1)).permute(2, 0, 3, 1, 4)

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        attended = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        return attended.transpose(1, 2).flatten(2)  # (B, n, D)

    def _dropped(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training)


def _init(name: str, parameter: Tensor) -> None:
    """Initialise like GPT-2: matrices and position embeddings with std 0.02, biases with 0, norms unchanged."""
    with torch.no_grad():
        if parameter.ndim == 2:
            nn.init.normal_(parameter, std=0.02)
        elif name.endswith("bias"):
            nn.init.zeros_(parameter)
