"""Reference: a trajectory to be tracked, at the control rate, with the positions that the reward compares."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from motiongen.motion import Motion
from motiongen_sim.robots import mocap, quaternion
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.measurement import measure
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.retarget import retarget
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState, Trajectory

CONTROL_RATE = 30
SUBSTEPS = SIMULATION_RATE // CONTROL_RATE
CYCLE_SECONDS = 5.0
"""Duration of an episode whose reference is a cycle, in seconds."""
LONGEST = 10.0
"""Longest duration of an episode, in seconds."""
LATEST_START = 0.5
"""Share of a clip without a cycle within which episodes begin."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Reference:
    """A trajectory to be tracked, at 30 Hz.

    Attributes:
        name: of the clip.
        trajectory: its frames.
        cycle: period in frames; 0 for a clip that is no cycle.
        first: frame of the trajectory at which the episode begins.
    """

    name: str
    trajectory: Trajectory
    cycle: int = 0
    first: int = 0

    @property
    def steps(self) -> int:
        """Number of control steps of an episode."""
        left = len(self.trajectory) - 1 - self.first
        return min(left, round((CYCLE_SECONDS if self.cycle else LONGEST) * CONTROL_RATE))

    def starting(self, phase: float) -> Self:
        """Return the reference with another first frame.

        Args:
            phase: in [0, 1), of the cycle, or of the first half of a clip without one.
        """
        span = self.cycle or int(LATEST_START * (len(self.trajectory) - 1))
        later = replace(self, first=int(phase * span))
        later.__dict__.update(_states=self._states, _measures=self._measures)  # computed once
        return later

    def at(self, frame: int) -> RobotState:
        """Return the target state at a frame of the episode; after the end, the last one."""
        return self._states[min(self.first + frame, len(self._states) - 1)]

    def measures(self, frame: int) -> tuple[Array, Array]:
        """Return the positions of the end effectors (4, 3) and of the centre of mass (3,) at a frame."""
        tips, centres = self._measures
        index = min(self.first + frame, len(centres) - 1)
        return tips[index], centres[index]

    @cached_property
    def _states(self) -> list[RobotState]:
        return self.trajectory.states()

    @cached_property
    def _measures(self) -> tuple[Array, Array]:
        return measure(self.trajectory.robot, self._states)


def motion_reference(motion: Motion, robot: Robot) -> Reference:
    """Return a motion as a reference from its first frame on, over the origin, facing +x.

    Args:
        motion: of any humanoid.
        robot: that is to track it.

    Raises:
        ValueError: a motion that is shorter than two control frames, or of no humanoid.
    """
    trajectory = retarget(motion.at_origin(), robot)[0].resample(CONTROL_RATE)
    if len(trajectory) < 3:
        raise ValueError(
            f"motion: expected at least 0.1 s to follow, got {motion.seconds:.2f} s; give a longer one"
        )
    return Reference(name="motion", trajectory=trajectory)


def clip_reference(name: str, robot: Robot) -> Reference:
    """Return a clip of DeepMimic's as a reference; a cycle is repeated.

    Args:
        name: of the clip, see `mocap.read`.
        robot: that is to track it.
    """
    trajectory = retarget(mocap.read(name), robot)[0].resample(CONTROL_RATE)
    if name not in mocap.CYCLES:
        return Reference(name=name, trajectory=trajectory)
    cycle = len(trajectory) - 1
    rounds = int(np.ceil(CYCLE_SECONDS / trajectory.seconds)) + 1
    return Reference(name=name, trajectory=repeat(trajectory, rounds), cycle=cycle)


def repeat(trajectory: Trajectory, rounds: int) -> Trajectory:
    """Return a cycle repeated: each round begins at the position and in the direction that the last one ended in.

    Args:
        trajectory: one round.
        rounds: number of rounds.
    """
    parts = [trajectory]
    for _ in range(rounds - 1):
        last, first = parts[-1], trajectory
        yaw = quaternion.yaw_of(last.rotation[-1]) - quaternion.yaw_of(first.rotation[0])
        turn = quaternion.about_z(yaw)
        shift = last.root[-1] - quaternion.rotate(turn, first.root[0])
        shift[2] = 0.0
        parts.append(
            replace(
                first[1:],
                root=quaternion.rotate(turn[None], first.root[1:]) + shift,
                rotation=quaternion.multiply(
                    np.broadcast_to(turn, first.rotation[1:].shape), first.rotation[1:]
                ),
            )
        )
    return replace(
        trajectory,
        root=np.concatenate([part.root for part in parts]),
        rotation=np.concatenate([part.rotation for part in parts]),
        pose=np.concatenate([part.pose for part in parts]),
    )
