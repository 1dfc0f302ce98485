"""Keeps the feet of a driven character from sliding, frame by frame: two-bone legs, with what came before alone.

The part of a foot that stands stays where it was in the frame before. A foot in the air swings to where its motion
has it, and so much ahead as the body will pass over it while it stands. A foot that stands too far away, since the
body is carried or turned where the legs do not walk, steps.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from motiongen.contacts import CLEARANCE
from motiongen.features import FPS
from motiongen.skeleton import SMPL22
from motiongen.streaming.single_pose import Quat, Vector, add, inverse, multiply, rotate, solve_limb, yaw
from motiongen.streaming.spring import Spring

HIPS, KNEES, ANKLES, TOES = (
    [SMPL22.index(f"{side}_{part}") for side in ("left", "right")]
    for part in ("hip", "knee", "ankle", "foot")
)
STEP_FRAMES = 8
"""Frames of a step that a foot makes because it stands too far away."""
FAR, FAR_WALKING = 0.14, 0.34
"""Distance of a standing foot from where its motion has it at which it steps, of one who stands or walks, metres."""
SETTLED = 0.03
"""That distance for a foot that is to be where a pose has it, metres."""
TWISTED = math.radians(32)
"""Angle of a standing foot from that of its motion at which it steps."""
SWING, STEPPING = 16.0, 17.0
"""Stiffness with which a foot in the air goes to its place, radians a second; of a step."""
NEAR_FLOOR, ON_FLOOR = 0.06, 0.03
"""Heights of a joint over that of a standing foot, metres: up to which its contact is believed, and up to which a foot
that stands goes on standing, and one in the air is lifted."""
LIFTING = 30.0
"""Stiffness of that lift, radians a second."""
LEAST_LIFT, LIFT, MOST_LIFT = 0.03, 0.2, 0.09
"""Height of the shortest step, metres; what is added for each metre of its way; the most, metres."""
STANCE_SECONDS = 0.45
"""Time that a foot stands, until its own was seen."""
SHORTEST_STANCE, LONGEST_STANCE = 0.12, 0.7
MOST_AHEAD = 0.4
"""Farthest that a foot is set down ahead of its motion, metres."""
MOST_DROP, DROPPING, SAGS = 0.12, 20.0, 0.07
"""Farthest that hips sink so that a standing foot is in reach, metres; stiffness, radians a second; and so far that the
foot steps."""
REACH = 0.998
"""Longest leg, as a share of the length of its bones."""
WALKS = 0.3
"""Speed of the legs' own motion from which they walk, m/s."""
_OFFSETS = [tuple(offset) for offset in SMPL22.offsets.double().tolist()]
_BONES = [[_OFFSETS[joints[side]] for joints in (HIPS, KNEES, ANKLES, TOES)] for side in (0, 1)]
_LENGTH = (math.hypot(*_OFFSETS[KNEES[0]]) + math.hypot(*_OFFSETS[ANKLES[0]])) * REACH
_HINGE = (-1.0, 0.0, 0.0)


@dataclass
class Foot:
    """A foot's way from where its motion has it.

    Attributes:
        x, z: shift of the ankle, metres.
        twist: turn about the ankle, radians.
        lift: of one in the air that its motion drags over the floor, metres.
        ankle, toe: (3,) where they were in the frame before, metres; None before any.
        heading: of the foot in the frame before, radians.
        stood: seconds that it has stood; 0 in the air.
        stance: seconds that it stood last.
        stepping: frames of its step that are left.
        way: metres of the step.
    """

    x: Spring = field(default_factory=Spring)
    z: Spring = field(default_factory=Spring)
    twist: Spring = field(default_factory=Spring)
    lift: Spring = field(default_factory=Spring)
    ankle: Vector | None = None
    toe: Vector | None = None
    heading: float = 0.0
    stood: float = 0.0
    stance: float = STANCE_SECONDS
    stepping: int = 0
    way: float = 0.0

    @property
    def is_home(self) -> bool:
        """Whether it is where its motion has it."""
        return abs(self.x.at) + abs(self.z.at) < 0.004 and abs(self.twist.at) < 0.01


