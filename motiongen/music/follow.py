"""Tracking of the pulse through music: the scores of each window are added along likely paths (Viterbi)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiongen.music.pulse import PHASES, TEMPI, Array, PulseScores

Indices = NDArray[np.int64]

_LEAP = 6.0
"""Cost, as log-odds, of a pulse that does not continue the last one."""
_NEIGHBOURS = [(tempo, phase) for tempo in (-1, 0, 1) for phase in (-1, 0, 1)]


@dataclass(frozen=True)
class PulseBelief:
    """Accumulated scores of every tempo and phase at a moment of the music.

    Attributes:
        scores: (148, 12) log-odds up to a constant, by tempo and phase as in `PulseScores`.
        none: log-odds of no pulse, up to the same constant.
        end: the moment, seconds.
    """

    scores: Array
    none: float
    end: float

    @property
    def best(self) -> tuple[int, int] | None:
        """Indices of the likeliest tempo and phase; None where no pulse is likelier."""
        tempo, phase = np.unravel_index(int(self.scores.argmax()), self.scores.shape)
        return (int(tempo), int(phase)) if self.scores[tempo, phase] > self.none else None


def begin(window: PulseScores, end: float) -> PulseBelief:
    """Return the belief after the first window of music, which ends at `end` seconds."""
    return PulseBelief(window.scores, 0.0, end)


def advance(
    belief: PulseBelief, window: PulseScores, end: float, fresh: float
) -> tuple[PulseBelief, Indices]:
    """Return the belief after the next window of music, and the predecessor of each hypothesis.

    Args:
        belief: the belief before.
        window: scores of the window.
        end: time at which the window ends, seconds.
        fresh: share of the window, 0..1, that the last window did not hold.

    Returns:
        The belief, and for each hypothesis (148 * 12 + 1,), the last one being no pulse, the index of the hypothesis
        before it on its likeliest path.
    """
    flat = np.append(belief.scores.ravel(), belief.none)
    index = np.arange(len(flat) - 1).reshape(belief.scores.shape)
    # The same pulse has another phase in the last window, by as many twelfths as the two ends are apart.
    shift = (end - belief.end) * TEMPI / 60 * PHASES  # (148,)
    phases = (np.arange(PHASES) + np.round(shift)[:, None].astype(np.int64)) % PHASES  # (148, 12)
    continued_from = np.take_along_axis(index, phases, axis=1)
    options = [np.roll(_shifted(continued_from, tempo), phase, axis=1) for tempo, phase in _NEIGHBOURS]
    stacked = np.stack(options)  # (9, 148, 12)
    choice = flat[stacked].argmax(axis=0)[None]
    origin = np.take_along_axis(stacked, choice, axis=0)[0]  # (148, 12)
    leader = int(flat.argmax())
    continued, leapt = flat[origin], flat[leader] - _LEAP
    origin = np.where(continued >= leapt, origin, leader)
    none_from = leader if leapt > belief.none else len(flat) - 1
    scores = np.maximum(continued, leapt) + fresh * window.scores
    return PulseBelief(scores, max(belief.none, leapt), end), np.append(origin.ravel(), none_from)


def _shifted(index: Indices, tempo: int) -> Indices:
    """Return the indices (148, 12) of a neighbouring tempo; the first and the last tempo are their own neighbours."""
    rows = np.clip(np.arange(len(TEMPI)) + tempo, 0, len(TEMPI) - 1)
    return np.asarray(index[rows])
