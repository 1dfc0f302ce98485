"""Retargeting of a person's motion to a robot: global rotations of limbs to joint angles within their limits.

Both are put into the same T-pose, and each segment takes the person's rotation from there (motiongen.retargeting). Then
the joint angles are found: ball joints take a rotation as it is; hinges in series are solved in closed form; and above
an elbow or a knee the limb is turned about its own axis until the hinge can bend as the person's does.
"""

from dataclasses import dataclass

import numpy as np

from motiongen.humanoid import humanoid_map
from motiongen.motion import Motion
from motiongen.retargeting import find_t_pose, leg_length
from motiongen.skeleton import Skeleton
from motiongen_sim.robots import quaternion
from motiongen_sim.robots.hinges import Hinges, angle_about
from motiongen_sim.robots.measurement import foot_heights, suspended
from motiongen_sim.robots.quaternion import Array
from motiongen_sim.robots.robot import Joint, Robot, Segment
from motiongen_sim.robots.trajectory import Trajectory

_STRAIGHT = 0.15
"""Sine of the bend below which an elbow or a knee determines its hinge axis poorly."""
_TOLERANCE = np.radians(0.1)
"""Deviation from the target up to which a joint does not count as clipped."""
_GROUND = 10.0
"""Percentile of the feet's heights that is taken for the floor of a clip."""


@dataclass(frozen=True)
class Clipping:
    """Effect of a joint's limits of angle and speed on a motion.

    Attributes:
        share: share of the frames that were changed.
        worst: largest deviation from the target, in degrees.
    """

    share: float
    worst: float


