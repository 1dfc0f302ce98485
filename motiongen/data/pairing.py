"""Pairing of motion with a tempo: beats are tracked through the accents of a motion, which is then time-warped to them.

An accent is a kinematic beat (`motiongen.kinematic_beats`). The best path of beats through the accents is found by
dynamic programming, as Ellis tracks beats in audio ("Beat Tracking by Dynamic Programming", JNMR 2007); between two
beats, time is stretched by at most `MAX_WARP`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from motiongen.kinematic_beats import kinematic_beats
from motiongen.motion import Motion

Array = NDArray[np.float64]

RATE = 60
"""Time steps a second of the search."""
MAX_WARP = 0.08
"""Largest relative change of speed between two beats."""
BANDS = ((70, 85, 1), (85, 102, 1), (102, 126, 1), (63, 80, 2))
"""(low, high, beats): accents a minute, and beats of the music between two accents. A motion gets its best tempo in
each band. Dances have one to two accents a second, so the accents of fast music are on every second beat."""
_WIDTH = 0.05  # standard deviation of the Gaussian around an accent, seconds
_STRETCH_COST = 4.0  # of a squared relative stretch; a missed accent costs 1


@dataclass(frozen=True)
class Pairing:
    """A motion warped to a constant tempo.

    Attributes:
        motion: the warped motion.
        bpm: tempo, beats a minute.
        first_beat: seconds from the first frame to the first beat.
        score: mean strength of the accents at the beats, 0 to 1.
    """

    motion: Motion
    bpm: float
    first_beat: float
    score: float


def pair(motion: Motion) -> list[Pairing]:
    """Return a motion warped to its best tempo in each of BANDS; none without accents or with fewer than four beats."""
    accents = accent_curve(motion)
    if not accents.any():
        return []
    paired = []
    for low, high, multiple in BANDS:
        tempi = np.arange(low, high, 1.0)
        score, bpm, beats = max(
            (found for found in best_beats(accents, tempi) if len(found[2]) >= 4),
            key=lambda found: found[0],
            default=(0.0, 0.0, np.zeros(0)),
        )
        if len(beats):
            first = float(beats[0]) / RATE
            warped = warp(motion, beats / RATE, 60 / bpm)
            paired.append(Pairing(warped, bpm * multiple, first, score))
    return paired


def accent_curve(motion: Motion) -> Array:
    """Return the accent strength (S,) of a motion, 0 to 1, at RATE steps a second: Gaussians around its accents."""
    times = np.arange(int(motion.seconds * RATE)) / RATE
    found = kinematic_beats(motion.positions(), motion.fps).double().numpy()
    if not len(found):
        return np.zeros(len(times))
    distance = np.abs(times[:, None] - found[None]).min(axis=1)
    return np.asarray(np.exp(-0.5 * (distance / _WIDTH) ** 2))


def best_beats(accents: Array, tempi: Array) -> list[tuple[float, float, Array]]:
    """Return for each tempo the path of beats that matches the accents best.

    Args:
        accents: (S,) accent strength, from `accent_curve`.
        tempi: (P,) accents a minute.

    Returns:
        (score, bpm, beats (K,) in time steps) for each tempo.
    """
    periods = 60 * RATE / tempi  # (P,) steps
    widest = int(np.ceil(periods.max() * 2 * MAX_WARP)) + 1
    steps = np.ceil(periods * (1 - MAX_WARP))[:, None] + np.arange(widest)  # (P, widest)
    cost = _STRETCH_COST * (steps / periods[:, None] - 1) ** 2
    cost[steps > periods[:, None] * (1 + MAX_WARP)] = np.inf
    steps = steps.astype(int)
    reach = int(np.ceil(periods.max() * (1 + MAX_WARP)))
    rows = np.arange(len(tempi))[:, None]
    total = np.full((len(tempi), reach + len(accents)), -np.inf)  # best sum of a path that ends here
    before = np.zeros(total.shape, dtype=int)
    opening = np.ceil(periods * (1 + MAX_WARP))  # a path begins within its first beat
    for now in range(len(accents)):
        scores = total[rows, reach + now - steps] - cost  # (P, widest)
        chosen = scores.argmax(axis=1)
        best = scores[rows[:, 0], chosen]
        starts = (now < opening) & (best < 0)
        total[:, reach + now] = accents[now] + np.where(starts, 0.0, best)
        before[:, reach + now] = np.where(starts, -1, now - steps[rows[:, 0], chosen])
    return [
        _path(total[row, reach:], before[row, reach:], int(opening[row]), tempi[row])
        for row in range(len(tempi))
    ]


def _path(total: Array, before: NDArray[np.int_], last_span: int, bpm: float) -> tuple[float, float, Array]:
    """Return (score, bpm, beats) of the best path, traced back from its end, which is within the last beat."""
    tail = max(0, len(total) - last_span)
    now = tail + int(total[tail:].argmax())
    value, beats = float(total[now]), []
    while now >= 0 and np.isfinite(total[now]):
        beats.append(now)
        now = int(before[now])
    count = max(1, len(beats))
    return (value / count if np.isfinite(value) else 0.0), float(bpm), np.array(beats[::-1], dtype=float)


def warp(motion: Motion, beats: Array, period: float) -> Motion:
    """Return a motion time-warped so that its beats have a constant period.

    Args:
        motion: to warp.
        beats: (K,) times of its beats, seconds; the first one stays.
        period: seconds between two beats.
    """
    even = beats[0] + period * np.arange(len(beats))
    after = motion.seconds - beats[-1]
    count = max(2, round((even[-1] + after) * motion.fps))
    shown = np.arange(count) / motion.fps
    source = np.interp(shown, np.concatenate([[0.0], even]), np.concatenate([[0.0], beats]))
    behind = shown > even[-1]
    source[behind] = beats[-1] + (shown[behind] - even[-1])
    return motion.at(torch.from_numpy(source * motion.fps))
