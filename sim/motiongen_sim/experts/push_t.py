"""The expert of PushT: plans a few pushes, goes around the T to where each starts, and pushes."""

import copy
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.push_t import SIZE, PushT
from motiongen_sim.experts.base import Expert
from motiongen_sim.experts.push_plan import Plan, plan
from motiongen_sim.experts.push_t_block import CONTACTS, NORMALS, TOUCHING, pushed, to_block, to_world

Array = NDArray[np.float64]

TRAVEL_LEAD, PUSH_LEAD = 28.0, 22.0
"""Distance of the commanded position ahead of the pusher, in pixels; it moves by half of that in a control step."""
PATIENCE = 60
"""Longest duration of a push, in control steps."""
PREFERENCE = 0.3
"""Largest relative change of a path's cost by a random preference for where it leads."""


class PushTExpert(Expert[PushT]):
    """Plans anew after every push, so that errors do not accumulate.

    Args:
        env: the environment, wrapped or not.
        seed: of its preference for some sides of the T over others, which is drawn for each episode.
    """

    ENV = PushT

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        super().__init__(env, seed)
        self._rng = np.random.default_rng(seed)
        self.reset()

    def reset(self) -> None:
        """Begin an episode: forget the plan, and draw a new preference."""
        self._preference = 1.0 + PREFERENCE * self._rng.uniform(-1.0, 1.0, len(CONTACTS))
        self._push: _Push | None = None

    def act(self) -> NDArray[np.float32]:
        """Return the next action (2,): the commanded position of the pusher, in pixels."""
        pusher, block = self._env.pusher, self._env.block
        self._push = copy.copy(self._push)  # a copy of this expert may go on with the same one
        target = None if self._push is None else self._push.next_target(block, pusher)
        if target is None:
            made = plan(block, pusher, self._env.goal, self._preference)
            self._push = None if made is None else _Push(made, block)
            target = None if self._push is None else self._push.next_target(block, pusher)
        if target is None:  # no plan: to the middle, whatever is there
            target = np.full(2, SIZE / 2)
        return np.clip(target, 0.0, SIZE).astype(np.float32)


class _Push:
    """The first push of a plan, and the path to it.

    Args:
        made: the plan.
        block: pose (3,) of the block for which it was made.
    """

    def __init__(self, made: Plan, block: Array) -> None:
        self._contact, self._path, self._block = int(made.contacts[0]), made.path, block
        after = pushed(block, made.contacts[0], made.lengths[0])
        self._end = to_world(after, TOUCHING[self._contact])
        self._ahead = to_world(after, NORMALS[self._contact]) - after[:2]
        self._steps = 0

    def next_target(self, block: Array, pusher: Array) -> Array | None:
        """Return the commanded position (2,), or None once the push is over or has failed.

        Args:
            block: pose (3,) of the block.
            pusher: position (2,) of the pusher.
        """
        if len(self._path):
            return self._travel(block, pusher)
        return self._follow_push(block, pusher)

    def _travel(self, block: Array, pusher: Array) -> Array | None:
        if np.abs((block - self._block) * [1.0, 1.0, 50.0]).max() > 4.0:
            return None  # it has been touched
        while len(self._path) > 1 and np.linalg.norm(self._path[0] - pusher) < TRAVEL_LEAD / 2:
            self._path = self._path[1:]
        if len(self._path) == 1 and np.linalg.norm(self._path[0] - pusher) < 4.0:
            self._path = self._path[1:]
            return self._follow_push(block, pusher)
        return _toward(pusher, self._path[0], TRAVEL_LEAD)

    def _follow_push(self, block: Array, pusher: Array) -> Array | None:
        self._steps += 1
        left = float(
            (self._end - pusher) @ self._ahead
        )  # along the push alone: under noise the distance would never vanish
        normal = NORMALS[self._contact]
        off = to_block(block, pusher) - CONTACTS[self._contact]
        has_slipped = abs(off[0] * normal[1] - off[1] * normal[0]) > 7.0
        if left < 0.4 or has_slipped or self._steps > PATIENCE:
            return None
        if left < PUSH_LEAD:
            return self._end
        # Ahead of the contact, which turns with the block: so the pusher keeps to it.
        return to_world(block, TOUCHING[self._contact] + PUSH_LEAD * normal)


def _toward(start: Array, end: Array, length: float) -> Array:
    path = end - start
    return np.asarray(start + path * min(1.0, length / max(float(np.linalg.norm(path)), 1e-9)))
