"""BlockPush: an arm pushes two blocks into two squares, in any order (multimodal block pushing)."""

from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from motiongen_sim.envs.base import Info, State
from motiongen_sim.envs.bullet_env import BulletEnv
from motiongen_sim.robots.bullet import SIMULATION_RATE, Camera, connect, yaw_quaternion
from motiongen_sim.robots.xarm import XArm6

CONTROL_RATE = 10
WORKSPACE = np.array([[0.15, -0.5], [0.7, 0.5]])
STICK_HEIGHT = 0.06
STICK_START = np.array([0.3, -0.4])
MAX_STEP = 0.03
BLOCK_SIZE = 0.04
BLOCK_MASS = 0.05
TARGET_SIZE = 0.14
TOLERANCE = 0.05
FIRST_REWARD, SECOND_REWARD = 0.49, 0.51
BLOCKS_CENTRE, BLOCKS_SPREAD = np.array([0.4, -0.2]), np.array([0.1, 0.15])
TARGETS_CENTRE, TARGETS_SPREAD = np.array([0.4, 0.2]), np.array([0.005, 0.0075])
# Along x alone: the blocks stand in lanes of their own, so each can be reached.
MIN_BLOCK_DISTANCE = 0.1
TARGETS_APART = 0.12
MAX_TARGET_YAW = np.pi / 30
BLOCK_COLORS = ((0.91, 0.45, 0.13, 1.0), (0.16, 0.44, 0.80, 1.0))
TARGET_COLORS = ((0.20, 0.62, 0.33, 1.0), (0.56, 0.30, 0.69, 1.0))
TABLE_COLOR = (0.87, 0.86, 0.83, 1.0)


