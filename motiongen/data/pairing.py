"""Motion made to fit music: a beat is laid through a motion's accents, and its time is warped until the beat is even.

An accent is a kinematic beat, a moment where the body comes to rest (evaluation/beat_alignment.py). The best path of
beats through the accents is found by dynamic programming, as Ellis finds beats in sound ("Beat Tracking by Dynamic
Programming", JNMR 2007); from one beat to the next, time is stretched by at most `MAX_WARP`.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from motiongen.kinematic_beats import kinematic_beats
from motiongen.motion import Motion

Array = NDArray[np.float64]

RATE = 60
"""Steps a second of the search."""
MAX_WARP = 0.08
"""How much faster or slower than it was a motion may become between two beats."""
BANDS = ((70, 85, 1), (85, 102, 1), (102, 126, 1), (63, 80, 2))
"""(low, high, beats): accents a minute, and beats of the music from one accent to the next. A motion gets its best beat
in each. Bodies have one to two accents a second, so fast music is danced to on every second beat."""
_WIDTH = 0.05  # seconds: how far from an accent half of it is left
_STRETCH_COST = 4.0  # of a warp of 1, squared; an accent missed costs 1


@dataclass(frozen=True)
class Pairing:
    """A motion with an even beat.

    Attributes:
        motion: warped, so that the beat is even.
        bpm: beats a minute.
        first_beat: seconds from the first frame to the first beat.
        score: mean strength of the accents under the beats that are to have one, 0 to 1.
    """

    motion: Motion
    bpm: float
    first_beat: float
    score: float


def pair(motion: Motion) -> list[Pairing]:
    """Return a motion with its best beat of each of BANDS; none for a motion without accents or under four beats."""
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
    """Return how near an accent each moment is (S,), 0 to 1, RATE times a second."""
    moments = np.arange(int(motion.seconds * RATE)) / RATE
    found = kinematic_beats(motion.positions(), motion.fps).double().numpy()
    if not len(found):
        return np.zeros(len(moments))
    away = np.abs(moments[:, None] - found[None]).min(axis=1)
    return np.asarray(np.exp(-0.5 * (away / _WIDTH) ** 2))


def best_beats(accents: Array, tempi: Array) -> list[tuple[float, float, Array]]:
    """Return (score, bpm, beats) for each tempo: the path of beats, in steps, that meets the accents (S,) best."""
    periods = 60 * RATE / tempi  # (P,) steps
    most = int(np.ceil(periods.max() * 2 * MAX_WARP)) + 1
    steps = np.ceil(periods * (1 - MAX_WARP))[:, None] + np.arange(most)  # (P, most)
    cost = _STRETCH_COST * (steps / periods[:, None] - 1) ** 2
    cost[steps > periods[:, None] * (1 + MAX_WARP)] = np.inf
    steps = steps.astype(int)
    reach = int(np.ceil(periods.max() * (1 + MAX_WARP)))
    rows = np.arange(len(tempi))[:, None]
    total = np.full((len(tempi), reach + len(accents)), -np.inf)  # best sum of a path that ends here
    before = np.zeros(total.shape, dtype=int)
    opening = np.ceil(periods * (1 + MAX_WARP))  # a path begins within its first beat
    for now in range(len(accents)):
        ways = total[rows, reach + now - steps] - cost  # (P, most)
        chosen = ways.argmax(axis=1)
        best = ways[rows[:, 0], chosen]
        starts = (now < opening) & (best < 0)
        total[:, reach + now] = accents[now] + np.where(starts, 0.0, best)
        before[:, reach + now] = np.where(starts, -1, now - steps[rows[:, 0], chosen])
    return [
        _path(total[row, reach:], before[row, reach:], int(opening[row]), tempi[row])
        for row in range(len(tempi))
    ]


def _path(total: Array, before: NDArray[np.int_], last_span: int, bpm: float) -> tuple[float, float, Array]:
    """Follow the best path back from its end, which lies within the last beat."""
    tail = max(0, len(total) - last_span)
    now = tail + int(total[tail:].argmax())
    value, beats = float(total[now]), []
    while now >= 0 and np.isfinite(total[now]):
        beats.append(now)
        now = int(before[now])
    count = max(1, len(beats))
    return (value / count if np.isfinite(value) else 0.0), float(bpm), np.array(beats[::-1], dtype=float)


def warp(motion: Motion, beats: Array, period: float) -> Motion:
    """Return the motion with its beats (K,), seconds, brought to even distances of `period`, the first as it was."""
    even = beats[0] + period * np.arange(len(beats))
    after = motion.seconds - beats[-1]
    count = max(2, round((even[-1] + after) * motion.fps))
    shown = np.arange(count) / motion.fps
    source = np.interp(shown, np.concatenate([[0.0], even]), np.concatenate([[0.0], beats]))
    behind = shown > even[-1]
    source[behind] = beats[-1] + (shown[behind] - even[-1])
    return motion.at(torch.from_numpy(source * motion.fps))
