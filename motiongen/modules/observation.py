"""Observation encoder and per-task normalisers of robot policies."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from motiongen.modules.policy_config import PolicyConfig
from motiongen.modules.visual_encoder import VisualEncoder

Observation = Mapping[str, Tensor]
"""Observations of the last To frames by name: `state` (B, To, D) float; `image` (B, To, 3, S, S) uint8 for a policy
with a camera; `task` (B,) int64, task 0 if absent.

In training, `scene` (B, To, E) may replace the image for a policy that predicts scene numbers from images."""


MAX_SCENE_ERROR = 0.5
"""A scene number is used if its mean prediction error on held-out images is below this, in standard deviations."""


class Normaliser(nn.Module):
    """Affine normalisation of numbers for each task, and its inverse; dimensions that a task lacks become 0.

    Args:
        num_tasks: number of tasks.
        dim: numbers D of the widest task.
    """

    shift: Tensor
    scale: Tensor

    def __init__(self, num_tasks: int, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("shift", torch.zeros(num_tasks * dim))  # vectors, which stay in fp32 when saved
        self.register_buffer("scale", torch.ones(num_tasks * dim))

    @torch.no_grad()
    def fit_range(self, task: int, rows: Tensor) -> None:
        """Fit a task's normaliser so that rows (T, D'), D' <= D, span -1..1; a constant number becomes 0."""
        low, high = rows.min(0).values, rows.max(0).values
        half = (high - low) / 2
        self._set(task, (low + high) / 2, torch.where(half > 1e-6, half, 1.0))

    @torch.no_grad()
    def fit_moments(self, task: int, rows: Tensor) -> None:
        """Fit a task's normaliser so that rows (T, D'), D' <= D, have mean 0 and deviation 1; a constant becomes 0."""
        deviation = rows.double().std(0, correction=0).float()
        self._set(task, rows.double().mean(0).float(), torch.where(deviation > 1e-6, deviation, 1.0))

    def _set(self, task: int, shift: Tensor, scale: Tensor) -> None:
        own = slice(task * self.dim, task * self.dim + len(shift))
        self.shift[own], self.scale[own] = shift, scale

    def of(self, task: Tensor) -> tuple[Tensor, Tensor]:
        """Return shift and scale, (B, 1, D) each, of tasks (B,)."""
        return self.shift.view(-1, self.dim)[task, None], self.scale.view(-1, self.dim)[task, None]

    def forward(self, x: Tensor, task: Tensor) -> Tensor:
        """Return x (B, T, D) normalised by the statistics of tasks (B,)."""
        shift, scale = self.of(task)
        return (x.float() - shift) / scale

    def inverse(self, x: Tensor, task: Tensor) -> Tensor:
        """Return normalised x (B, T, D) of tasks (B,) in the units of the data."""
        shift, scale = self.of(task)
        return x.float() * scale + shift


