"""SimulatedReturn: judges candidate chunks of actions by what they earn in the simulator, whose steps are taken back.

Model-predictive control by shooting (Nagabandi et al., ICRA 2018, section IV-C), where the candidates are drawn from a
policy (POPLIN, Wang & Ba, ICLR 2020) and the model is the simulator itself.
"""

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.base import RobotEnv


class SimulatedReturn:
    """Scores chunks by the rewards they earn from the environment's present state on; a `Judge` of `Policy`.

    Args:
        env: the environment, reset; after each call it is as it was.
    """

    def __init__(self, env: RobotEnv) -> None:
        self._env = env

    def __call__(self, chunks: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the sums of rewards (N,) of chunks (N, H', A).

        Where an episode ends within a chunk, the steps that are left earn what the last one did if the task is solved,
        and nothing after a failure.
        """
        return np.array([self._score(chunk) for chunk in chunks])

    def _score(self, chunk: NDArray[np.float32]) -> float:
        space, total = self._env.action_space, 0.0
        with self._env.undone():
            for left, action in zip(range(len(chunk), 0, -1), chunk, strict=True):
                _, reward, terminated, _, info = self._env.step(np.clip(action, space.low, space.high))
                if terminated:
                    return total + float(reward) * (left if info["is_success"] else 1)
                total += float(reward)
        return total
