"""World: one robot on a floor in PyBullet, under stable PD control or balance control."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

import numpy as np

from motiongen_sim.robots.balance import Balance
from motiongen_sim.robots.body import FRICTION, Body
from motiongen_sim.robots.bullet import SIMULATION_RATE, connect, undone
from motiongen_sim.robots.measurement import foot_heights, standing
from motiongen_sim.robots.pd import StablePD
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState

FALLEN = 0.4
"""Share of the standing height below which the root of a fallen robot is."""
PUSH = 0.1
"""Duration of a push, in seconds."""
_FLOOR = [50.0, 50.0, 1.0]
_AWAY = np.array([0.0, 0.0, 50.0])


class World:
    """One robot in a physics server of its own, with a floor at z = 0.

    Args:
        robot: its description.
        assist: strength of the helper force that pulls the root to its target, 0 (none) to 1 (full).
        is_fixed: the root link is fixed to the world.
        has_balance: it keeps its balance by its own motors, on a floor that feet do not sink into.

    Attributes:
        balance: its controller, where it has one.

    Raises:
        ValueError: an assistance out of range.
    """

    def __init__(
        self, robot: Robot, *, assist: float = 0.0, is_fixed: bool = False, has_balance: bool = False
    ) -> None:
        if not 0.0 <= assist <= 1.0:
            raise ValueError(f"root_assist: expected 0 (none) to 1 (full), got {assist}")
        self.robot, self.assist, self.is_fixed = robot, 0.0 if is_fixed else assist, is_fixed
        self._client = connect()
        self._floor = self._make_floor(has_balance)
        self._client.changeDynamics(self._floor, -1, lateralFriction=FRICTION)
        self.body = Body(self._client, robot, is_fixed=is_fixed)
        self.standing_height = -float(foot_heights(standing(robot))[0])
        self.balance = Balance(self.body, self.standing_height) if has_balance else None
        self._push, self._push_steps = np.zeros(6), 0
        self._pd = self.balance or StablePD(self.body, assist)

    def _make_floor(self, is_box: bool) -> int:
        """Return PyBullet's number of a floor at z = 0.

        On a plane a foot that has slid for 2 cm loses points of contact, and sinks in; a box finds them anew each step.
        """
        client = self._client
        if not is_box:
            return int(client.createMultiBody(0.0, client.createCollisionShape(client.GEOM_PLANE)))
        shape = client.createCollisionShape(client.GEOM_BOX, halfExtents=_FLOOR)
        return int(client.createMultiBody(0.0, shape, basePosition=[0.0, 0.0, -_FLOOR[2]]))

    def set_state(self, state: RobotState) -> None:
        """Set positions and velocities of the root and of all joints."""
        # First far off the floor: kept contacts would let what came before leave a trace.
        self.body.set_state(replace(state, root=_AWAY))
        self._client.performCollisionDetection()
        self.body.set_state(state)

    def advance(self, targets: Sequence[RobotState]) -> None:
        """Simulate one physics step for each of the targets."""
        if self.balance is not None:
            self.balance.aim(targets[-1], len(targets) / SIMULATION_RATE)
        for target in targets:
            self._pd.drive(target)
            if self._push_steps:
                self._push_steps -= 1
                self.body.apply_root_wrench(self.body.get_state().root, self._push)
            self._client.stepSimulation()

    def push(self, impulse: Array) -> None:
        """Push the root link during the next 0.1 s with an impulse (3,), in N s."""
        self._push_steps = round(PUSH * SIMULATION_RATE)
        self._push = np.concatenate([impulse / PUSH, np.zeros(3)])

    def undone(self) -> AbstractContextManager[None]:
        """Return a context that puts the robot back into the state it had when the block began."""
        return undone(self._client)

    @property
    def state(self) -> RobotState:
        """Positions and velocities of the root and of all joints."""
        return self.body.get_state()

    @property
    def has_fallen(self) -> bool:
        """Whether the trunk touches the floor, or the root is near it."""
        if self.is_fixed:
            return False
        root = self.body.get_state().root
        return bool(root[2] < FALLEN * self.standing_height) or self.body.touches(
            self._floor, self.body.trunk
        )

    def close(self) -> None:
        """Free the physics server."""
        if self._client is not None:
            self._client.disconnect()
            self._client = None
