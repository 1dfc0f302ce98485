"""Pitched instruments: functions that draw the timbre of an instrument in one song."""

from collections.abc import Callable

import numpy as np

from motiongen.music.synthesis.voices import FrequencyModulation, Subtractive, Voice


def _sub_bass(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(1.6, 2.4), stroke=rng.uniform(300, 900), hold=200, sustain=0.9, release=0.06
    )


def _saw_bass(rng: np.random.Generator) -> Voice:
    return Subtractive(
        odd=rng.choice([0.0, 0.9]),
        stroke=rng.uniform(600, 2500),
        hold=rng.uniform(200, 500),
        dulling=rng.uniform(0.05, 0.2),
        sustain=0.7,
        release=0.05,
        detune=rng.choice([0.0, 12.0]),
        drive=rng.choice([0.0, 2.0]),
    )


def _finger_bass(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(1.0, 1.4),
        stroke=rng.uniform(800, 2200),
        hold=rng.uniform(250, 450),
        dulling=0.08,
        fall=rng.uniform(0.5, 1.2),
        sustain=0.3,
        release=0.08,
    )


def _piano(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(1.0, 1.3),
        stroke=rng.uniform(2500, 5000),
        hold=rng.uniform(500, 1000),
        dulling=rng.uniform(0.15, 0.3),
        fall=rng.uniform(0.8, 1.6),
        sustain=0.12,
        release=0.2,
        detune=3.0,
    )


def _electric_piano(rng: np.random.Generator) -> Voice:
    return FrequencyModulation(
        ratio=rng.choice([1.0, 2.0, 7.0]),
        index=rng.uniform(0.6, 1.8),
        dulling=rng.uniform(0.15, 0.5),
        fall=1.5,
    )


def _organ(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(0.5, 0.9),
        odd=rng.uniform(0.0, 0.7),
        stroke=3000,
        hold=rng.uniform(1200, 2500),
        sustain=0.95,
        release=0.04,
        vibrato=rng.choice([0.0, 12.0]),
    )


def _pad(rng: np.random.Generator) -> Voice:
    return Subtractive(
        stroke=rng.uniform(700, 2500),
        hold=rng.uniform(500, 1500),
        dulling=0.8,
        attack=rng.uniform(0.05, 0.3),
        sustain=0.9,
        release=0.4,
        detune=rng.uniform(10, 25),
    )


def _strings(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=0.9,
        stroke=rng.uniform(2500, 4500),
        hold=rng.uniform(2000, 3500),
        attack=rng.uniform(0.03, 0.09),
        sustain=0.9,
        release=0.2,
        detune=rng.uniform(8, 18),
        vibrato=12.0,
    )


def _pluck(rng: np.random.Generator) -> Voice:
    return Subtractive(
        odd=rng.choice([0.0, 0.8]),
        stroke=rng.uniform(2000, 6000),
        hold=rng.uniform(300, 800),
        dulling=rng.uniform(0.03, 0.12),
        fall=rng.uniform(0.15, 0.4),
        sustain=0.05,
        release=0.15,
        detune=rng.choice([0.0, 14.0]),
    )


def _supersaw(rng: np.random.Generator) -> Voice:
    return Subtractive(
        stroke=rng.uniform(4000, 8000), hold=rng.uniform(2000, 5000), sustain=0.8, release=0.1, detune=28.0
    )


def _guitar(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(0.8, 1.1),
        odd=rng.uniform(0.0, 0.3),
        stroke=rng.uniform(3000, 5500),
        hold=rng.uniform(700, 1300),
        dulling=rng.uniform(0.06, 0.15),
        fall=rng.uniform(0.5, 1.0),
        sustain=0.15,
        release=0.08,
    )


def _distorted_guitar(rng: np.random.Generator) -> Voice:
    return Subtractive(
        stroke=3500,
        hold=rng.uniform(1500, 2800),
        fall=1.5,
        sustain=0.7,
        release=0.06,
        detune=6.0,
        drive=rng.uniform(4, 9),
    )


def _sitar(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=0.5,
        stroke=rng.uniform(4000, 7000),
        hold=rng.uniform(1800, 3000),
        dulling=0.3,
        fall=1.2,
        sustain=0.15,
        release=0.3,
        detune=5.0,
        vibrato=8.0,
    )


def _brass(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=0.8,
        stroke=rng.uniform(1800, 3500),
        hold=rng.uniform(1300, 2500),
        attack=rng.uniform(0.02, 0.05),
        sustain=0.8,
        release=0.06,
        detune=8.0,
        vibrato=6.0,
    )


def _flute(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(1.6, 2.4),
        stroke=2500,
        hold=2000,
        attack=0.04,
        sustain=0.9,
        release=0.1,
        vibrato=rng.uniform(8, 20),
        breath=rng.uniform(0.05, 0.2),
    )


def _singer(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(0.7, 1.0),
        stroke=rng.uniform(3500, 6000),
        hold=rng.uniform(3000, 5000),
        attack=rng.uniform(0.03, 0.07),
        sustain=0.85,
        release=0.1,
        vibrato=rng.uniform(15, 40),
        sung=True,
        breath=rng.uniform(0.01, 0.08),
        consonant=rng.uniform(0.1, 0.5),
    )


def _square_lead(rng: np.random.Generator) -> Voice:
    return Subtractive(
        odd=rng.uniform(0.5, 1.0),
        stroke=rng.uniform(2500, 5000),
        hold=rng.uniform(1200, 2500),
        sustain=0.8,
        release=0.08,
        vibrato=rng.choice([0.0, 15.0]),
        detune=rng.choice([0.0, 10.0]),
    )


def _bell(rng: np.random.Generator) -> Voice:
    return FrequencyModulation(
        ratio=rng.choice([1.4, 3.5, 2.76]), index=rng.uniform(1, 2.5), fall=0.9, sustain=0.0
    )


def _marimba(rng: np.random.Generator) -> Voice:
    return FrequencyModulation(ratio=4.0, index=rng.uniform(0.5, 1.5), dulling=0.03, fall=0.3, sustain=0.0)


def _tanpura(rng: np.random.Generator) -> Voice:
    return Subtractive(
        tilt=rng.uniform(0.6, 0.9),
        stroke=1200,
        hold=rng.uniform(2500, 4000),
        dulling=0.8,
        attack=0.02,
        fall=2.0,
        sustain=0.5,
        release=0.5,
        detune=4.0,
    )


VOICES: dict[str, Callable[[np.random.Generator], Voice]] = {
    "sub_bass": _sub_bass,
    "saw_bass": _saw_bass,
    "finger_bass": _finger_bass,
    "piano": _piano,
    "electric_piano": _electric_piano,
    "organ": _organ,
    "pad": _pad,
    "strings": _strings,
    "pluck": _pluck,
    "supersaw": _supersaw,
    "guitar": _guitar,
    "distorted_guitar": _distorted_guitar,
    "sitar": _sitar,
    "brass": _brass,
    "flute": _flute,
    "singer": _singer,
    "square_lead": _square_lead,
    "bell": _bell,
    "marimba": _marimba,
    "tanpura": _tanpura,
}
