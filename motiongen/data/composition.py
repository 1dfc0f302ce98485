"""Two motions one after the other, and the sentence "X, then Y" that says so."""

import re

import torch
from torch import Tensor

JOINTS = ", then {}", " and then {}", ", and then {}", ", after that {}"
# Who does it: a known noun, or whatever stands between an article and the first word in -s ("a street punk waves").
_SUBJECT = re.compile(
    r"^((?:a|an|the|one)\s(?:\w+\s)?(?:person|man|woman|human|character|figure|individual)|someone|somebody|he|she|they)"
    r"\s(.+)$",
    re.IGNORECASE,
)
_OTHER_SUBJECT = re.compile(r"^((?:a|an|the)(?:\s[\w-]+){1,3}?)\s((?:is|\w+s)\b.*)$", re.IGNORECASE)


def split_subject(caption: str) -> tuple[str, str]:
    """Return subject and predicate: "a person waves" gives "a person" and "waves"; an order has no subject."""
    found = _SUBJECT.match(caption) or _OTHER_SUBJECT.match(caption)
    return (found[1], found[2]) if found else ("", caption)


def same_form(first: str, second: str) -> bool:
    """Whether two captions can follow each other: both with a subject, "is …ing" or both not, or both without."""
    forms = [
        (bool(subject), predicate.startswith("is ") or predicate.split()[0].endswith("ing"))
        for subject, predicate in map(split_subject, (first, second))
    ]
    return forms[0] == forms[1]


def join_captions(first: str, second: str, joint: str = JOINTS[0]) -> str:
    """Return one sentence for two motions; the second keeps its subject only where the first has none."""
    subject, _ = split_subject(first)
    own_subject, predicate = split_subject(second)
    return first.rstrip(".") + joint.format(predicate if subject and own_subject else second)


def crossfade(first: Tensor, second: Tensor, frames: int) -> Tensor:
    """Return features (T1 + T2 - frames, D): the end of first (T1, D) fades into the start of second (T2, D).

    Frames say velocities, not places, so that the root walks on; a mean of two 6-D rotations decodes to one between.
    """
    frames = min(frames, len(first), len(second))
    weight = (torch.arange(1, frames + 1) / (frames + 1))[:, None]
    weight = weight * weight * (3 - 2 * weight)  # no kink at either end
    blend = torch.lerp(first[len(first) - frames :], second[:frames], weight)
    return torch.cat([first[: len(first) - frames], blend, second[frames:]])


def pose_distance(first: Tensor, second: Tensor) -> float:
    """Return how far the last frame of first (T1, D) is from the first of second (T2, D), in feature units."""
    return float((first[-1] - second[0]).square().mean().sqrt())
