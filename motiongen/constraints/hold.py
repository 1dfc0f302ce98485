"""Holds a motion to constraints, exactly where a body can: way, poses, hands and feet, looks, in this order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from motiongen.blend import take_over
from motiongen.constraints.avoid import Avoid
from motiongen.constraints.easing import window
from motiongen.constraints.file import Constraint
from motiongen.constraints.footing import SIDES, Footing, footing, stand
from motiongen.constraints.gaze import with_looks
from motiongen.constraints.joint_key import JointKey
from motiongen.constraints.look_at import LookAt
from motiongen.constraints.measure import errors
from motiongen.constraints.outcome import Outcome
from motiongen.constraints.pins import Pin, pins
from motiongen.constraints.pose_key import PoseKey
from motiongen.constraints.poses import frame_of, with_poses
from motiongen.constraints.reach import helped, reached
from motiongen.constraints.route import places, route
from motiongen.constraints.timing import aligned, retimed
from motiongen.motion import Motion
from motiongen.rotation import quat_slerp
from motiongen.skeleton import SMPL22

FREE_SECONDS = 0.4
"""Time beside a place that is asked in which the pelvis is not wholly free to help an arm."""
SEAM_SECONDS = 0.25
"""Time after frames that stay in which what differs fades out."""


@dataclass(frozen=True)
class Held:
    """A motion that was held to constraints.

    Attributes:
        motion: it.
        outcomes: one for each constraint, in order: the error that was left to the correction, and what it left.
    """

    motion: Motion
    outcomes: tuple[Outcome, ...]


def hold(motion: Motion, constraints: Sequence[Constraint], *, first: int = 0) -> Held:
    """Return a motion held to constraints, or as near to them as a body comes; its length stays.

    Bones keep their lengths, and feet their places while they stand: what the way is bent by is made up in steps.

    Args:
        motion: of SMPL-22.
        constraints: in any order; where two are against each other at a time, places are met half-way, and of poses
            and joints the first counts.
        first: frames before it stay as they are.

    Raises:
        ValueError: another skeleton, or a constraint after the end of the motion.
    """
    check_times(constraints, motion.seconds, motion.fps)
    if motion.skeleton.names != SMPL22.names:
        raise ValueError(
            f"motion: expected SMPL-22's joints, got {motion.skeleton.label}; retarget it to motiongen.SMPL22 first"
        )
    held = _held(motion, constraints, first) if constraints else motion
    if first:
        held = _after(motion[:first], held[first:])
    outcomes = []
    for each in constraints:
        (before, turned_before), (after, turned_after) = errors(motion, each), errors(held, each)
        outcomes.append(
            Outcome(
                constraint=each,
                before=before,
                after=after,
                turned_before=turned_before,
                turned_after=turned_after,
            )
        )
    return Held(held, tuple(outcomes))


def _after(before: Motion, held: Motion) -> Motion:
    """Return frames that stay as they are, followed by those that were held, which begin as the former end."""
    length = round(SEAM_SECONDS * held.fps)
    rotations, root = take_over(held.rotations, held.root, before.rotations[-3:], before.root[-3:], length)
    return replace(
        held, rotations=torch.cat([before.rotations, rotations]), root=torch.cat([before.root, root])
    )


def check_times(constraints: Sequence[Constraint], seconds: float, fps: float) -> None:
    """Raise ValueError for the first constraint that ends after a motion of so many seconds."""
    for each in constraints:
        if each.span[1] > seconds + 0.5 / fps:
            raise ValueError(
                f"constraints: expected times within {seconds:.2f} s, got {each.label}; ask for a longer motion"
            )


def _held(motion: Motion, constraints: Sequence[Constraint], first: int) -> Motion:
    poses = [each for each in constraints if isinstance(each, PoseKey)]
    keys = [each for each in constraints if isinstance(each, JointKey)]
    obstacles = [each for each in constraints if isinstance(each, Avoid)]
    asked = places(constraints, motion)
    if not first:
        motion = aligned(retimed(motion, asked) if asked else motion, poses)
    moved = route(motion, asked, obstacles, first).apply(motion) if asked or obstacles else motion
    moved = with_poses(moved, poses)
    goals = [pin for joint in ("left_wrist", "right_wrist", "head") if (pin := pins(moved, keys, joint))]
    ankles = {joint: pins(moved, keys, joint) for joint in ("left_ankle", "right_ankle")}
    if moved is not motion or goals or any(ankles.values()):
        exact = [frame_of(pose.time, motion) for pose in poses]
        feet = footing(motion, moved, exact)
        feet = _pinned(feet, moved, [ankles[f"{side}_ankle"] for side in SIDES])
        moved = stand(
            helped(moved, goals, _free(motion, [place.frame for place in asked])), feet, motion, exact
        )
        moved = reached(moved, goals)
    return with_looks(moved, [each for each in constraints if isinstance(each, LookAt)])


def _free(motion: Motion, frames: Sequence[int]) -> Tensor:
    """Return how free the root (T, 1) is to leave its way: not at all at frames at which a place is asked."""
    free = torch.ones(motion.num_frames, 1).to(motion.root)
    for frame in frames:
        free = (
            free
            * (1 - window(motion.num_frames, frame, frame, round(FREE_SECONDS * motion.fps)).to(free))[
                :, None
            ]
        )
    return free


def _pinned(feet: Footing, moved: Motion, goals: Sequence[Pin | None]) -> Footing:
    """Return a footing whose feet go from where they stand to where they are pinned, and back."""
    spots, turns = feet.places.clone(), feet.turns.clone()
    for number, goal in enumerate(goals):
        if goal is None:
            continue
        weight = goal.weight[:, None]
        if goal.place is not None:  # the goal's own way there begins at the sliding foot
            spots[:, number] = goal.place + (spots[:, number] - moved.positions()[:, goal.joint]) * (
                1 - weight
            )
        if goal.turn is not None:
            turns[:, number] = quat_slerp(turns[:, number], goal.turn, goal.weight)
    return Footing(spots, turns)
