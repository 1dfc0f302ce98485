"""HumanoidTrack: a robot in physics tracks a reference motion (DeepMimic, Peng et al. 2018)."""

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from motiongen.motion import Motion
from motiongen_sim.envs.base import Image, Info, RobotEnv, State
from motiongen_sim.envs.humanoid_state import AHEAD, action_names, observe, robot_names, state_names
from motiongen_sim.robots import catalog, quaternion
from motiongen_sim.robots.follower import interpolate
from motiongen_sim.robots.humanoid import HUMANOID
from motiongen_sim.robots.reference import CONTROL_RATE, SUBSTEPS, Reference, clip_reference, motion_reference
from motiongen_sim.robots.renderer import RobotRenderer
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.robots.world import World

CLIPS = ("walk", "run", "jump", "dance_a", "dance_b", "punch", "kick")
"""PyBullet's clips of DeepMimic, without those that leave the feet."""
MOST = 100.0
"""Largest number in an observation; larger ones are clipped."""
SUCCESS_ERROR = 10.0
"""Degrees of mean joint tracking error up to which a motion counts as followed."""


class HumanoidTrack(RobotEnv):
    """A robot tracks a reference motion; its actions are the targets of its joints, at 30 Hz.

    Joints are driven by stable PD control at 240 Hz; targets are interpolated from one action to the next.
    `root_assist` is a helper force that pulls the root to the reference's: 1 for full assistance (the default: nothing
    falls), 0 for none, as a real robot has none.

    State (283,) for the humanoid, in metres, radians and seconds: the robot, then the reference in the next frame and
    in the one after it. Each is the root's height (1), its rotation as 6-D in the robot's heading frame (6), its
    linear (3) and angular (3) velocity there, the joints (6-D of balls, angles of hinges) and their velocities; a
    reference begins with where its root is, from the robot's root in the heading frame, on the ground (2).
    Action (28,) in half turns (1 is pi radians): a rotation vector for each ball joint, from its neutral rotation (arms
    out to the sides, zero elsewhere), and an angle for each hinge, cut to its limits, in the robot's order. The G1 has
    29 hinges.

    Reward (the paper's, for imitation): .65 of pose, .1 of velocity, .15 of hands and feet, .1 of the centre of mass.
    The root counts as one of the joints, as in the authors' code.

    An episode ends (`terminated`) where the reference does, or with a fall. `info`: is_success (the reference was
    followed to its end, without a fall, with a mean joint error of at most 10 degrees), tracking_error (mean angle
    between the joints and the reference's so far, degrees), root_assist, clip.

    Args:
        observations: "state".
        render_mode: None or "rgb_array".
        robot: "humanoid" or "g1" (needs motiongen[g1]).
        motion: a person's motion or its file, followed from its beginning; without one each episode draws a clip of
            DeepMimic's (walk, run, jump, dances, punch, kick) and where in it to begin.
        root_assist: 0 to 1.
        width: of the rendered picture, in pixels.
        height: of the rendered picture, in pixels.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": CONTROL_RATE}  # noqa: RUF012 (gymnasium's own form)
    # Of the humanoid; those of another robot are its environment's own.
    STATE_NAMES = state_names(HUMANOID)
    PROPRIOCEPTION_NAMES = robot_names(HUMANOID)
    ACTION_NAMES = action_names(HUMANOID)

    OBSERVATIONS = ("state",)
    EPISODE_ATTRIBUTES = ("frame", "_target", "_error", "_is_success")

    def __init__(
        self,
        observations: str = "state",
        render_mode: str | None = None,
        robot: str = "humanoid",
        motion: Motion | str | Path | None = None,
        root_assist: float = 1.0,
        width: int = 480,
        height: int = 360,
    ) -> None:
        self.robot = catalog.lookup(robot)
        self.STATE_NAMES = state_names(self.robot)
        self.PROPRIOCEPTION_NAMES = robot_names(self.robot)
        self.ACTION_NAMES = action_names(self.robot)
        super().__init__(
            spaces.Box(-MOST, MOST, (len(self.STATE_NAMES),), np.float32),
            spaces.Box(-1.0, 1.0, (self.robot.dof,), np.float32),
            observations=observations,
            render_mode=render_mode,
            picture_size=(width, height),
        )
        self.root_assist = root_assist
        self._motion = motion if motion is None or isinstance(motion, Motion) else Motion.load(motion)
        self._world = World(self.robot, assist=root_assist)
        self._renderer: RobotRenderer | None = None
        self._references: dict[str, Reference] = {}
        self.reference: Reference
        self.frame = 0
        self._target: RobotState
        self._error, self._is_success = 0.0, False

    def _reset_world(self) -> None:
        self.reference = self._draw_reference()
        self.frame, self._error, self._is_success = 0, 0.0, False
        self._target = self.reference.at(0)
        self._world.set_state(self._target)
        if self._renderer is not None:
            self._renderer.reset_camera()

    def _step_world(self, action: NDArray[np.float64]) -> tuple[float, bool]:
        pose = self.robot.pose_of_action(np.pi * np.clip(action, -1.0, 1.0))
        self.frame += 1
        goal = self.reference.at(self.frame)
        target = replace(goal, pose=pose)  # the helper force pulls to the reference's root
        self._world.advance(interpolate(self.robot, self._target, target, SUBSTEPS))
        self._target, state = target, self._world.state
        self._error += float(np.degrees(self.robot.joint_errors(state.pose, goal.pose).mean()))
        has_fallen, is_over = self._world.has_fallen, self.frame >= self.reference.steps
        self._is_success = is_over and not has_fallen and self.tracking_error <= SUCCESS_ERROR
        return self._reward(state, goal), has_fallen or is_over

    def _draw(self) -> Image:
        """Return a picture of the robot, and of the reference beside it in grey."""
        if self._renderer is None:
            self._renderer = RobotRenderer(self.robot, self.picture_size, with_reference=True)
        return self._renderer.draw([self._world.state, self.reference.at(self.frame)])

    def _free(self) -> None:
        self._world.close()
        if self._renderer is not None:
            self._renderer.close()

    def _simulator_undone(self) -> AbstractContextManager[None]:
        return self._world.undone()

    @property
    def tracking_error(self) -> float:
        """Mean angle between the joints and the reference's since the reset, in degrees."""
        return self._error / max(self.frame, 1)

    @property
    def state(self) -> State:
        """The robot and the reference in the next two frames (D,), as STATE_NAMES names them."""
        goals = [self.reference.at(self.frame + ahead) for ahead in range(1, AHEAD + 1)]
        return np.clip(observe(self.robot, self._world.state, goals), -MOST, MOST).astype(np.float32)

    @property
    def robot_state(self) -> RobotState:
        """Positions and velocities of the robot."""
        return self._world.state

    def _draw_reference(self) -> Reference:
        if self._motion is not None:
            if not self._references:
                self._references["motion"] = motion_reference(self._motion, self.robot)
            return self._references["motion"]
        name = CLIPS[int(self.np_random.integers(len(CLIPS)))]
        if name not in self._references:
            self._references[name] = clip_reference(name, self.robot)
        return self._references[name].starting(float(self.np_random.random()))

    def _reward(self, state: RobotState, goal: RobotState) -> float:
        """Return the paper's imitation reward."""
        turn = quaternion.log(quaternion.multiply(goal.rotation, quaternion.inverse(state.rotation)))
        poses = np.sum(self.robot.joint_errors(state.pose, goal.pose) ** 2) + np.sum(turn**2)
        speeds = np.sum((state.velocity - goal.velocity) ** 2) + np.sum((state.angular - goal.angular) ** 2)
        tips, centre = self.reference.measures(self.frame)
        ends = np.sum((self._world.body.end_effectors() - tips) ** 2)
        centres = np.sum((self._world.body.centre_of_mass() - centre) ** 2)
        return float(
            0.65 * np.exp(-2.0 * poses)
            + 0.1 * np.exp(-0.1 * speeds)
            + 0.15 * np.exp(-40.0 * ends)
            + 0.1 * np.exp(-10.0 * centres)
        )

    def _info(self) -> Info:
        return {
            "is_success": self._is_success,
            "tracking_error": self.tracking_error,
            "root_assist": self.root_assist,
            "clip": self.reference.name,
        }
