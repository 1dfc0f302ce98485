"""A task's expert at work, in this process or in several, try after try."""

import copy
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

EVERY, PIECE = 5, 19
"""From every fifth moment of a noisy try a piece of so many frames: four chunks of 16 begin in it."""
DISTURBANCE, DISTURBED_STEPS = 0.02, (1, 7)
"""Chance at each step of a noisy try that something else is done, and for how many steps, from and below."""


@dataclass(frozen=True)
class Piece:
    """T frames that follow each other.

    Attributes:
        states: (T, D), seen before each action.
        actions: (T, A).
        images: (T, H, W, 3), seen before each action; None without image observations.
        scene: (T, E), what the robot's own state lacks of the whole; None without image observations.
        done: whether the episode was over at the end.
    """

    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    images: NDArray[np.uint8] | None
    scene: NDArray[np.float32] | None
    done: bool


@dataclass(frozen=True)
class Try:
    """One try: all of it in one piece, or pieces from its moments on; and the environment's info at the end."""

    pieces: tuple[Piece, ...]
    info: dict[str, Any]


class Demonstrator:
    """A task's environment, to be solved by its expert.

    Noise makes it show how errors are mended, as in DART (Laskey et al., CoRL 2017). But where the noise goes on, a
    chunk of actions has answers to noise that is still to come, which nobody can foresee. So what is shown is what the
    expert would do: from every few moments of a noisy try it goes on for a piece without noise, which is taken back.

    Args:
        task_name: the task.
        observations: "state" or "image".
        noise: deviation of what the robot does from what the expert says, as a part of half the action space's range;
            above 0, the robot also now and then does something else for some steps, and a try may take twice a task's
            steps.
    """

    def __init__(self, task_name: str, observations: str, noise: float = 0.0) -> None:
        self.task = lookup(task_name)
        self._env: Any = self.task.make(observations).unwrapped  # time is kept here
        self._has_images = observations == "image"
        self._noise = noise

    @property
    def fps(self) -> float:
        """Actions a second."""
        return float(self._env.metadata["render_fps"])

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of an observation's numbers."""
        names: tuple[str, ...] = self._env.PROPRIOCEPTION_NAMES if self._has_images else self._env.STATE_NAMES
        return names

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of an action's numbers."""
        names: tuple[str, ...] = self._env.ACTION_NAMES
        return names

    @property
    def scene_names(self) -> tuple[str, ...]:
        """Names of the numbers that a picture stands for: those of the whole state that the robot's own lacks."""
        own = self.state_names
        return tuple(name for name in self._env.STATE_NAMES if name not in own)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(H, W, 3) of an observation's picture, if it has one."""
        return tuple(self._env.observation_space["image"].shape) if self._has_images else None

    def show(self, seed: int) -> Try:
        """Return one try, in which the world, the expert and the noise all depend on the seed."""
        seen, info = self._env.reset(seed=seed)
        expert = self.task.make_expert(self._env, seed)
        expert.reset()
        if not self._noise:
            piece, info = self._go_on(seen, expert, self.task.max_steps)
            return Try((piece,), info)
        noise = _Noise(self._env.action_space, self._noise, seed)
        pieces: list[Piece] = []
        for step in range(2 * self.task.max_steps):
            if step % EVERY == 0:
                with self._env.undone():
                    pieces.append(self._go_on(seen, copy.copy(expert), PIECE)[0])
            seen, _, terminated, truncated, info = self._env.step(noise.upon(expert.act()))
            if terminated or truncated:
                break
        return Try(tuple(pieces), info)

    def _go_on(self, seen: Any, expert: Expert, steps: int) -> tuple[Piece, dict[str, Any]]:
        """Return what the expert does from here on, for so many steps at most, and the info at the end."""
        space = self._env.action_space
        observations: list[dict[str, NDArray[Any]]] = []
        actions: list[NDArray[np.float32]] = []
        is_over, info = False, {}
        while not is_over and len(actions) < steps:
            # Copies, since an environment may go on writing to what it returned.
            observations.append({name: np.array(part) for name, part in self._parts(seen).items()})
            actions.append(np.clip(expert.act(), space.low, space.high))
            seen, _, terminated, truncated, info = self._env.step(actions[-1])
            is_over = terminated or truncated
        piece = Piece(
            states=np.stack([one["state"] for one in observations]),
            actions=np.stack(actions),
            images=np.stack([one["image"] for one in observations]) if self._has_images else None,
            scene=np.stack([one["scene"] for one in observations]) if self._has_images else None,
            done=is_over,
        )
        return piece, info

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _parts(self, seen: Any) -> dict[str, NDArray[Any]]:
        if not self._has_images:
            return {"state": seen}
        whole = dict(zip(self._env.STATE_NAMES, self._env.state, strict=True))
        return {**seen, "scene": np.array([whole[name] for name in self.scene_names], np.float32)}


class _Noise:
    """What becomes of an expert's actions: each is done not quite, and some give way to one thing at random."""

    def __init__(self, space: Any, size: float, seed: int) -> None:
        self._low, self._high, self._size = space.low, space.high, size
        self._random = np.random.default_rng([seed, 1])
        self._left, self._other = 0, np.zeros(space.shape)

    def upon(self, action: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the action to be executed when the expert says this one."""
        middle, half = (self._low + self._high) / 2, (self._high - self._low) / 2
        if not self._left and self._random.random() < DISTURBANCE:
            self._left = int(self._random.integers(*DISTURBED_STEPS))
            self._other = middle + half * self._random.random() * self._random.uniform(-1, 1, half.shape)
        done = action + self._size * half * self._random.standard_normal(half.shape)
        if self._left:
            self._left -= 1
            done = self._other
        return np.clip(done, self._low, self._high).astype(np.float32)


def tries(
    task_name: str,
    observations: str,
    seed: int,
    workers: int,
    noise: float = 0.0,
) -> Generator[Try, None, None]:
    """Yield tries with the seeds `seed`, `seed + 1` and so on, in this order and without end.

    Args:
        task_name: the task.
        observations: "state" or "image".
        seed: of the first.
        workers: processes; 1 works in this one.
        noise: of the Demonstrator.
    """
    if workers == 1:
        demonstrator = Demonstrator(task_name, observations, noise)
        try:
            yield from map(demonstrator.show, itertools.count(seed))
        finally:
            demonstrator.close()
        return
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(task_name, observations, noise),
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


def _begin(task_name: str, observations: str, noise: float) -> None:
    """Make this worker's demonstrator."""
    global _demonstrator
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asked stops the pool
    _demonstrator = Demonstrator(task_name, observations, noise)


def _show(seed: int) -> Try:
    return _demonstrator.show(seed)


_demonstrator: Demonstrator
