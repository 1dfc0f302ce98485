"""Keys, chords, progressions and melodies as MIDI pitches."""

from dataclasses import dataclass

import numpy as np

# Semitones above the tonic of the seven degrees.
MODES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "harmonic_minor": (0, 2, 3, 5, 7, 8, 11),
}

# Roots as degrees from 0, one a bar.
PROGRESSIONS: dict[str, tuple[tuple[int, ...], ...]] = {
    "pop": ((0, 4, 5, 3), (5, 3, 0, 4), (0, 5, 3, 4), (0, 3, 4, 3), (0, 3, 5, 4), (0, 2, 3, 4), (3, 4, 0, 5)),
    "minor": ((0, 5, 2, 6), (0, 6, 5, 6), (0, 3, 6, 2), (0, 5, 3, 4), (5, 6, 0, 0), (0, 2, 6, 3)),
    "vamp": ((0,), (0, 0, 3, 3), (0, 6), (0, 3), (0, 0, 0, 6), (0, 1)),
    "blues": ((0, 0, 0, 0, 3, 3, 0, 0, 4, 3, 0, 4), (0, 3, 0, 0, 3, 3, 0, 0, 1, 4, 0, 4)),
    "jazz": ((1, 4, 0, 0), (1, 4, 0, 5), (0, 5, 1, 4), (2, 5, 1, 4), (3, 6, 2, 5, 1, 4, 0, 0)),
    "montuno": ((0, 3, 4, 3), (0, 4, 4, 0), (0, 3, 4, 4), (0, 0, 4, 4)),
    "drone": ((0,),),
}

_CHORD_TONES = {"1": 0, "3": 2, "5": 4, "7": 6, "8": 7}


def hertz(pitch: int) -> float:
    """Return the frequency of a MIDI pitch."""
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


@dataclass(frozen=True)
class Key:
    """A tonic (0 is C) and the semitones of the scale above it."""

    tonic: int
    scale: tuple[int, ...]

    def pitch(self, degree: int, centre: int) -> int:
        """Return the MIDI pitch of a degree, counted from the tonic that lies within an octave under the centre."""
        octave, step = divmod(degree, len(self.scale))
        return centre - (centre - self.tonic) % 12 + self.scale[step] + 12 * octave

    def near(self, degree: int, centre: int) -> int:
        """Return the MIDI pitch of a degree, in the octave that is nearest to the centre."""
        return centre - 6 + (self.pitch(degree, centre) - centre + 6) % 12

    def chord(self, root: int, centre: int, size: int) -> list[int]:
        """Return the MIDI pitches of a chord of stacked thirds, inverted so that it moves little."""
        return sorted(self.near(root + 2 * third, centre) for third in range(size))

    def chord_tone(self, root: int, name: str, centre: int) -> int:
        """Return the MIDI pitch of the tone 1, 3, 5, 7 or 8 of a chord whose root is near the centre."""
        base = self.near(root, centre)
        above = self.pitch(root + _CHORD_TONES[name], 60) - self.pitch(root, 60)
        return base + above


@dataclass(frozen=True)
class MelodyNote:
    """One note of a motif: its step from the motif's start, its length in steps, its degree above the tonic."""

    step: int
    length: int
    degree: int


def motif(rng: np.random.Generator, steps_per_bar: int, steps_per_beat: int, bars: int) -> list[MelodyNote]:
    """Return a melody of some bars: an opening phrase, and its repetition with another end."""
    eighth = max(1, steps_per_beat // 2)
    grid = np.arange(0, steps_per_bar * bars // 2, eighth)
    weight = np.where(grid % steps_per_beat == 0, rng.uniform(0.5, 0.9), rng.uniform(0.15, 0.6))
    onsets = grid[rng.random(len(grid)) < weight]
    if not len(onsets):
        onsets = grid[:1]
    degree, degrees = int(rng.integers(0, 5)), []
    for _ in onsets:
        degrees.append(degree)
        leap = rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 3])
        degree = int(np.clip(degree + leap, -3, 9))
    half = steps_per_bar * bars // 2
    ends = [*onsets[1:], half]
    notes = [
        MelodyNote(int(on), int(min(end - on, 2 * steps_per_beat)), d)
        for on, end, d in zip(onsets, ends, degrees, strict=True)
    ]
    echo = [MelodyNote(note.step + half, note.length, note.degree) for note in notes]
    last = echo[-1]
    echo[-1] = MelodyNote(last.step, last.length, int(rng.choice([0, 0, 2, 4])))
    return notes + echo
