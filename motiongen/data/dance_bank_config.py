"""Options for pairing dances with music."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DanceBankConfig:
    """Options for pairing dances with music."""

    songs: int = 6
    """Songs of each motion."""
    least_score: float = 0.5
    """Least alignment score of a pair, 0 to 1; others are left out."""
    rhythmic_clips: int = 60
    """Largest number of clips of each rhythmic content that is no dance."""
    workers: int = 2
    """Processes that synthesise songs."""
    song_seed: int = 0
    """Seed of the songs."""
