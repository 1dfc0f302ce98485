"""HeadSpec: the registry entry of a head, read by `load`, `generate`, `stream`, `train` and the command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from torch import nn

    from motiongen.training.run import TrainingRun

Kind = Literal["words", "music", "policy"]
"""Condition of a head: words (to codes), music (to feature frames), or a policy's observations (to action chunks)."""


@dataclass(frozen=True, kw_only=True)
class HeadSpec:
    """Registry entry of a head. Classes that need torch are given as functions, so that listing heads is fast.

    Attributes:
        name: name of the head: its folder in a weight set, its `model_type`, and its name on the command line.
        summary: purpose of the head, in one line of help.
        kind: kind of its condition.
        config: frozen dataclass of the model sizes.
        options: frozen dataclass of the sampling options, with `adjusted(guidance_scale, ...)` for words and music.
        presets: name -> config, or, for a head with spaces, name -> space -> config.
        model: returns its nn.Module class, built from `config` alone.
        sampler: returns its sampler class, built from a model: `generate` for words (`CodeSampler`), `dance` for music,
            `predict` for policies.
        recipe: returns the class of its training recipe; None for a head without training.
        training: frozen dataclass of the options of `motiongen train NAME`; None for a head without training.
        streams: whether the model samples token by token (see `motiongen.heads.streaming_head`).
        edits: whether the sampler has `edit`; see `EditingSampler`.
        spaces: for a head with one model for each space, the names of their folders, preferred first; else empty.
        tiny: `config` of a model that trains in seconds, for tests; None for none.
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
