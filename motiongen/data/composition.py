"""Composition of two motions: crossfades in which feet step, and captions of the form "X, then Y"."""

import re

import torch
from torch import Tensor

from motiongen import features
from motiongen.features import LAYOUT
from motiongen.foot_steps import step_across

POSE = slice(LAYOUT["height"].start, LAYOUT["joints"].stop)
CONTACTS_WEIGHT, VELOCITY_WEIGHT = 13 / 133, 2 / 133
"""What differences of contacts and of the root's velocity weigh at a junction beside those of the pose."""
JOINTS = ", then {}", " and then {}", ", and then {}", ", after that {}"
# The subject: a known noun, or the words between an article and the first word in -s ("a street punk waves").
_SUBJECT = re.compile(
    r"^((?:a|an|the|one)\s(?:\w+\s)?(?:person|man|woman|human|character|figure|individual)|someone|somebody|he|she|they)"
    r"\s(.+)$",
    re.IGNORECASE,
)
_OTHER_SUBJECT = re.compile(r"^((?:a|an|the)(?:\s[\w-]+){1,3}?)\s((?:is|\w+s)\b.*)$", re.IGNORECASE)


def split_subject(caption: str) -> tuple[str, str]:
    """Return subject and predicate: "a person" and "waves" for "a person waves"; an imperative has subject ""."""
    found = _SUBJECT.match(caption) or _OTHER_SUBJECT.match(caption)
    return (found[1], found[2]) if found else ("", caption)


def same_form(first: str, second: str) -> bool:
    """Return whether two captions have the same form: with a subject or without, "is …ing" or not."""
    forms = [
        (bool(subject), predicate.startswith("is ") or predicate.split()[0].endswith("ing"))
        for subject, predicate in map(split_subject, (first, second))
    ]
    return forms[0] == forms[1]


def join_captions(first: str, second: str, joint: str = JOINTS[0]) -> str:
    """Return one caption for two motions.

    Args:
        first: caption of the first motion.
        second: caption of the second; its subject is dropped if the first has one.
        joint: one of JOINTS.
    """
    subject, _ = split_subject(first)
    own_subject, predicate = split_subject(second)
    return first.rstrip(".") + joint.format(predicate if subject and own_subject else second)


def crossfade(first: Tensor, second: Tensor, frames: int) -> Tensor:
    """Return two clips of features crossfaded, (T1 + T2 - frames, D).

    Features contain root velocities, not positions, so that the path continues; the mean of two 6-D rotations decodes
    to a rotation between them.

    Args:
        first: (T1, D), whose end fades out.
        second: (T2, D), whose start fades in.
        frames: length of the crossfade, at most that of the shorter clip.
    """
    frames = min(frames, len(first), len(second))
    weight = (torch.arange(1, frames + 1) / (frames + 1))[:, None]
    weight = weight * weight * (3 - 2 * weight)  # no kink at either end
    blend = torch.lerp(first[len(first) - frames :], second[:frames], weight)
    return torch.cat([first[: len(first) - frames], blend, second[frames:]])


def stepping_crossfade(first: Tensor, second: Tensor, frames: int) -> Tensor:
    """Return two clips of features crossfaded, whose feet step from their places in the one to those in the other.

    The arguments are those of `crossfade`, in which feet slide.
    """
    joined = crossfade(first, second, frames)
    begin = len(joined) - len(second)
    end = begin + min(frames, len(first), len(second))
    if not 0 < begin < end < len(joined):
        return joined
    around = slice(begin - 1, end + 1)
    stepped = features.encode(step_across(features.decode(joined[around]), 0, end + 1 - begin))
    for name in ("joints", "contacts"):
        joined[begin:end, LAYOUT[name]] = stepped[1:-1, LAYOUT[name]]
    return joined


def junction_distances(ends: Tensor, starts: Tensor) -> Tensor:
    """Return how badly frames (A, 140) go over into frames (B, 140), as distances (A, B).

    Poses, and with smaller weights the feet's contacts and the root's velocity: a step that goes on slides less.
    """

    def squares(span: slice) -> Tensor:
        return (ends[:, None, span] - starts[None, :, span]).square().mean(dim=-1)  # (A, B)

    return (
        squares(POSE)
        + CONTACTS_WEIGHT * squares(LAYOUT["contacts"])
        + VELOCITY_WEIGHT * squares(LAYOUT["velocity"])
    )
