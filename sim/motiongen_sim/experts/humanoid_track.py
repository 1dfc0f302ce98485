"""The humanoid's expert: it asks each joint to be where the reference is next, and a little beyond where it lags."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.humanoid_track import HumanoidTrack
from motiongen_sim.robots.follower import Correction


class HumanoidTrackExpert:
    """Gives the reference's next pose as targets, corrected by what the joints lacked in the frames before."""

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        """Take an environment of HumanoidTrack; nothing is left to chance, so the seed changes nothing."""
        unwrapped = env.unwrapped
        if not isinstance(unwrapped, HumanoidTrack):
            raise ValueError(
                f"env: expected HumanoidTrack, got {unwrapped!r}; make it with tasks.lookup('HumanoidTrack')"
            )
        self._env, self._correction = unwrapped, Correction(unwrapped.robot)

    def reset(self) -> None:
        """Forget what the joints lacked."""
        self._correction.reset()

    def act(self) -> NDArray[np.float32]:
        """Return the next targets (A,), half turns."""
        env, robot = self._env, self._env.robot
        correction = self._correction.after(env.state.pose, env.reference.at(env.frame).pose)
        target = robot.turned(env.reference.at(env.frame + 1).pose, correction)
        return (robot.within_limits(robot.action_of_pose(target)) / np.pi).astype(np.float32)
