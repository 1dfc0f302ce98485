"""Ways round obstacles: where a path over the floor enters one, it is moved aside, to the nearer side."""

from collections.abc import Sequence

import torch
from torch import Tensor

from motiongen.constraints.avoid import Avoid
from motiongen.constraints.easing import runs, smoothed, window

BODY = 0.42
"""How far the pelvis keeps away from an obstacle, so that arms that swing and feet do as well, metres."""
SMOOTH_SECONDS = 0.35
"""Deviation of the Gaussian over time under which a path leaves its own way for the one round an obstacle."""
FREE_SECONDS = 0.5
"""Time beside a place that is asked in which the path is not wholly free to leave its way."""
ROUNDS = 40
"""Pushes at most."""
_STEP, _FARTHEST = 0.04, 6.0


def depth(obstacle: Avoid, points: Tensor) -> Tensor:
    """Return how deep points (..., 2) lie in an obstacle (...), metres; negative outside."""
    away = points - points.new_tensor(obstacle.center)
    if obstacle.radius is not None:
        return obstacle.radius - away.norm(dim=-1)
    assert obstacle.size is not None
    turn = points.new_tensor(obstacle.turn)
    x = away[..., 0] * turn.cos() - away[..., 1] * turn.sin()
    z = away[..., 0] * turn.sin() + away[..., 1] * turn.cos()
    beyond = torch.stack([x.abs() - obstacle.size[0] / 2, z.abs() - obstacle.size[1] / 2], dim=-1)
    return -(beyond.clamp_min(0).norm(dim=-1) + beyond.amax(dim=-1).clamp_max(0))


def around(path: Tensor, obstacles: Sequence[Avoid], fixed: Sequence[int], fps: float) -> Tensor:
    """Return a path (T, 2) that goes round obstacles, keeping BODY away from them.

    What is inside is pushed out across the path, and each push is smoothed over time before it is added.

    Args:
        path: places on the floor, metres.
        obstacles: what to go around.
        fixed: frames at which the path stays where it is.
        fps: frames a second.
    """
    if not obstacles:
        return path
    reach = max(2, round(FREE_SECONDS * fps))
    free = torch.ones(len(path)).to(path)
    for frame in fixed:
        free = free * (1 - window(len(path), frame, frame, reach).to(path))
    found = path
    for _ in range(ROUNDS):
        push = torch.zeros_like(path)
        for obstacle in obstacles:
            inside = depth(obstacle, found) + BODY > 0.01
            for first, last in runs(inside):
                push[first : last + 1] += _push(found, obstacle, first, last)
        if not bool(push.any()):
            break
        found = found + smoothed(push, SMOOTH_SECONDS * fps) * free[:, None]
    return found


def _push(path: Tensor, obstacle: Avoid, first: int, last: int) -> Tensor:
    """Return the ways (F, 2) across a path out of an obstacle for frames [first, last], all to the nearer side."""
    way = path[min(last + 1, len(path) - 1)] - path[max(first - 1, 0)]
    if float(way.norm()) < 1e-3:
        way = path.new_tensor([0.0, 1.0])
    across = torch.stack([-way[1], way[0]]) / way.norm()
    steps = torch.arange(0, _FARTHEST, _STEP).to(path)
    sides = []
    for side in (across, -across):
        points = path[first : last + 1, None] + steps[:, None] * side  # (F, S, 2)
        clear = depth(obstacle, points) + BODY <= 0
        sides.append(steps[clear.int().argmax(dim=1)][:, None] * side)
    return min(sides, key=lambda pushes: float(pushes.norm(dim=1).max()))
