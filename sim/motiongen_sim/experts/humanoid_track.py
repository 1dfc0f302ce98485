"""The expert of HumanoidTrack: the reference's next pose as target, with an integral term."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.humanoid_track import HumanoidTrack
from motiongen_sim.experts.base import Expert
from motiongen_sim.robots.follower import Correction


class HumanoidTrackExpert(Expert[HumanoidTrack]):
    """Gives the reference's next pose as targets, plus the integral of the joints' errors.

    Args:
        env: the environment, wrapped or not.
        seed: changes nothing, since nothing is left to chance.
    """

    ENV = HumanoidTrack

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        super().__init__(env, seed)
        self._correction = Correction(self._env.robot)

    def reset(self) -> None:
        """Set the integral to zero."""
        self._correction.reset()

    def act(self) -> NDArray[np.float32]:
        """Return the next targets (A,), in half turns."""
        env, robot = self._env, self._env.robot
        correction = self._correction.after(env.robot_state.pose, env.reference.at(env.frame).pose)
        target = robot.integrate(env.reference.at(env.frame + 1).pose, correction)
        return (robot.within_limits(robot.action_of_pose(target)) / np.pi).astype(np.float32)
