"""One run of a robot along a motion: it is driven, watched and measured, and can be filmed afterwards."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motiongen.atomic import atomic_path
from motiongen.render.caption import CaptionTrack
from motiongen.render.video import write_mp4
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.follower import Follower
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.studio import Studio, Window
from motiongen_sim.robots.trajectory import State
from motiongen_sim.robots.world import World

RATE = 30
"""Frames a second at which a robot is told where to be, and looked at."""
STEPS = SIMULATION_RATE // RATE
LINGER = 1.0
"""Seconds that are simulated after a fall, to see it."""
Progress = Callable[[int, int], None]
LEGS = ("hip", "knee", "ankle")


class Run:
    """A robot that follows states as they come.

    Args:
        robot: what is driven.
        root_assist: the helper force on its root, 0 (none) to 1.
        is_fixed: its pelvis is bolted down.
        upper_body: its legs stay as they are at zero, and are not measured.
        has_window: it is shown live, at the pace of life.
    """

    def __init__(
        self,
        robot: Robot,
        *,
        root_assist: float,
        is_fixed: bool = False,
        upper_body: bool = False,
        has_window: bool = False,
    ) -> None:
        self.robot, self.is_fixed, self._upper_body = robot, is_fixed, upper_body
        self._legs = [j for s in robot.segments if s.name.endswith(LEGS) for j in s.joints]
        balls_then_hinges = sorted(robot.joints, key=lambda joint: not joint.is_ball)
        self._measured = np.array([not upper_body or j.name not in self._legs for j in balls_then_hinges])
        self.joints = [j.name for j, keep in zip(balls_then_hinges, self._measured, strict=True) if keep]
        self._world = World(robot, assist=root_assist, is_fixed=is_fixed)
        self._window = Window(robot, RATE) if has_window else None
        self._follower: Follower | None = None
        self._fallen_frames = 0
        self._errors: list[Array] = []  # (J,) degrees of each frame while upright
        self.states: list[tuple[State, State]] = []
        self.computing = 0.0

    def follow(self, goal: State, frames: int = 1) -> bool:
        """Go on to a goal in so many frames' time; return False when there is no more to see after a fall."""
        begun = time.process_time()
        goal = self._hold_legs(goal)
        if self._follower is None:
            self._follower, state = Follower(self._world, goal), goal
        else:
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
        return self._fallen_frames < LINGER * RATE

    @property
    def seconds(self) -> float:
        """Seconds simulated."""
        return (len(self.states) - 1) / RATE

    @property
    def upright(self) -> float:
        """Seconds before the fall; all of them where there was none."""
        return self.seconds - self._fallen_frames / RATE

    @property
    def has_fallen(self) -> bool:
        """Whether it fell."""
        return self._fallen_frames > 0

    @property
    def errors(self) -> Array:
        """Angle (T, J) between joints and goals while upright, degrees; J joints that are measured."""
        return np.array(self._errors) if self._errors else np.zeros((1, len(self.joints)))

    def film(
        self, path: str | Path, words: str, size: tuple[int, int], progress: Progress | None = None
    ) -> None:
        """Write an .mp4: the robot, in grey beside it where it should be, and words under them."""
        size = (size[0] // 2 * 2, size[1] // 2 * 2)
        studio = Studio(self.robot, size, has_ghost=True)
        track = CaptionTrack([(0.0, np.inf, words)], size)

        def pictures() -> Iterator[NDArray[np.uint8]]:
            for frame, pair in enumerate(self.states, start=1):
                picture = studio.draw(pair)
                track.draw(picture, 0.0)
                yield picture
                if progress is not None:
                    progress(frame, len(self.states))

        try:
            with atomic_path(path) as aside:
                write_mp4(pictures(), aside, size, RATE)
        finally:
            studio.close()

    def close(self) -> None:
        """Free the physics server and the window."""
        self._world.close()
        if self._window is not None:
            self._window.close()

    def _hold_legs(self, goal: State) -> State:
        if not self._upper_body:
            return goal
        pose, velocity = goal.pose.copy(), goal.velocity.copy()
        for name in self._legs:
            joint = self.robot.joint_of[name]
            pose[joint.q], velocity[joint.v] = self.robot.zero_pose[joint.q], 0.0
        return replace(goal, pose=pose, velocity=velocity)
