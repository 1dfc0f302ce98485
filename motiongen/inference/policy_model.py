"""PolicyModel: a loaded robot policy that maps observations to action chunks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from motiongen import heads
from motiongen.heads.spec import HeadSpec


@dataclass
class PolicyModel:
    """A loaded policy; create one with `load`. `motiongen_sim.Policy` runs it in an environment.

    Attributes:
        head: the nn.Module.
        about: facts about the weights: their name.
    """

    head: Any
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> HeadSpec:
        """What the head is called and can do."""
        return heads.lookup(self.head.model_type, "policy")

    @cached_property
    def sampler(self) -> Any:
        """Sampler of the head."""
        return heads.sampler_of(self.head)

    def predict(
        self,
        observation: Mapping[str, Tensor],
        *,
        generator: torch.Generator | None = None,
        temperature: float | None = None,
    ) -> Tensor:
        """Return action chunks (B, H, A) for observations.

        Args:
            observation: `state` (B, To, D); `image` (B, To, 3, S, S) uint8 for a policy with images; `task` (B,) int64.
            generator: draws the codes if the temperature is above 0.
            temperature: sampling temperature; None for the model's default.
        """
        actions: Tensor = self.sampler.predict(observation, generator=generator, temperature=temperature)
        return actions
