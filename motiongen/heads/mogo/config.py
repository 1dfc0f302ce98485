"""Mogo's sizes, sampling options and training options."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from motiongen.checks import check_at_least, check_share
from motiongen.data.corpus_config import CorpusConfig
from motiongen.heads.code_config import CodeHeadConfig, CodeOptions
from motiongen.modules.sampling_config import SamplingConfig
from motiongen.modules.transformer_config import TransformerConfig
from motiongen.training.run import HeadTraining

if TYPE_CHECKING:
    from motiongen.training.loop import Recipe


@dataclass(frozen=True, kw_only=True)
class MogoConfig(CodeHeadConfig):
    """Sizes of Mogo; the defaults are the shipped `small` one."""

    text_tokens: int = 40
    """Word pieces that the layers look at; those beyond count in the sentence's vector only."""
    layers: tuple[int, ...] = (5, 2, 1, 1, 1, 1)
    """Layers of each level's transformer."""
    feedforward_dim: int = 512
    window: int = 48
    """Tokens that the base level sees."""
    fine_dim: int = 128
    fine_heads: int = 4
    fine_feedforward_dim: int = 320
    fine_window: int = 16
    """Tokens that the finer levels see."""
    max_count: int = 96
    """Largest number of tokens that "so many since the prompt began" and "so many to its end" can say."""
    corruption: float = 0.1
    """Part of the training clips' past tokens that are another clip's, so that a stream recovers from its own slips."""

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "layers", tuple(self.layers))  # JSON has lists
        check_at_least(self, 1, "text_tokens", "window", "max_count", "fine_window")
        if len(self.layers) != self.num_quantizers or min(self.layers) < 1:
            raise ValueError(
                f"layers: expected {self.num_quantizers} numbers >= 1, got {self.layers}; one a quantizer level"
            )
        check_share(self, "corruption")

    def resized(self, num_quantizers: int, **sizes: Any) -> Self:
        """Return this config for a tokenizer of so many levels: those beyond the known ones get one layer each."""
        layers = (*self.layers, *[1] * num_quantizers)[:num_quantizers]
        return replace(self, num_quantizers=num_quantizers, layers=layers, **sizes)

    def transformer(self) -> TransformerConfig:
        """Return the sizes of the base level's transformer."""
        return TransformerConfig(
            dim=self.dim,
            num_layers=self.layers[0],
            num_heads=self.num_heads,
            feedforward_dim=self.feedforward_dim,
            context_dim=self.context_dim,
            dropout=self.dropout,
            window=self.window,
        )

    def fine_transformer(self, level: int) -> TransformerConfig:
        """Return the sizes of a finer level's transformer."""
        return TransformerConfig(
            dim=self.fine_dim,
            num_layers=self.layers[level],
            num_heads=self.fine_heads,
            feedforward_dim=self.fine_feedforward_dim,
            context_dim=0,
            dropout=self.dropout,
            window=self.fine_window,
        )


PRESETS: dict[str, MogoConfig] = {
    "small": MogoConfig(),
    "open": MogoConfig(
        context_dim=64, code_dim=48, layers=(4, 1, 1, 1, 1, 1), dim=160, num_heads=5, feedforward_dim=384,
        fine_dim=96, fine_heads=3, fine_feedforward_dim=256,
    ),
    "paper": MogoConfig(
        text_encoder="openai/clip-vit-base-patch32", text_dim=512, context_dim=512, code_dim=512,
        layers=(18, 10, 6, 4, 2, 2), dim=1024, num_heads=16, feedforward_dim=4096, window=65,
        fine_dim=1024, fine_heads=16, fine_feedforward_dim=4096, fine_window=65, dropout=0.1,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MogoOptions(CodeOptions):
    """How Mogo samples codes."""

    fine_temperature: float = 0.5
    """Temperature of the finer levels."""
    max_tokens: int = 90
    """Longest clip, in tokens, where the length is the model's choice."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_tokens > self.max_tokens:
            expected = f"1 <= min_tokens <= max_tokens, got {self.min_tokens} and {self.max_tokens}"
            raise ValueError(f"min_tokens: expected {expected}; take 4 and 90")
        self.fine_sampling()  # which checks its own

    def fine_sampling(self) -> SamplingConfig:
        """Return how codes of the finer levels are drawn."""
        return SamplingConfig(temperature=self.fine_temperature, top_k=self.top_k, top_p=self.top_p)


@dataclass(frozen=True, kw_only=True)
class MogoTrainConfig(CorpusConfig):
    """Batches: which clips, how cut and how joined."""

    chain_share: float = 0.5
    """Examples that are chains, in which the prompt changes."""
    composed_share: float = 0.15
    """Chains of two whole motions that are told as one, "X, then Y"."""
    silent_share: float = 0.15
    """Links before the last that are not told: a stream may begin with motion that nobody described."""
    told_share: float = 0.5
    """Motions whose end is said beforehand."""
    chains: int = 6000
    """Chains that are made, once."""
    crossfade_frames: int = 10
    train_window: int = 75
    """Longest example, in tokens."""


@dataclass(frozen=True, kw_only=True)
class MogoTraining(HeadTraining):
    """Train Mogo, which turns words into the tokenizer's codes one by one: for streams."""

    preset: Literal["small", "open", "paper"] = "small"
    """small and open are the sizes that ship; paper is the published one."""
    recipe: MogoTrainConfig = field(default_factory=MogoTrainConfig)
    """Batches: which clips, how cut and how joined."""

    def build(self) -> "Recipe":
        """Return the recipe for the data."""
        from motiongen.heads.mogo.recipe import MogoRecipe

        return MogoRecipe.from_cache(self.cache(), self.load_tokenizer(), PRESETS[self.preset], self.recipe)
