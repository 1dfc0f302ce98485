"""Drums and percussion: functions that draw an instrument's timbre and render one stroke of it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from motiongen.music.synthesis.waves import Samples, decay, noise, normalised, swept_sine, times

Role = Literal["low", "backbeat", "top"]


@dataclass(frozen=True)
class Drum:
    """One drum: how it is rendered, and its level in the mix.

    Attributes:
        render: returns one stroke (S,) of peak 1 for a generator and a sample rate.
        gain: amplitude in the mix.
        role: low drums carry the pulse, the backbeat answers, the top fills in; sections leave out whole roles.
        room: share sent to the reverb.
    """

    render: Callable[[np.random.Generator, int], Samples]
    gain: float
    role: Role
    room: float = 0.2


def kick(
    rng: np.random.Generator, sample_rate: int, seconds: tuple[float, float], click: float, punch: float
) -> Samples:
    """Return a bass drum: a sine that falls in pitch, and the click of the beater."""
    length = rng.uniform(*seconds)
    t = times(length, sample_rate)
    end = rng.uniform(42, 58)
    body = swept_sine(t, end * punch * rng.uniform(0.8, 1.2), end, rng.uniform(0.015, 0.035)) * decay(
        t, length
    )
    body = np.tanh(body * np.float32(rng.uniform(1, 2.5)))
    beater = noise(rng, len(t), 800, rng.uniform(3000, 8000), sample_rate) * decay(t, 0.03)
    return normalised(body + beater * np.float32(click * rng.uniform(0.5, 1.5)))


def snare(rng: np.random.Generator, sample_rate: int, seconds: tuple[float, float] = (0.15, 0.32)) -> Samples:
    """Return a snare drum: two modes of the head under the rattle of the wires."""
    length = rng.uniform(*seconds)
    t = times(length, sample_rate)
    hz = rng.uniform(165, 240)
    head = swept_sine(t, hz * 1.4, hz, 0.02) + 0.5 * swept_sine(t, hz * 2.3, hz * 1.7, 0.02)
    wires = noise(rng, len(t), rng.uniform(900, 2200), rng.uniform(6000, 9500), sample_rate)
    wires = wires / np.abs(wires).max() * decay(t, length)
    return normalised(np.tanh(rng.uniform(0.4, 1.0) * head * decay(t, 0.14) + rng.uniform(1, 1.8) * wires))


def clap(rng: np.random.Generator, sample_rate: int) -> Samples:
    """Return a hand clap: several bursts of noise close together, and their reverb."""
    t = times(rng.uniform(0.15, 0.3), sample_rate)
    late = np.cumsum(np.append(0.0, rng.uniform(0.007, 0.012, size=3)))
    bursts = sum((t >= at) * np.exp(-np.maximum(t - at, 0) / np.float32(0.004)) for at in late)
    tail = (t >= late[-1]) * decay(t, float(t[-1])) * 0.6
    return normalised(noise(rng, len(t), 800, rng.uniform(2200, 4500), sample_rate) * (bursts + tail))


def cymbal(
    rng: np.random.Generator, sample_rate: int, seconds: tuple[float, float], metal: float, low: float
) -> Samples:
    """Return a cymbal: high noise with a share of square waves at inharmonic frequencies."""
    length = rng.uniform(*seconds)
    t = times(length, sample_rate)
    hiss = noise(rng, len(t), low * rng.uniform(0.8, 1.3), rng.uniform(8500, 10500), sample_rate)
    base = rng.uniform(280, 400) * 8
    ring = sum(np.sign(np.sin(2 * np.pi * base * ratio * t)) for ratio in (1.0, 1.34, 1.67, 1.93, 2.41))
    mixed = hiss / np.abs(hiss).max() + metal * rng.uniform(0.3, 1.5) * ring / 5
    return normalised((mixed * decay(t, length)).astype(np.float32))


def shaken(
    rng: np.random.Generator, sample_rate: int, seconds: tuple[float, float], attack: float, low: float
) -> Samples:
    """Return a shaken or brushed instrument: noise with a slow attack."""
    length = rng.uniform(*seconds)
    t = times(length, sample_rate)
    swell = np.minimum(t / np.float32(attack), 1) * decay(t, length)
    return normalised(noise(rng, len(t), low * rng.uniform(0.8, 1.2), 10000, sample_rate) * swell)


def struck(
    rng: np.random.Generator,
    sample_rate: int,
    hz: tuple[float, float],
    seconds: float,
    modes: tuple[float, ...],
    bend: float = 1.0,
    slap: float = 0.1,
) -> Samples:
    """Return a struck skin, wood or bell: its modes (as ratios), a bend of pitch, and the slap of the stroke."""
    length = seconds * rng.uniform(0.8, 1.25)
    t = times(length, sample_rate)
    base = rng.uniform(*hz)
    body = np.zeros_like(t)
    for number, ratio in enumerate(modes):
        tone = swept_sine(t, base * ratio * bend, base * ratio, 0.04) * decay(t, length / (1 + 0.5 * number))
        body += tone * np.float32(rng.uniform(0.6, 1.0) / (1 + number))
    hand = noise(rng, len(t), 1200, 6000, sample_rate) * decay(t, 0.025)
    return normalised(body + np.float32(slap * 8 * rng.uniform(0.7, 1.3)) * hand)


_SKIN = (1.0, 1.59, 2.14)
_TABLA = (1.0, 2.0, 3.0, 4.0)  # the paste in its middle makes the modes of a tabla harmonic (Raman 1934)
_BELL = (1.0, 1.48, 2.6)

DRUMS: dict[str, Drum] = {
    "kick": Drum(partial(kick, seconds=(0.18, 0.4), click=0.9, punch=5.0), 0.95, "low", 0.03),
    "kick_808": Drum(partial(kick, seconds=(0.6, 1.1), click=0.5, punch=3.5), 0.95, "low", 0.02),
    "kick_acoustic": Drum(partial(kick, seconds=(0.14, 0.26), click=1.2, punch=3.0), 0.85, "low", 0.08),
    "surdo": Drum(
        partial(struck, hz=(62, 82), seconds=0.5, modes=_SKIN, bend=1.15, slap=0.05), 0.85, "low", 0.15
    ),
    "tabla_ge": Drum(
        partial(struck, hz=(72, 95), seconds=0.45, modes=(1.0, 1.9), bend=0.72, slap=0.06), 0.85, "low", 0.15
    ),
    "snare": Drum(snare, 0.6, "backbeat", 0.3),
    "clap": Drum(clap, 0.5, "backbeat", 0.35),
    "rim": Drum(
        partial(struck, hz=(420, 560), seconds=0.05, modes=(1.0, 2.7, 4.1), slap=0.4), 0.42, "backbeat", 0.3
    ),
    "timbale": Drum(
        partial(struck, hz=(290, 360), seconds=0.3, modes=(1.0, 1.6, 2.3, 3.1), slap=0.3), 0.4, "backbeat"
    ),
    "tabla_na": Drum(
        partial(struck, hz=(290, 350), seconds=0.4, modes=_TABLA, slap=0.3), 0.5, "backbeat", 0.2
    ),
    "tom_low": Drum(
        partial(struck, hz=(80, 100), seconds=0.4, modes=_SKIN, bend=1.5, slap=0.15), 0.6, "backbeat"
    ),
    "tom_high": Drum(
        partial(struck, hz=(130, 170), seconds=0.32, modes=_SKIN, bend=1.5, slap=0.15), 0.55, "backbeat"
    ),
    "hat": Drum(partial(cymbal, seconds=(0.03, 0.09), metal=0.6, low=6500), 0.28, "top", 0.06),
    "open_hat": Drum(partial(cymbal, seconds=(0.2, 0.45), metal=0.6, low=6000), 0.2, "top", 0.1),
    "ride": Drum(partial(cymbal, seconds=(0.5, 0.9), metal=1.2, low=4500), 0.22, "top", 0.15),
    "crash": Drum(partial(cymbal, seconds=(1.2, 2.2), metal=0.4, low=3000), 0.34, "top", 0.3),
    "shaker": Drum(partial(shaken, seconds=(0.05, 0.1), attack=0.012, low=5000), 0.22, "top"),
    "brush": Drum(partial(shaken, seconds=(0.12, 0.25), attack=0.02, low=1500), 0.25, "top"),
    "guiro": Drum(partial(shaken, seconds=(0.1, 0.2), attack=0.06, low=2500), 0.2, "top"),
    "tambourine": Drum(partial(cymbal, seconds=(0.08, 0.16), metal=0.9, low=5500), 0.24, "top"),
    "cowbell": Drum(partial(struck, hz=(540, 620), seconds=0.18, modes=_BELL, slap=0.1), 0.3, "top"),
    "agogo": Drum(partial(struck, hz=(700, 950), seconds=0.2, modes=_BELL, slap=0.1), 0.26, "top"),
    "clave": Drum(partial(struck, hz=(2100, 2600), seconds=0.07, modes=(1.0,), slap=0.1), 0.32, "top", 0.35),
    "conga_low": Drum(
        partial(struck, hz=(150, 180), seconds=0.35, modes=_SKIN, bend=1.06, slap=0.12), 0.5, "top"
    ),
    "conga_high": Drum(
        partial(struck, hz=(210, 250), seconds=0.28, modes=_SKIN, bend=1.06, slap=0.15), 0.48, "top"
    ),
    "conga_slap": Drum(partial(struck, hz=(240, 280), seconds=0.08, modes=_SKIN, slap=0.5), 0.42, "top"),
    "bongo": Drum(partial(struck, hz=(330, 430), seconds=0.15, modes=_SKIN, slap=0.25), 0.36, "top"),
    "tabla_tin": Drum(
        partial(struck, hz=(290, 350), seconds=0.5, modes=(1.0, 3.0), slap=0.12), 0.38, "top", 0.25
    ),
}
