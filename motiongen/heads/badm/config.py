"""BADM's sizes, sampling options and training options."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from motiongen.checks import check_at_least, check_batch, check_share
from motiongen.data.dance_bank_config import DanceBankConfig
from motiongen.training.run import HeadTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe

SPACES = ("latent", "motion", "edge")
"""Representations that can be diffused: tokenizer latents, feature frames, or EDGE's 151-D frames."""


@dataclass(frozen=True, kw_only=True)
class BADMConfig:
    """Sizes of a BADM, and the options of the paper's ablations."""

    space: str = "latent"
    channels: int = 128
    """Channels of the diffused representation."""
    frames_per_step: int = 4
    """Frames of a position of the diffused sequence."""
    slice_length: int = 6
    """Positions of a slice."""
    slices: int = 6
    """Slices K of a window."""
    dim: int = 128
    num_layers: int = 3
    num_heads: int = 4
    feedforward_dim: int = 192
    dropout: float = 0.1
    music_dim: int = 34
    music_width: int = 48
    """Channels of the convolutions over the music features."""
    styles: tuple[str, ...] = ()
    """Dance styles that can be requested."""
    noise_steps: int = 1000
    condition_dropout: float = 0.25
    """Share of training examples without music and beat (dropped together, as in the paper)."""
    music_dropout: float = 0.3
    """Share of training examples with the beat but without music features, so that songs are not memorised."""
    style_dropout: float = 0.3
    """Share of training examples without a style."""
    bidirectional: bool = True
    """Condition on the noisy next slice too; false for the past only, as in the paper's ablation."""
    local_decoder: bool = True
    beat: bool = True
    """Add the beat as an input."""
    guidance_scale: float = 5.0
    """Default classifier-free guidance scale of the music."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "styles", tuple(self.styles))  # JSON has lists
        if self.space not in SPACES:
            raise ValueError(
                f"space: expected one of {', '.join(SPACES)}, got {self.space!r}; fix config.json"
            )
        check_at_least(
            self, 1, "channels", "frames_per_step", "slice_length", "dim", "num_layers", "num_heads"
        )
        check_at_least(self, 1, "feedforward_dim", "music_dim", "music_width", "noise_steps")
        if self.slices < 2:
            raise ValueError(f"slices: expected >= 2, got {self.slices}; the paper has 6")
        if self.dim % self.num_heads:
            raise ValueError(f"dim: expected a multiple of num_heads {self.num_heads}, got {self.dim}")
        check_share(
            self, "dropout", "condition_dropout", "music_dropout", "style_dropout", fix="it is a share"
        )

    @property
    def window(self) -> int:
        """Positions of a window."""
        return self.slices * self.slice_length

    @property
    def window_frames(self) -> int:
        """Frames of a window."""
        return self.window * self.frames_per_step

    @property
    def slice_frames(self) -> int:
        """Frames of a slice."""
        return self.slice_length * self.frames_per_step


def _preset(**sizes: Any) -> dict[str, BADMConfig]:
    return {
        "latent": BADMConfig(space="latent", channels=128, frames_per_step=4, slice_length=6, **sizes),
        "motion": BADMConfig(
            space="motion", channels=140, frames_per_step=1, slice_length=25, guidance_scale=4.0, **sizes
        ),
        "edge": BADMConfig(
            space="edge", channels=151, frames_per_step=1, slice_length=25, guidance_scale=4.0, **sizes
        ),
    }


PRESETS: dict[str, dict[str, BADMConfig]] = {
    "small": _preset(),
    "open": _preset(dim=88, music_width=40, feedforward_dim=128),
    "paper": _preset(dim=512, num_layers=8, num_heads=8, feedforward_dim=1024, music_width=256),
}
"""Preset -> space -> sizes; small and open ship."""


@dataclass(frozen=True, kw_only=True)
class BADMOptions:
    """Sampling options of BADM."""

    steps: int = 25
    """DDIM steps."""
    guidance_scale: float | None = None
    """Classifier-free guidance scale of the music: 1 for no guidance; None for the model's default."""
    group: int = 8
    """Windows that are sampled as one batch."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.group < 1:
            raise ValueError(
                f"steps, group: expected >= 1, got {self.steps}, {self.group}; 25 and 8 are usual"
            )
        if self.guidance_scale is not None and not 0 <= self.guidance_scale <= 20:
            raise ValueError(f"guidance_scale: expected 0..20, got {self.guidance_scale}; 5 is usual")

    def adjusted(self, guidance_scale: float | None, steps: int | None) -> "BADMOptions":
        """Return these options with those replaced that are not None."""
        options = self if guidance_scale is None else replace(self, guidance_scale=guidance_scale)
        return options if steps is None else replace(options, steps=steps)


@dataclass(frozen=True, kw_only=True)
class BADMTrainConfig:
    """Training batches: sampling shares and sizes."""

    batch_size: int = 64
    """Windows of a training step."""
    rhythmic_share: float = 0.12
    """Share of windows of rhythmic motion that is no dance."""
    idle_share: float = 0.04
    """Share of windows of idle motion with silence."""
    phases: int = 4
    """Frame offsets at which each clip is encoded as latents."""
    kinematic_items: int = 24
    """Windows of a batch for the kinematic losses, which cost as much as the network."""
    held_out_windows: int = 128
    """Windows of held-out dances on which the model is validated."""
    bank: DanceBankConfig = field(default_factory=DanceBankConfig)
    """Pairing of dances with music."""

    def __post_init__(self) -> None:
        check_batch(self, least=2)
        check_at_least(self, 1, "phases", "held_out_windows", fix="see the defaults")
        if not 0 <= self.rhythmic_share + self.idle_share < 1:
            raise ValueError(
                f"rhythmic_share, idle_share: expected less than 1 together, got {self.rhythmic_share} and "
                f"{self.idle_share}; the rest are dances"
            )


@dataclass(frozen=True, kw_only=True)
class BADMTraining(HeadTraining):
    """Train BADM, which dances to music. The dances of the cache are paired with music first."""

    preset: Literal["small", "open", "paper"] = "small"
    """Model size: small and open are shipped, paper is the published one."""
    space: Literal["latent", "motion", "edge"] = "latent"
    """Diffused representation: tokenizer latents, feature frames, or EDGE's frames."""
    bidirectional: bool = True
    """Condition each slice on the next one too; false for the past only, as in the paper's ablation."""
    local_decoder: bool = True
    """Refine the joined slices by convolutions."""
    beat: bool = True
    """Add the beat as an input."""
    slices: int = 6
    """Slices of a window; the length of the window stays the same."""
    recipe: BADMTrainConfig = field(default_factory=BADMTrainConfig)
    """Training batches and pairing."""

    def __post_init__(self) -> None:
        window = PRESETS[self.preset][self.space].window
        if self.slices < 2 or window % self.slices:
            raise ValueError(
                f"slices: expected a divisor of {window}, at least 2, got {self.slices}; the paper has 6"
            )

    def folder(self, name: str) -> Path:
        """Return the folder of the model: each space has one of its own."""
        return self.output / name / self.space

    def build(self) -> "Recipe":
        """Return the training recipe for the data."""
        from motiongen.heads.badm.recipe import BADMRecipe

        sizes = PRESETS[self.preset][self.space]
        model = replace(
            sizes,
            slices=self.slices,
            slice_length=sizes.window // self.slices,
            bidirectional=self.bidirectional,
            local_decoder=self.local_decoder,
            beat=self.beat,
        )
        tokenizer = self.load_tokenizer() if self.space == "latent" else None
        return BADMRecipe.from_cache(self.cache(), tokenizer, model, self.recipe)
