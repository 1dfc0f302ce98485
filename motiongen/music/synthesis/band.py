"""The instruments of one song, which play its score bar by bar onto tracks."""

from typing import Literal, get_args

import numpy as np

from motiongen.music.synthesis.arrangement import PlayedPart, draw_score
from motiongen.music.synthesis.bars import Note, Stroke, notes, strokes
from motiongen.music.synthesis.drums import DRUMS
from motiongen.music.synthesis.harmony import hertz
from motiongen.music.synthesis.mix import (
    add,
    compressed,
    convolve,
    ducking,
    dulled,
    echoed,
    hum,
    limited,
    room,
)
from motiongen.music.synthesis.style import Style
from motiongen.music.synthesis.timbres import VOICES
from motiongen.music.synthesis.waves import Samples

_GAINS = {"lead": 0.3, "pad": 0.09}
_STRUMMED = ("guitar", "distorted_guitar")
_STRUM = 0.008  # seconds from string to string
_FASTEST_STEP = 0.055  # seconds; below, quiet strokes between the eighths are left out, as hands would
_EARLIEST_BAR = -(2**20)  # streams of random numbers are counted from 0, and bars may come before bar 0

Purpose = Literal["score", "levels", "habits", "mix", "hiss", "drum", "voice", "bar"]
_PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


class Band:
    """One song's score, instruments and tracks.

    Every random choice has a stream of random numbers of its own, so that one more bar or drum changes no other.
    """

    def __init__(
        self, style: Style, period: float, count: int, sample_rate: int, entropy: tuple[int, ...]
    ) -> None:
        """Draw the score and the instruments of a song.

        Args:
            style: the kind of music.
            period: seconds from beat to beat.
            count: samples of the song.
            sample_rate: samples a second.
            entropy: numbers that seed every random choice.
        """
        self.style = style
        self.period = period
        self.sample_rate = sample_rate
        self._entropy = entropy
        self.score = draw_score(style, self._rng("score"))
        self._drums, self._tones, self._solos, self._send = np.zeros((4, count), dtype=np.float32)
        self._kicks: list[float] = []
        self._shots: dict[str, Samples] = {}
        self._notes: dict[tuple[str, int, float], Samples] = {}
        lines = {"bass": self.score.bass, "chords": self.score.chords, "arpeggio": self.score.arpeggio}
        self._lines: dict[str, PlayedPart] = {part: line for part, line in lines.items() if line}
        names = {part: line.voice for part, line in self._lines.items()}
        names |= {"lead": self.score.lead} | ({"pad": self.score.pad} if self.score.pad else {})
        self._voices = {
            part: VOICES[name](self._rng("voice", i)) for i, (part, name) in enumerate(names.items())
        }
        levels = self._rng("levels")
        self._levels = {name: levels.uniform(0.75, 1.25) for name in [*DRUMS, *names]}
        habits = self._rng("habits")
        self._looseness = habits.uniform(0.0005, 0.004)
        self._tuning = 2 ** (habits.normal(0, 10) / 1200)  # few records are tuned to 440 Hz to the cent

    def play(self, bar: int, start: float) -> None:
        """Play a bar onto the tracks.

        Args:
            bar: its number; negative ones come before the first.
            start: seconds at which it begins.
        """
        rng = self._rng("bar", bar - _EARLIEST_BAR)
        for stroke in strokes(self.score, self.style, bar, rng):
            self._strike(stroke, start, rng)
        for note in notes(self.score, self.style, bar):
            self._sound(note, start, rng)

    def record(self) -> Samples:
        """Return the mixed and mastered tracks (S,)."""
        rng = self._rng("mix")
        delay = round(0.75 * self.period * self.sample_rate)
        solos = echoed(self._solos, delay, max(0.0, rng.uniform(-0.3, 0.5)))
        depth = rng.uniform(0.3, 1.0) * self.style.ducking
        tones = (self._tones + solos) * ducking(sorted(self._kicks), len(solos), depth, self.sample_rate)
        wet = convolve(self._send + np.float32(0.3) * tones, room(rng, self.sample_rate))
        mixed = self._drums + tones + np.float32(rng.uniform(0.3, 1.0)) * wet
        mixed = dulled(mixed, max(0.0, rng.uniform(-0.6, 0.8)))
        mixed += np.float32(10 ** rng.uniform(-3.6, -2.2)) * hum(self._rng("hiss"), len(mixed))
        return limited(compressed(mixed, rng.uniform(0.3, 0.7), self.sample_rate), rng.uniform(0.9, 1.5))

    def _strike(self, stroke: Stroke, start: float, rng: np.random.Generator) -> None:
        drum = DRUMS[stroke.drum]
        pulse = drum.role == "low"  # the feet keep time, only hands are loose
        late, touch = (0.0, 1.0) if pulse else (self._late(rng), rng.uniform(0.85, 1.1))
        if self._step < _FASTEST_STEP and stroke.step % 2 and stroke.loudness < 0.7:
            return
        gain = drum.gain * self._levels[stroke.drum] * stroke.loudness * touch
        second = start + self._time(stroke.step)
        onset = self._onset(second, late)
        add(self._drums, self._shot(stroke.drum), onset, gain)
        add(self._send, self._shot(stroke.drum), onset, gain * drum.room)
        if pulse and stroke.loudness >= 0.7:
            self._kicks.append(second)

    def _sound(self, note: Note, start: float, rng: np.random.Generator) -> None:
        line = self._lines.get(note.part)
        gain = line.part.gain if line else _GAINS[note.part]
        gain *= self._levels[note.part] * note.loudness * rng.uniform(0.9, 1.1)
        strum = _STRUM * note.string if line and line.voice in _STRUMMED else 0.0
        onset = self._onset(start + self._time(note.step), self._late(rng) + strum)
        track = self._solos if note.part in ("arpeggio", "lead") else self._tones
        key = (note.part, note.pitch, note.steps)
        if key not in self._notes:
            voice = self._voices[note.part]
            self._notes[key] = voice.render(
                hertz(note.pitch) * self._tuning, note.steps * self._step, self.sample_rate
            )
        add(track, self._notes[key], onset, gain)

    def _shot(self, drum: str) -> Samples:
        if drum not in self._shots:
            rng = self._rng("drum", list(DRUMS).index(drum))
            self._shots[drum] = DRUMS[drum].render(rng, self.sample_rate)
        return self._shots[drum]

    @property
    def _step(self) -> float:
        return self.period / self.style.steps_per_beat

    def _time(self, step: int) -> float:
        return (step + self.score.swing * (step % 2)) * self._step

    def _late(self, rng: np.random.Generator) -> float:
        return float(np.clip(rng.normal(0, self._looseness), -0.008, 0.008))

    def _onset(self, second: float, late: float) -> int:
        """Return the sample at which an onset lies; loose timing moves none before the song's first sample."""
        return round(max(second + late, min(second, 0.0)) * self.sample_rate)

    def _rng(self, purpose: Purpose, number: int = 0) -> np.random.Generator:
        stream = np.random.SeedSequence(self._entropy, spawn_key=(_PURPOSES.index(purpose), number))
        return np.random.default_rng(stream)
