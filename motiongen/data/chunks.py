"""Windows of demonstrations: the last observations, and the chunk of actions that goes with them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from motiongen.data.demonstrations import Demonstrations
from motiongen.modules.observation import Normaliser, ObservationEncoder
from motiongen.modules.policy_config import PolicyConfig

ConfigT = TypeVar("ConfigT", bound=PolicyConfig)

RESIZE_AT_ONCE = 512
"""Pictures."""
MOST_PAIRED = 64
"""Numbers of a state up to which differences of all pairs are seen; of 283 there would be 39,903."""


def sized_for(config: ConfigT, demonstrations: Sequence[Demonstrations]) -> ConfigT:
    """Return a policy's sizes with those that its demonstrations set; tasks are what their instructions say.

    Of large states no pairs are seen.

    Raises:
        ValueError: one task's data have different numbers.
    """
    sizes: dict[str, tuple[int, int]] = {}
    for data in demonstrations:
        size = (data.state.shape[1], data.action.shape[1])
        for task in dict.fromkeys(data.instructions):
            if sizes.setdefault(task, size) != size:
                raise ValueError(
                    f"{task!r}: expected states and actions of {sizes[task]} numbers, as before, got {size}; "
                    "is it another robot's?"
                )
    states, actions = zip(*sizes.values(), strict=True)
    reading = _reading_scenes(config, demonstrations)
    return replace(
        reading,
        pairs=config.pairs and max(states) + reading.scene_dim <= MOST_PAIRED,
        state_dim=max(states),
        action_dim=max(actions),
        tasks=tuple(sizes),
        task_state_dims=states,
        task_action_dims=actions,
    )


def _reading_scenes(config: ConfigT, demonstrations: Sequence[Demonstrations]) -> ConfigT:
    """Return the sizes of a policy that reads scenes, where it sees and all data say what was where.

    Pictures are then not cropped here and there: where a thing is in the picture says where it is in the world.
    """
    scenes = [data.scene.shape[1] for data in demonstrations if data.scene is not None]
    if not config.image_size or len(scenes) < len(demonstrations):
        return config
    return replace(config, scene_dim=max(scenes), crop_size=config.image_size)


@dataclass(frozen=True)
class _Frames:
    """Frames that windows may end at: their places in the data, and the bounds of their episodes."""

    places: Tensor
    first: Tensor
    last: Tensor


class ChunkSampler:
    """Draws windows: all tasks alike, and within a task every frame alike.

    Where some demonstrations of a task have pictures and others none, the former teach what is where, the latter what
    to do: few can be rendered with all the errors that are to be mended, and those without errors teach to mend none.

    At an episode's start its first observation stands for those before it; at its end the last action goes on. Where
    only the record ends, windows that reach beyond are left out.
    """

    def __init__(
        self,
        demonstrations: Sequence[Demonstrations],
        config: PolicyConfig,
        camera: str | None = None,
        held_out_share: float = 0.03,
    ) -> None:
        """Take demonstrations of the config's sizes; with `image_size`, their camera of that name, or the only one."""
        self.config = config
        self.state = _filled([data.state for data in demonstrations], config.state_dim)
        self.action = _filled([data.action for data in demonstrations], config.action_dim)
        self.scene = (
            _filled([data.scene for data in demonstrations if data.scene is not None], config.scene_dim)
            if config.scene_dim
            else None
        )
        has_pictures = [bool(data.images) or not config.scene_dim for data in demonstrations]
        shown = [data for data, has in zip(demonstrations, has_pictures, strict=True) if has]
        self.images = (
            _joined(_pictures(data, camera, config.image_size) for data in shown)
            if config.image_size
            else None
        )
        lengths = torch.cat([torch.from_numpy(data.lengths) for data in demonstrations])
        episodes = torch.tensor([len(data.lengths) for data in demonstrations])
        is_shown = torch.tensor(has_pictures).repeat_interleave(episodes)  # (E,)
        # (T,) the numbers of the frames that are shown.
        self._picture = is_shown.repeat_interleave(lengths).long().cumsum(0) - 1
        self._done = torch.cat([_done(data) for data in demonstrations])  # (E,)
        names = [name for data in demonstrations for name in data.instructions]
        tasks = torch.tensor([config.tasks.index(name) for name in names])
        self.task = tasks.repeat_interleave(lengths)  # (T,)
        held_out = torch.cat([_last_of_each(part, held_out_share) for part in tasks.split(episodes.tolist())])
        each = [~held_out & (tasks == task) for task in range(len(config.tasks))]
        self.train = [self._frames(lengths, _without(chosen, is_shown)) for chosen in each]
        self.shown = [self._frames(lengths, chosen & is_shown) for chosen in each]
        for name, frames in zip(config.tasks, self.shown, strict=True):
            if not len(frames.places):
                raise ValueError(f"{name!r}: expected pictures with some of its demonstrations, got none")
        judged = is_shown & held_out
        test = self._frames(lengths, judged if judged.any() else is_shown)
        some = torch.randperm(len(test.places), generator=torch.Generator().manual_seed(0))[:1024]
        self.held_out = self._windows(test, some)

    @property
    def num_train(self) -> int:
        """Frames that are drawn from."""
        return sum(len(frames.places) for frames in self.train)

    def fit(self, observation: ObservationEncoder, actions: Normaliser) -> None:
        """Set a policy's normalisers: states to zero mean and unit deviation, actions to -1..1."""
        for task, frames in enumerate(self.train):
            parts = [part[frames.places] for part in (self.state, self.scene) if part is not None]
            observation.fit(task, torch.cat(parts, dim=-1))
            actions.fit_range(task, self.action[frames.places])

    def sample(
        self, batch_size: int, generator: torch.Generator, images: bool | None = None
    ) -> dict[str, Tensor]:
        """Return a batch: state (B, To, D), action (B, H, A), task (B,), image (B, To, 3, S, S) and scene (B, To, E).

        The last two only if there are any.

        Args:
            batch_size: B.
            generator: draws the windows.
            images: True draws windows that have pictures; False leaves pictures out, and draws windows that teach what
                to do; None does so where a scene is told in their place.
        """
        if images is None:
            images = self.scene is None
        task = torch.randint(len(self.train), (batch_size,), generator=generator)
        position = torch.rand(batch_size, generator=generator, dtype=torch.float64)
        parts = []
        for index, frames in enumerate(self.shown if images else self.train):
            places = (position[task == index] * len(frames.places)).long()
            if len(places):
                parts.append(self._windows(frames, places, images))
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def _frames(self, lengths: Tensor, chosen: Tensor) -> _Frames:
        end = lengths.cumsum(0)
        first, last = (end - lengths).repeat_interleave(lengths), (end - 1).repeat_interleave(lengths)
        places = torch.arange(len(first))
        is_known = self._done.repeat_interleave(lengths) | (
            places + self.config.horizon - self.config.obs_steps <= last
        )
        places = places[chosen.repeat_interleave(lengths) & is_known]
        return _Frames(places, first[places], last[places])

    def _windows(self, frames: _Frames, which: Tensor, images: bool = True) -> dict[str, Tensor]:
        place, first, last = (part[which, None] for part in (frames.places, frames.first, frames.last))
        steps = torch.arange(self.config.horizon) - (self.config.obs_steps - 1)
        acted = (place + steps).clamp(first, last)  # (B, H)
        seen = (place + steps[: self.config.obs_steps]).clamp(first, last)  # (B, To)
        batch = {"state": self.state[seen], "action": self.action[acted], "task": self.task[place[:, 0]]}
        if self.scene is not None:
            batch["scene"] = self.scene[seen]
        if images and self.images is not None:
            batch["image"] = self.images[self._picture[seen]]
        return batch


