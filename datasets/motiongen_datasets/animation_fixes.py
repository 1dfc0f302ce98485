"""Corrections of game animations: feet under the root joint, stylised bodies on the floor, loops played in place."""

import math

import torch
from torch import Tensor

from motiongen.motion import Motion
from motiongen.rotation import quat_inverse, quat_rotate
from motiongen.skeleton import ANKLE_HEIGHT, SMPL22, Skeleton, local_rotations

BALL_HEIGHT = 0.025
"""Height of SMPL-22's foot joint, the ball of the foot, over the sole, metres."""
THICKNESS = 0.09
"""Half the thickness of a body that lies or sits, metres."""

SPREAD = 1.0
"""Metres between the wrists of arms that are held out; in a T-pose 1.39."""


def reparented(motion: Motion, joint: str, parent: str) -> Motion:
    """Return the motion with a joint, and its descendants, under another parent.

    Args:
        motion: on any skeleton.
        joint: name of the joint. Its world rotations stay, its position follows the parent from now on.
        parent: name of the new parent; in the rest pose the joint stays where it is.
    """
    old = motion.skeleton
    child, above = old.index(joint), old.index(parent)
    rotations, positions = old.fk(old.rest_rotations, old.offsets.new_zeros(3))
    offsets = old.offsets.clone()
    offsets[child] = quat_rotate(quat_inverse(rotations[above]), positions[child] - positions[above])
    parents = list(old.parents)
    parents[child] = above
    order = _parents_first(parents)
    new_index = {joint: i for i, joint in enumerate(order)}
    new = Skeleton(
        names=tuple(old.names[i] for i in order),
        parents=tuple(-1 if parents[i] < 0 else new_index[parents[i]] for i in order),
        offsets=offsets[order],
    )
    new = Skeleton(new.names, new.parents, new.offsets, rest=local_rotations(rotations[order], new))
    world = motion.global_rotations()[:, order]
    translations = motion.translations
    if translations is not None:
        translations = translations.clone()
        translations[:, child] = offsets[child]
        translations = translations[:, order]
    return Motion(new, local_rotations(world, new), motion.root, motion.fps, translations)


def on_floor(motion: Motion, source: Motion, mapping: dict[str, str]) -> Motion:
    """Return the motion lifted so that, frame by frame, its lowest joint is as far over the floor as the source's.

    Retargeted rotations alone leave a body of other proportions hovering or sunk: legs of these rigs are 0.3 to 0.5 of
    their height. A foot's distance counts from its standing height, that of other joints from a body's thickness.

    Args:
        motion: of SMPL-22, retargeted from the source.
        source: on its own skeleton.
        mapping: SMPL-22's joint names -> the source's.
    """
    rest = source.skeleton.rest_positions
    rest = rest[:, 1] - rest[:, 1].min()
    head = SMPL22.index("head")
    scale = float(SMPL22.rest_positions[head, 1] - SMPL22.rest_positions[:, 1].min() + BALL_HEIGHT) / float(
        rest[source.skeleton.index(mapping["head"])]
    )
    theirs, ours = [], []
    for name, joint in mapping.items():
        foot = name.endswith(("ankle", "foot"))
        standing = ANKLE_HEIGHT if name.endswith("ankle") else BALL_HEIGHT if foot else THICKNESS
        at = source.skeleton.index(joint)
        theirs.append(source.positions()[:, at, 1] * scale - (float(rest[at]) * scale if foot else THICKNESS))
        ours.append(motion.positions()[:, SMPL22.index(name), 1] - standing)
    lift = torch.stack(theirs).amin(0) - torch.stack(ours).amin(0)  # (T,)
    root = motion.root + lift[:, None] * motion.root.new_tensor([0.0, 1.0, 0.0])
    return Motion(motion.skeleton, motion.rotations, root, motion.fps)


def calibration_frames(motion: Motion) -> int:
    """Return the number of frames at the start in which both arms are held out, as for calibration."""
    positions = motion.positions()
    apart = positions[:, SMPL22.index("left_wrist")] - positions[:, SMPL22.index("right_wrist")]
    count = int((apart.norm(dim=-1) > SPREAD).long().cumprod(0).sum())
    return count if count < motion.num_frames else 0


def repeated(motion: Motion, seconds: float) -> Motion:
    """Return a loop repeated until it lasts at least `seconds`, each round starting where the last one ended.

    The last frame of a loop equals its first one, so each round has it once.
    """
    period = motion.num_frames - 1
    rounds = math.ceil((seconds * motion.fps - 1) / period) if period > 0 else 1
    if rounds < 2:
        return motion
    stride = (motion.root[-1] - motion.root[0]) * motion.root.new_tensor([1.0, 0.0, 1.0])
    roots = [motion.root[:-1] + number * stride for number in range(rounds)] + [
        motion.root[-1:] + (rounds - 1) * stride
    ]
    rotations = [motion.rotations[:-1]] * rounds + [motion.rotations[-1:]]
    return Motion(motion.skeleton, torch.cat(rotations), torch.cat(roots), motion.fps)


def travelling(motion: Motion) -> Motion:
    """Return locomotion that was animated in place, moved at a steady speed so that the standing foot does not slide.

    The root gets one velocity for the whole clip: the negative of `standing_velocity`.
    """
    velocity = standing_velocity(motion)
    times = torch.arange(motion.num_frames).to(motion.root) / motion.fps
    return Motion(motion.skeleton, motion.rotations, motion.root - times[:, None] * velocity, motion.fps)


def standing_velocity(motion: Motion) -> Tensor:
    """Return the horizontal velocity (3,) of the lowest foot in m/s, the median over the frames on the floor."""
    positions = motion.positions()
    joints = ("left_ankle", "left_foot", "right_ankle", "right_foot")
    clearance = positions.new_tensor([ANKLE_HEIGHT, BALL_HEIGHT, ANKLE_HEIGHT, BALL_HEIGHT])
    feet = positions[:, [SMPL22.index(name) for name in joints]]  # (T, 4, 3)
    speed = (feet[1:] - feet[:-1]) * motion.fps
    lift = torch.maximum(feet[1:, :, 1], feet[:-1, :, 1]) - clearance  # (T - 1, 4)
    lowest = lift.argmin(dim=1)
    rows = torch.arange(len(lowest))
    near = lift[rows, lowest] <= lift.amin(dim=1).median() + 0.02
    velocity = speed[rows, lowest][near].median(dim=0).values
    return velocity * velocity.new_tensor([1.0, 0.0, 1.0])


def _parents_first(parents: list[int]) -> list[int]:
    """Return the joints' indices in an order in which each parent comes before its children."""
    order: list[int] = []
    waiting = [parents.index(-1)]
    while waiting:
        joint = waiting.pop()
        order.append(joint)
        waiting += [i for i in reversed(range(len(parents))) if parents[i] == joint]
    return order
