"""Stable PD control: Tan, Liu, Turk, "Stable Proportional-Derivative Controllers", 2011.

PyBullet has it too (STABLE_PD_CONTROL), but for hinges about z alone, and it takes a standing robot to be falling
freely, which leaves joints that bear weight a fraction of their stiffness. Here the robot's weight is taken to be
carried by the floor, the helper force or a fixed base.
"""

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.dynamics import Dynamics
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.trajectory import RobotState

ASSIST_FREQUENCY = 30.0
"""Natural frequency of full root assistance, a critically damped spring on the root, in rad/s."""


class StablePD:
    """Stable PD control of a body's joints, and of its root where it is assisted.

    A torque is that of a PD controller at the end of the step, -Kp (q + dt q' - target) - Kd (q' + dt q'' - target'),
    with q'' solved from (M + dt Kd) q'' = torque without it - C, as in the paper: any stiffness is stable at
    240 Hz. C is gravity's part alone. Then it is clipped to the motor's limit.

    The helper is the same law for the root's six freedoms, with gains of the whole body's mass and inertia times
    `assist`; no robot has such a motor.

    Args:
        body: the robot.
        assist: strength of the helper force on the root, 0 (none) to 1 (full).
    """

    def __init__(self, body: Body, assist: float = 0.0) -> None:
        self._body, self._dynamics = body, Dynamics(body)
        self._assist = 0.0 if body.is_fixed else assist
        joints = body.robot.joints
        self._stiffness = np.concatenate([np.full(j.v.stop - j.v.start, j.motor.stiffness) for j in joints])
        self._damping = np.concatenate([np.full(j.v.stop - j.v.start, j.motor.damping) for j in joints])
        self._most = np.concatenate([np.full(j.v.stop - j.v.start, j.motor.max_torque) for j in joints])

    def drive(self, target: RobotState) -> RobotState:
        """Set the torques of the next physics step, and return the state before it.

        Args:
            target: the state after the step; its root is used by the helper force alone.
        """
        body, step = self._body, 1.0 / SIMULATION_RATE
        now = body.get_state()
        inertia, gravity = self._dynamics.mass_matrix_and_gravity()
        error = body.robot.difference(now.pose, target.pose) - step * now.velocity
        pull = self._stiffness * error + self._damping * (target.velocity - now.velocity)
        implicit = inertia.copy()
        implicit[6:, 6:] += np.diag(step * self._damping)
        help, help_damping = self._help(now, target, inertia[3:6, 3:6])
        implicit[:6, :6] += step * help_damping
        free = slice(6, None) if body.is_fixed else slice(None)
        force = np.concatenate([help, pull - gravity])
        acceleration = np.linalg.solve(implicit[free, free], force[free])
        torque = pull - step * self._damping * acceleration[-len(pull) :]
        body.set_torques(np.clip(torque, -self._most, self._most))
        if self._assist:
            body.apply_root_wrench(now.root, help - step * help_damping @ acceleration[:6])
        return now

    def _help(self, now: RobotState, target: RobotState, inertia: Array) -> tuple[Array, Array]:
        """Return the helper's wrench (6,) by its spring, and its damping matrix (6, 6)."""
        damping = np.zeros((6, 6))
        if not self._assist:
            return np.zeros(6), damping
        step, stiff = 1.0 / SIMULATION_RATE, ASSIST_FREQUENCY
        offset = target.root - now.root - step * now.linear
        turn = quaternion.log(quaternion.multiply(target.rotation, quaternion.inverse(now.rotation)))
        turn = turn - step * now.angular
        damping[:3, :3] = 2 * stiff * self._assist * self._body.mass * np.eye(3)
        damping[3:, 3:] = 2 * stiff * self._assist * inertia
        speed = np.concatenate([target.linear - now.linear, target.angular - now.angular])
        return damping @ (stiff / 2 * np.concatenate([offset, turn]) + speed), damping
