"""Behaviour cloning with an LSTM and a Gaussian mixture output (BC-RNN-GMM).

Mandlekar et al., "What Matters in Learning from Offline Human Demonstrations for Robot Manipulation" (CoRL 2021),
appendix on BC-RNN: the last ten observations go through an LSTM; the action at each is a mixture of five Gaussians.

The published policy keeps the LSTM state through an episode and resets it every ten steps. This one is stateless: it
processes the last ten observations at every step, as in training, and its chunk is one action, the tenth.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from benchmarks.policies.frames import FrameEncoder
from motiongen.modules.observation import Normaliser, Observation, check_shape, task_of
from motiongen.modules.policy_config import PolicyConfig


@dataclass(frozen=True, kw_only=True)
class LSTMGMMConfig(PolicyConfig):
    """Sizes of the LSTM and of the mixture."""

    obs_steps: int = 10
    horizon: int = 10
    action_steps: int = 1
    hidden_dim: int = 128
    num_layers: int = 2
    modes: int = 5
    min_std: float = 1e-4
    """Least deviation of normalised actions, which bounds the likelihood."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.horizon != self.obs_steps:
            raise ValueError(
                f"horizon: expected obs_steps = {self.obs_steps}, an action for each, got {self.horizon}; "
                "fix config.json"
            )


PRESETS = {"paper": LSTMGMMConfig(hidden_dim=400, cond_dim=64, obs_layers=1)}
"""The published size for states."""


class Mixture(NamedTuple):
    """Gaussians of normalised actions: logits (..., M), means and deviations (..., M, A)."""

    logits: Tensor
    mean: Tensor
    deviation: Tensor

    def log_likelihood(self, action: Tensor) -> Tensor:
        """Return the logarithm of the density (...) at actions (..., A)."""
        gaussians = Independent(Normal(self.mean, self.deviation, validate_args=False), 1)
        return MixtureSameFamily(Categorical(logits=self.logits), gaussians, validate_args=False).log_prob(
            action
        )

    def draw(self, generator: torch.Generator | None) -> Tensor:
        """Return the means (..., A) of Gaussians that are drawn by their weights."""
        shares = self.logits.softmax(-1)
        drawn = torch.multinomial(shares.flatten(0, -2).cpu(), 1, generator=generator).to(shares.device)
        index = drawn.view(*shares.shape[:-1], 1, 1).expand(*self.mean.shape[:-2], 1, self.mean.shape[-1])
        return self.mean.gather(-2, index)[..., 0, :]


class LSTMGMM(nn.Module):
    """Policy that predicts an action for each observation, of which the newest is executed."""

    model_type = "lstm_gmm"
    config_class = LSTMGMMConfig

    def __init__(self, config: LSTMGMMConfig) -> None:
        super().__init__()
        self.config = config
        self.observation = FrameEncoder(config)
        self.action_normaliser = Normaliser(len(config.tasks), config.action_dim)
        self.lstm = nn.LSTM(config.cond_dim, config.hidden_dim, config.num_layers, batch_first=True)
        self.out = nn.Linear(config.hidden_dim, config.modes * (1 + 2 * config.action_dim))

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.out.weight.device

    def mixture(self, observation: Observation, generator: torch.Generator | None = None) -> Mixture:
        """Return the action mixtures (B, To, ...) at each observation, given it and those before."""
        frames = self.observation(observation, generator)
        with torch.autocast(self.device.type, enabled=False):
            out = self.out(self.lstm(frames.float())[0])
        modes, dims = self.config.modes, self.config.action_dim
        logits, mean, deviation = out.split([modes, modes * dims, modes * dims], dim=-1)
        return Mixture(
            logits,
            mean.tanh().unflatten(-1, (modes, dims)),
            F.softplus(deviation).unflatten(-1, (modes, dims)) + self.config.min_std,
        )

    def training_pass(self, batch: Observation, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the loss of a batch: observations and `action` (B, To, A) in the data's own units."""
        check_shape("action", batch["action"], (self.config.horizon, self.config.action_dim))
        action = self.action_normaliser(batch["action"], task_of(batch))
        mixture = self.mixture(batch, generator if self.training else None)
        return {"loss": -mixture.log_likelihood(action).mean()}

    @torch.inference_mode()
    def predict(self, observation: Observation, *, generator: torch.Generator | None = None) -> Tensor:
        """Return actions (B, To, A), one for each observation, in the data's own units.

        Each is the mean of a component drawn by its weight; the published policy adds noise of 1e-4.

        Args:
            observation: of the last To frames.
            generator: draws the Gaussians.
        """
        action = self.mixture(observation).draw(generator)
        return self.action_normaliser.inverse(action, task_of(observation))
