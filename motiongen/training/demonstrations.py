"""Demonstrations: what a robot saw and did, episode after episode; what policies are trained on."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Demonstrations:
    """Episodes laid end to end, as arrays of T frames.

    Attributes:
        fps: frames a second.
        state: (T, D) float32, what the robot knows in numbers.
        action: (T, A) float32, what was commanded at each frame.
        lengths: (E,) int64, frames of each episode; they add up to T.
        instructions: what each episode is an example of, in words; E of them.
        images: camera -> (T, H, W, 3) uint8, what it saw.
        state_names: the D numbers' names.
        action_names: the A numbers' names.
        robot: whose they are.
        scene: (T, S) float32, what was where, which the robot was not told: numbers of a simulation. None without.
        done: (E,) bool, whether an episode was over at its end, or only its record ends there; None for all over.
    """

    fps: float
    state: NDArray[np.float32]
    action: NDArray[np.float32]
    lengths: NDArray[np.int64]
    instructions: tuple[str, ...]
    images: dict[str, NDArray[np.uint8]] = field(default_factory=dict)
    state_names: tuple[str, ...] = ()
    action_names: tuple[str, ...] = ()
    robot: str = ""
    scene: NDArray[np.float32] | None = None
    done: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        frames = int(self.lengths.sum())
        parts = {"state": self.state, "action": self.action, "scene": self.scene, **self.images}
        for name, part in parts.items():
            if part is not None and len(part) != frames:
                raise ValueError(
                    f"{name}: expected {frames} frames, as the episodes' lengths say, got {len(part)}"
                )
        for name, one_each in {"instructions": self.instructions, "done": self.done}.items():
            if one_each is not None and len(one_each) != len(self.lengths):
                raise ValueError(
                    f"{name}: expected one for each of {len(self.lengths)} episodes, got {len(one_each)}"
                )

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first frame (E,) of each episode."""
        return np.cumsum(self.lengths) - self.lengths
