"""Sizes of Mogo."""

from dataclasses import dataclass

from motiongen.conditions.text import DEFAULT_ENCODER
from motiongen.modules.attention import TransformerConfig


@dataclass(frozen=True, kw_only=True)
class MogoConfig:
    """Sizes of Mogo; the defaults are the shipped `small` one."""

    num_quantizers: int = 6
    codebook_size: int = 512
    frames_per_token: int = 4
    text_encoder: str = DEFAULT_ENCODER
    text_dim: int = 384
    """Channels of the text encoder."""
    text_tokens: int = 40
    """Word pieces that the layers look at; those beyond count in the sentence's vector only."""
    context_dim: int = 96
    """Channels of a word piece inside the model."""
    code_dim: int = 64
    """Channels of a code's vector."""
    layers: tuple[int, ...] = (5, 2, 1, 1, 1, 1)
    """Layers of each level's transformer."""
    dim: int = 192
    num_heads: int = 6
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
    dropout: float = 0.0
    condition_dropout: float = 0.1
    """Part of the training clips that are seen without their text, for guidance."""
    corruption: float = 0.1
    """Part of the training clips' past tokens that are another clip's, so that a stream recovers from its own slips."""
    label_smoothing: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "layers", tuple(self.layers))  # JSON has lists
        sizes = ("num_quantizers", "codebook_size", "frames_per_token", "text_tokens", "window", "max_count")
        for name in (*sizes, "fine_window", "code_dim", "context_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: expected >= 1, got {getattr(self, name)}; fix config.json")
        if len(self.layers) != self.num_quantizers or min(self.layers) < 1:
            raise ValueError(
                f"layers: expected {self.num_quantizers} numbers >= 1, got {self.layers}; one a quantizer level"
            )
        for name in ("dropout", "condition_dropout", "corruption", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; fix config.json")

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
