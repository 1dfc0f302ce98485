"""Policies without a model: the task's expert, random actions, or the same action always."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.tasks import TaskSpec

Action = NDArray[np.float32]


class Actor(Protocol):
    """Answers each observation of one environment with an action; a `Policy` is one, too."""

    @property
    def predicted(self) -> bool:
        """Whether the last action was computed anew, and did not come from a chunk of before."""
        ...

    def reset(self, seed: int = 0) -> None:
        """Begin an episode."""
        ...

    def act(self, observation: Any) -> Action:
        """Return the action (A,) that answers an observation."""
        ...


class ExpertPolicy:
    """The task's scripted expert, which reads the true state of the environment.

    Args:
        task: the task.
        env: the environment that it acts in.
    """

    predicted = True

    def __init__(self, task: TaskSpec, env: Any) -> None:
        self._task, self._env = task, env

    def reset(self, seed: int = 0) -> None:
        """Begin an episode with a new expert that makes its choices by the seed."""
        self._expert = self._task.make_expert(self._env, seed)
        self._expert.reset()

    def act(self, observation: Any) -> Action:
        """Return the expert's action (A,); the observation is not used."""
        return self._expert.act()


class RandomPolicy:
    """Actions drawn uniformly from the action space.

    Args:
        task: the task.
        env: the environment that it acts in.
    """

    predicted = True

    def __init__(self, task: TaskSpec, env: Any) -> None:
        self._space = env.action_space

    def reset(self, seed: int = 0) -> None:
        """Begin an episode whose actions are drawn by the seed."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> Action:
        """Return a random action (A,)."""
        return self._rng.uniform(self._space.low, self._space.high).astype(np.float32)


class HoldPolicy:
    """The middle of the action space: no movement where actions are steps, one pose where they are targets.

    Args:
        task: the task.
        env: the environment that it acts in.
    """

    predicted = True

    def __init__(self, task: TaskSpec, env: Any) -> None:
        self._action = ((env.action_space.low + env.action_space.high) / 2).astype(np.float32)

    def reset(self, seed: int = 0) -> None:
        """Begin an episode; nothing is remembered."""

    def act(self, observation: Any) -> Action:
        """Return the same action (A,) always."""
        return self._action


SCRIPTED_POLICIES: dict[str, type[ExpertPolicy] | type[RandomPolicy] | type[HoldPolicy]] = {
    "expert": ExpertPolicy,
    "random": RandomPolicy,
    "hold": HoldPolicy,
}
"""Name -> class."""