class Stance:
    """The feet of one character."""

    def __init__(self) -> None:
        """Begin without frames."""
        self._feet = (Foot(), Foot())
        self._drop = Spring()

    @property
    def is_home(self) -> bool:
        """Whether both feet are where their motion has them."""
        return all(foot.is_home for foot in self._feet) and self._drop.at < 0.002

    def cut(self) -> None:
        """Forget the frames before."""
        self._feet, self._drop = (Foot(), Foot()), Spring()

    def apply(
        self,
        rotations: np.ndarray,
        root: np.ndarray,
        contacts: int,
        slip: tuple[float, float],
        pace: float,
        *,
        settles: bool = False,
    ) -> int:
        """Put the feet of a frame where they stand; return the bits of the joints that touch the floor.

        Args:
            rotations: local rotations (22, 4), changed in place.
            root: (3,) metres, changed in place.
            contacts: bits of the joints that touch the floor in the frame as it came.
            slip: m/s along x and z by which the body runs ahead of its legs.
            pace: m/s of the legs' own motion.
            settles: whether feet go to the very places that the motion has them at, though nobody walks.
        """
        pelvis, place = _quat(rotations, 0), (float(root[0]), float(root[1]), float(root[2]))
        legs = [_Leg(rotations, pelvis, place, side) for side in (0, 1)]
        far, touching, drop = FAR_WALKING if pace > WALKS else FAR, 0, 0.0
        far = SETTLED if settles else far
        targets = []
        for side, (foot, leg) in enumerate(zip(self._feet, legs, strict=True)):
            heel, tip = leg.ankle[1] - CLEARANCE[0], leg.ankle[1] + leg.to_toe[1] - CLEARANCE[1]
            bits = _standing(foot, contacts >> 2 * side & 3, heel, tip)
            lift, stays = _move(foot, self._feet[1 - side], bits, leg, slip, far)
            lift += foot.lift.follow(0.0 if stays else max(0.0, ON_FLOOR - min(heel, tip)), LIFTING)
            target = leg.ankle[0] + foot.x.at, leg.ankle[1] + lift, leg.ankle[2] + foot.z.at
            targets.append(target)
            if stays:
                touching |= bits << 2 * side
                drop = max(drop, _beyond(leg.hip, target))
        drop = max(0.0, self._drop.follow(min(drop, MOST_DROP), DROPPING))
        root[1] -= drop
        for side, (foot, leg, target) in enumerate(zip(self._feet, legs, targets, strict=True)):
            leg.reach(rotations, pelvis, side, target, drop, foot.twist.at)
            foot.ankle, foot.toe = leg.ankle, add(leg.ankle, leg.to_toe)
            foot.heading = math.atan2(leg.to_toe[0], leg.to_toe[2])
        return touching


class _Leg:
    """A leg of one frame, in the world."""

    def __init__(self, rotations: np.ndarray, pelvis: Quat, root: Vector, side: int) -> None:
        """Find where a leg of a pose is."""
        self.hip_turn = multiply(pelvis, _quat(rotations, HIPS[side]))
        self.knee_turn = multiply(self.hip_turn, _quat(rotations, KNEES[side]))
        self.ankle_turn = multiply(self.knee_turn, _quat(rotations, ANKLES[side]))
        to_hip, to_knee, to_ankle, to_toe = _BONES[side]
        self.hip = add(root, rotate(pelvis, to_hip))
        self.knee = add(self.hip, rotate(self.hip_turn, to_knee))
        self.ankle = add(self.knee, rotate(self.knee_turn, to_ankle))
        self.to_toe = rotate(self.ankle_turn, to_toe)

    def reach(
        self, rotations: np.ndarray, pelvis: Quat, side: int, target: Vector, drop: float, twist: float
    ) -> None:
        """Put the ankle at a target, from a hip that has sunk, and turn the foot; write the rotations."""
        sunk = (0.0, -drop, 0.0)
        hip = add(self.hip, sunk)
        bend, swing = solve_limb(hip, add(self.knee, sunk), add(self.ankle, sunk), target, _HINGE)
        hip_turn, knee_turn = multiply(swing, self.hip_turn), multiply(swing, multiply(bend, self.knee_turn))
        ankle_turn = multiply(yaw(twist), self.ankle_turn)
        rotations[HIPS[side]] = multiply(inverse(pelvis), hip_turn)
        rotations[KNEES[side]] = multiply(inverse(hip_turn), knee_turn)
        rotations[ANKLES[side]] = multiply(inverse(knee_turn), ankle_turn)
        _, to_knee, to_ankle, to_toe = _BONES[side]
        self.ankle = add(add(hip, rotate(hip_turn, to_knee)), rotate(knee_turn, to_ankle))
        self.to_toe = rotate(ankle_turn, to_toe)


