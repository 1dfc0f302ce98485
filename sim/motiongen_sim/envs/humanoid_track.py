"""Following a reference motion: a robot in physics is to move as a person did (DeepMimic, Peng et al. 2018)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from motiongen.motion import Motion
from motiongen_sim.envs.humanoid_state import action_names, observe, robot_names, state_names
from motiongen_sim.robots import catalog, quaternion
from motiongen_sim.robots.follower import glide
from motiongen_sim.robots.humanoid import HUMANOID
from motiongen_sim.robots.reference import CONTROL_RATE, SUBSTEPS, Reference, clip_reference, motion_reference
from motiongen_sim.robots.studio import Studio
from motiongen_sim.robots.trajectory import State
from motiongen_sim.robots.world import World

CLIPS = ("walk", "run", "jump", "dance_a", "dance_b", "punch", "kick")
"""Of PyBullet's clips of DeepMimic, those that keep on their feet."""
MOST = 100.0
"""Of any number in an observation: what flies off faster or farther is seen no better."""
SUCCESS_ERROR = 10.0
"""Degrees of mean joint tracking error up to which a motion counts as followed."""


class HumanoidTrack(gymnasium.Env[NDArray[np.float32], NDArray[np.float32]]):
    """A robot follows a reference motion by the targets that it gives its joints, at 30 Hz.

    Joints are driven by stable PD control at 240 Hz; targets glide from one action to the next. `root_assist` is a
    helper force that pulls the root to where the reference's is: 1 for full assistance (the default: nothing falls),
    0 for none, as a real robot has none.

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
        if observations != "state":
            raise ValueError(f"observations: expected state, got {observations!r}")
        self.robot = catalog.lookup(robot)
        self.render_mode, self.root_assist = render_mode, root_assist
        self._motion = motion if motion is None or isinstance(motion, Motion) else Motion.load(motion)
        self._picture_size = width, height
        self.STATE_NAMES = state_names(self.robot)
        self.PROPRIOCEPTION_NAMES = robot_names(self.robot)
        self.ACTION_NAMES = action_names(self.robot)
        self.action_space = spaces.Box(-1.0, 1.0, (self.robot.freedom,), np.float32)
        self.observation_space = spaces.Box(-MOST, MOST, (len(self.STATE_NAMES),), np.float32)
        self._world = World(self.robot, assist=root_assist)
        self._studio: Studio | None = None
        self._references: dict[str, Reference] = {}
        self.reference: Reference
        self.frame = 0
        self._target: State
        self._error = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Put the robot into the reference's first frame. Returns the observation and the info."""
        super().reset(seed=seed, options=options)
        self.reference = self._draw_reference()
        self.frame, self._error = 0, 0.0
        self._target = self.reference.at(0)
        self._world.place(self._target)
        if self._studio is not None:
            self._studio.cut()
        return self._observation(), self._info(is_success=False)

    def step(
        self, action: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Give the joints their targets (A,), half turns, and simulate a thirtieth of a second."""
        pose = self.robot.pose_of_action(np.pi * np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0))
        self.frame += 1
        goal = self.reference.at(self.frame)
        target = replace(goal, pose=pose)  # the helper's target is the reference's root
        self._world.advance(glide(self.robot, self._target, target, SUBSTEPS))
        self._target, state = target, self._world.state
        self._error += float(np.degrees(self.robot.joint_errors(state.pose, goal.pose).mean()))
        has_fallen, is_over = self._world.has_fallen, self.frame >= self.reference.steps
        is_success = is_over and not has_fallen and self.tracking_error <= SUCCESS_ERROR
        reward = self._reward(state, goal)
        return self._observation(), reward, has_fallen or is_over, False, self._info(is_success=is_success)

    def render(self) -> NDArray[np.uint8] | None:
        """Return a picture (height, width, 3): the robot, and the reference beside it in grey."""
        if self.render_mode is None:
            return None
        if self._studio is None:
            self._studio = Studio(self.robot, self._picture_size, has_ghost=True)
        return self._studio.draw([self._world.state, self.reference.at(self.frame)])

    def close(self) -> None:
        """Free the physics servers."""
        self._world.close()
        if self._studio is not None:
            self._studio.close()
            self._studio = None

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take back all steps that are taken while the block runs."""
        kept = self.frame, self._target, self._error
        try:
            with self._world.undone():
                yield
        finally:
            self.frame, self._target, self._error = kept

    @property
    def tracking_error(self) -> float:
        """Mean angle between the joints and the reference's since the reset, degrees."""
        return self._error / max(self.frame, 1)

    @property
    def state(self) -> State:
        """How the robot is."""
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

    def _reward(self, state: State, goal: State) -> float:
        """Return the paper's imitation reward."""
        turn = quaternion.log(quaternion.multiply(goal.rotation, quaternion.inverse(state.rotation)))
        poses = np.sum(self.robot.joint_errors(state.pose, goal.pose) ** 2) + np.sum(turn**2)
        speeds = np.sum((state.velocity - goal.velocity) ** 2) + np.sum((state.angular - goal.angular) ** 2)
        tips, centre = self.reference.measures(self.frame)
        ends = np.sum((self._world.body.tips() - tips) ** 2)
        centres = np.sum((self._world.body.centre_of_mass() - centre) ** 2)
        return float(
            0.65 * np.exp(-2.0 * poses)
            + 0.1 * np.exp(-0.1 * speeds)
            + 0.15 * np.exp(-40.0 * ends)
            + 0.1 * np.exp(-10.0 * centres)
        )

    def _observation(self) -> NDArray[np.float32]:
        goals = [self.reference.at(self.frame + ahead) for ahead in (1, 2)]
        return np.clip(observe(self.robot, self._world.state, goals), -MOST, MOST).astype(np.float32)

    def _info(self, *, is_success: bool) -> dict[str, Any]:
        return {
            "is_success": is_success,
            "tracking_error": self.tracking_error,
            "root_assist": self.root_assist,
            "clip": self.reference.name,
        }
