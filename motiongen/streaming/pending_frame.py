"""Frames that are generated and wait to be taken."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

CONTACT_BITS = np.array([1, 2, 4, 8])


@dataclass(frozen=True, slots=True)
class PendingFrame:
    """A StreamFrame that has no number yet: it may still be replaced.

    Attributes:
        rotations: (22, 4) float32, local, xyzw.
        root: (3,) float32, metres.
        contacts: bits 0..3 in the order of `contacts.CONTACT_JOINTS`.
        obeys: number of the command that the frame obeys, 0 before any.
        cuts: whether it is a jump: the character is where the frame says, wherever it was.
    """

    rotations: np.ndarray
    root: np.ndarray
    contacts: int
    obeys: int
    cuts: bool = False


def pending_frames(
    rotations: Tensor, root: Tensor, contacts: Tensor, obeys: Sequence[int], *, cuts: bool = False
) -> list[PendingFrame]:
    """Return T decoded poses as pending frames.

    Args:
        rotations: (T, 22, 4) local rotations, xyzw.
        root: (T, 3) metres.
        contacts: (T, 4) bool.
        obeys: number of the command that each frame obeys.
        cuts: whether the first is a jump.
    """
    bits = (contacts.numpy() * CONTACT_BITS).sum(axis=1).tolist()
    poses = zip(rotations.numpy(), root.numpy(), bits, obeys, strict=True)
    return [PendingFrame(*pose, cuts=cuts and n == 0) for n, pose in enumerate(poses)]
