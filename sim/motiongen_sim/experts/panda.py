"""The experts of the Panda's tasks. Their next action depends on the current state alone."""

from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.panda import (
    BASE,
    CONTROL_RATE,
    MAX_STEP,
    PandaEnv,
    PandaPickAndPlace,
    PandaPush,
    PandaStack,
)
from motiongen_sim.experts.base import Expert
from motiongen_sim.experts.block_push import heading

Vector = NDArray[np.float64]

MOMENTUM, RESPONSE = np.array([0.34, 0.15, 0.34]), np.array([0.54, 0.74, 0.66])
"""Along x, y and z: the effector's next step is MOMENTUM x its last one + RESPONSE x the commanded one (least squares
over 600 steps in the air; 2 mm is left unexplained)."""
LOWERING = 0.02
"""Largest vertical step, in metres: faster ones disturb x."""
TABLE = 0.02
"""Height of the centre of a cube on the table, in metres."""

STANDOFF, REACH, ROOM = 0.06, 0.797, 0.042
"""Metres: from the cube's centre to the start of a push; most from the arm's base to there; least of the first."""
PUSH_SPEED, SLOW_SPEED, CATCH_UP, SLOW_DOWN = 0.024, 0.012, 0.009, 0.2
"""Metres a step: fastest push, slowest push, excess over the cube's speed; and the share of the distance left."""
COAST = 0.2
"""A cube released at v m/s slides for COAST x v^2 metres."""
HOVER, LOW = 0.08, 0.045
"""Height at which the effector passes over cubes, and below which it goes around them, in metres."""

GRASPED = 0.046
"""Largest opening of fingers that are closed on a cube, in metres."""
OPEN, RELEASE = 0.065, 0.5
GRIP, WIDEN = 0.03, 0.2
"""Metres: what fingers close to, and how far they go for an action of 1. Closed as far as they can, they would hold a
cube with equal force from both sides at any place between their ends, and let it swing there by 2 cm."""
AT_HAND = 0.03
"""Largest distance of a cube's centre from the effector that holds it or has just let it go, in metres."""
PLACED, LANDED, LEFT = 0.010, 0.005, 0.017
"""Metres: a cube so far from its goal, aside and in height, is let go; one that lies is left within the third."""
ASIDE = 0.02
NEAR, CLEAR, NARROW = 0.07, 0.085, 0.05
"""Metres: distance of two cubes at which the fingers or a carried one may touch the other, and at which there is room
for them; least opening before a grasp."""
FAR = np.full(3, 9.0)


