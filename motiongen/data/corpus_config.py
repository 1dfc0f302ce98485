"""Which motions of a corpus are drawn, and how."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class CorpusConfig:
    """Which motions are drawn, and how."""

    batch_size: int = 64
    phases: int = 4
    """Frames by which the start of a clip may be shifted, so that its tokens fall elsewhere."""
    content_power: float = 0.5
    """A content with n clips is drawn as n**(1 - power): 0 as often as it is there, 1 all contents alike."""
    source_power: float = 0.6
    """A source with n tokens is drawn as n**power: 1 as much as is there, 0 all sources alike."""
    cut_share: float = 0.15
    """Clips of which only a random part is shown; those longer than the model's window always are cut."""
    held_out_items: int = 256
    """Held-out motions that validation looks at."""

    def __post_init__(self) -> None:
        if self.batch_size < 2:
            raise ValueError(f"batch_size: expected >= 2, got {self.batch_size}; a batch is more than one")
        for name in vars(self):
            if name.endswith(("_power", "_share")) and not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: expected 0..1, got {getattr(self, name)}; it is a share")
