"""TrackingRun: simulates a robot that tracks target states, measures the error, and can write a video of it."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.atomic import atomic_path
from motiongen.render.caption import CaptionTrack
from motiongen.render.video import write_mp4
from motiongen_sim.robots import quaternion
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.follower import Follower
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.renderer import LiveWindow, RobotRenderer
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.robots.world import World

RATE = 30
"""Target states a second."""
STEPS = SIMULATION_RATE // RATE
PUSH_EVERY = 3.0
"""Time from one push to the next, in seconds."""
SECONDS_AFTER_FALL = 1.0
"""Simulated time after a fall, so that a video shows it."""
Progress = Callable[[int, int], None]
LEGS = ("hip", "knee", "ankle")


class TrackingRun:
    """A simulated robot that tracks target states one after the other, and the error that it makes.

    Args:
        robot: its description.
        root_assist: strength of the helper force on its root, 0 (none) to 1 (full).
        is_fixed: the pelvis is fixed to the world.
        upper_body: the legs keep their zero pose, and are left out of the error.
        has_balance: it keeps its balance by its own motors (`Balance`), without a helper force.
        push: impulse, in N s, that it is pushed with every PUSH_EVERY seconds: forwards, to the left, backwards …
        has_window: show the robot in a window, in real time.

    Attributes:
        joints: names of the joints whose error is measured.
        states: (reached, target) of each frame so far.
        computing: seconds of processor time that the simulation took.
    """

    def __init__(
        self,
        robot: Robot,
        *,
        root_assist: float,
        is_fixed: bool = False,
        upper_body: bool = False,
        has_balance: bool = False,
        push: float = 0.0,
        has_window: bool = False,
    ) -> None:
        self.robot, self.is_fixed, self._upper_body = robot, is_fixed, upper_body
        self._legs = [j for s in robot.segments if s.name.endswith(LEGS) for j in s.joints]
        balls_then_hinges = sorted(robot.joints, key=lambda joint: not joint.is_ball)
        self._measured = np.array([not upper_body or j.name not in self._legs for j in balls_then_hinges])
        self.joints = [j.name for j, keep in zip(balls_then_hinges, self._measured, strict=True) if keep]
        self._world = World(robot, assist=root_assist, is_fixed=is_fixed, has_balance=has_balance)
        self._push, self._pushes = push, 0
        self._window = LiveWindow(robot, RATE) if has_window else None
        self._follower: Follower | None = None
        self._fallen_frames = 0
        self._errors: list[Array] = []  # (J,) degrees of each frame while upright
        self.states: list[tuple[RobotState, RobotState]] = []
        self.computing = 0.0

    def follow(self, goal: RobotState, frames: int = 1) -> bool:
        """Simulate the way to the next target state. Returns False when the run is over, after a fall.

        Args:
            goal: the target; the first one is where the robot begins.
            frames: duration, in frames of 1 / RATE seconds.
        """
        begun = time.process_time()
        goal = self._hold_legs(goal)
        if self._follower is None:
            self._follower = Follower(self._world, goal)
            state = self._world.state
        else:
            if self._push and self.seconds >= (self._pushes + 1) * PUSH_EVERY:
                ahead = quaternion.yaw_of(self._world.state.rotation) + np.pi / 2 * self._pushes
                self._world.push(self._push * np.array([np.cos(ahead), np.sin(ahead), 0.0]))
                self._pushes += 1
            state = self._follower.follow(goal, frames * STEPS)
        if self._fallen_frames or self._world.has_fallen:
            self._fallen_frames += frames
        elif self.states:
            errors = np.degrees(self.robot.joint_errors(state.pose, goal.pose))
            self._errors.append(errors[self._measured])
        self.states += [(state, goal)] * frames if self.states else [(state, goal)]
        self.computing += time.process_time() - begun
        if self._window is not None:
            self._window.show(state)
        return self._fallen_frames < SECONDS_AFTER_FALL * RATE

    @property
    def seconds(self) -> float:
        """Simulated time, in seconds."""
        return (len(self.states) - 1) / RATE

    @property
    def upright(self) -> float:
        """Simulated time before a fall, or in all without one, in seconds."""
        return self.seconds - self._fallen_frames / RATE

    @property
    def has_fallen(self) -> bool:
        """Whether the robot fell."""
        return self._fallen_frames > 0

    @property
    def errors(self) -> Array:
        """Angles (T, J) between the measured joints and their targets, while upright, in degrees."""
        return np.array(self._errors) if self._errors else np.zeros((1, len(self.joints)))

    def save_video(
        self, path: str | Path, words: str, size: tuple[int, int], progress: Progress | None = None
    ) -> None:
        """Write an .mp4 of the robot and, in grey beside it, of its targets.

        Args:
            path: the file.
            words: a caption under the picture.
            size: width and height, in pixels.
            progress: called with (frames written, of all).
        """
        size = (size[0] // 2 * 2, size[1] // 2 * 2)
        renderer = RobotRenderer(self.robot, size, with_reference=True)
        track = CaptionTrack([(0.0, np.inf, words)], size)

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for frame, pair in enumerate(self.states, start=1):
                picture = renderer.draw(pair)
                track.draw(picture, 0.0)
                yield picture
                if progress is not None:
                    progress(frame, len(self.states))

        try:
            with atomic_path(path) as aside:
                write_mp4(pictures(), aside, size, RATE)
        finally:
            renderer.close()

    def close(self) -> None:
        """Free the physics server and the window."""
        self._world.close()
        if self._window is not None:
            self._window.close()

    def _hold_legs(self, goal: RobotState) -> RobotState:
        if not self._upper_body:
            return goal
        pose, velocity = goal.pose.copy(), goal.velocity.copy()
        for name in self._legs:
            joint = self.robot.joint_of[name]
            pose[joint.q], velocity[joint.v] = self.robot.zero_pose[joint.q], 0.0
        return replace(goal, pose=pose, velocity=velocity)
