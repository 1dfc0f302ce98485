"""Heads: models that turn a condition into motion. Adding one is a file and a line here."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from motiongen import registry
from motiongen.conditions.text import TextCondition
from motiongen.heads.bamm import BAMM
from motiongen.heads.mogo import Mogo
from motiongen.inference.sampling import Generators


class Options(Protocol):
    """How a head writes: a frozen dataclass of its own."""

    def adjusted(self, guidance_scale: float | None, temperature: float | None) -> Any:
        """Return these options with what is given in place of their own."""
        ...


class Head(Protocol):
    """What words are turned into codes by."""

    config: Any
    options_class: type[Any]

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        ...

    def generate(
        self,
        condition: TextCondition,
        *,
        lengths: Sequence[int | None] | int | None = None,
        prefix_codes: Sequence[Tensor] | None = None,
        generator: Generators = None,
        options: Any = ...,
    ) -> list[Tensor]:
        """Return new codes (N_i, Q) for each prompt."""
        ...


HEADS: dict[str, type[BAMM] | type[Mogo]] = {"bamm": BAMM, "mogo": Mogo}


def lookup(name: str) -> type[BAMM] | type[Mogo]:
    """Return the head class of that name. Raises ValueError that lists the names."""
    return registry.lookup("head", HEADS, name)
