"""PandaPush, PandaPickAndPlace, PandaStack: panda-gym's tasks with flat observations and exact seeds."""

import tempfile
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from motiongen_sim.envs.base import Info, State
from motiongen_sim.envs.bullet_env import BulletEnv
from motiongen_sim.robots.bullet import Camera, silence

with silence():  # pybullet says its build time on being imported
    import pybullet_data
    from panda_gym.envs.robots.panda import Panda
    from panda_gym.envs.tasks.pick_and_place import PickAndPlace
    from panda_gym.envs.tasks.push import Push
    from panda_gym.envs.tasks.stack import Stack
    from panda_gym.pybullet import PyBullet

CONTROL_RATE = 25
MAX_STEP = 0.05
BASE = np.array([-0.6, 0.0, 0.0])
LARGEST = 50.0
"""No number of a state is larger: a cube that is struck may spin fast."""
TABLE_COLOR = (0.87, 0.86, 0.83, 1.0)
FLOOR_COLOR = (0.42, 0.43, 0.46, 1.0)
FINGERS, FINGER_COLOR = (9, 10), (0.25, 0.25, 0.28, 1.0)
GREEN, BLUE = (0.16, 0.62, 0.33, 1.0), (0.16, 0.44, 0.80, 1.0)
ORANGE, PURPLE = (0.95, 0.45, 0.10, 1.0), (0.56, 0.25, 0.69, 1.0)
CUBE_COLORS = {"object": GREEN, "object1": BLUE, "object2": GREEN}
GOAL_COLORS = {"target": ORANGE, "target1": PURPLE, "target2": ORANGE}
CUBE_SIZE = 0.04
CRITERIA = ("strict", "published")
STANDING_STEPS, STANDING_DISTANCE = 10, 0.02
STANDING_SPEED, STANDING_SPIN = 0.02, 0.5
"""A stack stands once, for so many steps, its cubes are nearer to their goals (m) and slower (m/s, rad/s) than this."""

_EFFECTOR = ("effector_x", "effector_y", "effector_z", "effector_vx", "effector_vy", "effector_vz")


def _cube_names(name: str) -> tuple[str, ...]:
    numbers = ("x", "y", "z", "roll", "pitch", "yaw", "vx", "vy", "vz", "wx", "wy", "wz")
    return tuple(f"{name}_{number}" for number in numbers)


