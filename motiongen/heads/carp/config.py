"""CARP's sizes, sampling options and training options."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from motiongen.checks import check_batch
from motiongen.modules.policy_config import PolicyConfig
from motiongen.tokenizers.action_vq_config import ActionVQConfig
from motiongen.training.config import TrainConfig
from motiongen.training.run import PolicyTraining

if TYPE_CHECKING:
    from motiongen.data.demonstrations import Demonstrations
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class CARPConfig(PolicyConfig):
    """Sizes of a CARP: its transformer and its action tokenizer."""

    dim: int = 64
    num_layers: int = 8
    num_heads: int = 4
    feedforward: int = 4
    """Width of the feed-forward layers, as a multiple of dim."""
    shared_modulation: bool = False
    """One layer predicts the modulation of all blocks, each of which adds a learned offset: a third of the weights."""
    dropout: float = 0.0
    widths: tuple[int, ...] = (2, 4, 8)
    """Channels of the action tokenizer's stages."""
    latent_dim: int = 8
    codebook_size: int = 512
    scales: tuple[int, ...] = (1, 2, 3, 4)
    chained: bool = False
    """Predict the action dimensions of the coarsest scale autoregressively instead of in one pass."""
    offset_dim: int = 0
    """Width of the layer that predicts a continuous offset of the decoded actions; 0 for none, as published."""
    residual: bool = False
    """The codes say what a regression from the observation leaves of the actions, not the actions themselves: for many
    joints, of whose codes some are always wrong."""
    temperature: float = 0.0
    """Sampling temperature of the codes; 0 takes the likeliest, as published."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.temperature < math.inf:
            raise ValueError(
                f"temperature: expected 0 or more, got {self.temperature}; 0 takes the likeliest code"
            )
        if self.chained and self.scales[0] != 1:
            raise ValueError(
                f"scales: expected to begin with 1 for a chain, got {self.scales}; fix config.json"
            )
        if self.dim % self.num_heads:
            raise ValueError(
                f"dim: expected a multiple of {self.num_heads} heads, got {self.dim}; fix config.json"
            )

    @property
    def tokenizer(self) -> ActionVQConfig:
        """Sizes of the action tokenizer."""
        return ActionVQConfig(
            action_dim=self.action_dim,
            horizon=self.horizon,
            widths=self.widths,
            latent_dim=self.latent_dim,
            codebook_size=self.codebook_size,
            scales=self.scales,
        )


_SMALL = CARPConfig(
    obs_steps=1,
    action_steps=4,
    pairs=True,
    obs_layers=3,
    cond_dim=256,
    num_layers=2,
    shared_modulation=True,
    widths=(8, 16, 32),
    codebook_size=128,
    scales=(1, 2, 4),
    chained=True,
    offset_dim=128,
)
PRESETS = {
    "paper": CARPConfig(obs_layers=1, cond_dim=64),
    "small": _SMALL,
    "body": replace(_SMALL, cond_dim=128, widths=(2, 4, 8, 8), scales=(1, 2), offset_dim=0, residual=True),
}
"""Name -> sizes. paper is the published size for states. small is shipped, and trains in an hour on two cores: most of
its weights are in the observation encoder, which runs once a chunk, and few in the transformer. body is for robots with
many joints and thus many codes: it has fewer scales, smaller layers, and codes of what a regression leaves."""


CROP = 84 / 96
"""Side of the image crop as a share of the image's, as published."""


@dataclass(frozen=True, kw_only=True)
class CARPOptions:
    """Sampling options of CARP."""

    temperature: float | None = None
    """Sampling temperature of the codes; 0 takes the likeliest; None for the model's default."""

    def __post_init__(self) -> None:
        if self.temperature is not None and not 0 <= self.temperature < math.inf:
            raise ValueError(
                f"temperature: expected 0 or more, got {self.temperature}; 0 takes the likeliest code"
            )


@dataclass(frozen=True, kw_only=True)
class CARPTrainConfig:
    """Training batches and stages of CARP."""

    batch_size: int = 128
    """Windows of a training step."""
    scene_steps: int = 20_000
    """Stage 1: steps of scene prediction from images, where the data has scene numbers; fewer where the minutes of the
    run do not allow as many."""
    scene_batch_size: int = 64
    """Windows of a step of stage 1."""
    encoder_steps: int = 80_000
    """Stage 2: steps of the observation encoder at most, by regression; 0 for none, as published. More is better: for
    BlockPush a quarter of it gives half of the success rate."""
    encoder_batch_size: int = 512
    """Windows of a step of stage 2."""
    tokenizer_steps: int = 2000
    """Stage 3: steps of the action tokenizer at most."""
    tokenizer_batch_size: int = 256
    """Windows of a step of stage 3."""
    parts_learning_rate: float = 2e-3
    """Learning rate of these stages."""
    licence: str = "Apache-2.0: demonstrations by scripted experts"
    """Licence of the demonstrations, for the model card."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "scene_batch_size", "tokenizer_batch_size", "encoder_batch_size"):
            check_batch(self, name=name)


@dataclass(frozen=True, kw_only=True)
class CARPTraining(PolicyTraining):
    """Train CARP, which turns observations of a robot into actions, on demonstrations from motiongen demos."""

    preset: Literal["small", "body", "paper"] = "small"
    """Model size: small is shipped, body is for robots with many joints, paper is the published one for states."""
    action_steps: int | None = None
    """Actions of a chunk that are executed before the next prediction; default: that of the preset."""
    temperature: float = 0.0
    """Sampling temperature of the policy; 0 takes the likeliest codes, as published."""
    recipe: CARPTrainConfig = field(default_factory=CARPTrainConfig)
    """Training batches and stages."""

    def own_schedule(self) -> TrainConfig:
        """Return the schedule of the last stage: the time that the stages before it have left."""
        from motiongen.heads.carp.parts import left_minutes

        return replace(self.schedule, minutes=left_minutes(self.output, self.schedule.minutes))

    def resumes(self) -> bool:
        """Return whether the last stage, the training of the policy, is resumed.

        Raises:
            ValueError: `resume` without a checkpoint of any stage.
        """
        if not self.resume:
            return False
        from motiongen.heads.carp.parts import has_trained_parts

        return has_trained_parts(self.output)

    def build_from(self, demonstrations: "Sequence[Demonstrations]") -> "Recipe":
        """Return the recipe of the last stage; unless that is resumed, the stages before it are trained first."""
        from motiongen.devices import resolve_device
        from motiongen.heads.carp.parts import train_parts
        from motiongen.heads.carp.recipe import CARPRecipe, carp_for

        config = replace(PRESETS[self.preset], temperature=self.temperature)
        if self.image_size:
            config = replace(config, image_size=self.image_size, crop_size=round(CROP * self.image_size))
        if self.action_steps is not None:
            config = replace(config, action_steps=self.action_steps)
        model, sampler = carp_for(demonstrations, config)
        self.start(model)
        if not self.resumes():
            device = str(resolve_device(self.device))
            train_parts(model, sampler, self.recipe, self.schedule, self.output, device, self.resume)
        return CARPRecipe(model, sampler, self.recipe)
