"""A task's expert at work, in this process or in several, try after try."""

import itertools
import multiprocessing
import signal
from collections import deque
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongen_sim.tasks import Expert, lookup

LONGEST_WORK = 0.25
"""Part of an episode for which the expert may have worked when it is disturbed."""
DISTURBED_STEPS = (3, 14)
"""Steps that a disturbance lasts, from and below."""


@dataclass(frozen=True)
class Try:
    """One try of T frames.

    Attributes:
        states: (T, D), seen before each action.
        actions: (T, A).
        images: (T, H, W, 3), seen before each action; None without image observations.
        info: the environment's, at the end.
    """

    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    images: NDArray[np.uint8] | None
    info: dict[str, Any]


class Demonstrator:
    """A task's environment, to be solved by its expert.

    Args:
        task_name: the task.
        observations: "state" or "image".
        disturbed: share of the tries that begin in disorder: the expert has worked for a while, and then the robot did
            one thing at random for some steps. None of that is in the try, which is whole in itself.
        noise: deviation of what the robot does from what the expert says, as a part of half the action space's range.
            The try has what the expert said, so it shows how errors are mended (DART, Laskey et al., CoRL 2017).
    """

    def __init__(self, task_name: str, observations: str, disturbed: float = 0.0, noise: float = 0.0) -> None:
        self.task = lookup(task_name)
        self._env = self.task.make(observations, max_episode_steps=2 * self.task.max_steps)
        self._has_images = observations == "image"
        self._disturbed, self._noise = disturbed, noise

    @property
    def fps(self) -> float:
        """Actions a second."""
        return float(self._env.metadata["render_fps"])

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of an observation's numbers."""
        env: Any = self._env.unwrapped
        return env.PROPRIOCEPTION_NAMES if self._has_images else env.STATE_NAMES

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of an action's numbers."""
        env: Any = self._env.unwrapped
        return env.ACTION_NAMES

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(H, W, 3) of an observation's picture, if it has one."""
        space: Any = self._env.observation_space
        return tuple(space["image"].shape) if self._has_images else None

    def show(self, seed: int) -> Try:
        """Return one try, in which the world and the expert both depend on the seed."""
        seen, info = self._env.reset(seed=seed)
        expert = self.task.make_expert(self._env, seed)
        expert.reset()
        random = np.random.default_rng([seed, 1])
        if random.random() < self._disturbed:
            seen = self._disturb(expert, random)
            if seen is None:  # it was solved, or lost, before it could be shown
                seen, info = self._env.reset(seed=seed)
                expert.reset()
        space: Any = self._env.action_space
        half = (space.high - space.low) / 2
        observations: list[dict[str, NDArray[Any]]] = []
        actions: list[NDArray[np.float32]] = []
        is_over = False
        while not is_over and len(actions) < self.task.max_steps:
            # Copies, since an environment may go on writing to what it returned.
            observations.append({name: np.array(part) for name, part in self._parts(seen).items()})
            actions.append(np.clip(expert.act(), space.low, space.high))
            done = actions[-1] + self._noise * half * random.standard_normal(len(half)).astype(np.float32)
            seen, _, terminated, truncated, info = self._env.step(np.clip(done, space.low, space.high))
            is_over = terminated or truncated
        return Try(
            states=np.stack([one["state"] for one in observations]),
            actions=np.stack(actions),
            images=np.stack([one["image"] for one in observations]) if self._has_images else None,
            info=info,
        )

    def _disturb(self, expert: Expert, random: np.random.Generator) -> Any:
        """Return what is observed after some work and a disturbance, or None if the episode ended in it."""
        space: Any = self._env.action_space
        work = int(random.integers(0, max(1, round(LONGEST_WORK * self.task.max_steps))))
        disorder = random.uniform(space.low, space.high).astype(np.float32)
        for step in range(work + int(random.integers(*DISTURBED_STEPS))):
            action = np.clip(expert.act(), space.low, space.high) if step < work else disorder
            seen, _, terminated, truncated, _ = self._env.step(action)
            if terminated or truncated:
                return None
        return seen

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _parts(self, seen: Any) -> dict[str, NDArray[Any]]:
        return seen if self._has_images else {"state": seen}


def tries(
    task_name: str,
    observations: str,
    seed: int,
    workers: int,
    disturbed: float = 0.0,
    noise: float = 0.0,
) -> Generator[Try, None, None]:
    """Yield tries with the seeds `seed`, `seed + 1` and so on, in this order and without end.

    Args:
        task_name: the task.
        observations: "state" or "image".
        seed: of the first.
        workers: processes; 1 works in this one.
        disturbed, noise: of the Demonstrator.
    """
    if workers == 1:
        demonstrator = Demonstrator(task_name, observations, disturbed, noise)
        try:
            yield from map(demonstrator.show, itertools.count(seed))
        finally:
            demonstrator.close()
        return
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(task_name, observations, disturbed, noise),
    )
    seeds = itertools.count(seed)
    try:
        # Few wait at a time: what is done and not yet asked for stays in memory.
        waiting = deque(pool.submit(_show, next(seeds)) for _ in range(2 * workers))
        while True:
            done = waiting.popleft()
            waiting.append(pool.submit(_show, next(seeds)))
            yield done.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(f"{task_name}: a worker died; try fewer workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task_name: str, observations: str, disturbed: float, noise: float) -> None:
    """Make this worker's demonstrator."""
    global _demonstrator
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked stops the pool
    _demonstrator = Demonstrator(task_name, observations, disturbed, noise)


def _show(seed: int) -> Try:
    return _demonstrator.show(seed)


_demonstrator: Demonstrator
