"""Balance: joint torques that keep a robot on its feet while it follows a motion, without any help from outside.

The centre of mass is steered by its capture point (Pratt et al. 2006; Englsberger et al. 2011), which runs away from
the centre of pressure: it is held over the feet, and where it cannot be, a foot steps (`steps.py`). Feet stand flat on
the floor, pelvis and joints follow the motion, and `tasks.py` makes torques of all this.
"""

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.body_tasks import BodyTasks
from motiongen_sim.robots.bullet import SIMULATION_RATE
from motiongen_sim.robots.dynamics import GRAVITY, Dynamics, Motions
from motiongen_sim.robots.footing import Footing
from motiongen_sim.robots.pd import StablePD
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.soles import Sole, Soles
from motiongen_sim.robots.steps import Steps, angle_between
from motiongen_sim.robots.trajectory import RobotState

TALL = 0.95
"""Greatest height of the pelvis, of that on straight legs, which could not push up."""
KNEE = 0.35
"""Least bend of a knee that is asked for, in radians."""
INNER = 0.8
"""Share of a sole that forces are asked of: at its edge a foot tips over."""
MOST_AHEAD = 0.12
"""Distance of the capture point from its place that is made up for at once, in metres."""
CAPTURE = 3.0
"""Rate at which the capture point comes to its place, against that at which it runs away."""
MOST_RISE, MOST_TURN, MOST_JOINT = 4.0, 120.0, 200.0
"""Largest accelerations that are asked of the pelvis' height, in m/s², of its turn and of the joints, in rad/s². A push
of 80 N turns the light pelvis of the G1 with 100 rad/s²: what may ask for less lets it fall."""
HIP = 0.08
"""Distance of a foot from under the pelvis up to which a leg is not tilted, in metres."""
LOST, OFF = 0.5, 0.15
"""When it gives up, and only holds its pose: below this height of the pelvis, of that on straight legs, and this cosine
of its tilt; and with both feet so high over the floor, in metres."""
# Weights of accelerations, in m/s² and rad/s²: of feet that stand, that step, without need and
# against a fall, of the centre of mass, of the pelvis'
# height and turn, of knees, hips and ankles, and of all other joints.
_STANCE, _SWING, _CENTRE, _HEIGHT, _PELVIS = 1000.0, (10.0, 300.0), (50.0, 10.0), 10.0, 0.5
_KNEES, _LEGS, _REST = 0.02, 0.005, 0.03
# Stiffness (1/s²) and damping (1/s) of a foot on the floor, one in the air, the pelvis' turn and height, the joints
# that follow the motion, and those of the legs, which go where the feet and the pelvis need them.
_HOLD, _GUIDE, _UPRIGHT, _RISE = (400.0, 40.0), (900.0, 60.0), (150.0, 25.0), (100.0, 20.0)
_FOLLOW, _BEAR = (300.0, 35.0), (60.0, 15.0)
_UP = np.array([0.0, 0.0, 1.0])
_LEG_JOINTS = ("hip", "knee", "ankle")