class Retargeter:
    """Retargets motions of one skeleton to a robot, as a whole or in parts; each part continues the last one.

    Args:
        skeleton: of the person.
        robot: its description.
        is_upright: the pelvis is fixed, upright and facing +x; the waist takes over the person's pelvis rotation.

    Raises:
        ValueError: a skeleton that is no humanoid.
    """

    def __init__(self, skeleton: Skeleton, robot: Robot, *, is_upright: bool = False) -> None:
        self.robot, self._skeleton, self._is_upright = robot, skeleton, is_upright
        mapping = humanoid_map(skeleton)
        self._from = {s.name: skeleton.index(mapping[s.name]) for s in robot.segments if s.name in mapping}
        own = {segment.name: segment.name for segment in robot.segments}
        self._own_t = _t_pose(robot.skeleton, own)
        self._mapping = mapping
        self._their_t: Array | None = None
        self._scale = leg_length(robot.skeleton, own) / leg_length(skeleton, mapping)
        self._hips = [skeleton.index(mapping[f"{side}_hip"]) for side in ("left", "right")]
        self._last = robot.zero_pose.copy()
        self._frames = 0
        self._over = np.zeros((2, robot.dof))  # frames that were clipped, and radians at worst

    def follow(self, motion: Motion) -> Trajectory:
        """Return the robot's trajectory for the next frames; heights are scaled by leg length alone."""
        turns, hips = self._goal(motion)
        root_turn = turns[self.robot.segments[0].name]
        achieved = {self.robot.segments[0].name: root_turn}
        pose = np.tile(self._last, (len(hips), 1))
        for segment in self.robot.segments[1:]:
            parent = achieved[segment.parent]
            goal = turns.get(segment.name)
            if goal is None or not segment.joints:
                achieved[segment.name] = parent
                continue
            local = quaternion.multiply(quaternion.inverse(parent), self._swivelled(segment, turns))
            achieved[segment.name] = quaternion.multiply(parent, self._turn(segment, local, pose, motion.fps))
        self._last, self._frames = pose[-1].copy(), self._frames + len(pose)
        middle = np.mean([self.robot.segment_positions[f"{side}_hip"] for side in ("left", "right")], axis=0)
        root = hips * self._scale - quaternion.rotate(root_turn, np.broadcast_to(middle, hips.shape))
        return Trajectory(robot=self.robot, fps=motion.fps, root=root, rotation=root_turn, pose=pose)

    @property
    def clipping(self) -> dict[str, Clipping]:
        """Joint name -> effect of its limits, for the joints that were changed."""
        shares, worst = self._over[0] / max(self._frames, 1), np.degrees(self._over[1])
        return {
            joint.name: Clipping(float(shares[joint.v.start]), float(worst[joint.v.start]))
            for joint in self.robot.joints
            if shares[joint.v.start] > 0
        }

    def _goal(self, motion: Motion) -> tuple[dict[str, Array], Array]:
        """Return each segment's target rotation from the zero pose (T, 4), and the positions of the hips (T, 3)."""
        if self._their_t is None:
            t_pose = find_t_pose(self._skeleton, self._mapping, motion)
            self._their_t = _axes(self._skeleton.fk(t_pose, motion.root.new_zeros(3))[0].double().numpy())
        world = _axes(motion.global_rotations().double().numpy())
        hips = motion.positions()[:, self._hips].double().mean(dim=1).numpy()[:, [2, 0, 1]]
        turns = {
            name: quaternion.multiply(
                quaternion.multiply(world[:, index], quaternion.inverse(self._their_t[index])),
                self._own_t[name],
            )
            for name, index in self._from.items()
        }
        if self._is_upright:
            pelvis = self.robot.segments[0].name
            back = quaternion.inverse(quaternion.about_z(quaternion.yaw_of(turns[pelvis])))
            turns = {name: quaternion.multiply(back, turn) for name, turn in turns.items()}
            turns[pelvis] = np.tile(quaternion.IDENTITY, (len(hips), 1))
            hips = np.zeros_like(hips)
        return turns, hips

    def _swivelled(self, segment: Segment, turns: dict[str, Array]) -> Array:
        """Return a segment's target (T, 4), turned about its own axis so that the hinge below it bends correctly."""
        goal = turns[segment.name]
        below = next((s for s in self.robot.segments if s.parent == segment.name and s.name in turns), None)
        if below is None or not self._is_hinge(below) or self._is_hinge(segment):
            return goal
        bend = _Bend(self.robot, segment, below)
        upper = quaternion.rotate(goal, bend.upper[None])
        lower = quaternion.rotate(turns[below.name], bend.lower[None])
        hinge = bend.sign * quaternion.rotate(goal, bend.axis[None])
        bent = quaternion.cross(upper, lower)  # along the hinge, as long as the sine of the bend
        along = np.sum(bent * hinge, axis=-1, keepdims=True)
        aside = bent - along * hinge
        size = np.linalg.norm(aside, axis=-1, keepdims=True)
        # A limb that is nearly straight, or bent back a little, has no axis: the straighter, the less it is turned.
        wanted = (np.maximum(along, 0.0) + _STRAIGHT) * hinge + aside * size / (size + _STRAIGHT)
        angle = angle_about(upper, hinge, wanted)
        return quaternion.multiply(quaternion.exp(upper * angle[:, None]), goal)

    def _turn(self, segment: Segment, local: Array, pose: Array, fps: float) -> Array:
        """Write a segment's joints into `pose` (T, Q), and return the rotation (T, 4) that they reach."""
        joints = [self.robot.joint_of[name] for name in segment.joints]
        if joints[0].is_ball:
            joint = joints[0]
            # From the world's axes at zero into those of the link.
            own = quaternion.multiply(
                quaternion.multiply(quaternion.inverse(joint.frame), local), joint.frame
            )
            pose[:, joint.q] = own
            return local
        hinges = Hinges(
            np.array([j.axis for j in joints]),
            np.array([j.lower for j in joints]),
            np.array([j.upper for j in joints]),
        )
        if self._is_hinge(segment) and (tip := self._tip(segment)) is not None:
            start = np.broadcast_to(tip, (len(local), 3))
            angles = angle_about(hinges.axes[0], start, quaternion.rotate(local, start))[:, None]
        else:
            angles = hinges.solve(local, np.concatenate([self._last[j.q] for j in joints]))
        for number, joint in enumerate(joints):
            pose[:, joint.q] = self._clip(joint, angles[:, number, None], fps)
        return hinges.rotation(np.concatenate([pose[:, j.q] for j in joints], axis=1))

    def _clip(self, joint: Joint, angles: Array, fps: float) -> Array:
        """Return angles (T, 1) within a hinge's limits of angle and speed, and add the deviations to the statistics."""
        clipped = np.clip(angles, joint.lower, joint.upper)
        step, last = joint.speed / fps, self._last[joint.q] if self._frames else clipped[0]
        if (np.abs(np.diff(clipped, axis=0, prepend=last[None])) > step).any():
            for frame in range(len(clipped)):
                last = clipped[frame] = np.clip(clipped[frame], last - step, last + step)
        over = np.abs(angles - clipped)
        self._over[0, joint.v] += (over > _TOLERANCE).sum()
        self._over[1, joint.v] = np.maximum(self._over[1, joint.v], over.max())
        return clipped

    def _is_hinge(self, segment: Segment) -> bool:
        return len(segment.joints) == 1 and not self.robot.joint_of[segment.joints[0]].is_ball

    def _tip(self, segment: Segment) -> Array | None:
        """Return the direction (3,) of the segment's bone in the zero pose; None for a segment without a child."""
        below = next((s for s in self.robot.segments if s.parent == segment.name), None)
        return None if below is None else _direction(self.robot, segment, below)


