"""Which dances are paired with music, and with how many songs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DanceBankConfig:
    """What is paired."""

    songs: int = 6
    """Songs to each warped motion."""
    least_score: float = 0.5
    """Pairings whose accents lie worse on the beat are left out."""
    rhythmic_clips: int = 60
    """Clips of each content of RHYTHMIC, at most."""
    workers: int = 2
    song_seed: int = 0
