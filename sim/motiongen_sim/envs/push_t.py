"""PushT: a T-shaped block is pushed into its outline; gym-pusht with a continuous angle and exact seeds."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from gym_pusht.envs.pusht import PushTEnv, pymunk_to_shapely
from gymnasium import spaces
from numpy.typing import NDArray

from motiongen_sim.envs.base import Image, Info, RobotEnv, State

CONTROL_RATE = 10
SIZE = 512.0
SOLVED = 0.95


class PushT(RobotEnv):
    """A round pusher moves a T-shaped block over a table until it lies in its outline (Florence et al. 2021).

    The simulation, the layouts for a seed and the pictures are gym-pusht's (the task of Diffusion Policy, Chi et al.
    2023). An episode is solved, and ends, once the block covers more than 95 % of the outline. The reward is the
    covered share / .95, at most 1.

    State (6,), pixels of a table of 512 x 512 (y points down): the pusher's x, y; the block's x, y (the middle of its
    bar's outer edge), and the cosine and sine of its angle, since an angle would jump at a full turn.
    Action (2,), pixels: the pusher's commanded position; a damped spring pulls it there at 10 Hz, in several steps.

    `info`: is_success; coverage, the largest share of the outline covered so far, as Diffusion Policy reports it;
    covered, the share now.

    Args:
        observations: "state", or "image" for the pusher's x, y and a picture of the table.
        render_mode: None or "rgb_array".
        width: of the rendered picture, in pixels.
        height: of the rendered picture, in pixels.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_RATE}  # noqa: RUF012 (gymnasium's own form)
    STATE_NAMES = ("pusher_x", "pusher_y", "block_x", "block_y", "block_cos", "block_sin")
    PROPRIOCEPTION_NAMES = STATE_NAMES[:2]
    ACTION_NAMES = ("pusher_target_x", "pusher_target_y")

    EPISODE_ATTRIBUTES = ("coverage", "covered")
    IMAGE_SIZE = 96

    def __init__(
        self, observations: str = "state", render_mode: str | None = None, width: int = 480, height: int = 480
    ) -> None:
        # A block that is pushed against a wall may give way a little.
        low, high = np.array([-SIZE] * 4 + [-1.0] * 2), np.array([2 * SIZE] * 4 + [1.0] * 2)
        super().__init__(
            spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32),
            spaces.Box(0.0, SIZE, (2,), np.float32),
            observations=observations,
            render_mode=render_mode,
            picture_size=(width, height),
        )
        self._table = PushTEnv(visualization_width=width, visualization_height=height)
        self.coverage = self.covered = 0.0

    def _reset_world(self) -> None:
        self._table.np_random = self.np_random
        self._table.reset()
        self._table._last_action = None
        self.coverage = self.covered = self._covered()

    def _step_world(self, action: NDArray[np.float64]) -> tuple[float, bool]:
        self._table.step(np.clip(action, 0.0, SIZE))
        self.covered = self._covered()
        self.coverage = max(self.coverage, self.covered)
        return min(self.covered / SOLVED, 1.0), self.covered > SOLVED

    def _info(self) -> Info:
        return {
            "is_success": self.covered > SOLVED,
            "coverage": self.coverage,
            "covered": self.covered,
        }

    def _draw(self) -> Image:
        return np.asarray(self._table.render())

    def _observe_image(self) -> Image:
        return np.asarray(self._table._render())

    @contextmanager
    def _simulator_undone(self) -> Iterator[None]:
        kept = self._table
        self._table = _copy(kept)
        try:
            yield
        finally:
            self._table = kept

    def _free(self) -> None:
        self._table.close()

    @property
    def state(self) -> State:
        """The pusher and the block (6,), as STATE_NAMES names them."""
        x, y, angle = self.block
        return np.array([*self.pusher, x, y, np.cos(angle), np.sin(angle)], dtype=np.float32)

    @property
    def pusher(self) -> NDArray[np.float64]:
        """Position of the pusher's centre (2,), in pixels."""
        return np.array(self._table.agent.position)

    @property
    def block(self) -> NDArray[np.float64]:
        """The block's x, y in pixels and its angle in radians (3,)."""
        return np.array([*self._table.block.position, self._table.block.angle])

    @property
    def goal(self) -> NDArray[np.float64]:
        """The outline's x, y in pixels and its angle in radians (3,)."""
        return np.asarray(self._table.goal_pose)

    def _covered(self) -> float:
        """Return the share of the outline that the block covers now."""
        # gym-pusht's own sum goes through the shapes as a set: its last bit differs from run to run.
        shapes = self._table._block_shapes
        outline = pymunk_to_shapely(self._table.get_goal_pose_body(self.goal), shapes)
        block = pymunk_to_shapely(self._table.block, shapes)
        return float(outline.intersection(block).area / outline.area)


def _copy(table: PushTEnv) -> PushTEnv:
    """Return a copy of a table, without the contacts that its solver keeps: they differ by up to .03 pixels a step."""
    made = PushTEnv(
        visualization_width=table.visualization_width, visualization_height=table.visualization_height
    )
    made._setup()
    for body, model in ((made.agent, table.agent), (made.block, table.block)):
        body.angle = model.angle  # before the position: it turns about the centre of gravity
        body.position = model.position
        body.velocity, body.angular_velocity = model.velocity, model.angular_velocity
    made._last_action = table._last_action
    return made
