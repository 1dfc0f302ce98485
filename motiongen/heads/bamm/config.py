"""BAMM's sizes, sampling options and training options."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Self

from motiongen.checks import check_at_least
from motiongen.data.corpus_config import CorpusConfig
from motiongen.heads.code_config import CodeHeadConfig, CodeOptions
from motiongen.modules.sampling_config import SamplingConfig
from motiongen.modules.transformer_config import TransformerConfig
from motiongen.training.run import HeadTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class BAMMConfig(CodeHeadConfig):
    """Sizes of BAMM; the defaults are those of the shipped preset `small`."""

    max_tokens: int = 75
    """Window of the model, tokens."""
    num_layers: int = 6
    feedforward_dim: int = 448
    residual_dim: int = 128
    residual_layers: int = 3
    residual_heads: int = 4
    residual_feedforward_dim: int = 384

    def __post_init__(self) -> None:
        super().__post_init__()
        check_at_least(self, 1, "max_tokens")

    @property
    def end(self) -> int:
        """Code END after the last token of a clip; the first after those of the codebook."""
        return self.codebook_size

    @property
    def pad(self) -> int:
        """Code PAD after the end of shorter clips of a batch."""
        return self.codebook_size + 1

    @property
    def mask(self) -> int:
        """Code MASK of masked tokens."""
        return self.codebook_size + 2

    def transformer(self) -> TransformerConfig:
        """Return the sizes of the transformer over the first level."""
        return TransformerConfig(
            dim=self.dim,
            num_layers=self.num_layers,
            num_heads=self.num_heads,
            feedforward_dim=self.feedforward_dim,
            context_dim=self.context_dim,
            dropout=self.dropout,
        )

    def residual_transformer(self) -> TransformerConfig:
        """Return the sizes of the transformer over the finer levels."""
        return TransformerConfig(
            dim=self.residual_dim,
            num_layers=self.residual_layers,
            num_heads=self.residual_heads,
            feedforward_dim=self.residual_feedforward_dim,
            context_dim=self.context_dim,
            dropout=self.dropout,
        )


PRESETS: dict[str, BAMMConfig] = {
    "small": BAMMConfig(),
    "open": BAMMConfig(
        context_dim=64, dim=160, num_layers=4, num_heads=5, feedforward_dim=320,
        residual_dim=96, residual_layers=3, residual_heads=3, residual_feedforward_dim=256, memory_clips=2,
    ),
    "paper": BAMMConfig(
        max_tokens=49, text_encoder="openai/clip-vit-base-patch32", text_dim=512, context_dim=384, code_dim=384,
        dim=384, num_layers=8, num_heads=6, feedforward_dim=1024,
        residual_dim=384, residual_layers=8, residual_heads=6, residual_feedforward_dim=1024, dropout=0.2,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BAMMOptions(CodeOptions):
    """Sampling options of BAMM."""

    guidance_scale: float = 3.0
    """Classifier-free guidance scale of the autoregressive pass; 1 for no guidance."""
    refine_guidance_scale: float = 2.5
    """Guidance scale of the bidirectional pass."""
    residual_guidance_scale: float = 2.0
    """Guidance scale of the finer levels."""
    residual_temperature: float = 0.5
    refine_share: float = 0.4
    """Share of the codes, the least confident ones, that are masked and resampled bidirectionally; 0 for none."""
    refine_steps: int = 6
    edit_steps: int = 12
    """Steps in which an edited span is sampled."""
    overlap: int = 16
    """Tokens of context from the previous window, for clips longer than the window of the model."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.refine_share <= 1:
            raise ValueError(f"refine_share: expected 0..1, got {self.refine_share}; take 0.4")
        check_at_least(self, 1, "refine_steps", "edit_steps", "overlap", fix="take 6 or more")
        self.residual_sampling()  # checks temperature, top_k and top_p

    def adjusted(self, guidance_scale: float | None = None, temperature: float | None = None) -> Self:
        """Return these options with those replaced that are not None; the guidance scale of both passes."""
        options = super().adjusted(guidance_scale, temperature)
        return options if guidance_scale is None else replace(options, refine_guidance_scale=guidance_scale)

    def residual_sampling(self) -> SamplingConfig:
        """Return the sampling options of the finer levels."""
        return SamplingConfig(temperature=self.residual_temperature, top_k=self.top_k, top_p=self.top_p)


@dataclass(frozen=True, kw_only=True)
class BAMMTrainConfig(CorpusConfig):
    """Training batches: sampling of clips and compositions."""

    composed_share: float = 0.12
    """Share of examples that are two joined clips with the caption "X, then Y"."""
    continued_share: float = 0.08
    """Share of examples that continue another clip."""
    compositions: int = 2500
    """Joined pairs of clips, made once before training."""
    crossfade_frames: int = 12
    """Frames over which joined clips are crossfaded."""


@dataclass(frozen=True, kw_only=True)
class BAMMTraining(HeadTraining):
    """Train BAMM, which turns text into codes of the tokenizer: for files."""

    preset: Literal["small", "open", "paper"] = "small"
    """Model size: small and open are shipped, paper is the published one."""
    recipe: BAMMTrainConfig = field(default_factory=BAMMTrainConfig)
    """Training batches: sampling of clips and compositions."""

    def build(self) -> "Recipe":
        """Return the training recipe for the data."""
        from motiongen.heads.bamm.recipe import BAMMRecipe

        return BAMMRecipe.from_cache(self.cache(), self.load_tokenizer(), PRESETS[self.preset], self.recipe)
