"""Styles of music: rhythms as strings, one character a step, with the sounds and harmony that go with them."""

from collections.abc import Mapping
from dataclasses import dataclass

from motiongen.music.synthesis.drums import DRUMS
from motiongen.music.synthesis.timbres import VOICES

LOUDNESS = {"X": 1.0, "x": 0.75, "o": 0.5, ".": 0.28}  # accent, stroke, soft stroke, ghost
REST = "-"


@dataclass(frozen=True, kw_only=True)
class Part:
    """The part of one pitched instrument.

    Attributes:
        voices: names of VOICES, one of which a song draws.
        patterns: rhythms of one or more bars. In bass and arpeggio 1, 3, 5, 7, 8 name tones of the chord; in chords
            the characters are those of LOUDNESS.
        gate: longest time that a note is held, in steps.
        centre: MIDI pitch about which the notes lie.
        gain: amplitude in the mix.
    """

    voices: tuple[str, ...]
    patterns: tuple[str, ...]
    gate: float = 2.0
    centre: int = 60
    gain: float = 0.3


@dataclass(frozen=True, kw_only=True)
class Style:
    """A style of music from which seeds draw songs.

    Attributes:
        tempo: slowest and fastest usual tempo, beats a minute.
        beats_per_bar, steps_per_beat: the grid of the patterns; three steps a beat need no swing.
        swing: range of the delay of every second step, as a share of a step; 1/3 is a triplet.
        modes: names of harmony.MODES.
        progressions: names of harmony.PROGRESSIONS.
        drums: patterns by drum; "snare|clap" is either, drawn once a song. Some top drums may be left out.
        fill: drums that a fill runs through, high to low.
        bass, chords, arpeggio: the accompaniment; None where the style has none.
        leads: names of VOICES that may carry a melody.
        pad: probability of a sustained background.
        sevenths: probability that chords have four notes.
        ducking: largest share by which the kick turns the other tracks down.
    """

    tempo: tuple[float, float]
    beats_per_bar: int = 4
    steps_per_beat: int = 4
    swing: tuple[float, float] = (0.0, 0.0)
    modes: tuple[str, ...] = ("minor", "major")
    progressions: tuple[str, ...] = ("pop",)
    drums: Mapping[str, tuple[str, ...]]
    fill: tuple[str, ...] = ("snare", "tom_high", "tom_low")
    bass: Part | None
    chords: Part
    arpeggio: Part | None = None
    leads: tuple[str, ...] = ("singer", "square_lead")
    pad: float = 0.4
    sevenths: float = 0.3
    ducking: float = 0.0

    def __post_init__(self) -> None:
        parts = [part for part in (self.bass, self.chords, self.arpeggio) if part]
        for pattern in [*sum(self.drums.values(), ()), *(p for part in parts for p in part.patterns)]:
            if not pattern or len(pattern) % self.steps_per_bar:
                raise ValueError(
                    f"pattern: expected bars of {self.steps_per_bar} steps, got {len(pattern)} in {pattern!r}; fill it"
                )
        drums = {name for names in self.drums for name in names.split("|")} | set(self.fill)
        voices = {name for part in parts for name in part.voices} | set(self.leads)
        unknown = sorted((drums - set(DRUMS)) | (voices - set(VOICES)))
        if unknown:
            raise ValueError(
                f"instruments: expected names of DRUMS and VOICES, got {unknown}; add them there"
            )

    @property
    def steps_per_bar(self) -> int:
        """Length of a bar in steps."""
        return self.beats_per_bar * self.steps_per_beat
