"""Follows a pulse through music: what is heard now is weighed with the pulse that was heard before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motiongen.music.pulse import PLACES, TEMPI, Array, Verdict

Indices = NDArray[np.int64]

_LEAP = 6.0
"""Log-odds against a pulse that does not continue the last one."""
_NEIGHBOURS = [(tempo, place) for tempo in (-1, 0, 1) for place in (-1, 0, 1)]


@dataclass(frozen=True)
class Belief:
    """Scores (148, 12) of each tempo and place of a beat at a time, as in `Verdict`; 0 is no pulse.

    Attributes:
        scores: log-odds, up to a constant.
        none: of there being no pulse.
        end: seconds.
    """

    scores: Array
    none: float
    end: float

    @property
    def best(self) -> tuple[int, int] | None:
        """Index of the tempo and place believed most; None where there is no pulse."""
        tempo, place = np.unravel_index(int(self.scores.argmax()), self.scores.shape)
        return (int(tempo), int(place)) if self.scores[tempo, place] > self.none else None


def begin(verdict: Verdict, end: float) -> Belief:
    """Return the belief after the first verdict, whose last beat lies before `end` seconds."""
    return Belief(verdict.scores, 0.0, end)


def advance(belief: Belief, verdict: Verdict, end: float, fresh: float) -> tuple[Belief, Indices]:
    """Return the belief after the next verdict, and where each hypothesis came from.

    Args:
        belief: before.
        verdict: what was heard until `end`.
        end: seconds.
        fresh: 0..1, the share of the verdict that the last one had not heard.

    Returns:
        the belief, and (148 * 12 + 1,) indices of the hypothesis before, the last one for no pulse.
    """
    flat = np.append(belief.scores.ravel(), belief.none)
    index = np.arange(len(flat) - 1).reshape(belief.scores.shape)
    # Beats run on: a beat now at a place was so many twelfths earlier or later in the fold of the last verdict.
    turned = (end - belief.end) * TEMPI / 60 * PLACES  # (148,)
    places = (np.arange(PLACES) + np.round(turned)[:, None].astype(np.int64)) % PLACES  # (148, 12)
    arrived = np.take_along_axis(index, places, axis=1)
    options = [np.roll(_shifted(arrived, tempo), place, axis=1) for tempo, place in _NEIGHBOURS]
    stacked = np.stack(options)  # (9, 148, 12)
    choice = flat[stacked].argmax(axis=0)[None]
    origin = np.take_along_axis(stacked, choice, axis=0)[0]  # (148, 12)
    leader = int(flat.argmax())
    continued, leapt = flat[origin], flat[leader] - _LEAP
    origin = np.where(continued >= leapt, origin, leader)
    none_from = leader if leapt > belief.none else len(flat) - 1
    scores = np.maximum(continued, leapt) + fresh * verdict.scores
    return Belief(scores, max(belief.none, leapt), end), np.append(origin.ravel(), none_from)


def _shifted(index: Indices, tempo: int) -> Indices:
    """Index (148, 12) of the neighbouring tempo; the ends are their own neighbours."""
    rows = np.clip(np.arange(len(TEMPI)) + tempo, 0, len(TEMPI) - 1)
    return np.asarray(index[rows])
