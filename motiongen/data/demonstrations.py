"""Robot demonstrations: observations and actions of recorded episodes, the training data of policies."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Demonstrations:
    """Concatenated episodes, as arrays of T frames.

    Attributes:
        fps: frames a second.
        state: (T, D) float32, numeric observations of the robot.
        action: (T, A) float32, command at each frame.
        lengths: (E,) int64, frames of each episode; their sum is T.
        instructions: E task descriptions, one for each episode.
        images: camera -> (T, H, W, 3) uint8.
        state_names: names of the D state numbers.
        action_names: names of the A action numbers.
        robot: name of the robot.
        scene: (T, S) float32, simulator state that the robot did not observe, such as object positions; None for none.
        scene_names: names of the S scene numbers.
        done: (E,) bool, whether the episode was complete; false if only its recording stopped; None for all complete.
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
        """First frame (E,) of each episode."""
        return np.cumsum(self.lengths) - self.lengths


def split_states(demonstrations: Sequence[Demonstrations]) -> list[Demonstrations]:
    """Return demonstrations in which those without images have the state and scene split of those with images.

    A dataset without images is split if its state names are the state and scene names of one with images. A policy that
    predicts the scene from images can then learn actions from both.
    """
    with_images = [data for data in demonstrations if data.images and data.scene is not None]
    return [data if data.images else _split_like(data, with_images) for data in demonstrations]


def _split_like(data: Demonstrations, with_images: Sequence[Demonstrations]) -> Demonstrations:
    column = {name: number for number, name in enumerate(data.state_names)}
    for other in with_images:
        if (
            other.state_names
            and other.scene_names
            and column.keys() == {*other.state_names, *other.scene_names}
        ):
            state, scene = (
                data.state[:, [column[name] for name in names]]
                for names in (other.state_names, other.scene_names)
            )
            return replace(
                data, state=state, state_names=other.state_names, scene=scene, scene_names=other.scene_names
            )
    return data
