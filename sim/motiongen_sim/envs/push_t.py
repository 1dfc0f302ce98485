"""Push a T into its outline: gym-pusht's simulation, with an angle that does not jump and exact seeds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
from gym_pusht.envs.pusht import PushTEnv, pymunk_to_shapely
from gymnasium import spaces
from numpy.typing import NDArray

CONTROL_RATE = 10
SIZE = 512.0
SOLVED = 0.95
IMAGE_SIZE = 96


class PushT(gymnasium.Env[Any, NDArray[np.float32]]):
    """A round pusher moves a T-shaped block over a table until it lies in its outline (Florence et al. 2021).

    The simulation, the layouts for a seed and the pictures are gym-pusht's (the task of Diffusion Policy, Chi et al.
    2023). An episode is solved, and ends, once the block covers more than 95 % of the outline. The reward is the
    covered share / .95, at most 1.

    State (6,), pixels of a table of 512 x 512 (y points down): the pusher's x, y; the block's x, y (the middle of its
    bar's outer edge), and the cosine and sine of its angle, since an angle would jump at a full turn.
    Action (2,), pixels: where the pusher is to go; a damped spring pulls it there at 10 Hz, and needs several steps.

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

    def __init__(
        self, observations: str = "state", render_mode: str | None = None, width: int = 480, height: int = 480
    ) -> None:
        if observations not in ("state", "image"):
            raise ValueError(f"observations: expected state or image, got {observations!r}; pick one")
        self.observations = observations
        self.render_mode = render_mode
        self._table = PushTEnv(visualization_width=width, visualization_height=height)
        self.action_space = spaces.Box(0.0, SIZE, (2,), np.float32)
        self.observation_space = self._observation_space()
        self.coverage = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Put pusher and block in new places. Returns the observation and the info."""
        super().reset(seed=seed, options=options)
        self._table.np_random = self.np_random
        self._table.reset()
        self._table._last_action = None
        self.coverage = 0.0
        return self._observation(), self._info()

    def step(self, action: NDArray[np.float32]) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Pull the pusher towards `action` (2,) for a tenth of a second."""
        target = np.clip(np.asarray(action, dtype=np.float64), 0.0, SIZE)
        self._table.step(target)
        info = self._info()
        return self._observation(), min(info["covered"] / SOLVED, 1.0), info["is_success"], False, info

    def render(self) -> NDArray[np.uint8] | None:
        """Return a picture (height, width, 3), or None when no render mode was asked for."""
        if self.render_mode is None:
            return None
        return np.asarray(self._table.render())

    def close(self) -> None:
        """Nothing is held."""
        self._table.close()

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take back all steps that are taken while the block runs."""
        kept = self._table, self.coverage
        self._table = _copy(self._table)
        try:
            yield
        finally:
            self._table, self.coverage = kept

    @property
    def state(self) -> NDArray[np.float32]:
        """What STATE_NAMES name."""
        x, y, angle = self.block
        return np.array([*self.pusher, x, y, np.cos(angle), np.sin(angle)], dtype=np.float32)

    @property
    def pusher(self) -> NDArray[np.float64]:
        """Where the pusher's centre is (2,), in pixels."""
        return np.array(self._table.agent.position)

    @property
    def block(self) -> NDArray[np.float64]:
        """The block's x, y in pixels and its angle in radians (3,)."""
        return np.array([*self._table.block.position, self._table.block.angle])

    @property
    def goal(self) -> NDArray[np.float64]:
        """The outline's x, y in pixels and its angle in radians (3,)."""
        return np.asarray(self._table.goal_pose)

    def _info(self) -> dict[str, Any]:
        covered = self._covered()
        self.coverage = max(self.coverage, covered)
        return {"is_success": covered > SOLVED, "coverage": self.coverage, "covered": covered}

    def _covered(self) -> float:
        # gym-pusht's own sum goes through the shapes as a set: its last bit differs from run to run.
        shapes = self._table._block_shapes
        outline = pymunk_to_shapely(self._table.get_goal_pose_body(self.goal), shapes)
        block = pymunk_to_shapely(self._table.block, shapes)
        return float(outline.intersection(block).area / outline.area)

    def _observation(self) -> Any:
        if self.observations == "state":
            return self.state
        return {"state": self.state[:2], "image": np.asarray(self._table._render())}

    def _observation_space(self) -> spaces.Space[Any]:
        # What is pushed against a wall may give way a little.
        low, high = np.array([-SIZE] * 4 + [-1.0] * 2), np.array([2 * SIZE] * 4 + [1.0] * 2)
        if self.observations == "state":
            return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
        own = spaces.Box(low[:2].astype(np.float32), high[:2].astype(np.float32), dtype=np.float32)
        return spaces.Dict({"state": own, "image": spaces.Box(0, 255, (IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)})


def _copy(table: PushTEnv) -> PushTEnv:
    """Return a table where all is as on another, but for what its solver keeps of contacts: up to .03 pixels a step."""
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
