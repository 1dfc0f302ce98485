"""Options of `motiongen train`: each field of these dataclasses is an option."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from motiongen.data.columns import Columns, parse_columns
from motiongen.devices import Device
from motiongen.training.config import TrainConfig

if TYPE_CHECKING:
    from torch import nn

    from motiongen.data.cache import ClipCache
    from motiongen.data.demonstrations import Demonstrations
    from motiongen.tokenizers.rvq_vae import RVQVAE
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class TrainingRun:
    """Options of all trainings."""

    output: Path
    """Folder of the weight set; each model has a folder of its own in it, with checkpoint and log."""
    resume: bool = False
    """Continue from the checkpoint of the model; repeat the other options of the run."""
    start_from: Path | None = None
    """Folder of a saved model of the same sizes, from whose weights a new run starts."""
    device: Device = "auto"
    """Device of the training."""
    schedule: TrainConfig
    """Schedule and optimizer options; the default is one hour."""

    def folder(self, name: str) -> Path:
        """Return the folder of a model in the set."""
        return self.output / name

    def inputs(self) -> tuple[Path, ...]:
        """Return the input folders."""
        return ()

    def start(self, model: "nn.Module") -> None:
        """Load the weights of `start_from`, if it is given, into a new model. Raises ValueError for other sizes."""
        if self.start_from is not None:
            from motiongen import checkpoint

            path = self.start_from / checkpoint.WEIGHTS
            checkpoint.load_weights(model, checkpoint.read_tensors(path), path)

    def resumes(self) -> bool:
        """Return whether the training continues from a checkpoint; called before `build`."""
        return self.resume

    def own_schedule(self) -> TrainConfig:
        """Return the schedule of the model itself; called after `build`, which may have spent a part of the time."""
        return self.schedule

    def build(self) -> "Recipe":
        """Return the training recipe for the data; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__}: expected a build method, got none; return its Recipe there")

    def describe(self) -> None:
        """Write files that describe the weight set, after the training; none by default."""


@dataclass(frozen=True, kw_only=True)
class CacheTraining(TrainingRun):
    """Options of trainings on motion."""

    data: Path
    """Cache that motiongen prepare wrote."""
    without: tuple[str, ...] | None = None
    """Sources of the cache that are left out, by name, such as rocketbox."""

    def inputs(self) -> tuple[Path, ...]:
        """Return the input folders."""
        return (self.data,)

    def cache(self) -> "ClipCache":
        """Return the cache."""
        from motiongen.data.cache import ClipCache

        cache = ClipCache.open(self.data)
        return cache.without(self.without) if self.without else cache


@dataclass(frozen=True, kw_only=True)
class HeadTraining(CacheTraining):
    """Options of trainings of heads on motion."""

    tokenizer: Path | None = None
    """Folder of a trained tokenizer; default: that of the weight set."""
    licence: str = ""
    """Licence of the weights, for about.json; default: that of the data."""

    def inputs(self) -> tuple[Path, ...]:
        """Return the input folders."""
        return (self.data,) if self.tokenizer is None else (self.data, self.tokenizer)

    def describe(self) -> None:
        """Write the about.json of the weight set, which `generate` and `models` read."""
        from motiongen.training.about import write_about

        write_about(self.output, self.cache(), self.licence)

    def load_tokenizer(self) -> "RVQVAE":
        """Return the tokenizer."""
        from motiongen import tokenizers

        return tokenizers.load(self.tokenizer or self.output / "tokenizer")


@dataclass(frozen=True, kw_only=True)
class PolicyTraining(TrainingRun):
    """Options of trainings of robot policies on demonstrations."""

    data: tuple[Path, ...]
    """LeRobot datasets (v2 or v3); several tasks give one multi-task policy.

    A policy with images also learns actions from datasets without images, if their states contain the scene numbers of
    the datasets with images."""
    image_size: int = 0
    """Side of the square to which camera images are resized, pixels, 16 or more; 0 for a policy on states only."""
    camera: str | None = None
    """Name of the camera in the datasets; default: the only one that shows colours."""
    columns: str = ""
    """Columns of the state, the action and the camera, several joined by "+", where they have names of their own:
    state=observation.joints+observation.gripper,action=action,image=observation.images.top."""

    def __post_init__(self) -> None:
        image = self.chosen_columns.image
        if image and self.camera:
            raise ValueError(f"camera: expected one, got {self.camera} and image={image}; leave out --camera")
        if (image or self.camera) and not self.image_size:
            raise ValueError(
                f"camera: expected none for a policy on states, got {image or self.camera}; add --image-size 96"
            )
        if self.image_size and not 16 <= self.image_size <= 1024:
            raise ValueError(
                f"image_size: expected 16 to 1024 pixels, or 0 for states only, got {self.image_size}; "
                "96 is the published size"
            )

    def inputs(self) -> tuple[Path, ...]:
        """Return the input folders."""
        return self.data

    def folder(self, name: str) -> Path:
        """Return the output folder itself, which also contains the parts of the policy."""
        return self.output

    @property
    def chosen_columns(self) -> Columns:
        """The columns of the datasets by their role. Raises ValueError where the option has another form."""
        return parse_columns(self.columns)

    def cameras(self) -> tuple[str, ...] | None:
        """Return the camera whose images are needed; None for the only one, () for no images."""
        if not self.image_size:
            return ()
        chosen = self.chosen_columns.image or self.camera
        return (chosen,) if chosen else None

    def build_from(self, demonstrations: "Sequence[Demonstrations]") -> "Recipe":
        """Return the training recipe for demonstrations, which the caller has read; to be defined by subclasses.

        A policy is started from `start_from` here, before those of its parts are trained that come first.
        """
        raise TypeError(
            f"{type(self).__name__}: expected a build_from method, got none; return its Recipe there"
        )
