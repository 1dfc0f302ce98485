"""What acts without a model: the task's expert, chance, or nothing at all."""

from typing import Any, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.tasks import Task

Action = NDArray[np.float32]


class Actor(Protocol):
    """Answers each observation of one environment with an action; a Policy is one, too."""

    @property
    def predicted(self) -> bool:
        """Whether the last action was worked out anew, and not one of a chunk in hand."""
        ...

    def reset(self, seed: int = 0) -> None:
        """A new episode has begun."""
        ...

    def act(self, observation: Any) -> Action:
        """Return the action (A,)."""
        ...


class ExpertActor:
    """The task's scripted expert, which reads the true state of the environment."""

    predicted = True

    def __init__(self, task: Task, env: gymnasium.Env[Any, Any]) -> None:
        self._task, self._env = task, env

    def reset(self, seed: int = 0) -> None:
        """Choose anew how to solve the task, by the seed."""
        self._expert = self._task.make_expert(self._env, seed)
        self._expert.reset()

    def act(self, observation: Any) -> Action:
        """Return what the expert does (A,)."""
        return self._expert.act()


class RandomActor:
    """Any action, all alike likely."""

    predicted = True

    def __init__(self, task: Task, env: gymnasium.Env[Any, Any]) -> None:
        assert isinstance(env.action_space, gymnasium.spaces.Box), env.action_space
        self._space = env.action_space

    def reset(self, seed: int = 0) -> None:
        """Draw by the seed from now on."""
        self._rng = np.random.default_rng(seed)

    def act(self, observation: Any) -> Action:
        """Return an action (A,) of the space."""
        return self._rng.uniform(self._space.low, self._space.high).astype(np.float32)


class HoldActor:
    """The middle of the action space: to stay, where actions are steps; one pose, where they are targets."""

    predicted = True

    def __init__(self, task: Task, env: gymnasium.Env[Any, Any]) -> None:
        assert isinstance(env.action_space, gymnasium.spaces.Box), env.action_space
        self._action = ((env.action_space.low + env.action_space.high) / 2).astype(np.float32)

    def reset(self, seed: int = 0) -> None:
        """Nothing is remembered."""

    def act(self, observation: Any) -> Action:
        """Return the same action (A,) as ever."""
        return self._action


ACTORS = {"expert": ExpertActor, "random": RandomActor, "hold": HoldActor}
"""Name -> class."""