class Balance:
    """Whole-body balance control of a robot with two feet.

    Args:
        body: the robot; its state is changed.
        height: of the pelvis when it stands with straight legs, in metres.
    """

    def __init__(self, body: Body, height: float) -> None:
        self._body, self._dynamics, self._height = body, Dynamics(body), height
        self._soles = Soles(body, self._dynamics)
        self._footing = Footing(body.robot)
        self._steps = Steps(self._footing)
        self._limp, self._lost = StablePD(body), False
        self._before: Motions | None = None
        joints = body.robot.joints
        is_leg = [any(part in joint.name for part in _LEG_JOINTS) for joint in joints]
        weights = [
            _KNEES if "knee" in joint.name else _LEGS if leg else _REST
            for joint, leg in zip(joints, is_leg, strict=True)
        ]
        self._most = _by_freedom(body, [joint.motor.max_torque for joint in joints])
        self._weights = np.concatenate([[0.0, 0.0, _HEIGHT, *[_PELVIS] * 3], _by_freedom(body, weights)])
        self._fastest = np.array([0.0, 0.0, MOST_RISE, *[MOST_TURN] * 3, *[MOST_JOINT] * body.robot.dof])
        self._stiffness = _by_freedom(body, [(_BEAR if leg else _FOLLOW)[0] for leg in is_leg])
        self._damping = _by_freedom(body, [(_BEAR if leg else _FOLLOW)[1] for leg in is_leg])

    @property
    def steps(self) -> int:
        """Number of steps so far."""
        return self._steps.count

    def stance(self, goal: RobotState) -> RobotState:
        """Return a state at rest on straight legs, at the place of a motion's first state, arms and back as there."""
        robot = self._body.robot
        pose = goal.pose.copy()
        for joint in robot.joints:
            if any(part in joint.name for part in _LEG_JOINTS):
                pose[joint.q] = robot.zero_pose[joint.q]
        return RobotState(
            root=np.array([*goal.root[:2], self._height]),
            rotation=quaternion.about_z(quaternion.yaw_of(goal.rotation)),
            pose=pose,
            linear=np.zeros(3),
            angular=np.zeros(3),
            velocity=np.zeros(robot.dof),
        )

    def aim(self, goal: RobotState, seconds: float) -> None:
        """Set the state that the next `seconds` lead to: it says where the feet should stand."""
        self._footing.aim(goal, seconds)

    def drive(self, target: RobotState) -> RobotState:
        """Set the torques of the next physics step, and return the state before it.

        Args:
            target: the state after the step.
        """
        body = self._body
        now, motions = body.get_state(), self._dynamics.motions()
        before, self._before = self._before or motions, motions
        soles = self._soles.at(motions)
        self._lost = self._lost or self._is_lost(now, soles)
        if self._lost:
            return self._limp.drive(target)
        arm = motions.centres[0] - now.root
        linear = now.linear + quaternion.cross(now.angular, arm)
        velocity = np.concatenate([linear, now.angular, now.velocity])
        drift = motions.drift(before, velocity, 1.0 / SIMULATION_RATE)
        # First the step, then the pelvis, whose height depends on it.
        steering = self._steer(motions, velocity, soles)
        tasks = BodyTasks(motions, motions.gravity + drift, self._wished(now, target, soles), self._weights)
        mass, is_quick = motions.inertia[0, 0], self._steps.is_quick
        tasks.ask(motions.inertia[:2] / mass, steering - drift[:2] / mass, _CENTRE[is_quick])
        planted: list[int] = []
        for foot, sole in enumerate(soles):
            jacobian = _jacobian(motions, sole)
            slip = (jacobian - _jacobian(before, sole)) @ velocity * SIMULATION_RATE
            is_planted = foot != self._steps.foot
            asked = (self._stand if is_planted else self._swing)(sole, jacobian @ velocity)
            weight = _STANCE if is_planted else _SWING[is_quick]
            tasks.ask(jacobian, asked - slip, weight)
            if is_planted:
                planted.append(foot)
        torques = tasks.torques(
            [soles[foot].row for foot in planted],
            [soles[foot].inner(INNER) for foot in planted],
            [self._steps.firmness(foot) for foot in planted],
        )
        body.set_torques(np.clip(torques, -self._most, self._most))
        return now

    def _is_lost(self, now: RobotState, soles: list[Sole]) -> bool:
        """Return whether the robot falls, or has left the floor: then no force of the feet can help."""
        up = quaternion.rotate(now.rotation, _UP)[2]
        is_off = min(sole.centre[2] for sole in soles) > OFF
        return bool(now.root[2] < LOST * self._height or up < LOST or is_off)

    def _steer(self, motions: Motions, velocity: Array, soles: list[Sole]) -> Array:
        """Decide about steps, and return the acceleration (2,) that brings the capture point to its place."""
        centre = self._dynamics.centre_of_mass(motions)
        speed = motions.inertia[:2] @ velocity / motions.inertia[0, 0]
        omega = float(np.sqrt(GRAVITY / max(float(centre[2]), LOST * self._height)))
        point = centre[:2] + speed / omega
        self._steps.decide(soles, point, omega, 1.0 / SIMULATION_RATE)
        ahead = point - self._steps.support
        ahead = ahead * min(1.0, MOST_AHEAD / max(float(np.linalg.norm(ahead)), 1e-9))
        acceleration: Array = -omega * speed - omega**2 * CAPTURE * ahead
        return acceleration

    def _wished(self, now: RobotState, target: RobotState, soles: list[Sole]) -> Array:
        """Return the accelerations (D,) that lead the pelvis and the joints to their targets."""
        height = min(float(target.root[2]), self._tallest(soles))
        turn = quaternion.log(quaternion.multiply(target.rotation, quaternion.inverse(now.rotation)))
        lacking = self._body.robot.difference(now.pose, self._bent(target.pose))
        wished = np.zeros(len(self._weights))
        wished[2] = _RISE[0] * (height - now.root[2]) - _RISE[1] * now.linear[2]
        wished[3:6] = _UPRIGHT[0] * turn - _UPRIGHT[1] * now.angular
        wished[6:] = self._stiffness * lacking + self._damping * (target.velocity - now.velocity)
        return np.clip(wished, -self._fastest, self._fastest)

    def _tallest(self, soles: list[Sole]) -> float:
        """Return the greatest height of the pelvis at which the legs reach the floor where the feet stand."""
        tall = TALL * self._height
        off = [
            float(np.linalg.norm(sole.centre[:2] - self._steps.support)) - HIP
            for foot, sole in enumerate(soles)
            if foot != self._steps.foot
        ]
        return float(np.sqrt(max(tall**2 - max(0.0, *off) ** 2, (LOST * self._height) ** 2)))

    def _stand(self, sole: Sole, moving: Array) -> Array:
        """Return the acceleration (6,) that keeps a foot flat on the floor."""
        lean = quaternion.cross(sole.turn[:, 2], _UP)
        asked = np.concatenate([-_HOLD[1] * moving[:3], _HOLD[0] * lean - _HOLD[1] * moving[3:]])
        asked[2] -= _HOLD[0] * sole.centre[2]
        return asked

    def _swing(self, sole: Sole, moving: Array) -> Array:
        """Return the acceleration (6,) that leads a foot in the air, flat, along its step."""
        swing = self._steps.swing()
        asked = self._stand(sole, moving)
        asked[:3] = _GUIDE[0] * (swing.place - sole.centre) + _GUIDE[1] * (swing.speed - moving[:3])
        asked[5] += _HOLD[0] * angle_between(sole.yaw, swing.yaw)
        return asked

    def _bent(self, pose: Array) -> Array:
        """Return a pose (Q,) whose knees are bent."""
        pose = pose.copy()
        for joint in self._body.robot.joints:
            if "knee" in joint.name:
                side = 1.0 if joint.upper > -joint.lower else -1.0
                pose[joint.q] = side * np.maximum(side * pose[joint.q], KNEE)
        return pose


def _jacobian(motions: Motions, sole: Sole) -> Array:
    """Return the Jacobian (6, D) of the linear and angular velocity of a sole's centre."""
    jacobian = np.concatenate([motions.linear[sole.row], motions.angular[sole.row]])
    arm = sole.centre - motions.centres[sole.row]
    jacobian[:3] += quaternion.cross(motions.angular[sole.row].T, arm).T
    return jacobian


def _by_freedom(body: Body, numbers: list[float]) -> Array:
    """Return a number for each joint as one for each of its freedoms (A,)."""
    return np.repeat(np.array(numbers), [joint.v.stop - joint.v.start for joint in body.robot.joints])
