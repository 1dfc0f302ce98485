"""Training windows of robot demonstrations: the last observations and an action chunk."""

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

RESIZE_BATCH = 512
"""Images that are resized at once."""
MAX_PAIRED = 64
"""Largest state for which differences of all pairs are inputs; a state of 283 numbers has 39,903 pairs."""


def sized_for(config: ConfigT, demonstrations: Sequence[Demonstrations]) -> ConfigT:
    """Return a policy config with the sizes that demonstrations determine; each distinct instruction is a task.

    `pairs` is switched off for large states.

    Args:
        config: the other sizes.
        demonstrations: one or more datasets.

    Raises:
        ValueError: datasets of one task with different state or action sizes.
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
    sized = _with_scene(config, demonstrations)
    return replace(
        sized,
        pairs=config.pairs and max(states) + sized.scene_dim <= MAX_PAIRED,
        state_dim=max(states),
        action_dim=max(actions),
        tasks=tuple(sizes),
        task_state_dims=states,
        task_action_dims=actions,
    )


def _with_scene(config: ConfigT, demonstrations: Sequence[Demonstrations]) -> ConfigT:
    """Return the config with scene prediction, if the policy has images and all datasets have scene numbers.

    Images are then not cropped at random, since the position in the image determines the position in the scene.
    """
    scenes = [data.scene.shape[1] for data in demonstrations if data.scene is not None]
    if not config.image_size or len(scenes) < len(demonstrations):
        return config
    return replace(config, scene_dim=max(scenes), crop_size=config.image_size)


@dataclass(frozen=True)
class _Frames:
    """Frames of which windows can be drawn.

    Attributes:
        index: (F,) index of the frame, the newest observation of its window, among all frames.
        first: (F,) first frame of its episode.
        last: (F,) last frame of its episode.
    """

    index: Tensor
    first: Tensor
    last: Tensor


class ChunkSampler:
    """Draws training windows: uniform over tasks, and over the frames of a task.

    If a task has demonstrations with and without images, those with images train the scene prediction and those without
    train the actions: they are many, with errors and their corrections, while few can be rendered.

    Windows are padded at the start of an episode with its first observation, at its end with its last action. Windows
    that reach beyond a recording that stops before the end of its episode are left out.

    Args:
        demonstrations: datasets with the sizes of the config.
        config: sizes of the policy.
        camera: name of the camera; None for the only one.
        held_out_share: share of the episodes of each task for validation.

    Raises:
        ValueError: a task without images for a policy with images, or an unknown camera.
    """

    def __init__(
        self,
        demonstrations: Sequence[Demonstrations],
        config: PolicyConfig,
        camera: str | None = None,
        held_out_share: float = 0.03,
    ) -> None:
        self.config = config
        self.state = _filled([data.state for data in demonstrations], config.state_dim)
        self.action = _filled([data.action for data in demonstrations], config.action_dim)
        self.scene = (
            _filled([data.scene for data in demonstrations if data.scene is not None], config.scene_dim)
            if config.scene_dim
            else None
        )
        has_images = [bool(data.images) or not config.scene_dim for data in demonstrations]
        with_images = [data for data, has in zip(demonstrations, has_images, strict=True) if has]
        self.images = (
            _joined(_images(data, camera, config.image_size) for data in with_images)
            if config.image_size
            else None
        )
        lengths = torch.cat([torch.from_numpy(data.lengths) for data in demonstrations])
        episodes = torch.tensor([len(data.lengths) for data in demonstrations])
        is_shown = torch.tensor(has_images).repeat_interleave(episodes)  # (E,)
        # (T,) index of the image of each frame.
        self._image_index = is_shown.repeat_interleave(lengths).long().cumsum(0) - 1
        self._done = torch.cat([_done(data) for data in demonstrations])  # (E,)
        names = [name for data in demonstrations for name in data.instructions]
        tasks = torch.tensor([config.tasks.index(name) for name in names])
        self.task = tasks.repeat_interleave(lengths)  # (T,)
        held_out = torch.cat([_last_of_each(part, held_out_share) for part in tasks.split(episodes.tolist())])
        each = [~held_out & (tasks == task) for task in range(len(config.tasks))]
        self.train = [self._frames(lengths, _without(chosen, is_shown)) for chosen in each]
        self.shown = [self._frames(lengths, chosen & is_shown) for chosen in each]
        for name, frames in zip(config.tasks, self.shown, strict=True):
            if not len(frames.index):
                raise ValueError(f"{name!r}: expected pictures with some of its demonstrations, got none")
        validation = is_shown & held_out
        test = self._frames(lengths, validation if validation.any() else is_shown)
        sample = torch.randperm(len(test.index), generator=torch.Generator().manual_seed(0))[:1024]
        self.held_out = self._windows(test, sample)

    @property
    def num_train(self) -> int:
        """Number of training frames."""
        return sum(len(frames.index) for frames in self.train)

    def fit(self, observation: ObservationEncoder, actions: Normaliser) -> None:
        """Fit the normalisers of a policy: states to mean 0 and deviation 1, actions to -1..1."""
        for task, frames in enumerate(self.train):
            parts = [part[frames.index] for part in (self.state, self.scene) if part is not None]
            observation.fit(task, torch.cat(parts, dim=-1))
            actions.fit_range(task, self.action[frames.index])

    def sample(
        self, batch_size: int, generator: torch.Generator, images: bool | None = None
    ) -> dict[str, Tensor]:
        """Return a random batch of windows.

        Args:
            batch_size: B.
            generator: draws the windows.
            images: true for windows with images; false for windows to train the actions on, without images; None for
                false if there are scene numbers, which replace the images, else true.

        Returns:
            state (B, To, D), action (B, H, A), task (B,) and, if available, image (B, To, 3, S, S) and scene (B, To,
            E).
        """
        if images is None:
            images = self.scene is None
        task = torch.randint(len(self.train), (batch_size,), generator=generator)
        position = torch.rand(batch_size, generator=generator, dtype=torch.float64)
        parts = []
        for index, frames in enumerate(self.shown if images else self.train):
            chosen = (position[task == index] * len(frames.index)).long()
            if len(chosen):
                parts.append(self._windows(frames, chosen, images))
        return {key: torch.cat([part[key] for part in parts]) for key in parts[0]}

    def _frames(self, lengths: Tensor, chosen: Tensor) -> _Frames:
        end = lengths.cumsum(0)
        first, last = (end - lengths).repeat_interleave(lengths), (end - 1).repeat_interleave(lengths)
        index = torch.arange(len(first))
        is_complete = self._done.repeat_interleave(lengths) | (
            index + self.config.horizon - self.config.obs_steps <= last
        )
        index = index[chosen.repeat_interleave(lengths) & is_complete]
        return _Frames(index, first[index], last[index])

    def _windows(self, frames: _Frames, which: Tensor, images: bool = True) -> dict[str, Tensor]:
        index, first, last = (part[which, None] for part in (frames.index, frames.first, frames.last))
        steps = torch.arange(self.config.horizon) - (self.config.obs_steps - 1)
        acted = (index + steps).clamp(first, last)  # (B, H)
        observed = (index + steps[: self.config.obs_steps]).clamp(first, last)  # (B, To)
        batch = {"state": self.state[observed], "action": self.action[acted], "task": self.task[index[:, 0]]}
        if self.scene is not None:
            batch["scene"] = self.scene[observed]
        if images and self.images is not None:
            batch["image"] = self.images[self._image_index[observed]]
        return batch


def _done(data: Demonstrations) -> Tensor:
    return (
        torch.ones(len(data.lengths), dtype=torch.bool) if data.done is None else torch.from_numpy(data.done)
    )


def _filled(arrays: Sequence[NDArray[np.float32]], dim: int) -> Tensor:
    """Return arrays (T_i, D_i), D_i <= dim, padded with zeros and concatenated: (T, dim)."""
    return torch.cat([F.pad(torch.from_numpy(array), (0, dim - array.shape[1])) for array in arrays])


def _without(chosen: Tensor, is_shown: Tensor) -> Tensor:
    """Return the chosen episodes (E,) without images, or all of the chosen ones if all have images."""
    others = chosen & ~is_shown
    return others if others.any() else chosen


def _last_of_each(tasks: Tensor, share: float) -> Tensor:
    """Return a mask (E,) of the last episodes of each task, a share of them; neighbouring episodes may be similar."""
    is_task = tasks[:, None] == torch.arange(int(tasks.max()) + 1)
    number = (is_task.long().cumsum(0)).gather(1, tasks[:, None])[:, 0]  # from 1 on
    return number > is_task.sum(0)[tasks] - (is_task.sum(0)[tasks] * share).floor()


def _joined(parts: Iterable[Tensor]) -> Tensor:
    """Return tensors concatenated; a single one is not copied, since images are large."""
    parts = list(parts)
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _images(data: Demonstrations, camera: str | None, size: int) -> Tensor:
    """Return the images of a camera, resized: (T, 3, size, size) uint8."""
    if not data.images or (camera is None and len(data.images) > 1) or (camera and camera not in data.images):
        cameras = ", ".join(data.images) or "none"
        raise ValueError(
            f"camera: expected one of the data's cameras ({cameras}), got {camera}; name one, or use states"
        )
    images = torch.from_numpy(data.images[camera or next(iter(data.images))]).permute(0, 3, 1, 2)
    if images.shape[2:] == (size, size):
        return images.contiguous()
    resized = [
        F.interpolate(part.float(), size=(size, size), mode="area").round().byte()
        for part in images.split(RESIZE_BATCH)
    ]
    return torch.cat(resized)
