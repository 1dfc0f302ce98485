"""What a head is: everything that `load`, `generate`, `stream`, `train` and the command line must know of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import nn

    from motiongen.training.run import TrainingRun

Kind = Literal["words", "music", "policy"]
"""What a head turns into motion: words into codes, music into feature frames, observations into action chunks."""


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """One head. Classes that need torch are given as functions, so that listing heads imports none of them.

    Attributes:
        name: of its folder in a set of weights, of its `model_type`, and on the command line.
        summary: what it is for, in one line of help.
        kind: what it turns into motion.
        config: frozen dataclass of its sizes.
        options: frozen dataclass of how it samples, with `adjusted(guidance_scale, ...)` for words and music.
        presets: name -> sizes, or of a head with spaces name -> space -> sizes.
        model: returns its nn.Module class, built from `config` alone.
        sampler: returns its sampler class, built from a model: `generate` for words (`CodeSampler`), `dance` for music,
            `predict` for policies.
        recipe: returns the class of its training recipe; None where it is not trained here.
        training: frozen dataclass of the options of `motiongen train NAME`; None where it is not trained here.
        streams: whether the model writes token by token (see `motiongen.streaming.protocol`).
        edits: whether the sampler has `edit`, which revises codes between kept ones.
        spaces: of a head that exists once for each space: names of the folders under its own, preferred first.
        tiny: `config` of a model that trains in seconds, for tests; None for a head that has none.
    """

    name: str
    summary: str
    kind: Kind
    config: type[Any]
    options: type[Any]
    presets: Mapping[str, Any]
    model: "Callable[[], type[nn.Module]]"
    sampler: Callable[[], type[Any]]
    recipe: "Callable[[], type[Any]] | None" = None
    training: "type[TrainingRun] | None" = None
    streams: bool = False
    edits: bool = False
    spaces: tuple[str, ...] = ()
    tiny: Any = None
