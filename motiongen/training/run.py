"""What a training is told: each field of these dataclasses is an option of `motiongen train`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motiongen.devices import Device
from motiongen.training.config import TrainConfig

if TYPE_CHECKING:
    from motiongen.data.cache import ClipCache
    from motiongen.data.demonstrations import Demonstrations
    from motiongen.tokenizers.rvq_vae import RVQVAE
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """Options of every training."""

    output: Path
    """Folder of the set of weights: each model lies in a folder of its own name in it, with its checkpoint and log."""
    resume: bool = False
    """Go on from the model's checkpoint; repeat the options that the run was started with."""
    device: Device = "auto"
    """Where to compute."""
    schedule: TrainConfig
    """How long and how to train; an hour unless --steps or --minutes say otherwise."""

    def folder(self, name: str) -> Path:
        """Return where in the set the model of a name lies."""
        return self.output / name

    def resumes(self) -> bool:
        """Return whether the model goes on from its checkpoint; asked before `build`."""
        return self.resume

    def build(self) -> "Recipe":
        """Return the recipe for the data."""
        raise TypeError(f"{type(self).__name__}: expected a build method, got none; return its Recipe there")

    def describe(self) -> None:
        """Write what is to be known of the set beside the model's card: nothing, unless a head says otherwise."""


@dataclass(frozen=True, kw_only=True)
class CacheTraining(TrainingRun):
    """Options of a training on motion."""

    data: Path
    """Cache that motiongen prepare wrote."""

    def cache(self) -> "ClipCache":
        """Return the cache."""
        from motiongen.data.cache import ClipCache

        return ClipCache.open(self.data)


@dataclass(frozen=True, kw_only=True)
class HeadTraining(CacheTraining):
    """Options of the training of a head on motion."""

    tokenizer: Path | None = None
    """Folder of the tokenizer that was trained before; the set's own when left out."""
    licence: str = ""
    """Terms of the weights, for about.json; those of the data when left out."""

    def describe(self) -> None:
        """Write about.json, which `generate` and `models` read."""
        from motiongen.training.about import write_about

        write_about(self.output, self.cache(), self.licence)

    def load_tokenizer(self) -> "RVQVAE":
        """Return the tokenizer."""
        from motiongen import tokenizers

        return tokenizers.load(self.tokenizer or self.output / "tokenizer")


@dataclass(frozen=True, kw_only=True)
class PolicyTraining(TrainingRun):
    """Options of the training of a robot's policy, on demonstrations."""

    data: tuple[Path, ...]
    """LeRobot datasets (v2.1 or v3); of several tasks, for one policy that knows them all.

    A policy that sees learns what to do from demonstrations without pictures, where there are any whose states say in
    numbers what the others' pictures show."""
    image_size: int = 0
    """See: side of the square to which the camera's pictures are scaled, pixels; 0 for states alone."""
    camera: str | None = None
    """Which of the datasets' cameras; the only one when left out."""

    def folder(self, name: str) -> Path:
        """Return where the policy lies: the output folder itself, which holds its parts too."""
        return self.output

    def cameras(self) -> tuple[str, ...] | None:
        """Return which cameras to decode; None is all."""
        if not self.image_size:
            return ()
        return None if self.camera is None else (self.camera,)

    def build_from(self, demonstrations: "Sequence[Demonstrations]") -> "Recipe":
        """Return the recipe for demonstrations, which the caller reads: the core knows no dataset."""
        raise TypeError(
            f"{type(self).__name__}: expected a build_from method, got none; return its Recipe there"
        )
