"""Body: a robot that is loaded into a physics server; its state, joint torques and contacts."""

import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from motiongen_sim.robots import quaternion
from motiongen_sim.robots.bullet import silence
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.robots.urdf import without_meshes

FRICTION = 0.9


class Body:
    """A robot in a physics server.

    Args:
        client: the physics server (`bullet.connect`).
        robot: its description.
        is_fixed: the root link is fixed to the world.
        is_bare: leave out the shapes that are read from files; for kinematics alone, without looks and contacts.
    """

    def __init__(self, client: Any, robot: Robot, *, is_fixed: bool = False, is_bare: bool = False) -> None:
        self.client, self.robot, self.is_fixed = client, robot, is_fixed
        self.id = _load(client, robot, is_fixed, is_bare)
        count = client.getNumJoints(self.id)
        infos = [client.getJointInfo(self.id, index) for index in range(count)]
        by_name = {info[1].decode(): index for index, info in enumerate(infos)}
        self.links = {info[12].decode(): index for index, info in enumerate(infos)}
        self.joints = [by_name[joint.name] for joint in robot.joints]
        dynamics = [client.getDynamicsInfo(self.id, link) for link in range(-1, count)]
        self.masses = np.array([dynamic[0] for dynamic in dynamics])
        self._centre, self._axes = np.array(dynamics[0][3]), np.array(dynamics[0][4])
        for link in range(-1, count):
            client.changeDynamics(
                self.id, link, linearDamping=0.0, angularDamping=0.0, lateralFriction=FRICTION
            )
        self._free()

    @property
    def mass(self) -> float:
        """Mass of all links, in kilograms."""
        return float(self.masses.sum())

    @cached_property
    def trunk(self) -> list[int]:
        """Indices of the links that touch the floor only in a fall."""
        return [self.links[name] for name in self.robot.trunk]

    def set_state(self, state: RobotState) -> None:
        """Set positions and velocities of the root and of all joints."""
        client = self.client
        arm = quaternion.rotate(state.rotation, self._centre)
        axes = quaternion.multiply(state.rotation, self._axes)
        client.resetBasePositionAndOrientation(self.id, (state.root + arm).tolist(), axes.tolist())
        client.resetBaseVelocity(
            self.id, (state.linear + quaternion.cross(state.angular, arm)).tolist(), state.angular.tolist()
        )
        client.resetJointStatesMultiDof(
            self.id, self.joints, self.pose_by_joint(state.pose), self.by_joint(state.velocity)
        )

    def get_state(self) -> RobotState:
        """Return positions and velocities of the root and of all joints."""
        client = self.client
        centre, axes = client.getBasePositionAndOrientation(self.id)
        linear, angular = (np.array(v) for v in client.getBaseVelocity(self.id))
        joints = client.getJointStatesMultiDof(self.id, self.joints)
        rotation = quaternion.multiply(np.array(axes), quaternion.inverse(self._axes))
        arm = quaternion.rotate(rotation, self._centre)
        return RobotState(
            root=np.array(centre) - arm,
            rotation=rotation,
            pose=np.concatenate([joint[0] for joint in joints]),
            linear=linear - quaternion.cross(angular, arm),
            angular=angular,
            velocity=np.concatenate([joint[1] for joint in joints]),
        )

    def set_torques(self, torques: Array) -> None:
        """Set the joints' torques (A,) for the next physics step, in N m."""
        self.client.setJointMotorControlMultiDofArray(
            self.id, self.joints, self.client.TORQUE_CONTROL, forces=self.by_joint(torques)
        )

    def apply_root_wrench(self, position: Array, wrench: Array) -> None:
        """Apply a wrench to the root link in the next physics step.

        Args:
            position: (3,) in the world, where the force acts, in metres.
            wrench: (6,) force in N and torque in N m, in the world's axes.
        """
        client, numbers = self.client, wrench.tolist()
        client.applyExternalForce(self.id, -1, numbers[:3], position.tolist(), client.WORLD_FRAME)
        client.applyExternalTorque(self.id, -1, numbers[3:], client.WORLD_FRAME)

    def by_joint(self, values: Array) -> list[list[float]]:
        """Return a velocity or torques (A,) as one list for each joint."""
        numbers = values.tolist()
        return [numbers[joint.v] for joint in self.robot.joints]

    def pose_by_joint(self, pose: Array) -> list[list[float]]:
        """Return a pose (Q,) as one list for each joint."""
        numbers = pose.tolist()
        return [numbers[joint.q] for joint in self.robot.joints]

    def link_poses(self, names: Sequence[str]) -> tuple[Array, Array]:
        """Return positions (L, 3), in metres, and rotations (L, 4) of links."""
        root, moved = self.get_state(), [self.links[name] for name in names if name in self.links]
        states = dict(zip(moved, self.client.getLinkStates(self.id, moved, 0, 1), strict=True))
        found = [
            states[self.links[name]][4:6] if name in self.links else (root.root, root.rotation)
            for name in names
        ]
        return np.array([position for position, _ in found]), np.array([rotation for _, rotation in found])

    def end_effectors(self) -> Array:
        """Return the positions (4, 3) of the links of feet and hands, in metres."""
        links = [self.links[name] for name in self.robot.end_effectors]
        return np.array([state[4] for state in self.client.getLinkStates(self.id, links, 0, 1)])

    def centre_of_mass(self) -> Array:
        """Return the position of the centre of mass (3,), in metres."""
        states = self.client.getLinkStates(self.id, list(range(len(self.masses) - 1)), 0, 1)
        base = self.client.getBasePositionAndOrientation(self.id)[0]
        positions = np.array([base, *(state[0] for state in states)])
        centre: Array = self.masses @ positions / self.masses.sum()
        return centre

    def lowest_foot_point(self) -> float:
        """Return the height of the lowest point of the feet, in metres."""
        return min(self.client.getAABB(self.id, self.links[name])[0][2] for name in self.robot.feet)

    def touches(self, other: int, links: list[int]) -> bool:
        """Return whether one of the links touches another body.

        Args:
            other: PyBullet's number of the other body.
            links: indices of the links.
        """
        return any(self.client.getContactPoints(self.id, other, link) for link in links)

    def _free(self) -> None:
        """Turn off PyBullet's own motors, which hold every joint."""
        for joint, index in zip(self.robot.joints, self.joints, strict=True):
            if joint.is_ball:
                self.client.setJointMotorControlMultiDof(
                    self.id,
                    index,
                    self.client.POSITION_CONTROL,
                    targetPosition=[0.0, 0.0, 0.0, 1.0],
                    targetVelocity=[0.0, 0.0, 0.0],
                    positionGain=0.0,
                    velocityGain=1.0,
                    force=[0.0, 0.0, 0.0],
                )
            else:
                self.client.setJointMotorControl2(
                    self.id, index, self.client.VELOCITY_CONTROL, targetVelocity=0.0, force=0.0
                )


def _load(client: Any, robot: Robot, is_fixed: bool, is_bare: bool) -> int:
    flags = client.URDF_MAINTAIN_LINK_ORDER
    if robot.has_data:
        flags |= client.URDF_USE_INERTIA_FROM_FILE
    with tempfile.TemporaryDirectory() as folder, silence():
        path = Path(folder) / f"{robot.name}.urdf"
        path.write_text(without_meshes(robot.text) if is_bare else robot.text, encoding="utf-8")
        return int(client.loadURDF(str(path), useFixedBase=is_fixed, globalScaling=robot.scale, flags=flags))
