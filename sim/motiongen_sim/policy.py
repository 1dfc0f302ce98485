"""A trained policy that acts: it keeps the last observations and the chunks of actions in hand."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from motiongen import checkpoint
from motiongen.heads import sampler_of
from motiongen.heads.carp.model import CARP
from motiongen.modules.policy_config import PolicyConfig
from motiongen_sim import shipped
from motiongen_sim.chunks import Chunks, Ensemble, Receding
from motiongen_sim.tasks import TASKS

Seen = NDArray[Any] | Mapping[str, NDArray[Any]]
"""A state (D,), or `state` (D,) with `image` (H, W, 3) uint8; of several environments, each with B before it."""


class _Lane:
    """One environment's last To observations, as states and pictures, and its chunks."""

    def __init__(self, obs_steps: int, chunks: Chunks) -> None:
        self.states: deque[NDArray[np.float32]] = deque(maxlen=obs_steps)
        self.images: deque[Tensor] = deque(maxlen=obs_steps)
        self.chunks = chunks

    def see(self, state: NDArray[np.float32], image: Tensor | None) -> None:
        """Remember an observation; the first one also stands for those before it."""
        for _ in range(1 if self.states else self.states.maxlen or 1):
            self.states.append(state)
            if image is not None:
                self.images.append(image)


class Policy:
    """A model that acts in an environment, or in several side by side.

    Args:
        model: has a PolicyConfig as `config`, and `predict(observation, generator=…) -> (B, H, A)`; it is put into
            evaluation mode.
        task: which of the tasks that the model knows: its instruction, or a name in motiongen_sim.tasks.TASKS. A model
            of one task needs none.
        temporal_ensemble: None executes `action_steps` of a chunk, then predicts the next; a number predicts at every
            step and averages, see Ensemble (ACT takes 0.01).
        action_steps: how much of a chunk is executed, in place of the model's own.
        temperature: at which a model that writes codes draws them, in place of its own.
        name: what a report calls it; by default its class.

    Attributes:
        predicted: whether the last `act` asked the model, and did not only go on with a chunk.

    Raises:
        ValueError: the model does not know the task, or knows several and none is given; it has no such temperature, or
            no chunk so long.
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        task: str | None = None,
        temporal_ensemble: float | None = None,
        action_steps: int | None = None,
        temperature: float | None = None,
        name: str | None = None,
    ) -> None:
        if temporal_ensemble is not None and not temporal_ensemble >= 0:
            raise ValueError(
                f"temporal_ensemble: expected None or 0 and more, got {temporal_ensemble}; try 0.01"
            )
        self.model: Any = model.eval()
        self._sampler = sampler_of(self.model)
        self.config = _changed(cast(PolicyConfig, model.config), action_steps, temperature)
        self._drawn = {} if temperature is None else {"temperature": temperature}
        self.temporal_ensemble = temporal_ensemble
        self.name = name or type(model).__name__
        self.task_index = _task_index(self.config.tasks, task)
        state_dims, action_dims = self.config.task_state_dims, self.config.task_action_dims
        self.state_dim = state_dims[self.task_index] if state_dims else self.config.state_dim
        self.action_dim = action_dims[self.task_index] if action_dims else self.config.action_dim
        self.predicted = False
        self.reset()

    @classmethod
    def load(
        cls,
        name_or_folder: str | Path,
        device: str = "cpu",
        *,
        task: str | None = None,
        **options: Any,
    ) -> "Policy":
        """Return a CARP policy: one that ships, by name, or one of your own, by its folder; with Policy's options.

        Raises:
            ValueError: there is no such policy (the message lists those that ship), or its files are damaged.
        """
        folder = shipped.folder(name_or_folder)
        model = checkpoint.load(folder, CARP).requires_grad_(False).to(device)
        return cls(model, task=task, **{"name": folder.name, **options})

    @property
    def observations(self) -> str:
        """What it must be shown: "state", or "image" for states and pictures."""
        return "image" if self.config.image_size else "state"

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def reset(self, seed: int = 0) -> None:
        """Forget all observations and actions: a new episode begins. The seed is that of a model that samples."""
        self._lanes: list[_Lane] = []
        self._generator = torch.Generator().manual_seed(seed)

    def warm_up(self, batch: int = 1) -> None:
        """Predict once for so many environments and forget it: a model's first pass is slower than all others."""
        size = self.config.image_size
        states = np.zeros((batch, self.state_dim), np.float32)
        self.reset()
        self.act_batch(
            {"state": states, "image": np.zeros((batch, size, size, 3), np.uint8)} if size else states
        )
        self.reset()

    def act(self, observation: Seen) -> NDArray[np.float32]:
        """Return the action (A,) that answers an observation, in the environment's own units.

        Args:
            observation: a state (D,), or a dict of `state` (D,) and `image` (H, W, 3) uint8 for a policy that sees.

        Raises:
            ValueError: the observation has another shape than the policy's, or a number that is not finite.
        """
        alone = {name: np.asarray(part)[None] for name, part in _parts(observation).items()}
        return self.act_batch(alone if isinstance(observation, Mapping) else alone["state"])[0]

    def act_batch(self, observation: Seen, starts: Sequence[bool] | None = None) -> NDArray[np.float32]:
        """Return the actions (B, A) that answer the observations of B environments, as gymnasium's vectors give them.

        Chunks that are due at the same step are predicted as one batch.

        Args:
            observation: states (B, D), or a dict of `state` (B, D) and `image` (B, H, W, 3) uint8.
            starts: B flags; which environments have begun a new episode with this observation.

        Raises:
            ValueError: as `act`; or another number of environments than since the reset.
        """
        states, images = self._checked(observation)
        if not self._lanes:
            self._lanes = [self._new_lane() for _ in states]
        if len(states) != len(self._lanes):
            raise ValueError(
                f"observation: expected {len(self._lanes)} environments as before, got {len(states)}; call reset first"
            )
        for index, state in enumerate(states):
            if starts is not None and starts[index]:
                self._lanes[index] = self._new_lane()
            self._lanes[index].see(state, None if images is None else images[index])
        due = [lane for lane in self._lanes if lane.chunks.is_due]
        self.predicted = bool(due)
        if due:
            for lane, chunk in zip(due, self._predict(due), strict=True):
                lane.chunks.put(chunk)
        return np.stack([lane.chunks.take() for lane in self._lanes])

    def _new_lane(self) -> _Lane:
        ensemble, steps = self.temporal_ensemble, self.config.action_steps
        return _Lane(self.config.obs_steps, Receding(steps) if ensemble is None else Ensemble(ensemble))

    def _predict(self, lanes: Sequence[_Lane]) -> NDArray[np.float32]:
        """Return chunks (B, H', A) that begin now."""
        states = torch.from_numpy(np.stack([np.stack(lane.states) for lane in lanes]))  # (B, To, D')
        observation = {
            "state": F.pad(states, (0, self.config.state_dim - self.state_dim)),
            "task": torch.full((len(lanes),), self.task_index),
        }
        if self.config.image_size:
            observation["image"] = torch.stack([torch.stack(list(lane.images)) for lane in lanes])
        on_device = {name: part.to(self.device) for name, part in observation.items()}
        with torch.inference_mode():
            chunks = (
                self._sampler.predict(on_device, generator=self._generator, **self._drawn)
                .float()
                .cpu()
                .numpy()
            )
        return chunks[:, self.config.obs_steps - 1 :, : self.action_dim]

    def _checked(self, observation: Seen) -> tuple[NDArray[np.float32], Tensor | None]:
        """Return states (B, D), and pictures (B, 3, S, S) for a policy that sees."""
        size = self.config.image_size
        if isinstance(observation, Mapping) != bool(size) or (size and "image" not in observation):
            expected = f"a dict of state ({self.state_dim},) and image (H, W, 3)"
            raise ValueError(
                f"observation: expected {expected if size else f'an array ({self.state_dim},)'}, got "
                f"{_described(observation)}; make the environment with observations={self.observations!r}"
            )
        parts = _parts(observation)
        states = np.asarray(parts["state"], np.float32)
        if states.shape[1:] != (self.state_dim,):
            raise ValueError(
                f"observation: expected a state of shape ({self.state_dim},), got {states.shape[1:]}; "
                f"{self.name} was trained for {self.config.tasks[self.task_index] or 'another task'!r}"
            )
        if not np.isfinite(states).all():
            bad = int(np.argwhere(~np.isfinite(states))[0, 1])
            raise ValueError(
                f"observation: expected finite numbers, got {states[:, bad]} at {bad}; see the environment"
            )
        return states.copy(), self._resized(np.asarray(parts["image"])) if size else None

    def _resized(self, images: NDArray[Any]) -> Tensor:
        """Return pictures (B, 3, S, S) uint8; those of another size are averaged by area, as in training."""
        size = self.config.image_size
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(
                f"observation: expected an image of shape (H, W, 3), uint8, got {images.shape[1:]}, {images.dtype}"
            )
        pictures = torch.from_numpy(images.copy()).permute(0, 3, 1, 2)
        if pictures.shape[2:] == (size, size):
            return pictures
        return F.interpolate(pictures.float(), size=(size, size), mode="area").round().byte()