class _Bend:
    """Geometry of an elbow or a knee: the bones above and below it, its axis, and the sign of its angle when bent."""

    def __init__(self, robot: Robot, segment: Segment, below: Segment) -> None:
        joint = robot.joint_of[below.joints[0]]
        end = next(s for s in robot.segments if s.parent == below.name)
        self.axis = joint.axis
        self.upper, self.lower = _direction(robot, segment, below), _direction(robot, below, end)
        straight = float(angle_about(self.axis, self.lower[None], self.upper[None])[0])
        self.sign = 1.0 if joint.upper - straight > straight - joint.lower else -1.0


def retarget(
    motion: Motion, robot: Robot, *, is_upright: bool = False
) -> tuple[Trajectory, dict[str, Clipping]]:
    """Return the robot's trajectory for a whole motion, with its feet on the floor z = 0, and the clipped joints.

    Args:
        motion: of any humanoid.
        robot: its description.
        is_upright: the pelvis is fixed, upright; the trajectory's root then does not move.

    Raises:
        ValueError: a skeleton that is no humanoid.
    """
    retargeter = Retargeter(motion.skeleton, robot, is_upright=is_upright)
    trajectory = retargeter.follow(motion)
    if is_upright:
        return suspended(trajectory), retargeter.clipping
    lowest = foot_heights(trajectory)
    lift = np.zeros((len(trajectory), 3))
    floor = np.percentile(lowest, _GROUND)
    # Shoes that do not bend would stand in the floor where the person rolls over the toes.
    lift[:, 2] = _smooth(np.maximum(floor - lowest, 0.0), motion.fps) - floor
    return trajectory.moved(lift), retargeter.clipping


def _t_pose(skeleton: Skeleton, mapping: dict[str, str]) -> dict[str, Array]:
    """Return each segment's rotation (4,) in the T-pose, in a robot's axes."""
    pose = find_t_pose(skeleton, mapping)
    turns = _axes(skeleton.fk(pose, skeleton.offsets.new_zeros(3))[0].double().numpy())
    return dict(zip(skeleton.names, turns, strict=True))


def _direction(robot: Robot, segment: Segment, end: Segment) -> Array:
    along = robot.segment_positions[end.name] - robot.segment_positions[segment.name]
    direction: Array = along / np.linalg.norm(along)
    return direction


def _axes(quats: Array) -> Array:
    """Return rotations (..., 4) of motiongen's axes (x left, y up, z forward) in a robot's (x forward, z up)."""
    turned: Array = quats[..., [2, 0, 1, 3]]
    return turned


def _smooth(values: Array, fps: float, seconds: float = 0.05) -> Array:
    """Return values (T,) smoothed by a Gaussian with a standard deviation of `seconds`."""
    reach = max(1, round(3 * seconds * fps))
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / (seconds * fps)) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")
