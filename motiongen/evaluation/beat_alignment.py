"""Beat alignment metrics: how well the kinematic beats of a dance match the beats of the music.

Beat alignment score (Li et al., "AI Choreographer", ICCV 2021, equation 6; as Siyao et al., "Bailando", CVPR 2022,
compute it): at 60 frames a second, kinematic beats are the local minima of the mean joint speed after a Gaussian of 5
frames, and a music beat scores exp(-d^2 / 18), where d is the distance in frames to the nearest kinematic beat.

The score alone rewards jitter: a body that stops all the time has a kinematic beat near every music beat.
`beat_precision` and `alignment_margin` detect that.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.evaluation.bootstrap import Interval, mean_interval
from motiongen.kinematic_beats import RATE, kinematic_beats

TOLERANCE = 3.0
"""Standard deviation of the Gaussian of the score, frames."""


def beat_alignment(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the beat alignment score of a dance, 0 to 1; 0 without kinematic beats.

    Only music beats within the dance count. Without any the score is undefined: NaN would spoil a mean, 0 would bias
    it.

    Args:
        positions: (T, J, 3) joint positions, metres.
        fps: frames a second.
        beats: (K,) music beats, seconds from the first frame.

    Raises:
        ValueError: no music beat within the dance.
    """
    beats = _inside(beats, positions, fps)
    return float(_score(beats, kinematic_beats(positions, fps)).mean())


def beat_precision(positions: Tensor, fps: float, beats: Tensor) -> float:
    """Return the mean score of the kinematic beats against the music beats, 0 to 1, which jitter lowers.

    It is 0 without kinematic beats.

    Args:
        positions: (T, J, 3) joint positions, metres.
        fps: frames a second.
        beats: (K,) music beats, seconds from the first frame.

    Raises:
        ValueError: no music beat within the dance.
    """
    beats = _inside(beats, positions, fps)
    found = kinematic_beats(positions, fps)
    return float(_score(found, beats).mean()) if len(found) else 0.0


def alignment_margin(
    dances: Sequence[Tensor],
    fps: float,
    beats: Sequence[Tensor],
    *,
    generator: torch.Generator,
    resamples: int = 2000,
) -> Interval:
    """Return the mean difference between the score of a dance with its own song and with other songs.

    The 95 % interval is a bootstrap over the dances. A margin of 0 means that dances are independent of the music.
    Other songs without a beat within the dance are left out.

    Args:
        dances: (T_i, J, 3) joint positions of each dance, metres.
        fps: frames a second.
        beats: (K_i,) beats of the song of each dance, seconds from its first frame.
        generator: draws the bootstrap samples.
        resamples: number of bootstrap samples.

    Raises:
        ValueError: fewer than two dances, another number of songs, or a dance without beats of its own or another song.
    """
    if len(dances) != len(beats) or len(dances) < 2:
        raise ValueError(
            f"dances, beats: expected as many of both and at least 2, got {len(dances)} and {len(beats)}; "
            "give the beats of each dance's song"
        )
    gains = []
    for index, dance in enumerate(dances):
        found, own = kinematic_beats(dance, fps), _inside(beats[index], dance, fps)
        others = [_within(song, dance, fps) for other, song in enumerate(beats) if other != index]
        scores = [_score(song, found).mean() for song in others if len(song)]
        if not scores:
            raise ValueError(
                f"beats: expected another song's beat within dance {index}, got none; give more songs"
            )
        gains.append(_score(own, found).mean() - torch.stack(scores).mean())
    return mean_interval(torch.stack(gains), generator=generator, resamples=resamples)


def _within(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    return beats[(beats >= 0) & (beats < len(positions) / fps)].to(positions.device, torch.float64)


def _inside(beats: Tensor, positions: Tensor, fps: float) -> Tensor:
    inside = _within(beats, positions, fps)
    if not len(inside):
        raise ValueError(
            f"beats: expected one within {len(positions) / fps:.2f} s, got none; give the song's beats"
        )
    return inside


def _score(times: Tensor, others: Tensor) -> Tensor:
    """Return the Gaussian score (K,), 0 to 1, of the distance of each time (K,) to the nearest of others (M,)."""
    if not len(others):
        return torch.zeros_like(times)
    distance = (times[:, None] - others[None]).abs().amin(dim=1) * RATE
    return torch.exp(-distance.square() / (2 * TOLERANCE**2))
