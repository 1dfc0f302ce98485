"""PolicyModel: a loaded robot policy that maps observations to action chunks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from motiongen import heads
from motiongen.heads.spec import Kind
from motiongen.inference.pretrained import Pretrained
from motiongen.training.model_card import Task


@dataclass
class PolicyModel(Pretrained):
    """A loaded policy; create one with `load`. `motiongen_sim.Policy` runs it in an environment.

    Attributes:
        head: the nn.Module.
        about: facts about the weights: their name.
        folder: of the weights; None for a model that was made in Python.
    """

    kind: ClassVar[Kind] = "policy"

    head: Any
    about: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @cached_property
    def sampler(self) -> Any:
        """Sampler of the head."""
        return heads.sampler_of(self.head)

    def _modules(self) -> dict[str, tuple[nn.Module, Task]]:
        return {"": (self.head, "policy")}

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
