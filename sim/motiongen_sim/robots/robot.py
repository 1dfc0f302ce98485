"""Robot: description of a humanoid robot by its URDF, its limbs and its motors.

Another robot is one file with a `Robot`, and one line in `catalog.ROBOTS`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from motiongen.skeleton import Skeleton
from motiongen_sim.robots import quaternion, urdf
from motiongen_sim.robots.quaternion import Array

Indices = NDArray[np.int64]

BALL = "spherical"


@dataclass(frozen=True)
class Segment:
    """A limb of a robot, which corresponds to one of a person's joints.

    Attributes:
        name: SMPL's name of the joint that rotates it.
        parent: name of the segment above it.
        joints: the robot's joints between the two, parents first: one ball, up to three hinges, or none.
        at: the joint at which the segment begins; the first one unless given.
    """

    name: str
    parent: str
    joints: tuple[str, ...]
    at: str = ""


@dataclass(frozen=True)
class Motor:
    """Motor of a joint: stiffness in N m/rad, and largest torque in N m."""

    stiffness: float
    max_torque: float

    @property
    def damping(self) -> float:
        """Damping in N m s/rad: a tenth of the stiffness, as in DeepMimic."""
        return self.stiffness / 10.0


@dataclass(frozen=True)
class Joint:
    """A movable joint, described in the zero pose (z up, x forward, the root at the origin).

    Attributes:
        name: in the URDF.
        is_ball: a ball joint, stored as a quaternion; otherwise a hinge, stored as an angle.
        lower: lower limit of a hinge, radians.
        upper: upper limit of a hinge, radians.
        speed: largest speed of a hinge, rad/s.
        position: of the joint (3,), metres.
        frame: rotation of its link (4,).
        axis: of a hinge (3,), in the world.
        q: slice of its 4 or 1 numbers in a pose.
        v: slice of its 3 or 1 numbers in a velocity.
        motor: drives it.
    """

    name: str
    is_ball: bool
    lower: float
    upper: float
    speed: float
    position: Array
    frame: Array
    axis: Array
    q: slice
    v: slice
    motor: Motor


@dataclass(frozen=True, kw_only=True, eq=False)
class Robot:
    """Description of a humanoid robot.

    Attributes:
        name: in the registry.
        read_urdf: returns the text of its URDF, in which the root faces +x and z is up.
        segments: its limbs, parents first; the first one is the pelvis, its root link.
        motors: joint's name, or its ending, -> motor.
        feet: names of the links that stand on the floor.
        trunk: names of the links that touch the floor only in a fall.
        end_effectors: names of the links of feet and hands, which an imitation reward compares.
        scale: factor on the URDF's lengths.
        has_data: whether the URDF's inertias and joint speeds are real. Otherwise inertias are computed from the
            shapes, and joint speeds have no limit.
        neutral: ball joint -> its rotation (4,) for an action of zeros; identity for the others.
        colour: of its body in pictures, sRGB; the URDF's colours where it is None.
    """

    name: str
    read_urdf: Callable[[], str]
    segments: tuple[Segment, ...]
    motors: dict[str, Motor]
    feet: tuple[str, ...]
    trunk: tuple[str, ...]
    end_effectors: tuple[str, ...]
    scale: float = 1.0
    has_data: bool = True
    neutral: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    colour: tuple[float, float, float] | None = None

    @cached_property
    def text(self) -> str:
        """Text of the URDF."""
        return self.read_urdf()

    @cached_property
    def joints(self) -> tuple[Joint, ...]:
        """The movable joints, in the order of the URDF."""
        frames = urdf.joint_frames(self.text, self.scale)
        used = {name for segment in self.segments for name in segment.joints}
        found: list[Joint] = []
        q = v = 0
        for name in (name for name in urdf.joint_names(self.text) if name in used):
            element, position, frame = frames[name]
            is_ball = element.get("type") == BALL
            limit = element.find("limit")
            limits = {} if limit is None else limit.attrib
            lower, upper = float(limits.get("lower", 0.0)), float(limits.get("upper", 0.0))
            speed = float(limits.get("velocity", np.inf)) if self.has_data else np.inf
            axis = quaternion.rotate(frame, urdf.numbers_of(element, "axis", "xyz", "1 0 0"))
            width = (4, 3) if is_ball else (1, 1)
            spans = slice(q, q + width[0]), slice(v, v + width[1])
            found.append(
                Joint(name, is_ball, lower, upper, speed, position, frame, axis, *spans, self._motor(name))
            )
            q, v = q + width[0], v + width[1]
        return tuple(found)

    @cached_property
    def joint_of(self) -> dict[str, Joint]:
        """Joint's name -> joint."""
        return {joint.name: joint for joint in self.joints}

    @property
    def pose_size(self) -> int:
        """Q, the number of coordinates of a pose."""
        return self.joints[-1].q.stop

    @property
    def dof(self) -> int:
        """A, the number of degrees of freedom: the size of a velocity and of an action."""
        return self.joints[-1].v.stop

    @cached_property
    def ball_q(self) -> Indices:
        """Indices (n, 4) of the ball joints in a pose."""
        return np.array([range(j.q.start, j.q.stop) for j in self.joints if j.is_ball], int).reshape(-1, 4)

    @cached_property
    def ball_v(self) -> Indices:
        """Indices (n, 3) of the ball joints in a velocity."""
        return np.array([range(j.v.start, j.v.stop) for j in self.joints if j.is_ball], int).reshape(-1, 3)

    @cached_property
    def hinge_q(self) -> Indices:
        """Indices (m,) of the hinges in a pose."""
        return np.array([j.q.start for j in self.joints if not j.is_ball], int)

    @cached_property
    def hinge_v(self) -> Indices:
        """Indices (m,) of the hinges in a velocity."""
        return np.array([j.v.start for j in self.joints if not j.is_ball], int)

    @cached_property
    def zero_pose(self) -> Array:
        """The pose (Q,) in which all joints are at zero."""
        pose = np.zeros(self.pose_size)
        for joint in self.joints:
            if joint.is_ball:
                pose[joint.q] = quaternion.IDENTITY
        return pose

    @cached_property
    def neutral_pose(self) -> Array:
        """The pose (Q,) of an action of zeros."""
        pose = self.zero_pose.copy()
        for name, turn in self.neutral.items():
            pose[self.joint_of[name].q] = turn
        return pose

    @cached_property
    def segment_positions(self) -> dict[str, Array]:
        """Segment's name -> position (3,) of its beginning in the zero pose."""
        frames = urdf.joint_frames(self.text, self.scale)
        found = {self.segments[0].name: np.zeros(3)}
        for segment in self.segments[1:]:
            found[segment.name] = frames[segment.at or segment.joints[0]][1]
        return found

    @cached_property
    def skeleton(self) -> Skeleton:
        """The zero pose as a Skeleton, in motiongen's axes: the target of retargeting."""
        names = tuple(segment.name for segment in self.segments)
        parents = tuple(names.index(segment.parent) if segment.parent else -1 for segment in self.segments)
        offsets = [
            self.segment_positions[s.name] - self.segment_positions[s.parent or s.name] for s in self.segments
        ]
        # Ours is x left, y up, z forward.
        return Skeleton(names, parents, torch.tensor(np.array(offsets)[:, [1, 2, 0]], dtype=torch.float32))

    def pose_of_action(self, action: Array) -> Array:
        """Return the target pose (..., Q) of an action (..., A): rotation vectors of balls, angles of hinges."""
        return self.integrate(self.neutral_pose, self.within_limits(action))

    def action_of_pose(self, pose: Array) -> Array:
        """Return the action (..., A) whose target is a pose (..., Q)."""
        return self.difference(np.broadcast_to(self.neutral_pose, pose.shape), pose)

    @cached_property
    def limits(self) -> tuple[Array, Array]:
        """Lower and upper limits of an action (A,): the hinges' limits, and half a turn to each side for balls."""
        low, high = np.full(self.dof, -np.pi), np.full(self.dof, np.pi)
        for joint in self.joints:
            if not joint.is_ball:
                low[joint.v], high[joint.v] = joint.lower, joint.upper
        return low, high

    def within_limits(self, action: Array) -> Array:
        """Return an action (..., A) clipped to the hinges' limits."""
        clipped = action.copy()
        low, high = self.limits
        clipped[..., self.hinge_v] = np.clip(action[..., self.hinge_v], low[self.hinge_v], high[self.hinge_v])
        return clipped

    def pose_within_limits(self, pose: Array) -> Array:
        """Return a pose (..., Q) with its hinges clipped to their limits."""
        clipped = pose.copy()
        low, high = self.limits
        clipped[..., self.hinge_q] = np.clip(pose[..., self.hinge_q], low[self.hinge_v], high[self.hinge_v])
        return clipped

    def difference(self, pose: Array, target: Array) -> Array:
        """Return the joints' rotations (..., A) from one pose to another, in the frames of their links.

        Args:
            pose: (..., Q) to start from.
            target: (..., Q) to arrive at.
        """
        difference = np.empty((*pose.shape[:-1], self.dof))
        back = quaternion.inverse(pose[..., self.ball_q])
        difference[..., self.ball_v] = quaternion.log(quaternion.multiply(back, target[..., self.ball_q]))
        difference[..., self.hinge_v] = target[..., self.hinge_q] - pose[..., self.hinge_q]
        return difference

    def integrate(self, pose: Array, turn: Array) -> Array:
        """Return a pose (..., Q) with each joint rotated: the inverse of `difference`.

        Args:
            pose: (..., Q) to start from.
            turn: (..., A) radians, in the frames of the links.
        """
        turned = np.empty((*turn.shape[:-1], self.pose_size))
        step = quaternion.exp(turn[..., self.ball_v])
        turned[..., self.ball_q] = quaternion.multiply(pose[..., self.ball_q], step)
        turned[..., self.hinge_q] = pose[..., self.hinge_q] + turn[..., self.hinge_v]
        return turned

    def joint_errors(self, pose: Array, other: Array) -> Array:
        """Return the angle (..., J) between each joint's rotations in two poses: balls first, then hinges.

        Args:
            pose: (..., Q).
            other: (..., Q).
        """
        difference = self.difference(pose, other)
        balls = np.linalg.norm(difference[..., self.ball_v], axis=-1)
        return np.concatenate([balls, np.abs(difference[..., self.hinge_v])], axis=-1)

    def _motor(self, joint: str) -> Motor:
        for end, motor in self.motors.items():
            if joint.endswith(end):
                return motor
        raise ValueError(f"motors: expected one for every joint, got none for {joint!r}; add it to the robot")
