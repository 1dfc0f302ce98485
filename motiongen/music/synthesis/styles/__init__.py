"""The styles, as data: add one here, and every test and every training run knows it."""

from motiongen.music.synthesis.style import Style
from motiongen.music.synthesis.styles.band import BAND
from motiongen.music.synthesis.styles.club import CLUB
from motiongen.music.synthesis.styles.world import WORLD

STYLES: dict[str, Style] = {**CLUB, **BAND, **WORLD}

__all__ = ["STYLES"]
