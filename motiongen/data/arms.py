"""Gestures that nobody recorded: one of a single arm made with both, and one of both arms made with one.

Waves and raised hands are few among free clips, and each is of one kind: here the other kinds are made of them, by an
arm's mirror image or by an arm that hangs.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motiongen import features
from motiongen.motion import Motion
from motiongen.skeleton import SMPL22

ARM = ("collar", "shoulder", "elbow", "wrist")
_GESTURE = re.compile(
    r"\b(?:wav(?:e|es|ing)|rais(?:e|es|ing)|lift(?:s|ing)?|put(?:s|ting)?\b.*\bup)\b", re.IGNORECASE
)
_ONE = re.compile(r"\b(?:the|his|her|my|your|a|one) (left|right) (hand|arm)\b", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both (?:(?:the|his|her) )?|(?:the|his|her) )(hand|arm)s\b", re.IGNORECASE)


@dataclass(frozen=True)
class Gesture:
    """A clip made of another.

    Attributes:
        name: what is added to the name of the clip that it was made of.
        frames: (T, 140) features.
        captions: sentences, the most specific first.
    """

    name: str
    frames: Tensor
    captions: tuple[str, ...]


def other_gestures(frames: Tensor, captions: Sequence[str]) -> list[Gesture]:
    """Return the gestures made of a clip; none if its first caption tells no wave or raised hand of one kind.

    Args:
        frames: (T, 140) features of the clip.
        captions: sentences, the most specific first.
    """
    if not captions or not _GESTURE.search(captions[0]):
        return []
    one, both = _ONE.search(captions[0]), _BOTH.search(captions[0])
    if bool(one) == bool(both):
        return []
    motion = features.decode(frames)
    if one:
        said = [_ONE.sub(r"both \2s", caption) for caption in captions if _ONE.search(caption)]
        return [_gesture("both arms", both_arms(motion, one[1].lower()), said)]
    return [
        _gesture(
            f"{side} arm",
            one_arm(motion, side),
            [_BOTH.sub(rf"the {side} \1", caption) for caption in captions if _BOTH.search(caption)],
        )
        for side in ("left", "right")
    ]


def both_arms(motion: Motion, side: str) -> Motion:
    """Return a motion of SMPL-22 whose other arm does what that of a side does, mirrored."""
    other = "right" if side == "left" else "left"
    return _with_arm(motion, other, motion.mirror().rotations)


def one_arm(motion: Motion, side: str) -> Motion:
    """Return a motion of SMPL-22 whose arm of a side moves as before, while the other hangs as where it hung lowest."""
    other = "right" if side == "left" else "left"
    positions = motion.positions()
    height = positions[:, SMPL22.index(f"{other}_wrist"), 1] - positions[:, 0, 1]
    return _with_arm(motion, other, motion.rotations[height.argmin()].expand_as(motion.rotations))


def _with_arm(motion: Motion, side: str, source: Tensor) -> Motion:
    rotations, joints = motion.rotations.clone(), [SMPL22.index(f"{side}_{part}") for part in ARM]
    rotations[:, joints] = source[:, joints]
    return replace(motion, rotations=rotations)


def _gesture(name: str, motion: Motion, captions: Sequence[str]) -> Gesture:
    with torch.no_grad():
        return Gesture(name, features.encode(motion), tuple(dict.fromkeys(captions)))
