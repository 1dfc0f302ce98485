"""Foot locking: standing feet are held in place by two-bone inverse kinematics of each leg.

It changes hips and knees alone; a foot keeps its rotation in the world and its height. What stands still is the part
of the foot that touches the floor: a heel, then the toes, about which the foot rolls.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motiongen import two_bone
from motiongen.rotation import quat_multiply
from motiongen.skeleton import Skeleton, local_rotations

MIN_FRAMES = 3
"""Shortest contact, in frames, that counts as a step."""
EASE_SECONDS = 0.2
"""Time in which a foot is drawn to its locked position before a step, and released after it."""
LONGEST_SHIFT = 0.08
"""A foot is moved by at most this, metres: one that slides further is meant to slide."""


def lock_feet(
    global_rotations: Tensor,
    positions: Tensor,
    contacts: Tensor,
    skeleton: Skeleton,
    fps: float,
    first: int = 0,
    last: int | None = None,
) -> Tensor:
    """Return local rotations (T, J, 4) with which standing feet hold still.

    Args:
        global_rotations: joint rotations in the world (T, J, 4).
        positions: joint positions in the world (T, J, 3), metres, over a floor at y = 0.
        contacts: foot contacts (T, 4) bool in the order of `contacts.CONTACT_JOINTS`.
        skeleton: the joints; they have SMPL's names.
        fps: frames a second.
        first: frames before it stay as they are.
        last: so do those from this one on; None for none.

    Raises:
        ValueError: the skeleton has other joint names.
    """
    locked, ease = global_rotations.clone(), round(EASE_SECONDS * fps)
    within = _within(len(positions), first, len(positions) if last is None else last, ease).to(positions)
    for side, columns in (("left", slice(0, 2)), ("right", slice(2, 4))):
        hip, knee, ankle, toe = (
            skeleton.index(f"{side}_{part}") for part in ("hip", "knee", "ankle", "foot")
        )
        shift = _shift(positions[:, [ankle, toe]], contacts[:, columns], ease) * within[:, None]
        move_leg(locked, positions, (hip, knee, ankle), positions[:, ankle] + shift)
    return local_rotations(locked, skeleton)


def slide(foot: Tensor, contacts: Tensor) -> Tensor:
    """Return how far the standing part of a foot slid over the floor since the frame before (T, 3), metres.

    Args:
        foot: heel and toes (T, 2, 3).
        contacts: whether each stands (T, 2) bool.
    """
    stays = (contacts[1:] & contacts[:-1]).to(foot)[..., None]  # (T - 1, 2, 1)
    moved = (foot[1:] - foot[:-1]) * foot.new_tensor([1.0, 0.0, 1.0]) * stays
    return torch.cat([foot.new_zeros(1, 3), moved.sum(dim=1) / stays.sum(dim=1).clamp_min(1)])


def _within(count: int, first: int, last: int, ease: int) -> Tensor:
    """Return weights (T,): 1 inside [first, last), 0 outside, with ends of `ease` frames beside what is outside."""
    frames = torch.arange(count)
    after = (frames - first + 1).clamp_min(0) if first else torch.full((count,), ease)
    before = (last - frames).clamp_min(0) if last < count else torch.full((count,), ease)
    inside = (torch.minimum(after, before) / ease).clamp(max=1.0)
    return inside * inside * (3 - 2 * inside)


def _shift(foot: Tensor, contacts: Tensor, ease: int) -> Tensor:
    """Return by how much to move an ankle (T, 3) so that its foot does not slide while it stands.

    Each step is moved as little as can be, to the middle of its slide; the shift grows and fades over `ease` frames
    beside it.
    """
    moved = slide(foot, contacts)
    shift, weight = torch.zeros_like(moved), torch.zeros_like(moved[:, 0])
    for first, last in _runs(contacts.any(dim=1)):
        slid = moved[first:last].cumsum(0) - moved[first]
        held = slid.median(dim=0).values - slid
        held = held * (LONGEST_SHIFT / held.norm(dim=-1, keepdim=True).clamp_min(LONGEST_SHIFT))
        begin, end = max(0, first - ease), min(len(foot), last + ease)
        frames = torch.arange(begin, end, device=foot.device)
        outside = torch.maximum(first - frames, frames - (last - 1)).clamp_min(0)  # frames from the step
        share = 0.5 + 0.5 * torch.cos(torch.pi * outside / (ease + 1)).to(foot)
        nearest = held[frames.clamp(first, last - 1) - first]  # beside the step the shift of its edge frame
        closer = share > weight[begin:end]
        shift[begin:end] = torch.where(closer[:, None], nearest * share[:, None], shift[begin:end])
        weight[begin:end] = torch.maximum(weight[begin:end], share)
    return shift


def _runs(mask: Tensor) -> list[tuple[int, int]]:
    """Return the runs [first, last) of true that are at least MIN_FRAMES long."""
    edges = torch.diff(mask.int(), prepend=mask.new_zeros(1).int(), append=mask.new_zeros(1).int())
    starts, ends = (edges == 1).nonzero()[:, 0].tolist(), (edges == -1).nonzero()[:, 0].tolist()
    return [(first, last) for first, last in zip(starts, ends, strict=True) if last - first >= MIN_FRAMES]


def move_leg(world: Tensor, positions: Tensor, leg: Sequence[int], target: Tensor) -> None:
    """Turn a leg's rotations in the world (T, J, 4), in place, so that its ankle is at a target (T, 3).

    Args:
        world: joint rotations in the world.
        positions: joint positions in the world (T, J, 3), metres.
        leg: indices of its hip, knee and ankle.
        target: metres.
    """
    hip, knee, ankle = leg
    bend, swing = leg_rotations(positions[:, hip], positions[:, knee], positions[:, ankle], target)
    world[:, hip] = quat_multiply(swing, world[:, hip])
    world[:, knee] = quat_multiply(swing, quat_multiply(bend, world[:, knee]))


def leg_rotations(hip: Tensor, knee: Tensor, ankle: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return rotations (T, 4) of the shin about the knee, and of the leg about the hip: the ankle then is at target."""
    first, middle, end, goal = (each.detach().double().cpu().numpy().T for each in (hip, knee, ankle, target))
    hinge = np.zeros(first.shape)
    hinge[0] = -1.0
    bend, swing = two_bone.solve(first, middle, end, goal, hinge)
    return torch.from_numpy(bend.T).to(hip), torch.from_numpy(swing.T).to(hip)
