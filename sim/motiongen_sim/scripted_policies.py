"""Policies without a model: the task's expert, random actions, or the same action always."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.tasks import TaskSpec

if TYPE_CHECKING:
    import gymnasium

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


class ScriptedPolicy(ABC):
    """Base of the policies without a model.

    Args:
        task: the task.
        env: the environment that it acts in.

    Attributes:
        predicted: always true, see `Actor`.
    """

    predicted = True

    def __init__(self, task: TaskSpec, env: "gymnasium.Env[Any, Any]") -> None:
        self._task, self._env = task, env
        self._space: Any = env.action_space

    @abstractmethod
    def reset(self, seed: int = 0) -> None:
        """Begin an episode."""

    @abstractmethod
    def act(self, observation: Any) -> Action:
        """Return the action (A,) that answers an observation."""


class ExpertPolicy(ScriptedPolicy):
    """The task's scripted expert, which reads the true state of the environment."""

    def reset(self, seed: int = 0) -> None:
        """Begin an episode with a new expert that makes its choices by the seed."""
        self._expert = self._task.make_expert(self._env, seed)
        self._expert.reset()

    def act(self, observation: Any) -> Action:
        """Return the expert's action (A,); the observation is not used."""
        return self._expert.act()


class RandomPolicy(ScriptedPolicy):
    """Actions drawn uniformly from the action space."""

    def reset(self, seed: int = 0) -> None:
        """Begin an episode whose actions are drawn by the seed."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> Action:
        """Return a random action (A,)."""
        return self._rng.uniform(self._space.low, self._space.high).astype(np.float32)


class HoldPolicy(ScriptedPolicy):
    """The middle of the action space: no movement where actions are steps, one pose where they are targets."""

    def reset(self, seed: int = 0) -> None:
        """Begin an episode; nothing is remembered."""

    def act(self, observation: Any) -> Action:
        """Return the same action (A,) always."""
        return ((self._space.low + self._space.high) / 2).astype(np.float32)


SCRIPTED_POLICIES: dict[str, type[ScriptedPolicy]] = {
    "expert": ExpertPolicy,
    "random": RandomPolicy,
    "hold": HoldPolicy,
}
"""Name -> class."""
