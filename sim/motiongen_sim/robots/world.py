"""A robot on a floor, driven by stable PD control: what follows a reference, or what a policy acts in."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from motiongen_sim.robots.bench import foot_heights, standing
from motiongen_sim.robots.body import FRICTION, Body
from motiongen_sim.robots.bullet import connect, undone
from motiongen_sim.robots.pd import StablePD
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import State

FALLEN = 0.4
"""Of its height when standing: a robot whose root is lower has fallen."""
_AWAY = np.array([0.0, 0.0, 50.0])


class World:
    """One robot in a physics server of its own, with a floor at z = 0.

    Args:
        robot: what stands there.
        assist: how much its root is helped towards where it should be, 0 to 1.
        is_fixed: the root link is bolted down where it is when the robot stands.
    """

    def __init__(self, robot: Robot, *, assist: float = 0.0, is_fixed: bool = False) -> None:
        if not 0.0 <= assist <= 1.0:
            raise ValueError(f"root_assist: expected 0 (none) to 1 (full), got {assist}")
        self.robot, self.assist, self.is_fixed = robot, 0.0 if is_fixed else assist, is_fixed
        self._client = connect()
        shape = self._client.createCollisionShape(self._client.GEOM_PLANE)
        self._floor = int(self._client.createMultiBody(0.0, shape))
        self._client.changeDynamics(self._floor, -1, lateralFriction=FRICTION)
        self.body = Body(self._client, robot, is_fixed=is_fixed)
        self._pd = StablePD(self.body, assist)
        self.standing_height = -float(foot_heights(standing(robot))[0])

    def place(self, state: State) -> None:
        """Put the robot into a state at once."""
        # First far off the floor: kept contacts would let what came before leave a trace.
        self.body.place(replace(state, root=_AWAY))
        self._client.performCollisionDetection()
        self.body.place(state)

    def advance(self, targets: Sequence[State]) -> None:
        """Simulate a physics step for each target."""
        for target in targets:
            self._pd.drive(target)
            self._client.stepSimulation()

    def undone(self) -> AbstractContextManager[None]:
        """Take back what happens to the robot while the block runs."""
        return undone(self._client)

    @property
    def state(self) -> State:
        """How the robot is."""
        return self.body.read()

    @property
    def has_fallen(self) -> bool:
        """Whether its trunk touches the floor, or its root is near it."""
        if self.is_fixed:
            return False
        root = self.body.read().root
        return bool(root[2] < FALLEN * self.standing_height) or self.body.touches(
            self._floor, self.body.trunk
        )

    def close(self) -> None:
        """Free the physics server."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None