class PandaEnv(BulletEnv):
    """Base of the three tasks of panda-gym 3 (Gallouédec et al. 2021): as published, but observed as one flat state.

    A seed gives the very layout that panda-gym has for it. An episode is solved, and ends, once the cubes are within
    the task's distance of their goals; every step before costs 1.

    State, metres, metres a second and radians: the effector's position and velocity (and the distance of its fingers,
    where they move), each cube's position, rotation (roll, pitch, yaw), velocity and angular velocity, and each goal.
    Action in [-1, 1]: the effector moves by up to 5 cm along x, y and z; the fingers, where they move, by up to 20 cm,
    1 to open and -1 to close, as far as they can.

    Pictures show goals as frames in another color than the cube's: panda-gym's transparent cubes look solid in
    PyBullet's software renderer, and would hide what is in them.

    Deviations from panda-gym: everything that came before leaves no trace (cubes are taken apart at a reset, and
    overlapping pairs are kept in one order), so that a seed gives the same episode always.

    Args:
        observations: "state", or "image" for the robot's own numbers and a picture of the table.
        render_mode: None or "rgb_array".
        width: of the rendered picture, in pixels.
        height: of the rendered picture, in pixels.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_RATE}  # noqa: RUF012 (gymnasium's own form)
    CUBES: ClassVar[tuple[str, ...]]
    GOALS: ClassVar[tuple[str, ...]]
    TASK: ClassVar[type[Any]]
    IMAGE_SIZE = 96
    CAMERA = Camera(eye=(0.80, -0.50, 0.60), target=(-0.06, 0.0, 0.10), field_of_view=40.0)
    IMAGE_CAMERA = Camera(eye=(0.62, -0.36, 0.56), target=(0.01, 0.0, 0.05), field_of_view=37.0)

    def __init__(
        self, observations: str = "state", render_mode: str | None = None, width: int = 480, height: int = 360
    ) -> None:
        super().__init__(
            spaces.Box(-LARGEST, LARGEST, (len(self.STATE_NAMES),), np.float32),
            spaces.Box(-1.0, 1.0, (len(self.ACTION_NAMES),), np.float32),
            observations=observations,
            render_mode=render_mode,
            picture_size=(width, height),
        )
        with silence():
            self._sim = PyBullet(renderer="Tiny")
        self._client = self._sim.physics_client
        # In one order: a world put back into a state goes on exactly as before.
        self._client.setPhysicsEngineParameter(deterministicOverlappingPairs=1)
        arm = _CoarsePanda if observations == "image" else Panda
        self._robot = arm(self._sim, block_gripper="gripper" not in self.ACTION_NAMES, base_position=BASE)
        self._task = self.TASK(self._sim)
        self._paint()

    def _reset_world(self) -> None:
        self._task.np_random = self.np_random
        # First far off each other and all else: kept contacts would let what came before leave a trace.
        for number, cube in enumerate(self.CUBES, start=1):
            self._sim.set_base_pose(
                cube, np.array([0.0, 0.0, -float(number)]), np.array([0.0, 0.0, 0.0, 1.0])
            )
        self._robot.reset()
        self._client.performCollisionDetection()
        self._task.reset()

    def _step_world(self, action: NDArray[np.float64]) -> tuple[float, bool]:
        self._simulate(action)
        is_solved = self._is_solved()
        return float(is_solved) - 1.0, is_solved

    def _simulate(self, action: NDArray[np.float64]) -> None:
        self._robot.set_action(action)
        self._sim.step()

    def _info(self) -> Info:
        return {"is_success": self._is_solved()}

    @property
    def state(self) -> State:
        """The effector, the cubes and the goals (D,), as STATE_NAMES names them."""
        parts = [self._robot.get_obs(), self._task.get_obs(), self._task.get_goal()]
        return np.concatenate(parts, dtype=np.float32)

    @property
    def effector(self) -> NDArray[np.float64]:
        """Position of the point between the fingertips (3,), in metres."""
        return np.asarray(self._robot.get_ee_position())

    @property
    def effector_velocity(self) -> NDArray[np.float64]:
        """Velocity of that point (3,), in metres a second."""
        return np.asarray(self._robot.get_ee_velocity())

    @property
    def opening(self) -> float:
        """Distance between the fingers, in metres."""
        return float(self._robot.get_fingers_width())

    @property
    def cubes(self) -> NDArray[np.float64]:
        """Positions of the cubes' centres (C, 3), in metres."""
        return np.stack([self._sim.get_base_position(cube) for cube in self.CUBES])

    @property
    def cube_velocities(self) -> NDArray[np.float64]:
        """Velocities of the cubes (C, 3), in metres a second."""
        return np.stack([self._sim.get_base_velocity(cube) for cube in self.CUBES])

    @property
    def goals(self) -> NDArray[np.float64]:
        """Goals of the cubes' centres (C, 3), in metres."""
        return np.asarray(self._task.get_goal().reshape(-1, 3))

    def _achieved(self) -> NDArray[np.float32]:
        # As panda-gym judges: in single precision.
        return np.asarray(self._task.get_achieved_goal(), dtype=np.float32)

    def _is_solved(self) -> bool:
        return bool(self._task.is_success(self._achieved(), self._task.get_goal()))

    def _paint(self) -> None:
        """Color the bodies, and replace the goals by frames."""
        bodies = self._sim._bodies_idx  # panda-gym's name -> PyBullet's number
        cube_colors = {name: CUBE_COLORS[name] for name in self.CUBES}
        for name, color in {"table": TABLE_COLOR, "plane": FLOOR_COLOR, **cube_colors}.items():
            self._client.changeVisualShape(bodies[name], -1, rgbaColor=color)
        for name in self.GOALS:
            self._client.removeBody(bodies[name])
            bodies[name] = _add_frame(self._client, GOAL_COLORS[name])


class PandaPush(PandaEnv):
    """A closed gripper pushes a cube over the table to within 5 cm of a target.

    State (21,), action (3,), 25 Hz, 50 steps; see PandaEnv.
    """

    PROPRIOCEPTION_NAMES = _EFFECTOR
    STATE_NAMES = (*_EFFECTOR, *_cube_names("cube"), "target_x", "target_y", "target_z")
    ACTION_NAMES = ("effector_dx", "effector_dy", "effector_dz")
    CUBES, GOALS, TASK = ("object",), ("target",), Push


class PandaPickAndPlace(PandaEnv):
    """A gripper carries a cube to within 5 cm of a target, which is on the table or up to 20 cm over it.

    State (22,), action (4,), 25 Hz, 50 steps; see PandaEnv.
    """

    PROPRIOCEPTION_NAMES = (*_EFFECTOR, "opening")
    STATE_NAMES = (*_EFFECTOR, "opening", *_cube_names("cube"), "target_x", "target_y", "target_z")
    ACTION_NAMES = ("effector_dx", "effector_dy", "effector_dz", "gripper")
    CUBES, GOALS, TASK = ("object",), ("target",), PickAndPlace


