"""How well the clips of a memory fit their sentences: what clips of a sentence do, and few others, fits it.

Labels of long takes are wrong for many of the pieces that they are cut into: of five handstands two only stand. A
clip fits a sentence by the logarithm of its density among the clips of sentences that mean the same, over its density
among all clips: two kernel density estimates (Parzen 1962) and their ratio, as in naive Bayes. The best one of a
sentence counts as 0: a fit decides among its clips, not between sentences.
"""

import math
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.features import FPS, LAYOUT
from motiongen.kinematics import local_positions

EVERY = 4
"""Frames between those that are looked at."""
SAME = 0.85
"""Least cosine similarity of two sentences that mean the same."""
FEWEST = 4
"""Clips of other takes from which a sentence's clips are told; with fewer, all fit alike."""
WORST = -4.0
"""Least fit."""
_LEAST = 1e-4  # density that counts as none


def describe(features: Tensor) -> Tensor:
    """Return a clip as numbers (204,): where joints are, how they and the root move, and how low and high they come.

    Args:
        features: (T, 140).
    """
    frames = features[::EVERY].float()
    joints = local_positions(frames)
    joints[..., 1] += frames[:, LAYOUT["height"]]
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
    others = take[:, None] != take  # (M, M)
    if not others.any():
        return [[0.0] * len(clips) for clips in owners]
    scaled = (clips - clips.mean(dim=0)) / clips.std(dim=0, unbiased=False).clamp_min(1e-3)
    squares = torch.cdist(scaled, scaled).square()
    nearest = squares.masked_fill(~others, math.inf).amin(dim=1)
    kernel = (-squares / (2 * nearest.median().clamp_min(1e-6))).exp() * others
    everywhere = kernel.sum(dim=1) / others.sum(dim=1).clamp_min(1)
    found: list[list[float]] = []
    for vector, described in zip(vectors, owners, strict=True):
        own = torch.tensor(described)
        like = (vectors @ vector >= SAME).nonzero()[:, 0].tolist()
        peers = torch.tensor(sorted({clip for sentence in like for clip in owners[sentence]}))
        count = others[own][:, peers].sum(dim=1)
        here = kernel[own][:, peers].sum(dim=1) / count.clamp_min(1)
        ratio = ((here + _LEAST) / (everywhere[own] + _LEAST)).log()
        fit = (ratio - ratio.max()).clamp_min(WORST)
        found.append((fit * (count >= FEWEST).all()).tolist())
    return found
