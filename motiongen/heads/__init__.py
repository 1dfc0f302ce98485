"""Heads: models that turn a condition into motion. Adding one is a file and a line here."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from motiongen import registry
from motiongen.conditions.text import TextCondition
from motiongen.heads.badm.model import BADM
from motiongen.heads.bamm.model import BAMM
from motiongen.heads.carp.model import CARP
from motiongen.heads.mogo.model import Mogo
from motiongen.modules.sampling import Generators


class Options(Protocol):
    """How a head writes: a frozen dataclass of its own."""

    def adjusted(self, guidance_scale: float | None, temperature: float | None) -> Any:
        """Return these options with what is given in place of their own."""
        ...


class Head(Protocol):
    """What words are turned into codes by; a head that hears music (BADM) is sampled by windows instead."""

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


WORD_HEADS: dict[str, type[BAMM] | type[Mogo]] = {"bamm": BAMM, "mogo": Mogo}
"""Those that obey words, and write codes."""
HEADS: dict[str, type[BAMM] | type[Mogo] | type[BADM] | type[CARP]] = {
    **WORD_HEADS,
    "badm": BADM,
    "carp": CARP,
}
"""All; CARP answers observations with chunks of actions, and is driven by motiongen_sim."""


def lookup(name: str) -> type[BAMM] | type[Mogo]:
    """Return the class of a head that obeys words. Raises ValueError that lists the names."""
    return registry.lookup("head", WORD_HEADS, name)
