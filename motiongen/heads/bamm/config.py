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
    """Sizes of BAMM; the defaults are the shipped `small` one."""

    max_tokens: int = 75
    """Longest clip that is seen at once, in tokens."""
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
        """The code that ends a clip; the model's first after the codebook's own."""
        return self.codebook_size

    @property
    def pad(self) -> int:
        """The code after the end of the shorter clips of a batch."""
        return self.codebook_size + 1

    @property
    def mask(self) -> int:
        """The code that hides another."""
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
        residual_dim=96, residual_layers=3, residual_heads=3, residual_feedforward_dim=256,
    ),
    "paper": BAMMConfig(
        max_tokens=49, text_encoder="openai/clip-vit-base-patch32", text_dim=512, context_dim=384, code_dim=384,
        dim=384, num_layers=8, num_heads=6, feedforward_dim=1024,
        residual_dim=384, residual_layers=8, residual_heads=6, residual_feedforward_dim=1024, dropout=0.2,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class BAMMOptions(CodeOptions):
    """How BAMM samples codes."""

    guidance_scale: float = 3.0
    """Weight of the text against no text while writing from left to right; 1 is the text alone."""
    refine_guidance_scale: float = 2.5
    """The same while revising."""
    residual_guidance_scale: float = 2.0
    """The same for the finer levels."""
    residual_temperature: float = 0.5
    refine_share: float = 0.4
    """Part of the codes, the least sure ones, that are hidden and written again in both directions; 0 for none."""
    refine_steps: int = 6
    edit_steps: int = 12
    """Steps in which an edited span is filled."""
    overlap: int = 16
    """Tokens of its past that a clip longer than the model's window goes on from."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.refine_share <= 1:
            raise ValueError(f"refine_share: expected 0..1, got {self.refine_share}; take 0.4")
        check_at_least(self, 1, "refine_steps", "edit_steps", "overlap", fix="take 6 or more")
        self.residual_sampling()  # which checks its own

    def adjusted(self, guidance_scale: float | None = None, temperature: float | None = None) -> Self:
        """Return these options with what is given in place of their own; the guidance for both passes."""
        options = super().adjusted(guidance_scale, temperature)
        return options if guidance_scale is None else replace(options, refine_guidance_scale=guidance_scale)

    def residual_sampling(self) -> SamplingConfig:
        """Return how codes of the finer levels are drawn."""
        return SamplingConfig(temperature=self.residual_temperature, top_k=self.top_k, top_p=self.top_p)


@dataclass(frozen=True, kw_only=True)
class BAMMTrainConfig(CorpusConfig):
    """Batches: which clips, how cut and how joined."""

    composed_share: float = 0.12
    """Pairs of clips under "X, then Y"."""
    continued_share: float = 0.08
    """Clips that go on from the end of another one."""
    compositions: int = 2500
    """Pairs of clips that are made, once."""
    crossfade_frames: int = 8


@dataclass(frozen=True, kw_only=True)
class BAMMTraining(HeadTraining):
    """Train BAMM, which turns words into the tokenizer's codes: for files."""

    preset: Literal["small", "open", "paper"] = "small"
    """small and open are the sizes that ship; paper is the published one."""
    recipe: BAMMTrainConfig = field(default_factory=BAMMTrainConfig)
    """Batches: which clips, how cut and how joined."""

    def build(self) -> "Recipe":
        """Return the recipe for the data."""
        from motiongen.heads.bamm.recipe import BAMMRecipe

        return BAMMRecipe.from_cache(self.cache(), self.load_tokenizer(), PRESETS[self.preset], self.recipe)
