"""Policy: a trained model that acts, with the history of observations and the queue of actions that it needs."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from motiongen.inference.chunk_predictor import ChunkPredictor, ChunkRequest, resized_images
from motiongen.inference.load import load_policy
from motiongen.modules.policy_config import PolicyConfig
from motiongen_sim.action_queue import ActionQueue, RecedingHorizon, TemporalEnsemble
from motiongen_sim.tasks import TASKS

Observations = NDArray[Any] | Mapping[str, NDArray[Any]]
"""A state (D,), or `state` (D,) and `image` (H, W, 3) uint8; of several environments, each with B before it."""

Judge = Callable[[NDArray[np.float32]], NDArray[Any]]
"""Chunks (N, H', A) that begin at the current step to scores (N,), of which the highest is best."""
DRAWN_TEMPERATURE = 1.0
"""Temperature at which candidates are drawn from a model that takes the likeliest codes."""


class _History:
    """The last To observations of one environment, and its queue of actions.

    Args:
        obs_steps: To.
        actions: an empty queue.
    """

    def __init__(self, obs_steps: int, actions: ActionQueue) -> None:
        self.states: deque[NDArray[np.float32]] = deque(maxlen=obs_steps)
        self.images: deque[NDArray[np.uint8]] = deque(maxlen=obs_steps)
        self.actions = actions

    def add(self, state: NDArray[np.float32], image: NDArray[np.uint8] | None) -> None:
        """Add an observation; the first one is repeated in place of those before it."""
        for _ in range(1 if self.states else self.states.maxlen or 1):
            self.states.append(state)
            if image is not None:
                self.images.append(image)


class Policy:
    """A model that acts in one environment, or in several side by side.

    Args:
        model: has a PolicyConfig as `config`, and `predict(observation, generator=…) -> (B, H, A)`; it is put into
            evaluation mode.
        task: one of the tasks that the model knows, by its instruction or by its name in motiongen_sim.tasks.TASKS. A
            model of one task needs none.
        temporal_ensemble: None executes `action_steps` of a chunk, then predicts the next; a number predicts at every
            step and averages, see TemporalEnsemble (ACT takes 0.01).
        action_steps: actions of a chunk that are executed, in place of the model's own number.
        temperature: of sampling codes, in place of the model's own.
        candidates: chunks of which `judge` chooses one whenever the model predicts: what it would do alone, and others
            drawn from it. Only in one environment at a time.
        name: in reports; by default the model's class.

    Attributes:
        judge: scores the candidates; `rollout` sets one that tries them in the simulator (`lookahead.py`).
        predicted: whether the last `act` ran the model, and did not only take an action from the queue.

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
        candidates: int = 1,
        name: str | None = None,
    ) -> None:
        if candidates < 1:
            raise ValueError(f"candidates: expected 1 or more, got {candidates}; 1 does what the model would")
        if temporal_ensemble is not None and not temporal_ensemble >= 0:
            raise ValueError(
                f"temporal_ensemble: expected None or 0 and more, got {temporal_ensemble}; try 0.01"
            )
        self._predictor = ChunkPredictor(model, temperature)
        self.model = self._predictor.model
        self.config = _changed(self._predictor.config, action_steps, temperature)
        self.candidates = candidates
        self.judge: Judge | None = None
        drawn = DRAWN_TEMPERATURE if getattr(self.config, "temperature", None) == 0 else temperature
        self._drawing = ChunkPredictor(model, drawn)
        self.temporal_ensemble = temporal_ensemble
        self.name = name or type(model).__name__
        self.task_index = _task_index(self.config.tasks, task)
        self.state_dim = self.config.state_dim_of(self.task_index)
        self.action_dim = self.config.action_dim_of(self.task_index)
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
        """Return a trained policy; those of one folder and device share their model.

        Args:
            name_or_folder: the name of one that ships, or the folder of your own.
            device: of the model.
            task: as Policy.
            options: as Policy.

        Raises:
            ValueError: there is no such policy (the message lists those that ship), or its files are damaged.
        """
        loaded = load_policy(name_or_folder, device)
        return cls(loaded.head, task=task, **{"name": loaded.about["name"], **options})

    @property
    def observations(self) -> str:
        """Kind of observations that it was trained on: "state", or "image" for states and images."""
        return "image" if self.config.image_size else "state"

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return self._predictor.device

    def reset(self, seed: int = 0) -> None:
        """Begin an episode: forget all observations and actions.

        Args:
            seed: of a model that samples.
        """
        self._histories: list[_History] = []
        self._generator = torch.Generator().manual_seed(seed)

    def warm_up(self, batch: int = 1) -> None:
        """Predict once and forget it, since a model's first pass is slower than all others.

        Args:
            batch: number of environments.
        """
        size = self.config.image_size
        states = np.zeros((batch, self.state_dim), np.float32)
        judge, self.judge = self.judge, lambda chunks: np.zeros(len(chunks))
        self.reset()
        self.act_batch(
            {"state": states, "image": np.zeros((batch, size, size, 3), np.uint8)} if size else states
        )
        self.reset()
        self.judge = judge

    def act(self, observation: Observations) -> NDArray[np.float32]:
        """Return the action (A,) that answers an observation, in the environment's units.

        Args:
            observation: a state (D,), or a dict of `state` (D,) and `image` (H, W, 3) uint8 for a policy of images.

        Raises:
            ValueError: the observation has another shape than the policy's, or a number that is not finite.
        """
        alone = {name: np.asarray(part)[None] for name, part in _parts(observation).items()}
        return self.act_batch(alone if isinstance(observation, Mapping) else alone["state"])[0]

    def act_batch(
        self, observation: Observations, starts: Sequence[bool] | None = None
    ) -> NDArray[np.float32]:
        """Return the actions (B, A) that answer the observations of B environments, as of a gymnasium vector.

        Chunks that are needed at the same step are predicted as one batch.

        Args:
            observation: states (B, D), or a dict of `state` (B, D) and `image` (B, H, W, 3) uint8.
            starts: B flags, true where this observation begins a new episode.

        Raises:
            ValueError: as `act`; or another number of environments than since the reset.
        """
        states, images = self._checked(observation)
        if not self._histories:
            self._histories = [self._new_history() for _ in states]
        if len(states) != len(self._histories):
            raise ValueError(
                f"observation: expected {len(self._histories)} environments as before, got {len(states)}; "
                "call reset first"
            )
        for index, state in enumerate(states):
            if starts is not None and starts[index]:
                self._histories[index] = self._new_history()
            self._histories[index].add(state, None if images is None else images[index])
        waiting = [history for history in self._histories if history.actions.needs_chunk]
        self.predicted = bool(waiting)
        if waiting:
            for history, chunk in zip(waiting, self._predict(waiting), strict=True):
                history.actions.add(chunk)
        return np.stack([history.actions.pop() for history in self._histories])

    def _new_history(self) -> _History:
        decay, steps = self.temporal_ensemble, self.config.action_steps
        actions = RecedingHorizon(steps) if decay is None else TemporalEnsemble(decay)
        return _History(self.config.obs_steps, actions)

    def _predict(self, histories: Sequence[_History]) -> list[NDArray[np.float32]]:
        """Return chunks (H', A) that begin at the current step, one for each history."""
        requests = [
            ChunkRequest(
                np.stack(one.states),
                self.task_index,
                np.stack(one.images) if self.config.image_size else None,
            )
            for one in histories
        ]
        if self.candidates == 1:
            return self._predictor.predict(requests, self._generator)
        if len(requests) > 1:
            raise ValueError(
                f"candidates: expected 1 in {len(requests)} environments side by side, got {self.candidates}; "
                "act in one at a time"
            )
        if self.judge is None:
            raise ValueError(
                f"judge: expected one for {self.candidates} candidates, got none; set policy.judge"
            )
        own = self._predictor.predict(requests, self._generator)
        others = self._drawing.predict(requests * (self.candidates - 1), self._generator)
        chunks = np.stack(own + others)
        return [chunks[int(np.argmax(self.judge(chunks)))]]

    def _checked(self, observation: Observations) -> tuple[NDArray[np.float32], NDArray[np.uint8] | None]:
        """Return states (B, D), and images (B, S, S, 3) for a policy of images."""
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

    def _resized(self, images: NDArray[Any]) -> NDArray[np.uint8]:
        """Return images (B, S, S, 3) uint8; those of another size are averaged by area, as in training."""
        size = self.config.image_size
        if images.ndim != 4 or images.shape[3] != 3 or images.dtype != np.uint8:
            raise ValueError(
                f"observation: expected an image of shape (H, W, 3), uint8, got {images.shape[1:]}, {images.dtype}"
            )
        return resized_images(images, size)


def _parts(observation: Observations) -> Mapping[str, NDArray[Any]]:
    return observation if isinstance(observation, Mapping) else {"state": observation}


def _described(observation: Observations) -> str:
    if isinstance(observation, Mapping):
        return f"a dict of {', '.join(observation)}"
    return f"an array {np.shape(observation)[1:]}"


def _changed(config: PolicyConfig, action_steps: int | None, temperature: float | None) -> PolicyConfig:
    """Return a model's config with other action steps and temperature. Raises ValueError where they are impossible."""
    if action_steps is not None:
        most = config.chunk_steps
        if not 1 <= action_steps <= most:
            raise ValueError(f"action_steps: expected 1..{most}, as long as a chunk is, got {action_steps}")
        config = replace(config, action_steps=action_steps)
    if temperature is not None:
        if not hasattr(config, "temperature"):
            raise ValueError(f"temperature: expected none for a policy without codes, got {temperature}")
        config = replace(config, temperature=temperature)  # type: ignore[call-arg]
    return config


def _task_index(known: Sequence[str], task: str | None) -> int:
    """Return the index of a task among the known instructions. Raises ValueError that lists them."""
    if len(known) == 1:
        return 0
    wanted = TASKS[task].instruction if task in TASKS else task
    if wanted not in known:
        raise ValueError(
            f"task: expected one of {', '.join(map(repr, known))}, got {task!r}; this policy knows no other"
        )
    return known.index(wanted)
