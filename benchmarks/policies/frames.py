"""Observation encoder of the baselines: CARP's encoder applied to each frame."""

from dataclasses import fields

import torch
from torch import Tensor, nn

from motiongen.modules.observation import Observation, ObservationEncoder, check_shape, task_of
from motiongen.modules.policy_config import PolicyConfig


class FrameEncoder(nn.Module):
    """The encoder of a single observation, applied to each of the last To."""

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        shared = {field.name: getattr(config, field.name) for field in fields(PolicyConfig)}
        self.frame = ObservationEncoder(PolicyConfig(**{**shared, "obs_steps": 1}))

    def forward(self, observation: Observation, generator: torch.Generator | None = None) -> Tensor:
        """Return a vector for each frame (B, To, cond_dim); a generator draws random image crops.

        Raises:
            ValueError: shapes that are not the config's.
        """
        steps = self.config.obs_steps
        check_shape("state", observation["state"], (steps, self.config.state_dim))
        single = {"state": observation["state"].flatten(0, 1)[:, None]}  # (B * To, 1, D)
        if self.config.image_size:
            check_shape("image", observation["image"], (steps, 3, *[self.config.image_size] * 2))
            single["image"] = observation["image"].flatten(0, 1)[:, None]
        if "scene" in observation:
            single["scene"] = observation["scene"].flatten(0, 1)[:, None]
        single["task"] = task_of(observation).repeat_interleave(steps)
        return self.frame(single, generator).unflatten(0, (-1, steps))
