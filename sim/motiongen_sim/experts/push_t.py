"""Shows how to push the T into its outline: plans a few pushes, goes around the T to where each starts, and pushes."""

import copy
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.push_t import SIZE, PushT
from motiongen_sim.experts.push_plan import Plan, plan
from motiongen_sim.experts.tee import NORMALS, SPOTS, TOUCHING, pushed, to_block, to_world

Array = NDArray[np.float64]

TRAVEL_LEAD, PUSH_LEAD = 28.0, 22.0
"""How far before itself it sends the pusher, in pixels; it moves by half of that in a control step."""
PATIENCE = 60
"""Control steps after which a push is given up."""
TASTE = 0.3
"""How much longer or shorter a way may seem because of where it leads."""


class PushTExpert:
    """Plans anew after every push, so that no error lasts.

    Args:
        env: the environment, wrapped or not.
        seed: of its taste, by which it prefers some sides of the T over others in an episode.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        if not isinstance(env.unwrapped, PushT):
            raise ValueError(
                f"env: expected PushT, got {env.unwrapped!r}; make it with tasks.lookup('PushT')"
            )
        self._env = env.unwrapped
        self._rng = np.random.default_rng(seed)
        self.reset()

    def reset(self) -> None:
        """Forget the plan, and acquire a new taste."""
        self._taste = 1.0 + TASTE * self._rng.uniform(-1.0, 1.0, len(SPOTS))
        self._errand: _Errand | None = None

    def act(self) -> NDArray[np.float32]:
        """Return the next action (2,): where to send the pusher, in pixels."""
        pusher, block = self._env.pusher, self._env.block
        self._errand = copy.copy(self._errand)  # a copy of this expert may go on with the same one
        target = None if self._errand is None else self._errand.next_target(block, pusher)
        if target is None:
            made = plan(block, pusher, self._env.goal, self._taste)
            self._errand = None if made is None else _Errand(made, block)
            target = None if self._errand is None else self._errand.next_target(block, pusher)
        if target is None:  # no way out: to the middle, whatever is there
            target = np.full(2, SIZE / 2)
        return np.clip(target, 0.0, SIZE).astype(np.float32)


class _Errand:
    """The first push of a plan, and the way to it."""

    def __init__(self, made: Plan, block: Array) -> None:
        self._spot, self._way, self._block = int(made.spots[0]), made.way, block
        after = pushed(block, made.spots[0], made.lengths[0])
        self._end = to_world(after, TOUCHING[self._spot])
        self._ahead = to_world(after, NORMALS[self._spot]) - after[:2]
        self._pushes = 0

    def next_target(self, block: Array, pusher: Array) -> Array | None:
        """Return where to send the pusher (2,), or None once the errand is over, or in vain."""
        if len(self._way):
            return self._travel(block, pusher)
        return self._push(block, pusher)

    def _travel(self, block: Array, pusher: Array) -> Array | None:
        if np.abs((block - self._block) * [1.0, 1.0, 50.0]).max() > 4.0:
            return None  # it has been touched
        while len(self._way) > 1 and np.linalg.norm(self._way[0] - pusher) < TRAVEL_LEAD / 2:
            self._way = self._way[1:]
        if len(self._way) == 1 and np.linalg.norm(self._way[0] - pusher) < 4.0:
            self._way = self._way[1:]
            return self._push(block, pusher)
        return _toward(pusher, self._way[0], TRAVEL_LEAD)

    def _push(self, block: Array, pusher: Array) -> Array | None:
        self._pushes += 1
        left = float((self._end - pusher) @ self._ahead)  # not aside: under noise it would never end
        normal = NORMALS[self._spot]
        off = to_block(block, pusher) - SPOTS[self._spot]
        has_slipped = abs(off[0] * normal[1] - off[1] * normal[0]) > 7.0
        if left < 0.4 or has_slipped or self._pushes > PATIENCE:
            return None
        if left < PUSH_LEAD:
            return self._end
        # Ahead of the spot, which turns with the block: so the pusher keeps to it.
        return to_world(block, TOUCHING[self._spot] + PUSH_LEAD * normal)


def _toward(start: Array, end: Array, length: float) -> Array:
    way = end - start
    return np.asarray(start + way * min(1.0, length / max(float(np.linalg.norm(way)), 1e-9)))
