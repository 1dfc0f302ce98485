"""Music made by rule, in numpy alone: every beat of it is known exactly, and nobody else owns any of it."""

from motiongen.music.synthesis.song import Song, synthesise
from motiongen.music.synthesis.style import Style
from motiongen.music.synthesis.styles import STYLES

__all__ = ["STYLES", "Song", "Style", "synthesise"]
