"""Hands and the head at their goals: arms by two bones, helped by back and pelvis where they are too short."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from motiongen import two_bone
from motiongen.constraints.easing import smoothed
from motiongen.constraints.pins import Pin
from motiongen.motion import Motion
from motiongen.planes import Planes
from motiongen.rotation import (
    axis_angle_from_quat,
    quat_between,
    quat_from_axis_angle,
    quat_identity,
    quat_multiply,
    quat_rotate,
    quat_slerp,
)
from motiongen.skeleton import local_rotations

BACK = 1.2
"""How far the back bends at most to help an arm or the head, radians."""
ASIDE, DOWN, UP = 0.3, 0.6, 0.04
"""How far the pelvis goes at most over the floor, down and up to help, metres."""
STRAIGHT = 0.95
"""Share of an arm's length that it reaches by itself."""
EVEN_SECONDS = 0.08
"""Deviation of the Gaussian over time under which they help: what is at its limit stops softly."""
_ROUNDS = 10
_SOFT = 0.02  # metres over which help sets in
_STEADY = 0.1
_ASKED = 0.05  # weight of a goal from which it is met
_BACK = ("spine1", "spine2", "spine3")


def helped(motion: Motion, goals: Sequence[Pin], free: Tensor) -> Motion:
    """Return a motion of SMPL-22 that leans, bends and squats towards what its arms are too short for; feet slide.

    Args:
        motion: whose hands and head have goals.
        goals: of wrists and of the head; those of other joints are not looked at.
        free: (T, 1) share of ASIDE by which the pelvis may go over the floor.
    """
    shift = torch.zeros_like(motion.root)
    bent = torch.zeros_like(motion.root)  # axis angle of the back in the world
    found = motion
    for _ in range(_ROUNDS):
        wanting = (_missing(found, goal) for goal in goals if goal.place is not None)
        missing = [each for each in wanting if each is not None]
        if not missing:
            return motion
        wanted = torch.stack([way for _, way in missing]).sum(dim=0) / len(missing)
        shift = shift + 0.5 * wanted
        shift = _limited(shift, ASIDE * free)
        low = found.positions()[:, found.skeleton.index("spine1")]
        for point, way in missing:
            turn = quat_between(point - low, point + 0.6 * way / len(missing) - low)
            bent = bent + axis_angle_from_quat(turn)
        angle = bent.norm(dim=1, keepdim=True)
        bent = bent * (BACK / angle.clamp_min(BACK))
        found = _bent(replace(motion, root=motion.root + shift), bent)
    even = EVEN_SECONDS * motion.fps
    return _bent(replace(motion, root=motion.root + smoothed(shift, even)), smoothed(bent, even))


def _limited(shift: Tensor, aside: Tensor) -> Tensor:
    """Return ways of the pelvis (T, 3) within DOWN and UP, and over the floor within so much (T, 1), metres."""
    level = shift[:, [0, 2]].norm(dim=1, keepdim=True)
    share = aside / torch.maximum(level, aside).clamp_min(1e-9)
    return torch.stack(
        [shift[:, 0] * share[:, 0], shift[:, 1].clamp(-DOWN, UP), shift[:, 2] * share[:, 0]], dim=1
    )


def _missing(motion: Motion, goal: Pin) -> tuple[Tensor, Tensor] | None:
    """Return a point (T, 3) that the back moves, and the way (T, 3) that it is too far from its goal; None for legs."""
    name, positions = motion.skeleton.names[goal.joint], motion.positions()
    assert goal.place is not None
    if name == "head":
        head = positions[:, goal.joint]
        return head, (goal.place - head) * goal.weight[:, None]
    if not name.endswith("wrist"):
        return None
    side = name.split("_")[0]
    shoulder, elbow = (motion.skeleton.index(f"{side}_{part}") for part in ("shoulder", "elbow"))
    length = motion.skeleton.offsets[[elbow, goal.joint]].norm(dim=1).sum() * STRAIGHT
    way = goal.place - positions[:, shoulder]
    distance = way.norm(dim=1)
    over = distance - length
    short = 0.5 * (over + (over**2 + _SOFT**2).sqrt()) * goal.weight
    return positions[:, shoulder], way * (short / distance.clamp_min(1e-6))[:, None]