def _done(data: Demonstrations) -> Tensor:
    return (
        torch.ones(len(data.lengths), dtype=torch.bool) if data.done is None else torch.from_numpy(data.done)
    )


def _filled(arrays: Sequence[NDArray[np.float32]], dim: int) -> Tensor:
    """Return arrays (T_i, D_i) end to end, (T, dim), narrow ones filled up with zeros."""
    return torch.cat([F.pad(torch.from_numpy(array), (0, dim - array.shape[1])) for array in arrays])


def _without(chosen: Tensor, is_shown: Tensor) -> Tensor:
    """Return which of the chosen episodes (E,) are not shown, or all of them where all are."""
    others = chosen & ~is_shown
    return others if others.any() else chosen


def _last_of_each(tasks: Tensor, share: float) -> Tensor:
    """Return which episodes (E,) are the last ones of their task, such a share of it. Neighbours may be much alike."""
    is_task = tasks[:, None] == torch.arange(int(tasks.max()) + 1)
    number = (is_task.long().cumsum(0)).gather(1, tasks[:, None])[:, 0]  # from 1 on
    return number > is_task.sum(0)[tasks] - (is_task.sum(0)[tasks] * share).floor()


def _joined(parts: Iterable[Tensor]) -> Tensor:
    """Return tensors end to end; pictures are large, and a single one of them is not copied."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _pictures(data: Demonstrations, camera: str | None, size: int) -> Tensor:
    """Return a camera's pictures as (T, 3, size, size) uint8."""
    if not data.images or (camera is None and len(data.images) > 1) or (camera and camera not in data.images):
        there = ", ".join(data.images) or "none"
        raise ValueError(
            f"camera: expected one of the data's cameras ({there}), got {camera}; name one, or use states"
        )
    pictures = torch.from_numpy(data.images[camera or next(iter(data.images))]).permute(0, 3, 1, 2)
    if pictures.shape[2:] == (size, size):
        return pictures.contiguous()
    small = [
        F.interpolate(part.float(), size=(size, size), mode="area").round().byte()
        for part in pictures.split(RESIZE_AT_ONCE)
    ]
    return torch.cat(small)
