"""Sampling options of a corpus."""

from dataclasses import dataclass

from motiongen.checks import check_batch


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """Sampling of training motions."""

    batch_size: int = 64
    """Clips of a training step."""
    phases: int = 4
    """Frame offsets at which each clip is encoded, which shifts its token boundaries."""
    content_power: float = 0.5
    """A content with n clips has weight n**(1 - power): 0 for proportional to n, 1 for uniform."""
    source_power: float = 0.6
    """A source with n tokens has weight n**power: 1 for proportional to n, 0 for uniform."""
    cut_share: float = 0.15
    """Share of clips that are cropped at random; clips longer than the window of the model always are."""
    memory_share: float = 0.8
    """Share of prompts that bring the nearest clips with them, in a model that reads clips."""
    held_out_items: int = 256
    """Number of held-out motions for validation."""

    def __post_init__(self) -> None:
        check_batch(self, least=2)
        for name in vars(self):
            if name.endswith(("_power", "_share")) and not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; it is a share")
