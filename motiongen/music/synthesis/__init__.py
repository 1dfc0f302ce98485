"""A rule-based music synthesiser in NumPy: songs whose beats are known exactly, free of rights of others."""

from motiongen.music.synthesis.song import Song, synthesise
from motiongen.music.synthesis.style import Style
from motiongen.music.synthesis.styles import STYLES

__all__ = ["STYLES", "Song", "Style", "synthesise"]