class PandaStack(PandaEnv):
    """A gripper puts one cube on a target and another one on top, lets go, and leaves a stack that stands.

    Two criteria say when it is solved, and ends:

    - "strict": for 10 steps neither cube was touched by the robot, each was within 2 cm of its own goal, and slower
      than 2 cm/s and 0.5 rad/s.
    - "published": panda-gym's: both cubes together, as one point in six dimensions, are within 10 cm of their goals,
      which is so while the second one still hangs a little over the first.

    `info` has `published` beside `is_success`: 1 once the published criterion was met at any step, as episodes of
    panda-gym would have ended there. Cubes may start on top of each other.

    State (37,), action (4,), 25 Hz, 100 steps; see PandaEnv.

    Args:
        criterion: "strict" or "published".
        options: of PandaEnv.

    Raises:
        ValueError: there is no such criterion.
    """

    PROPRIOCEPTION_NAMES = (*_EFFECTOR, "opening")
    STATE_NAMES = (
        *(*_EFFECTOR, "opening", *_cube_names("cube"), *_cube_names("cube2")),
        *("target_x", "target_y", "target_z", "target2_x", "target2_y", "target2_z"),
    )
    ACTION_NAMES = ("effector_dx", "effector_dy", "effector_dz", "gripper")
    CUBES, GOALS, TASK = ("object1", "object2"), ("target1", "target2"), Stack
    EPISODE_ATTRIBUTES = ("_steps_stood", "_was_published")

    def __init__(self, *, criterion: str = "strict", **options: Any) -> None:
        if criterion not in CRITERIA:
            raise ValueError(f"criterion: expected {' or '.join(CRITERIA)}, got {criterion!r}; pick one")
        super().__init__(**options)
        self.criterion = criterion

    def _reset_world(self) -> None:
        super()._reset_world()
        self._steps_stood, self._was_published = 0, super()._is_solved()

    def _simulate(self, action: NDArray[np.float64]) -> None:
        super()._simulate(action)
        self._steps_stood = self._steps_stood + 1 if self._stands() else 0
        self._was_published |= super()._is_solved()

    def _is_solved(self) -> bool:
        return self._was_published if self.criterion == "published" else self._steps_stood >= STANDING_STEPS

    def _starts_solved(self, info: Info) -> bool:
        return bool(info["published"])  # by either criterion, so that a seed gives the same world under both

    def _info(self) -> Info:
        return {**super()._info(), "published": float(self._was_published)}

    def _stands(self) -> bool:
        """Return whether both cubes are at their goals, at rest, and let go."""
        off = np.linalg.norm(self.cubes - self.goals, axis=1)
        if off.max() > STANDING_DISTANCE:
            return False
        spins = np.stack([self._sim.get_base_angular_velocity(cube) for cube in self.CUBES])
        if np.abs(self.cube_velocities).max() > STANDING_SPEED or np.abs(spins).max() > STANDING_SPIN:
            return False
        robot, bodies = self._sim._bodies_idx[self._robot.body_name], self._sim._bodies_idx
        return not any(self._client.getContactPoints(robot, bodies[cube]) for cube in self.CUBES)


class _CoarsePanda(Panda):  # type: ignore[misc]  # panda-gym has no types
    """The same arm, drawn by its collision shapes: a picture takes a fifth of the time, and looks alike from afar."""

    def _load_robot(self, file_name: str, base_position: NDArray[np.float64]) -> None:
        data = Path(pybullet_data.getDataPath()) / file_name
        text = data.read_text(encoding="utf-8").replace("meshes/visual", "meshes/collision")
        text = text.replace("package://", f"{data.parent.as_posix()}/")
        with tempfile.TemporaryDirectory() as folder, silence():
            path = Path(folder) / data.name
            path.write_text(text, encoding="utf-8")
            super()._load_robot(str(path), base_position)
        for finger in FINGERS:
            body = self.sim._bodies_idx[self.body_name]
            self.sim.physics_client.changeVisualShape(body, finger, rgbaColor=FINGER_COLOR)


def _add_frame(client: Any, color: tuple[float, ...]) -> int:
    """Add the twelve edges of a cube, which touch nothing."""
    middle, thick = CUBE_SIZE / 2, 0.003
    halves, places = [], []
    for axis in range(3):
        for one in (-middle, middle):
            for other in (-middle, middle):
                halves.append(np.roll([middle + thick, thick, thick], axis).tolist())
                places.append(np.roll([0.0, one, other], axis).tolist())
    look = client.createVisualShapeArray(
        shapeTypes=[client.GEOM_BOX] * 12,
        halfExtents=halves,
        rgbaColors=[list(color)] * 12,
        visualFramePositions=places,
    )
    return int(client.createMultiBody(0.0, -1, look))
