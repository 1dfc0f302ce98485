"""A loaded policy: observations into chunks of actions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from motiongen import heads


@dataclass
class PolicyModel:
    """A loaded policy. Make one with `load`; `motiongen_sim.Policy` lets it act in an environment.

    Attributes:
        head: the nn.Module.
        about: its name.
    """

    head: Any
    about: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def sampler(self) -> Any:
        """What samples chunks from the head."""
        return heads.sampler_of(self.head)

    def predict(
        self,
        observation: Mapping[str, Tensor],
        *,
        generator: torch.Generator | None = None,
        temperature: float | None = None,
    ) -> Tensor:
        """Return the actions (B, H, A) that follow observations.

        Args:
            observation: `state` (B, To, D); `image` (B, To, 3, S, S) uint8 where the policy sees; `task` (B,) int64.
            generator: draws codes, where the temperature is above 0.
            temperature: in place of the model's own.
        """
        actions: Tensor = self.sampler.predict(observation, generator=generator, temperature=temperature)
        return actions
