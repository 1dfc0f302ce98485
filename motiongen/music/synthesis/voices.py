"""Voices: timbres that render notes of any pitch and length, by subtractive and by FM synthesis."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from motiongen.music.synthesis.waves import (
    Samples,
    adsr,
    decay,
    lookup_indices,
    noise,
    normalised,
    times,
    wavetable,
)

# The first three formants in Hz of a, e, i, o, u, halfway between a man's and a woman's.
_VOWELS = (
    (770.0, 1200.0, 2700.0),
    (450.0, 1900.0, 2650.0),
    (320.0, 2200.0, 3000.0),
    (480.0, 850.0, 2600.0),
    (340.0, 750.0, 2500.0),
)


class Voice(Protocol):
    """A timbre that renders notes."""

    def render(self, hz: float, held: float, sample_rate: int) -> Samples:
        """Return a note (S,) of peak 1 that is held for `held` seconds and then decays."""


@dataclass(frozen=True, kw_only=True)
class Subtractive:
    """Subtractive synthesis, brighter at the onset than later: strings, organs, synthesisers, singers.

    Attributes:
        tilt: partial k has amplitude k ** -tilt: 1 is a saw.
        odd: share of the even partials that is missing: 1 is a clarinet or a square.
        stroke, hold: cutoff in Hz at the onset, and that which it falls to.
        dulling: seconds in which the brightness falls by e.
        attack, fall, sustain, release: the envelope: seconds, seconds, level, seconds.
        detune: cents between the outermost of the three oscillators; 0 plays one.
        vibrato: depth in cents.
        sung: whether vowels shape the spectrum; neighbouring pitches have different vowels.
        drive: gain before saturation; 0 leaves the wave clean.
        breath: amplitude of the noise in the tone.
        consonant: amplitude of the hiss before the tone.
    """

    tilt: float = 1.0
    odd: float = 0.0
    stroke: float = 4000.0
    hold: float = 1500.0
    dulling: float = 0.15
    attack: float = 0.004
    fall: float = 0.4
    sustain: float = 0.6
    release: float = 0.1
    detune: float = 0.0
    vibrato: float = 0.0
    sung: bool = False
    drive: float = 0.0
    breath: float = 0.0
    consonant: float = 0.0

    def render(self, hz: float, held: float, sample_rate: int) -> Samples:
        """Return a note (S,) of peak 1 that is held for `held` seconds and then decays."""
        t = times(held + self.release, sample_rate)
        dark, bright = self._table(hz, self.hold, sample_rate), self._table(hz, self.stroke, sample_rate)
        extra = (bright - dark).astype(np.float32)
        brightness = np.exp(t * np.float32(-1 / self.dulling))
        out = np.zeros_like(t)
        for cents, start in ((-0.5, 0.0), (0.1, 0.31), (0.5, 0.73)) if self.detune else ((0.0, 0.0),):
            index = lookup_indices(start + self._cycles(hz * 2 ** (self.detune * cents / 1200), t))
            out += dark[index] + brightness * extra[index]
        if self.breath:
            air = np.random.default_rng(round(hz * 100))
            out += noise(air, len(t), 2 * hz, 6000, sample_rate) * np.float32(self.breath)
        out *= adsr(t, held, self.attack, self.fall, self.sustain, self.release)
        if self.drive:
            out = np.tanh(normalised(out) * np.float32(self.drive))
        out = normalised(out)
        if self.consonant:
            hiss = noise(np.random.default_rng(round(hz * 10)), len(t), 2500, 8000, sample_rate)
            out += normalised(hiss * decay(t, 0.12)) * np.float32(self.consonant)
        return normalised(out)

    def _cycles(self, hz: float, t: Samples) -> NDArray[np.float64]:
        cycles = hz * t.astype(np.float64)
        if self.vibrato:
            rate = 5.3
            depth = hz * (2 ** (self.vibrato / 1200) - 1)
            swing = np.sin(2 * np.pi * rate * t) * np.minimum(t * 2.5, 1)  # singers arrive, then shake
            cycles += depth / (2 * np.pi * rate) * swing
        return cycles

    def _table(self, hz: float, cutoff: float, sample_rate: int) -> Samples:
        number = np.arange(1.0, max(2, min(80, int(0.45 * sample_rate / hz))))
        amplitude = number**-self.tilt
        amplitude[1::2] *= 1 - self.odd
        frequency = number * hz
        amplitude /= np.sqrt(1 + (frequency / cutoff) ** 4)
        if self.sung:
            vowel = _VOWELS[round(12 * np.log2(hz / 55)) * 3 % len(_VOWELS)]
            amplitude *= 0.08 + sum(1 / (1 + ((frequency - formant) / 110) ** 2) for formant in vowel)
        return wavetable(amplitude)


@dataclass(frozen=True, kw_only=True)
class FrequencyModulation:
    """Frequency modulation (Chowning 1973): electric pianos, bells, wood, brass.

    Attributes:
        ratio: the modulator's frequency over the carrier's; one that is no whole number rings like metal.
        index: depth of the modulation at the onset, in radians.
        dulling: seconds in which the depth falls by e.
        attack, fall, sustain, release: the envelope: seconds, seconds, level, seconds.
    """

    ratio: float = 1.0
    index: float = 2.0
    dulling: float = 0.3
    attack: float = 0.003
    fall: float = 0.8
    sustain: float = 0.2
    release: float = 0.15

    def render(self, hz: float, held: float, sample_rate: int) -> Samples:
        """Return a note (S,) of peak 1 that is held for `held` seconds and then decays."""
        t = times(held + self.release, sample_rate)
        phase = np.float32(2 * np.pi * hz) * t
        # Sidebands above the Nyquist frequency would fold back: high notes are modulated less.
        index = self.index * min(1.0, sample_rate / (6 * hz * self.ratio))
        depth = np.float32(index) * np.exp(t * np.float32(-1 / self.dulling))
        out = np.sin(phase + depth * np.sin(np.float32(self.ratio) * phase))
        return normalised(out * adsr(t, held, self.attack, self.fall, self.sustain, self.release))
