"""A task from outside the package: a point is moved to a target. It has no simulator, and is solved in a few steps."""

from contextlib import AbstractContextManager, nullcontext

import numpy as np
from gymnasium import spaces

from motiongen_sim.envs.base import RobotEnv
from motiongen_sim.experts.base import Expert
from motiongen_sim.tasks import TaskSpec

STEP, REACHED = 0.2, 0.05

REACH = TaskSpec(
    name="Reach",
    entry_point="tests.sim.toy:Reach",
    expert="tests.sim.toy:ReachExpert",
    robot="point",
    instruction="move the point to the target",
    max_steps=20,
    measures=("distance",),
)


class Reach(RobotEnv):
    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (gymnasium's own form)
    STATE_NAMES = ("point_x", "point_y", "target_x", "target_y")
    PROPRIOCEPTION_NAMES = STATE_NAMES[:2]
    ACTION_NAMES = ("dx", "dy")
    EPISODE_ATTRIBUTES = ("point",)
    IMAGE_SIZE = 96

    def __init__(self, observations="state", render_mode=None, width=128, height=96):
        super().__init__(
            spaces.Box(-2.0, 2.0, (4,), np.float32),
            spaces.Box(-STEP, STEP, (2,), np.float32),
            observations=observations,
            render_mode=render_mode,
            picture_size=(width, height),
        )
        self.point = self.target = np.zeros(2)

    @property
    def state(self):
        return np.concatenate([self.point, self.target]).astype(np.float32)

    def _reset_world(self):
        self.point, self.target = self.np_random.uniform(-1, 1, (2, 2))

    def _step_world(self, action):
        self.point = np.clip(self.point + np.clip(action, -STEP, STEP), -2, 2)
        return -self._distance(), self._distance() < REACHED

    def _info(self):
        return {"is_success": self._distance() < REACHED, "distance": self._distance()}

    def _draw(self):
        return self._picture(*self.picture_size)

    def _observe_image(self):
        return self._picture(self.IMAGE_SIZE, self.IMAGE_SIZE)

    def _simulator_undone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def _free(self):
        pass

    def _distance(self):
        return float(np.linalg.norm(self.point - self.target))

    def _picture(self, width, height):
        picture = np.zeros((height, width, 3), np.uint8)
        for number, where in enumerate((self.point, self.target)):
            column, row = ((where + 2) / 4 * (width - 9, height - 9)).astype(int)
            picture[row : row + 8, column : column + 8, number] = 255
        return picture


class ReachExpert(Expert[Reach]):
    ENV = Reach

    def reset(self):
        pass

    def act(self):
        return np.clip(self._env.target - self._env.point, -STEP, STEP).astype(np.float32)