def _parts(observation: Seen) -> Mapping[str, NDArray[Any]]:
    return observation if isinstance(observation, Mapping) else {"state": observation}


def _described(observation: Seen) -> str:
    if isinstance(observation, Mapping):
        return f"a dict of {', '.join(observation)}"
    return f"an array {np.shape(observation)[1:]}"


def _changed(config: PolicyConfig, action_steps: int | None, temperature: float | None) -> PolicyConfig:
    """Return a model's sizes with what is to be otherwise. Raises ValueError where it cannot be."""
    if action_steps is not None:
        most = config.horizon - config.obs_steps + 1
        if not 1 <= action_steps <= most:
            raise ValueError(f"action_steps: expected 1..{most}, as long as a chunk is, got {action_steps}")
        config = replace(config, action_steps=action_steps)
    if temperature is not None:
        if not hasattr(config, "temperature"):
            raise ValueError(f"temperature: expected none for a policy without codes, got {temperature}")
        config = replace(config, temperature=temperature)  # type: ignore[call-arg]
    return config


def _task_index(known: Sequence[str], task: str | None) -> int:
    """Return which of the instructions a task is. Raises ValueError that lists them."""
    if len(known) == 1:
        return 0
    wanted = TASKS[task].instruction if task in TASKS else task
    if wanted not in known:
        raise ValueError(
            f"task: expected one of {', '.join(map(repr, known))}, got {task!r}; this policy knows no other"
        )
    return known.index(wanted)
