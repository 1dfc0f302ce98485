"""Demonstrations: what a robot saw and did, episode after episode; what policies are trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
        scene_names: the S numbers' names.
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
    scene_names: tuple[str, ...] = ()
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


def parted(demonstrations: Sequence[Demonstrations]) -> list[Demonstrations]:
    """Return demonstrations, the states of those without pictures parted by name into state and scene like the others'.

    So a policy that reads scenes from pictures learns what to do from demonstrations without pictures, too.
    """
    seen = [data for data in demonstrations if data.images and data.scene is not None]
    return [data if data.images else _parted(data, seen) for data in demonstrations]


def _parted(data: Demonstrations, seen: Sequence[Demonstrations]) -> Demonstrations:
    place = {name: number for number, name in enumerate(data.state_names)}
    for other in seen:
        if (
            other.state_names
            and other.scene_names
            and place.keys() == {*other.state_names, *other.scene_names}
        ):
            state, scene = (
                data.state[:, [place[name] for name in names]]
                for names in (other.state_names, other.scene_names)
            )
            return replace(
                data, state=state, state_names=other.state_names, scene=scene, scene_names=other.scene_names
            )
    return data