class _PandaExpert(Expert[PandaEnv]):
    """Base of the experts: moves the effector without swinging, and adds noise if asked to.

    Args:
        env: the environment, wrapped or not.
        seed: of the noise.
        noise: standard deviation of Gaussian noise on each action.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int, noise: float = 0.0) -> None:
        super().__init__(env, seed)
        self._rng = np.random.default_rng(seed)
        self._noise = noise

    def reset(self) -> None:
        """Begin an episode; nothing is remembered."""

    def act(self) -> NDArray[np.float32]:
        """Return the next action (A,)."""
        action = self._decide()
        action = action + self._noise * self._rng.standard_normal(len(action))
        return np.clip(action, -1.0, 1.0).astype(np.float32)

    def _decide(self) -> Vector:
        raise NotImplementedError

    def _command(self, step: Vector) -> Vector:
        """Return the action (3,) after which the effector moves by `step` metres."""
        return (step - MOMENTUM * self._env.effector_velocity / CONTROL_RATE) / RESPONSE / MAX_STEP

    def _glide(self, way: Vector, speed: float, ease: float) -> Vector:
        """Return a step along `way`: at most `speed` metres, and at most `ease` longer than the last step."""
        last = self._env.effector_velocity[: len(way)] / CONTROL_RATE
        limit = min(speed, float(np.linalg.norm(last)) + ease)
        return way * min(1.0, limit / max(float(np.linalg.norm(way)), 1e-9))


class PandaPushExpert(_PandaExpert):
    """Pushes the cube along x and y, the longer way first: a flat finger on a flat side keeps its course."""

    ENV = PandaPush

    def _decide(self) -> Vector:
        effector, cube = self._env.effector, self._env.cubes[0, :2]
        velocity = self._env.cube_velocities[0, :2]
        missing = self._env.goals[0, :2] - cube - COAST * np.linalg.norm(velocity) * velocity
        is_low = bool(effector[2] < LOW)
        sides = [_Side(axis, missing, effector[:2], cube, is_low) for axis in (0, 1)]
        side = max(sides, key=lambda one: one.urgency)
        if side.is_behind:
            step, height = self._push(side, missing, velocity), TABLE
        else:
            step, height = self._go_behind(side.start, effector[:2], cube, is_low)
        rise = np.clip(0.5 * (height - effector[2]), -LOWERING, LOWERING)
        return self._command(np.array([*step, rise]))

    def _push(self, side: "_Side", missing: Vector, velocity: Vector) -> Vector:
        """Return the step (2,) of a push, steered a little towards the sideways error of the cube."""
        fastest = float(np.clip(SLOW_DOWN * (missing @ side.ahead), SLOW_SPEED, PUSH_SPEED))
        speed = min(fastest, max(float(velocity @ side.ahead) / CONTROL_RATE, 0.0) + CATCH_UP)
        steer = 0.3 * np.tanh((missing @ side.across) / 0.03) - 10.0 * side.aside
        return np.asarray(speed * (side.ahead + np.clip(steer, -0.6, 0.6) * side.across))

    def _go_behind(self, start: Vector, effector: Vector, cube: Vector, is_low: bool) -> tuple[Vector, float]:
        """Return the step (2,) towards the start of a push, and the target height."""
        way = start - effector
        step = self._glide(0.7 * way, speed=0.035, ease=0.015)
        if is_low:
            return np.linalg.norm(step) * heading(effector, start, (cube,), STANDOFF - 0.005), TABLE
        funnel = 1.5 * (np.linalg.norm(way) - 0.008)
        return step, float(np.clip(TABLE + funnel, TABLE, HOVER))


class _Side:
    """The side of a cube that is pushed to move it along an axis.

    Attributes:
        ahead: direction (2,) in which the cube is to move.
        across: the other axis (2,).
        start: position (2,) at which the push starts.
        aside: sideways distance of the effector from the cube's centre.
        is_behind: whether the effector can push.
        urgency: priority of this side.
    """

    def __init__(self, axis: int, missing: Vector, effector: Vector, cube: Vector, is_low: bool) -> None:
        self.ahead, self.across = np.zeros(2), np.zeros(2)
        self.ahead[axis], self.across[1 - axis] = np.sign(missing[axis]), 1.0
        self.start = cube - STANDOFF * self.ahead - BASE[:2]
        self.start = self.start * min(1.0, REACH / float(np.linalg.norm(self.start))) + BASE[:2]
        has_room = bool((cube - self.start) @ self.ahead > ROOM)
        behind, self.aside = float((cube - effector) @ self.ahead), float((effector - cube) @ self.across)
        # Once at the cube it may be off the middle; a push that only begins has to be well aimed.
        allowed = np.interp(behind, [0.05, 0.056], [0.028, 0.006])
        self.is_behind = is_low and 0.02 < behind < 0.085 and abs(self.aside) < allowed
        away = float(abs(missing[axis]))
        self.urgency = away + 0.15 * self.is_behind + has_room - (away < 0.012)


class _Carrier(_PandaExpert):
    """Grasps a cube from above, lifts it, and lowers it at its goal."""

    def _carry(self, cube: Vector, goal: Vector, lift: float, other: Vector = FAR) -> Vector:
        """Return the action (4,) that grasps a cube, lifts it by `lift` metres and brings it to a goal.

        Args:
            cube: its centre (3,), in metres.
            goal: where that is to be (3,).
            lift: least height over the goal on the way, in metres.
            other: centre (3,) of a cube that is not to be touched.
        """
        opening = self._env.opening
        to_cube = cube - self._env.effector + (_dodge(cube, other) if opening > GRASPED else 0.0)
        aside = float(np.linalg.norm(to_cube[:2]))
        is_at = aside < 0.025 and abs(to_cube[2]) < 0.02
        if is_at and opening < GRASPED:
            way = goal - cube
            far = float(np.linalg.norm(way[:2]))
            way[2] += np.clip(1.5 * (far - 0.015), 0.0, lift)
            if far > 0.04:  # not sideways before it is off the table, and over a cube beside it
                is_near = float(np.linalg.norm((cube - other)[:2])) < NEAR
                low = max(0.03, other[2] + 0.037) if is_near else 0.03
                way[:2] *= np.clip((cube[2] - low) / 0.01, 0.0, 1.0)
            return self._move(way, self._fingers(GRIP))
        # Down a funnel, and not sideways before it is above all cubes.
        way = to_cube.copy()
        way[2] += np.clip(2.0 * (aside - 0.008), 0.0, 0.07)
        if aside > 0.025:
            way[:2] *= np.clip((-to_cube[2] - 0.03) / 0.03, 0.0, 1.0)
        room = _room(cube, other)
        closes = is_at and (opening < room - 0.004 or (aside < 0.01 and abs(to_cube[2]) < 0.01))
        return self._move(way, self._fingers(GRIP if closes else room))

    def _let_go(self) -> Vector:
        """Return the action (4,) that opens the fingers and then lifts the effector."""
        rise = 0.05 * np.clip((self._env.opening - 0.05) / 0.02, 0.0, 1.0)
        return self._move(np.array([0.0, 0.0, rise]), RELEASE)

    def _fingers(self, opening: float) -> float:
        """Return the action of the gripper that brings the fingers to a distance, in metres."""
        return (opening - self._env.opening) / WIDEN

    def _move(self, way: Vector, gripper: float) -> Vector:
        step = self._glide(0.5 * way, speed=0.032, ease=0.010)
        step[2] = np.clip(step[2], -LOWERING, LOWERING)
        return np.array([*self._command(step), gripper])


def _room(cube: Vector, other: Vector) -> float:
    """Return how far fingers open for a cube: less where one of them would come down on another cube beside it."""
    if not _is_beside(cube, other):
        return OPEN
    return float(np.clip(2 * (abs(cube - other)[1] - 0.033), NARROW, OPEN))


def _dodge(cube: Vector, other: Vector) -> Vector:
    """Return how far from its centre (3,) a cube is grasped, where another one leaves no room for a finger."""
    off = cube - other
    if not _is_beside(cube, other) or abs(off[1]) > 0.06:
        return np.zeros(3)
    aside = np.clip(0.036 - abs(off[0]), 0.0, 0.016)
    return np.array([np.sign(off[0]) * aside, np.sign(off[1]) * 0.004, 0.0])


def _is_beside(cube: Vector, other: Vector) -> bool:
    off = np.abs(cube - other)
    return bool(off[0] < 0.05 and off[1] < 0.07 and off[2] < 0.03)


class PandaPickAndPlaceExpert(_Carrier):
    """Carries the cube to its target."""

    ENV = PandaPickAndPlace

    def _decide(self) -> Vector:
        return self._carry(self._env.cubes[0], self._env.goals[0], 0.05)


class PandaStackExpert(_Carrier):
    """Carries the first cube to its target and the second one onto it; lays the second aside if it is in the way.

    Each is let go once it is well placed, and stays where it is while it is near enough: what was laid down is not
    taken up again for a few millimetres.
    """

    ENV = PandaStack

    def _decide(self) -> Vector:
        (first, second), (goal, top) = self._env.cubes, self._env.goals
        if self._is_placed(first, goal):
            if np.linalg.norm(first - self._env.effector) < AT_HAND or self._is_placed(second, top):
                return self._let_go()
            return self._carry(second, top, 0.08, other=first)
        aside = self._aside(first, second, goal)
        if aside is None:
            return self._carry(first, goal, 0.05, other=second)
        if self._is_held(second) and np.linalg.norm(second - aside) < ASIDE:
            return self._let_go()
        return self._carry(second, aside, 0.06, other=first)

    def _aside(self, first: Vector, second: Vector, goal: Vector) -> Vector | None:
        """Return where the second cube is to be laid (3,) before the first one is moved; None if it can stay."""
        if self._is_held(first):
            return None
        from_first, from_goal = np.linalg.norm((second - first)[:2]), np.linalg.norm((second - goal)[:2])
        is_held, is_on_top = self._is_held(second), second[2] > 0.035 and from_first < 0.05
        if not (is_held or is_on_top or from_goal < NEAR):
            return None
        if is_held and from_first > CLEAR and from_goal > CLEAR:
            return np.array([*second[:2], TABLE])
        if from_first < CLEAR:
            return np.array([*(first[:2] + 0.1 * _direction((first - goal)[:2])), TABLE])
        return np.array([*(goal[:2] + 0.1 * _direction((second - goal)[:2])), TABLE])

    def _is_held(self, cube: Vector) -> bool:
        return self._env.opening < GRASPED and float(np.linalg.norm(cube - self._env.effector)) < AT_HAND

    def _is_placed(self, cube: Vector, goal: Vector) -> bool:
        """Return whether a cube can be let go where it is, or be left there."""
        off = np.abs(cube - goal)
        if self._is_held(cube):
            return bool(np.hypot(*off[:2]) < PLACED and off[2] < LANDED)
        return float(np.linalg.norm(off)) < LEFT


def _direction(way: Vector) -> Vector:
    return way / max(float(np.linalg.norm(way)), 1e-9)
