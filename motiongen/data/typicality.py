"""How well the clips of a memory fit their sentences: what clips of a sentence do, and few others, fits it.

Labels of long takes are wrong for many of the pieces that they are cut into: of five handstands two only stand. A
clip fits a sentence by the logarithm of its density among the clips of sentences that mean the same, over its density
among all clips: two kernel density estimates (Parzen 1962) and their ratio, as in naive Bayes. The best one of a
sentence counts as 0: a fit decides among its clips, not between sentences.
"""

import math
import re
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import positions_over_floor

EVERY = 4
"""Frames between those that are looked at."""
SAME = 0.85
"""Least cosine similarity of two sentences that mean the same."""
FEWEST = 4
"""Clips of other takes from which a sentence's clips are told; with fewer, all fit alike."""
WORST = -4.0
"""Least fit."""
_LEAST = 1e-4  # density that counts as none
_AT_ONCE = 2**23  # pairs of clips that are compared at once, which bounds the memory of a large corpus


def describe(features: Tensor) -> Tensor:
    """Return a clip as numbers (204,): where joints are, how they and the root move, and how low and high they come.

    Args:
        features: (T, 140).
    """
    frames = features[::EVERY].float()
    joints = positions_over_floor(frames)
    places, heights = joints.flatten(1), joints[..., 1]
    root = torch.cat([frames[:, LAYOUT["velocity"]], frames[:, LAYOUT["turn"]]], dim=1)
    ways = joints.diff(dim=0, prepend=joints[:1])
    speeds = ways.norm(dim=-1).mean(dim=0) * FPS / EVERY
    spread = [part.std(dim=0, unbiased=False) for part in (places, root)]
    return torch.cat(
        [places.mean(dim=0), root.mean(dim=0), *spread, speeds, heights.amin(dim=0), heights.amax(dim=0)]
    )


def take_of(id: str) -> str:
    """Return the take that a clip comes from: its pieces are "TAKE#FRAME", gestures made of it "TAKE, KIND"."""
    return re.split("[#,]", id)[0]


def fits(
    clips: Tensor, takes: Sequence[str], owners: Sequence[Sequence[int]], vectors: Tensor
) -> list[list[float]]:
    """Return how well each clip of each sentence fits it, WORST to 0; 0 where too few others tell.

    Args:
        clips: (M, F) from `describe`.
        takes: name of the take that each clip comes from, whose other clips tell nothing about it.
        owners: for each sentence the clips that it describes.
        vectors: (S, D) unit vectors of the sentences.
    """
    numbers = {take: number for number, take in enumerate(dict.fromkeys(takes))}
    take = torch.tensor([numbers[name] for name in takes])
    if len(numbers) == 1:
        return [[0.0] * len(clips) for clips in owners]
    scaled = (clips - clips.mean(dim=0)) / clips.std(dim=0, unbiased=False).clamp_min(1e-3)
    everyone = torch.arange(len(clips))
    nearest = torch.cat([part.amin(dim=1) for part in _squares(scaled, take, everyone, everyone)])
    width = 2 * nearest.median().clamp_min(1e-6)
    everywhere, _ = _density(scaled, take, everyone, everyone, width)
    found: list[list[float]] = []
    for vector, described in zip(vectors, owners, strict=True):
        own = torch.tensor(described)
        like = (vectors @ vector >= SAME).nonzero()[:, 0].tolist()
        peers = torch.tensor(sorted({clip for sentence in like for clip in owners[sentence]}))
        here, count = _density(scaled, take, own, peers, width)
        ratio = ((here + _LEAST) / (everywhere[own] + _LEAST)).log()
        fit = (ratio - ratio.max()).clamp_min(WORST)
        found.append((fit * (count >= FEWEST).all()).tolist())
    return found


def _squares(scaled: Tensor, take: Tensor, some: Tensor, peers: Tensor) -> Iterator[Tensor]:
    """Yield the squared distances (R, P) of some clips to others, a few at a time; infinite within a take."""
    for part in some.split(max(1, _AT_ONCE // len(peers))):
        squares = torch.cdist(scaled[part], scaled[peers]).square()
        yield squares.masked_fill(take[part][:, None] == take[peers], math.inf)


def _density(
    scaled: Tensor, take: Tensor, some: Tensor, peers: Tensor, width: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the density (R,) of those of other takes at some clips, and their counts (R,)."""
    sums, counts = [], []
    for squares in _squares(scaled, take, some, peers):
        sums.append((-squares / width).exp().sum(dim=1))
        counts.append(squares.isfinite().sum(dim=1))
    count = torch.cat(counts)
    return torch.cat(sums) / count.clamp_min(1), count
