"""Shows how to push two blocks into two squares, in an order and an assignment chosen by chance."""

import itertools
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.block_push import MAX_STEP, TOLERANCE, BlockPush

Vector = NDArray[np.float64]

PUSH_SPEED, FREE_SPEED = 0.01, 0.02
"""Metres a control step, with the block before the stick and without."""
STANDOFF = 0.065
"""How far behind a block's centre the stick lines up, in metres."""
STICK_CLEARANCE, BLOCK_CLEARANCE = 0.062, 0.075
"""How far the stick's centre, and a pushed block's, keep from a block's that is to be spared, in metres."""
STEERING = 2.5
"""How many times steeper than it is off the line the stick heads back to it."""
BEHIND = np.pi / 5
"""Within this angle of straight behind the block, as seen from its centre, the stick pushes."""
PLACED = 0.03
"""The first block is left alone once it is this near its target's centre, in metres: well inside."""


class BlockPushExpert:
    """Goes around behind a block, pushes it to its target, and does the same with the other one.

    Where things are decides what it does; it remembers only which block is to go first and where, and whether that
    one is in its place. Once the stick is behind a block, it pushes it to the target that it is best aligned with, so
    that where it goes can be seen. So a policy that sees the same as it can learn it.

    Args:
        env: the environment, wrapped or not.
        seed: of its choices.
        noise: standard deviation of what is added to each action, in metres.

    Attributes:
        block: which block it pushes first, 0 or 1.
        target: to which target, 0 or 1.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int, noise: float = 0.0) -> None:
        if not isinstance(env.unwrapped, BlockPush):
            raise ValueError(
                f"env: expected BlockPush, got {env.unwrapped!r}; make it with tasks.lookup('BlockPush')"
            )
        self._env = env.unwrapped
        self._rng = np.random.default_rng(seed)
        self._noise = noise
        self.reset()

    def reset(self) -> None:
        """Choose which block is first, and which target it goes to: four ways, equally likely."""
        self.block, self.target = (int(choice) for choice in self._rng.integers(0, 2, 2))
        self._placed = False

    def act(self) -> NDArray[np.float32]:
        """Return the next action (2,): how far to move the stick's target, in metres."""
        blocks, targets = self._env.block_poses[:, :2], self._env.target_poses[:, :2]
        if not self._placed:
            self._reconsider(blocks, targets)
        block, target = self.block, self.target
        # Between the two distances it stays with what it was at; a block that was knocked out is brought back.
        distance = float(np.linalg.norm(blocks[block] - targets[target]))
        self._placed = distance < (TOLERANCE if self._placed else PLACED)
        if self._placed:
            block, target = 1 - block, 1 - target
        action = push(self._env.stick_target, blocks[block], targets[target], blocks[1 - block])
        action = action + self._noise * self._rng.standard_normal(2)
        return np.clip(action, -MAX_STEP, MAX_STEP).astype(np.float32)

    def _reconsider(self, blocks: Vector, targets: Vector) -> None:
        """Make it the first push for which the stick is best placed, if it is for any."""
        angles: dict[tuple[int, int], float] = {}
        for block, target in itertools.product((0, 1), (0, 1)):
            ahead = _ahead(blocks[block], targets[target], blocks[1 - block])
            angle = _angle(self._env.stick_target, blocks[block], ahead)
            if angle is not None:
                angles[block, target] = abs(angle)
        if angles:
            self.block, self.target = min(angles, key=lambda way: angles[way])


def push(stick: Vector, block: Vector, target: Vector, other: Vector) -> Vector:
    """Return the step (2,) of a stick at `stick` that brings a block to a target and spares the other block.

    Behind the block the stick heads for its centre's line to the target, STEERING times as steeply as it is off it:
    a dipole field (Igarashi et al. 2010, "A dipole field for object delivery by pushing on a flat surface") turns
    twice, which lets the block drift off further. Elsewhere it goes around to behind the block.
    """
    ahead = _ahead(block, target, other)
    side = np.array([-ahead[1], ahead[0]])
    angle = _angle(stick, block, ahead)
    if angle is not None:
        turn = np.clip(-STEERING * angle, -np.pi / 3, np.pi / 3)
        return PUSH_SPEED * (np.cos(turn) * ahead + np.sin(turn) * side)
    start = block - STANDOFF * ahead
    speed = min(FREE_SPEED, float(np.linalg.norm(start - stick)))
    return speed * heading(stick, start, (block, other), STICK_CLEARANCE)


def _ahead(block: Vector, target: Vector, other: Vector) -> Vector:
    """Return the direction (2,) in which a block is to be pushed to a target, past the other block."""
    return heading(block, target, (other,), BLOCK_CLEARANCE)


def _angle(stick: Vector, block: Vector, ahead: Vector) -> float | None:
    """Return by how much a stick is off straight behind a block that is to go `ahead`; None where it cannot push."""
    behind = -float((stick - block) @ ahead)
    angle = float(np.arctan2(ahead[0] * (stick - block)[1] - ahead[1] * (stick - block)[0], behind))
    return angle if abs(angle) < BEHIND and behind < STANDOFF + FREE_SPEED else None


def heading(start: Vector, end: Vector, obstacles: tuple[Vector, ...], radius: float) -> Vector:
    """Return the direction (2,) from start to end, or, where a disc about an obstacle is in the way, past it.

    Past it is along its tangent on the nearer side; from inside the disc, along its rim and outwards.
    """
    way = end - start
    length = float(np.linalg.norm(way))
    if length == 0.0:
        return np.zeros(2)
    direct = way / length
    for obstacle in sorted(obstacles, key=lambda place: float(np.linalg.norm(place - start))):
        centre = obstacle - start
        distance, ahead = float(np.linalg.norm(centre)), float(centre @ direct)
        left = float(direct[0] * centre[1] - direct[1] * centre[0])  # how far to the left of the way it lies
        if not 0.0 < ahead < length or abs(left) >= radius:
            continue
        turn = -1.0 if left >= 0 else 1.0
        if distance <= radius:
            rim = (
                turn * np.array([-centre[1], centre[0]]) / distance
            )  # a quarter turn from the centre's direction
            out = rim - 2.0 * (1.0 - distance / radius) * centre / distance
            return np.asarray(out / np.linalg.norm(out))
        bearing = np.arctan2(centre[1], centre[0]) + turn * np.arcsin(radius / distance)
        return np.array([np.cos(bearing), np.sin(bearing)])
    return direct
