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
    """Sizes of Mogo; the defaults are those of the shipped preset `small`."""

    text_tokens: int = 40
    """Text tokens in the context; further ones affect the sentence vector only."""
    layers: tuple[int, ...] = (5, 2, 1, 1, 1, 1)
    """Layers of the transformer of each level."""
    feedforward_dim: int = 512
    window: int = 48
    """Attention window of the base level, tokens."""
    fine_dim: int = 128
    fine_heads: int = 4
    fine_feedforward_dim: int = 320
    fine_window: int = 16
    """Attention window of the finer levels, tokens."""
    max_count: int = 96
    """Largest value of the token counts given to the model: since the prompt began, and to the end of the motion."""
    corruption: float = 0.1
    """Share of past tokens replaced by those of other clips in training, so that a stream recovers from its errors."""

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
        """Return this config for a tokenizer with other sizes; additional quantizer levels get one layer each."""
        layers = (*self.layers, *[1] * num_quantizers)[:num_quantizers]
        return replace(self, num_quantizers=num_quantizers, layers=layers, **sizes)

    @property
    def context_tokens(self) -> int:
        """Most tokens of the context: of the text, and of the clips of a memory."""
        return self.text_tokens + self.memory_clips * self.memory_tokens

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
        """Return the sizes of the transformer of a finer level."""
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
        fine_dim=96, fine_heads=3, fine_feedforward_dim=256, memory_clips=2,
    ),
    "paper": MogoConfig(
        text_encoder="openai/clip-vit-base-patch32", text_dim=512, context_dim=512, code_dim=512,
        layers=(18, 10, 6, 4, 2, 2), dim=1024, num_heads=16, feedforward_dim=4096, window=65,
        fine_dim=1024, fine_heads=16, fine_feedforward_dim=4096, fine_window=65, dropout=0.1,
    ),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MogoOptions(CodeOptions):
    """Sampling options of Mogo."""

    fine_temperature: float = 0.5
    """Temperature of the finer levels."""
    max_tokens: int = 90
    """Longest clip, tokens, if no length is given."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.min_tokens > self.max_tokens:
            expected = f"1 <= min_tokens <= max_tokens, got {self.min_tokens} and {self.max_tokens}"
            raise ValueError(f"min_tokens: expected {expected}; take 4 and 90")
        self.fine_sampling()  # checks temperature, top_k and top_p

    def fine_sampling(self) -> SamplingConfig:
        """Return the sampling options of the finer levels."""
        return SamplingConfig(temperature=self.fine_temperature, top_k=self.top_k, top_p=self.top_p)


@dataclass(frozen=True, kw_only=True)
class MogoTrainConfig(CorpusConfig):
    """Training batches: sampling of clips and chains."""

    chain_share: float = 0.5
    """Share of examples that are chains of motions, with a new prompt for each."""
    composed_share: float = 0.15
    """Share of chains of two whole motions with one caption, "X, then Y"."""
    silent_share: float = 0.15
    """Share of motions before the last of a chain without text, as a stream may start from unlabelled motion."""
    told_share: float = 0.5
    """Share of motions whose remaining length is given."""
    chains: int = 6000
    """Chains of motions, made once before training."""
    crossfade_frames: int = 12
    """Frames over which the motions of a chain are crossfaded."""
    train_window: int = 75
    """Longest training example, tokens."""


@dataclass(frozen=True, kw_only=True)
class MogoTraining(HeadTraining):
    """Train Mogo, which turns text into codes of the tokenizer, token by token: for streams."""

    preset: Literal["small", "open", "paper"] = "small"
    """Model size: small and open are shipped, paper is the published one."""
    recipe: MogoTrainConfig = field(default_factory=MogoTrainConfig)
    """Training batches: sampling of clips and chains."""

    def build(self) -> "Recipe":
        """Return the training recipe for the data."""
        from motiongen.heads.mogo.recipe import MogoRecipe

        return MogoRecipe.from_cache(self.cache(), self.load_tokenizer(), PRESETS[self.preset], self.recipe)
