"""The expert of BlockPush: pushes both blocks into the squares, in a random order and assignment."""

import itertools
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.block_push import MAX_STEP, TOLERANCE, BlockPush
from motiongen_sim.experts.base import Expert

Vector = NDArray[np.float64]

PUSH_SPEED, FREE_SPEED = 0.01, 0.02
"""Speed while pushing and otherwise, in metres a control step."""
STANDOFF = 0.065
"""Distance behind a block's centre at which a push starts, in metres."""
STICK_CLEARANCE, BLOCK_CLEARANCE = 0.062, 0.075
"""Distance of the stick's centre, and of a pushed block's, from the other block's centre, in metres."""
STEERING = 2.5
"""Gain of the steering back to the line of the push."""
BEHIND = np.pi / 5
"""Largest angle off the line behind the block, seen from its centre, at which the stick pushes."""
PLACED = 0.03
"""Distance to its target's centre at which the first block is done, in metres: well inside."""


class BlockPushExpert(Expert[BlockPush]):
    """Goes around behind a block, pushes it to its target, and does the same with the other one.

    The action depends on the state, on which block is first and to which target, and on whether that one is done.
    Once the stick is behind a block, the expert pushes it to the target that it is best aligned with. So the choice
    shows in the state, and a policy that observes the state can learn it.

    Args:
        env: the environment, wrapped or not.
        seed: of its choices.
        noise: standard deviation of Gaussian noise on each action, in metres.

    Attributes:
        block: the block that is pushed first, 0 or 1.
        target: its target, 0 or 1.
    """

    ENV = BlockPush

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int, noise: float = 0.0) -> None:
        super().__init__(env, seed)
        self._rng = np.random.default_rng(seed)
        self._noise = noise
        self.reset()

    def reset(self) -> None:
        """Begin an episode: draw the first block and its target, four modes of equal probability."""
        self.block, self.target = (int(choice) for choice in self._rng.integers(0, 2, 2))
        self._placed = False

    def act(self) -> NDArray[np.float32]:
        """Return the next action (2,): the change of the stick's commanded position, in metres."""
        blocks, targets = self._env.block_poses[:, :2], self._env.target_poses[:, :2]
        if not self._placed:
            self._reconsider(blocks, targets)
        block, target = self.block, self.target
        # Two thresholds, for hysteresis; a block that was knocked out is brought back.
        distance = float(np.linalg.norm(blocks[block] - targets[target]))
        self._placed = distance < (TOLERANCE if self._placed else PLACED)
        if self._placed:
            block, target = 1 - block, 1 - target
        action = push(self._env.stick_target, blocks[block], targets[target], blocks[1 - block])
        action = action + self._noise * self._rng.standard_normal(2)
        return np.clip(action, -MAX_STEP, MAX_STEP).astype(np.float32)

    def _reconsider(self, blocks: Vector, targets: Vector) -> None:
        """Choose the push that the stick is best aligned with, if it is with any."""
        angles: dict[tuple[int, int], float] = {}
        for block, target in itertools.product((0, 1), (0, 1)):
            ahead = _ahead(blocks[block], targets[target], blocks[1 - block])
            angle = _angle(self._env.stick_target, blocks[block], ahead)
            if angle is not None:
                angles[block, target] = abs(angle)
        if angles:
            self.block, self.target = min(angles, key=lambda way: angles[way])


def push(stick: Vector, block: Vector, target: Vector, other: Vector) -> Vector:
    """Return the step (2,) of the stick that brings a block to a target and avoids the other block.

    Behind the block the stick heads for its centre's line to the target, STEERING times as steeply as it is off it:
    a dipole field (Igarashi et al. 2010, "A dipole field for object delivery by pushing on a flat surface") turns
    twice, which lets the block drift off further. Elsewhere it goes around to behind the block.

    Args:
        stick: position (2,) of the stick.
        block: position (2,) of the block.
        target: position (2,) of the target.
        other: position (2,) of the other block.
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
    """Return the stick's angle off the line behind a block that is to move `ahead`; None where it cannot push."""
    behind = -float((stick - block) @ ahead)
    angle = float(np.arctan2(ahead[0] * (stick - block)[1] - ahead[1] * (stick - block)[0], behind))
    return angle if abs(angle) < BEHIND and behind < STANDOFF + FREE_SPEED else None


def heading(start: Vector, end: Vector, obstacles: tuple[Vector, ...], radius: float) -> Vector:
    """Return the direction (2,) from start to end, past the discs about obstacles.

    Past a disc is along its tangent on the nearer side; from inside the disc, along its rim and outwards.

    Args:
        start: (2,) metres.
        end: (2,) metres.
        obstacles: centres (2,) of the discs.
        radius: of the discs, in metres.
    """
    way = end - start
    length = float(np.linalg.norm(way))
    if length == 0.0:
        return np.zeros(2)
    direct = way / length
    for obstacle in sorted(obstacles, key=lambda centre: float(np.linalg.norm(centre - start))):
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