class BlockPush(BulletEnv):
    """Two blocks, two targets, any order (Implicit Behavioral Cloning, Florence et al. 2021, its multimodal variant).

    An xArm6 holds a round stick upright and moves it over a table at 10 Hz. An episode is solved once each block's
    centre lies within 5 cm of a target's, not both of the same; it pays .49 when the first block reaches a target
    and .51 when both lie in theirs.

    State (16,), metres and radians: each block's x, y, yaw; the stick's x, y; its commanded position, x, y; each
    target's x, y, yaw. Yaws are in [-pi/2, pi/2), since a half turn leaves a square as it is.
    Action (2,), metres: change of the stick's commanded position in x and y, at most 3 cm each. (The published space
    is wider, 10 cm, but its demonstrations stay within about 3.)

    `info`: is_success; p1, p2 (1.0 once a block has reached a target, once both lie in theirs); first_block and
    first_target, which they were (-1 before).

    Deviations from the published environment: the commanded position moves evenly over the control period instead of
    jumping; the stick is a link of the arm, as wide as a block, instead of a suction head on a soft constraint; the
    arm follows its closed-form inverse kinematics; the first reward is paid once, not for each pair of block and
    target; and yaws are in [-pi/2, pi/2) instead of [0, pi), where the targets' would jump from end to end.

    Args:
        observations: "state", or "image" for the stick's own four numbers and a picture of the table.
        render_mode: None or "rgb_array".
        width: of the rendered picture, in pixels.
        height: of the rendered picture, in pixels.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_RATE}  # noqa: RUF012 (gymnasium's own form)
    STATE_NAMES = (
        *("block_x", "block_y", "block_yaw", "block2_x", "block2_y", "block2_yaw"),
        *("effector_x", "effector_y", "effector_target_x", "effector_target_y"),
        *("target_x", "target_y", "target_yaw", "target2_x", "target2_y", "target2_yaw"),
    )
    PROPRIOCEPTION_NAMES = STATE_NAMES[6:10]
    ACTION_NAMES = ("effector_target_dx", "effector_target_dy")
    EPISODE_ATTRIBUTES = ("stick_target", "first", "solved")
    IMAGE_SIZE = 128
    CAMERA = Camera(eye=(0.98, -0.02, 0.72), target=(0.36, -0.02, 0.0), field_of_view=42.0)
    # From low in front, past the hand, which from higher up hides the blocks; the workspace is twice as wide as deep.
    IMAGE_CAMERA = Camera(eye=(1.28, -0.07, 0.62), target=(0.40, -0.07, 0.02), field_of_view=25.0, aspect=1.8)

    def __init__(
        self, observations: str = "state", render_mode: str | None = None, width: int = 480, height: int = 360
    ) -> None:
        super().__init__(
            _state_space(),
            spaces.Box(-MAX_STEP, MAX_STEP, (2,), np.float32),
            observations=observations,
            render_mode=render_mode,
            picture_size=(width, height),
        )
        self._client = connect()
        self._arm = XArm6(self._client, STICK_HEIGHT, coarse=observations == "image")
        _add_table(self._client)
        self._blocks = [_add_block(self._client, color) for color in BLOCK_COLORS]
        self._targets = [_add_target(self._client, color) for color in TARGET_COLORS]
        self.stick_target = STICK_START.copy()
        self.target_poses = np.zeros((2, 3))
        self.first = (-1, -1)
        self.solved = False

    def _reset_world(self) -> None:
        self.stick_target = STICK_START.copy()
        self.target_poses = self._draw_targets()
        self.place_blocks(self._draw_blocks())
        for body, (x, y, yaw) in zip(self._targets, self.target_poses, strict=True):
            self._client.resetBasePositionAndOrientation(body, [x, y, 0.0], yaw_quaternion(yaw))
        self._arm.set_position(STICK_START)
        self._move(STICK_START)  # the blocks settle
        self.first, self.solved = (-1, -1), False

    def _step_world(self, action: NDArray[np.float64]) -> tuple[float, bool]:
        delta = np.clip(action, -MAX_STEP, MAX_STEP)
        self._move(np.clip(self.stick_target + delta, *WORKSPACE))
        return self._judge(), self.solved

    def place_blocks(self, poses: NDArray[np.float64]) -> None:
        """Put the blocks at x, y, yaw (2, 3), at rest."""
        # First far off each other and all else: kept contacts would let what came before leave a trace.
        for number, body in enumerate(self._blocks, start=1):
            self._client.resetBasePositionAndOrientation(
                body, [0.0, 0.0, -float(number)], [0.0, 0.0, 0.0, 1.0]
            )
        self._client.performCollisionDetection()
        for body, (x, y, yaw) in zip(self._blocks, poses, strict=True):
            self._client.resetBasePositionAndOrientation(body, [x, y, BLOCK_SIZE / 2], yaw_quaternion(yaw))

    @property
    def block_poses(self) -> NDArray[np.float64]:
        """Each block's x, y, yaw (2, 3)."""
        poses = [self._client.getBasePositionAndOrientation(body) for body in self._blocks]
        yaws = [2 * np.arctan2(quaternion[2], quaternion[3]) for _, quaternion in poses]
        return np.array(
            [[*centre[:2], _half_turn(yaw)] for (centre, _), yaw in zip(poses, yaws, strict=True)]
        )

    @property
    def block_heights(self) -> NDArray[np.float64]:
        """Height of each block's centre over the table (2,), in metres."""
        return np.array([self._client.getBasePositionAndOrientation(body)[0][2] for body in self._blocks])

    @property
    def state(self) -> State:
        """The blocks, the stick and the targets (16,), as STATE_NAMES names them."""
        return np.concatenate(
            [self.block_poses.ravel(), self.stick, self.stick_target, self.target_poses.ravel()],
            dtype=np.float32,
        )

    @property
    def stick(self) -> NDArray[np.float64]:
        """Position of the stick's tip (2,), in metres."""
        return self._arm.position()

    @property
    def inside(self) -> NDArray[np.bool_]:
        """Whether each block (rows) lies in each target (columns), (2, 2)."""
        apart = self.block_poses[:, None, :2] - self.target_poses[None, :, :2]
        return np.asarray(np.linalg.norm(apart, axis=-1) < TOLERANCE)

    def _move(self, stick_target: NDArray[np.float64]) -> None:
        self._arm.move(self.stick_target, stick_target, SIMULATION_RATE // CONTROL_RATE)
        self.stick_target = stick_target

    def _judge(self) -> float:
        """Update `first` and `solved`, and return the reward for blocks that newly lie in a target."""
        inside, reward = self.inside, 0.0
        if self.first == (-1, -1) and inside.any():
            block, target = np.argwhere(inside)[0]
            self.first = (int(block), int(target))
            reward += FIRST_REWARD
        if not self.solved and (inside.diagonal().all() or inside[::-1].diagonal().all()):
            self.solved = True
            reward += SECOND_REWARD
        return reward

    def _info(self) -> Info:
        return {
            "is_success": self.solved,
            "p1": float(self.first != (-1, -1)),
            "p2": float(self.solved),
            "first_block": self.first[0],
            "first_target": self.first[1],
        }

    def _draw_blocks(self) -> NDArray[np.float64]:
        """Return two poses (2, 3) that are far enough apart."""
        while True:
            centres = BLOCKS_CENTRE + self.np_random.uniform(-BLOCKS_SPREAD, BLOCKS_SPREAD, (2, 2))
            if abs(centres[0, 0] - centres[1, 0]) > MIN_BLOCK_DISTANCE:
                return np.column_stack([centres, self.np_random.uniform(-np.pi / 2, np.pi / 2, 2)])

    def _draw_targets(self) -> NDArray[np.float64]:
        """Return two poses (2, 3): the two sides in x, in random order."""
        side = TARGETS_APART * self.np_random.choice([-1.0, 1.0])
        centres = TARGETS_CENTRE + self.np_random.uniform(-TARGETS_SPREAD, TARGETS_SPREAD, (2, 2))
        centres[:, 0] += [side, -side]
        return np.column_stack([centres, self.np_random.uniform(-MAX_TARGET_YAW, MAX_TARGET_YAW, 2)])


def _state_space() -> spaces.Box:
    """Return the bounds of the state: blocks may be pushed off the workspace, but not far."""
    position_low, position_high = WORKSPACE[0] - 0.5, WORKSPACE[1] + 0.5
    pose_low, pose_high = [*position_low, -np.pi / 2], [*position_high, np.pi / 2]
    stick_low, stick_high = np.tile(WORKSPACE[0] - 0.1, 2), np.tile(WORKSPACE[1] + 0.1, 2)
    low = np.concatenate([pose_low, pose_low, stick_low, pose_low, pose_low], dtype=np.float32)
    high = np.concatenate([pose_high, pose_high, stick_high, pose_high, pose_high], dtype=np.float32)
    return spaces.Box(low, high, dtype=np.float32)


def _half_turn(yaw: float) -> float:
    """Return the angle in [-pi/2, pi/2) that looks the same on a square."""
    return float((yaw + np.pi / 2) % np.pi - np.pi / 2)


def _add_table(client: Any) -> None:
    size = [0.5, 0.75, 0.05]
    shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=size)
    look = client.createVisualShape(client.GEOM_BOX, halfExtents=size, rgbaColor=TABLE_COLOR)
    body = client.createMultiBody(0.0, shape, look, [0.35, 0.0, -size[2]])
    client.changeDynamics(body, -1, lateralFriction=1.0)


def _add_block(client: Any, color: tuple[float, ...]) -> int:
    half = [BLOCK_SIZE / 2] * 3
    shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=half)
    look = client.createVisualShape(client.GEOM_BOX, halfExtents=half, rgbaColor=color)
    body = int(client.createMultiBody(BLOCK_MASS, shape, look))
    client.changeDynamics(body, -1, lateralFriction=0.5)
    return body


def _add_target(client: Any, color: tuple[float, ...]) -> int:
    """Add a square outline that lies on the table and touches nothing."""
    half, thick, high = TARGET_SIZE / 2, 0.008, 0.0005
    long, short = [half + thick, thick, high], [thick, half - thick, high]
    look = client.createVisualShapeArray(
        shapeTypes=[client.GEOM_BOX] * 4,
        halfExtents=[long, long, short, short],
        rgbaColors=[list(color)] * 4,
        visualFramePositions=[[0, half, high], [0, -half, high], [half, 0, high], [-half, 0, high]],
    )
    return int(client.createMultiBody(0.0, -1, look))
