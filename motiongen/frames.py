"""NumPy frames, such as those of a stream, into tensors: the one conversion between the two."""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class PoseArrays(Protocol):
    """One frame as NumPy arrays: local rotations (J, 4) and the root's position (3,)."""

    @property
    def rotations(self) -> NDArray[Any]:
        """Local rotations (J, 4), unit quaternions x, y, z, w."""
        ...

    @property
    def root(self) -> NDArray[Any]:
        """Position (3,) of the first joint, metres."""
        ...


def stack_frames(frames: Iterable[PoseArrays]) -> tuple[Tensor, Tensor]:
    """Return frames as tensors: local rotations (T, J, 4) and root positions (T, 3).

    Args:
        frames: one or more frames of the same joints, in order.

    Raises:
        ValueError: no frames, or frames of different skeletons.
    """
    frames = list(frames)
    if len({frame.rotations.shape for frame in frames}) != 1:
        raise ValueError(
            f"frames: expected one or more of the same joints, got {len(frames)}; give frames of one stream"
        )
    rotations = torch.from_numpy(np.stack([frame.rotations for frame in frames]))  # (T, J, 4)
    return rotations, torch.from_numpy(np.stack([frame.root for frame in frames]))