def _move(
    foot: Foot, other: Foot, bits: int, leg: _Leg, slip: tuple[float, float], far: float
) -> tuple[float, bool]:
    """Move a foot by a frame; return how high it is lifted, and whether it stands where it stood."""
    if foot.ankle is None or foot.toe is None:
        return 0.0, False
    if foot.stepping == 0 and bits:
        stays_x, stays_z, twist = _held(foot, bits, leg.ankle, leg.to_toe)
        ahead_x, ahead_z = _ahead(foot, slip) if far > FAR else (0.0, 0.0)
        away = math.hypot(stays_x - ahead_x, stays_z - ahead_z)
        needs = max(away / far, abs(twist) / TWISTED)
        across = math.hypot(leg.ankle[0] + stays_x - leg.hip[0], leg.ankle[2] + stays_z - leg.hip[2])
        stretched = math.hypot(across, leg.hip[1] - leg.ankle[1] - SAGS) / _LENGTH
        if max(needs, 1 + 25 * (stretched - 1)) > (1.0 if other.stood else 1.7):
            foot.stepping, foot.way = STEP_FRAMES, away
            foot.x.rate = foot.z.rate = foot.twist.rate = 0.0
        else:
            for spring, value in ((foot.x, stays_x), (foot.z, stays_z), (foot.twist, twist)):
                spring.rate, spring.at = (value - spring.at) * FPS, value
            foot.stood += 1 / FPS
            return 0.0, True
    if foot.stood > SHORTEST_STANCE:
        foot.stance += 0.5 * (min(foot.stood, LONGEST_STANCE) - foot.stance)
    foot.stood = 0.0
    ahead_x, ahead_z = _ahead(foot, slip)
    stiffness = STEPPING if foot.stepping else SWING
    foot.x.follow(ahead_x, stiffness)
    foot.z.follow(ahead_z, stiffness)
    foot.twist.follow(0.0, stiffness)
    if not foot.stepping:
        return 0.0, False
    foot.stepping -= 1
    height = min(LEAST_LIFT + LIFT * foot.way, MOST_LIFT)
    return height * math.sin(math.pi * (foot.stepping + 0.5) / STEP_FRAMES), False


def _beyond(hip: Vector, target: Vector) -> float:
    """Return by how much a hip has to go down so that a target is in reach, metres; negative where it is."""
    across = math.hypot(target[0] - hip[0], target[2] - hip[2])
    return hip[1] - target[1] - math.sqrt(max(_LENGTH * _LENGTH - across * across, 0.0))


def _held(foot: Foot, bits: int, ankle: Vector, toe: Vector) -> tuple[float, float, float]:
    """Return shift and twist with which the standing part of a foot is where it was in the frame before."""
    assert foot.ankle is not None and foot.toe is not None
    twist = math.remainder(foot.heading - math.atan2(toe[0], toe[2]), math.tau)
    if not bits & 2:  # the heel alone
        return foot.ankle[0] - ankle[0], foot.ankle[2] - ankle[2], twist
    sine, cosine = math.sin(twist), math.cos(twist)
    toe_x, toe_z = cosine * toe[0] + sine * toe[2], cosine * toe[2] - sine * toe[0]
    return foot.toe[0] - toe_x - ankle[0], foot.toe[2] - toe_z - ankle[2], twist


def _ahead(foot: Foot, slip: tuple[float, float]) -> tuple[float, float]:
    """Return how far ahead of its motion a foot is set down, so that the body passes over it, metres."""
    ahead_x, ahead_z = slip[0] * foot.stance / 2, slip[1] * foot.stance / 2
    scale = min(1.0, MOST_AHEAD / max(math.hypot(ahead_x, ahead_z), 1e-9))
    return ahead_x * scale, ahead_z * scale


def _standing(foot: Foot, bits: int, heel: float, tip: float) -> int:
    """Return the contact bits of a foot with heights over those of a standing one: what was said, where that can be."""
    found = (bits & 1 if heel < NEAR_FLOOR else 0) | (bits & 2 if tip < NEAR_FLOOR else 0)
    if not found and foot.stood:
        found = 2 if tip < ON_FLOOR else 1 if heel < ON_FLOOR else 0
    return found


def _quat(rotations: np.ndarray, joint: int) -> Quat:
    x, y, z, w = rotations[joint].tolist()
    return x, y, z, w