def _bent(motion: Motion, bent: Tensor) -> Motion:
    """Return a motion whose back is bent by axis angles in the world (T, 3), a third at each of its joints."""
    world = motion.global_rotations().clone()
    above = _above(motion)
    for number, name in enumerate(_BACK, start=1):
        part = quat_from_axis_angle(bent * number / len(_BACK))
        joint = motion.skeleton.index(name)
        world[:, joint] = quat_multiply(part, world[:, joint])
    whole = quat_from_axis_angle(bent)[:, None]
    world[:, above] = quat_multiply(whole, world[:, above])
    return replace(motion, rotations=local_rotations(world, motion.skeleton))


def _above(motion: Motion) -> list[int]:
    """Return the joints over the back."""
    top = motion.skeleton.index(_BACK[-1])
    found = {top}
    for joint, parent in enumerate(motion.skeleton.parents):
        if parent in found:
            found.add(joint)
    return sorted(found - {top})


def reached(motion: Motion, goals: Sequence[Pin]) -> Motion:
    """Return a motion of SMPL-22 whose wrists and head are at their goals, as far as arms reach.

    Args:
        motion: helped, with its feet where they stand.
        goals: as in `helped`.
    """
    world, positions = motion.global_rotations().clone(), motion.positions()
    for goal in goals:
        name = motion.skeleton.names[goal.joint]
        if name.endswith("wrist"):
            _move_arm(motion, world, positions, goal, name.split("_")[0])
        elif name == "head" and goal.turn is not None:
            neck = motion.skeleton.index("neck")
            half = quat_slerp(world[:, goal.joint], goal.turn, 0.5)
            turn = quat_multiply(half, world[:, goal.joint] * world.new_tensor([-1.0, -1.0, -1.0, 1.0]))
            if goal.place is None:  # the neck turns with the head, which moves it
                world[:, neck] = quat_multiply(turn, world[:, neck])
            world[:, goal.joint] = goal.turn
    return replace(motion, rotations=local_rotations(world, motion.skeleton))


def _move_arm(motion: Motion, world: Tensor, positions: Tensor, goal: Pin, side: str) -> None:
    """Turn an arm's rotations in the world (T, 22, 4), in place, so that its wrist meets its goal."""
    shoulder, elbow = (motion.skeleton.index(f"{side}_{part}") for part in ("shoulder", "elbow"))
    wrist, turned = goal.joint, world[:, goal.joint].clone()
    if goal.place is not None:
        sign = 1.0 if side == "left" else -1.0
        hinge = quat_rotate(world[:, shoulder], world.new_tensor([0.0, sign, 0.0]))
        solved = two_bone.solve(
            _plane(positions[:, shoulder]), _plane(positions[:, elbow]), _plane(positions[:, wrist]),
            _plane(goal.place), _plane(hinge), _STEADY,
        )  # fmt: skip
        bend, swing = (torch.from_numpy(each.T).to(world) for each in solved)
        # An arm that is not asked for anything stays as it is, however straight.
        share = (goal.weight / _ASKED).clamp(max=1.0)
        bend, swing = (quat_slerp(quat_identity(1, dtype=share.dtype), each, share) for each in (bend, swing))
        world[:, shoulder] = quat_multiply(swing, world[:, shoulder])
        lower = quat_multiply(swing, bend)
        world[:, elbow] = quat_multiply(lower, world[:, elbow])
        turned = quat_multiply(lower, turned)
    world[:, wrist] = turned if goal.turn is None else goal.turn


def _plane(vectors: Tensor) -> Planes:
    """Return vectors (T, 3) with their components outermost (3, T)."""
    return vectors.detach().double().cpu().numpy().T