class ObservationEncoder(nn.Module):
    """Encodes states, images and the task of the last To frames as one vector (B, cond_dim)."""

    first: Tensor
    second: Tensor
    scene_error: Tensor

    def __init__(self, config: PolicyConfig) -> None:
        super().__init__()
        self.config = config
        numbers = config.state_dim + config.scene_dim
        self.normaliser = Normaliser(len(config.tasks), numbers)
        width = numbers * config.obs_steps
        if config.pairs:
            first, second = torch.triu_indices(numbers, numbers, offset=1)
            self.register_buffer("first", first, persistent=False)
            self.register_buffer("second", second, persistent=False)
            self.pair_normaliser = Normaliser(len(config.tasks), len(first))
            width += len(first) * config.obs_steps
        if config.image_size:
            self.visual = VisualEncoder(config.image_width, config.crop_size)
            if config.scene_dim:
                self.scene = nn.Linear(self.visual.dim, config.scene_dim)
                self.register_buffer("scene_error", torch.zeros(config.scene_dim))
            else:
                width += self.visual.dim * config.obs_steps
        if len(config.tasks) > 1:
            self.task = nn.Embedding(len(config.tasks), config.cond_dim)
        layers: list[nn.Module] = [nn.Linear(width, config.cond_dim)]
        for _ in range(config.obs_layers - 1):
            layers += [nn.SiLU(), nn.Linear(config.cond_dim, config.cond_dim)]
        self.project, self.deepen = layers[0], nn.Sequential(*layers[1:])

    def fit(self, task: int, states: Tensor) -> None:
        """Fit the normalisers of a task: mean 0, deviation 1.

        Args:
            task: index of the task.
            states: (T, D + E) states with their scene numbers appended.
        """
        self.normaliser.fit_moments(task, states)
        if self.config.pairs:
            self.pair_normaliser.fit_moments(task, self._pairs(states))

    def forward(self, observation: Observation, generator: torch.Generator | None = None) -> Tensor:
        """Return the encoding (B, cond_dim) of observations.

        A given `scene` replaces the one predicted from the images. Scene numbers that images do not show
        (`MAX_SCENE_ERROR`) are replaced by their mean in both cases.

        Args:
            observation: see `Observation`.
            generator: draws random crops of the images, in training; None for centre crops.

        Raises:
            ValueError: shapes that differ from the config's.
        """
        state = observation["state"]
        check_shape("state", state, (self.config.obs_steps, self.config.state_dim))
        task = task_of(observation)
        points: list[Tensor] = []
        if self.config.scene_dim:
            scene = (
                observation["scene"] if "scene" in observation else self.predict_scene(observation, generator)
            )
            check_shape("scene", scene, (self.config.obs_steps, self.config.scene_dim))
            is_shown = self.scene_error < MAX_SCENE_ERROR
            scene = torch.where(is_shown, scene, self._scene_moments(task)[0])
            state = torch.cat([state, scene], dim=-1)
        elif self.config.image_size:
            points.append(self._encode_images(observation, generator).flatten(1))  # (B, To * F)
        parts = [self.normaliser(state, task).flatten(1)]  # (B, To * (D + E))
        if self.config.pairs:
            parts.append(self.pair_normaliser(self._pairs(state), task).flatten(1))  # (B, To * pairs)
        vector = self.project(torch.cat([*parts, *points], dim=-1))
        if len(self.config.tasks) > 1:
            vector = vector + self.task(task)
        return self.deepen(vector)

    def predict_scene(self, observation: Observation, generator: torch.Generator | None = None) -> Tensor:
        """Return the scene (B, To, E) predicted from the images of observations, in the units of the data.

        Args:
            observation: see `Observation`.
            generator: draws random crops of the images, in training; None for centre crops.
        """
        shift, scale = self._scene_moments(task_of(observation))
        return self.scene(self._encode_images(observation, generator)).float() * scale + shift

    def _scene_moments(self, task: Tensor) -> tuple[Tensor, Tensor]:
        """Return shift and scale, (B, 1, E) each, of the scene numbers of tasks (B,)."""
        shift, scale = (part[..., self.config.state_dim :] for part in self.normaliser.of(task))
        return shift, scale

    def _encode_images(self, observation: Observation, generator: torch.Generator | None) -> Tensor:
        """Return image features (B, To, F)."""
        image = observation["image"]
        check_shape("image", image, (self.config.obs_steps, 3, *[self.config.image_size] * 2))
        crops = self._cropped(image, generator)  # (B, To, 3, S', S')
        return self.visual(crops.flatten(0, 1)).unflatten(0, image.shape[:2])

    def _pairs(self, state: Tensor) -> Tensor:
        return state[..., self.first] - state[..., self.second]

    def _cropped(self, image: Tensor, generator: torch.Generator | None) -> Tensor:
        """Return crops (B, To, 3, S', S') of images (B, To, 3, S, S); the frames of an item share one crop window."""
        size, margin = self.config.crop_size, self.config.image_size - self.config.crop_size
        if generator is None:
            start = margin // 2
            return image[..., start : start + size, start : start + size]
        starts = torch.randint(margin + 1, (len(image), 2), generator=generator).tolist()
        crops = [item[..., y : y + size, x : x + size] for item, (y, x) in zip(image, starts, strict=True)]
        return torch.stack(crops)


def task_of(observation: Observation) -> Tensor:
    """Return the task indices (B,) of observations, 0 where none are given."""
    state = observation["state"]
    return observation.get("task", torch.zeros(len(state), dtype=torch.long, device=state.device))


def check_shape(name: str, value: Tensor, shape: tuple[int, ...]) -> None:
    """Check the shape of a batch.

    Args:
        name: of the tensor, for the message.
        value: (B, ...).
        shape: expected shape of an item.

    Raises:
        ValueError: items of another shape.
    """
    if tuple(value.shape[1:]) != shape:
        expected = ", ".join(map(str, shape))
        raise ValueError(
            f"{name}: expected shape (B, {expected}), got {tuple(value.shape)}; is it of another robot or task?"
        )
