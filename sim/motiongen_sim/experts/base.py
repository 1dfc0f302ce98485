"""Expert: the contract of every scripted expert."""

from abc import ABC, abstractmethod
from typing import Any, Generic

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.base import EnvT, unwrapped_as


class Expert(ABC, Generic[EnvT]):
    """Solves a task by rules that may read the simulator's true state.

    A copy made by `copy.copy` must go on from where the expert is, without a trace in the original.

    Args:
        env: the environment that it acts in, wrapped or not.
        seed: of its own choices.

    Attributes:
        ENV: the class of environment that it can act in.

    Raises:
        ValueError: another kind of environment.
    """

    ENV: type[EnvT]

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        self._env: EnvT = unwrapped_as(env, self.ENV)

    @abstractmethod
    def reset(self) -> None:
        """Begin an episode; called after every reset of the environment."""

    @abstractmethod
    def act(self) -> NDArray[np.float32]:
        """Return the next action (A,) for the state that the environment is in."""
