"""Demonstrator: a task's expert acts in attempt after attempt, in this process or in several."""

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
from gymnasium import spaces
from numpy.typing import NDArray

from motiongen_sim.envs.base import Info, Observation, robot_env
from motiongen_sim.experts.base import Expert
from motiongen_sim.tasks import TaskSpec

SEGMENT_EVERY, SEGMENT_STEPS = 5, 19
"""With noise, a segment of so many steps begins at every fifth step: four chunks of 16 begin in it."""
DISTURBANCE, DISTURBED_STEPS = 0.02, (1, 7)
"""With noise, the chance at each step that a random action begins, and the bounds [low, high) of its duration."""


@dataclass(frozen=True)
class DemoSegment:
    """T consecutive steps of a demonstration.

    Attributes:
        states: (T, D), observed before each action.
        actions: (T, A).
        images: (T, H, W, 3), observed before each action; None without image observations.
        scene: (T, E), the numbers of the whole state that the robot's own lack; None without image observations.
        done: whether the episode was over at the end.
    """

    states: NDArray[np.float32]
    actions: NDArray[np.float32]
    images: NDArray[np.uint8] | None
    scene: NDArray[np.float32] | None
    done: bool


@dataclass(frozen=True)
class Attempt:
    """One attempt of the expert.

    Attributes:
        segments: the whole attempt as one, or with noise several that begin along it.
        info: the environment's info at the end.
    """

    segments: tuple[DemoSegment, ...]
    info: Info


class Demonstrator:
    """A task's environment in which its expert demonstrates.

    Noise shows how errors are corrected, as in DART (Laskey et al., CoRL 2017). But in noisy recordings a chunk of
    actions would contain answers to noise that is still to come, which no policy can foresee. So the recordings show
    what the expert would do: every few steps of a noisy attempt it acts for a segment without noise, which is undone.

    Args:
        task: the task.
        observations: "state" or "image".
        noise: standard deviation of Gaussian noise on the executed actions, as a share of half the action space's
            range; above 0, a random action is also repeated now and then. Noise ends at a random step within the
            task's time, and an attempt may take twice that: what has to lie still in the end can.
    """

    def __init__(self, task: TaskSpec, observations: str, noise: float = 0.0) -> None:
        self.task = task
        self._env = robot_env(task.make(observations))  # steps are counted here
        self._has_images = observations == "image"
        self._noise = noise

    @property
    def fps(self) -> float:
        """Actions a second."""
        return self._env.fps

    @property
    def state_names(self) -> tuple[str, ...]:
        """Names of the numbers of an observation."""
        return self._env.PROPRIOCEPTION_NAMES if self._has_images else self._env.STATE_NAMES

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the numbers of an action."""
        return self._env.ACTION_NAMES

    @property
    def scene_names(self) -> tuple[str, ...]:
        """Names of the numbers that an image replaces: those of the whole state that the robot's own lack."""
        own = self.state_names
        return tuple(name for name in self._env.STATE_NAMES if name not in own)

    @property
    def image_shape(self) -> tuple[int, ...] | None:
        """(H, W, 3) of an observation's image, if it has one."""
        return (self._env.IMAGE_SIZE, self._env.IMAGE_SIZE, 3) if self._has_images else None

    def demonstrate(self, seed: int) -> Attempt:
        """Return one attempt; the world, the expert and the noise depend on the seed alone."""
        observation, info = self._env.reset(seed=seed)
        expert = self.task.make_expert(self._env, seed)
        expert.reset()
        if not self._noise:
            segment, info = self._record(observation, expert, self.task.max_steps)
            return Attempt((segment,), info)
        noise = _ActionNoise(
            self._env.action_space, self._noise, seed, self.task.max_steps, self.task.disturbance
        )
        segments: list[DemoSegment] = []
        for step in range(2 * self.task.max_steps):
            if step % SEGMENT_EVERY == 0:
                with self._env.undone():
                    segments.append(self._record(observation, copy.copy(expert), SEGMENT_STEPS)[0])
            observation, _, terminated, truncated, info = self._env.step(noise.add_to(expert.act()))
            if terminated or truncated:
                break
        return Attempt(tuple(segments), info)

    def _record(self, observation: Observation, expert: Expert[Any], steps: int) -> tuple[DemoSegment, Info]:
        """Let the expert act without noise, for so many steps at most. Returns the steps, and the info at the end."""
        space = self._env.action_space
        seen: list[dict[str, NDArray[Any]]] = []
        actions: list[NDArray[np.float32]] = []
        is_over, info = False, Info()
        while not is_over and len(actions) < steps:
            # Copies, since an environment may go on writing to what it returned.
            seen.append({name: np.array(part) for name, part in self._parts(observation).items()})
            actions.append(np.clip(expert.act(), space.low, space.high))
            observation, _, terminated, truncated, info = self._env.step(actions[-1])
            is_over = terminated or truncated
        segment = DemoSegment(
            states=np.stack([one["state"] for one in seen]),
            actions=np.stack(actions),
            images=np.stack([one["image"] for one in seen]) if self._has_images else None,
            scene=np.stack([one["scene"] for one in seen]) if self._has_images else None,
            done=is_over,
        )
        return segment, info

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _parts(self, observation: Observation) -> dict[str, NDArray[Any]]:
        if not isinstance(observation, dict):
            return {"state": observation}
        whole = dict(zip(self._env.STATE_NAMES, self._env.state, strict=True))
        return {**observation, "scene": np.array([whole[name] for name in self.scene_names], np.float32)}


class _ActionNoise:
    """Noise on actions until a random step: Gaussian, and now and then a random action for some steps.

    Args:
        space: the action space.
        size: standard deviation, as a share of half the space's range.
        seed: of the noise.
        steps: before which it ends.
        disturbance: see `TaskSpec`.
    """

    def __init__(self, space: spaces.Box, size: float, seed: int, steps: int, disturbance: float) -> None:
        self._low, self._high, self._size, self._disturbance = space.low, space.high, size, disturbance
        self._random = np.random.default_rng([seed, 1])
        self._noisy_steps = int(self._random.integers(steps))
        self._steps_left, self._random_action = 0, np.zeros(self._low.shape)

    def add_to(self, action: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the action (A,) to be executed in place of the expert's."""
        if self._noisy_steps == 0:
            return action
        self._noisy_steps -= 1
        middle, half = (self._low + self._high) / 2, (self._high - self._low) / 2
        if not self._steps_left and self._random.random() < DISTURBANCE:
            self._steps_left = int(self._random.integers(*DISTURBED_STEPS))
            reach = half * self._random.random()
            self._random_action = middle + reach * self._random.uniform(-1, 1, half.shape)
        noisy = action + self._size * half * self._random.standard_normal(half.shape)
        if self._steps_left:
            self._steps_left -= 1
            noisy = action + self._disturbance * (self._random_action - action)
        return np.clip(noisy, self._low, self._high).astype(np.float32)


def attempts(
    task: TaskSpec,
    observations: str,
    seed: int,
    workers: int,
    noise: float = 0.0,
) -> Generator[Attempt, None, None]:
    """Yield attempts with the seeds `seed`, `seed + 1` and so on, in this order and without end.

    Args:
        task: the task.
        observations: "state" or "image".
        seed: of the first attempt.
        workers: processes; 1 works in this one.
        noise: of the Demonstrator.

    Raises:
        ChildProcessError: a worker died.
    """
    if workers == 1:
        demonstrator = Demonstrator(task, observations, noise)
        try:
            yield from map(demonstrator.demonstrate, itertools.count(seed))
        finally:
            demonstrator.close()
        return
    pool = ProcessPoolExecutor(
        workers,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(task, observations, noise),
    )
    seeds = itertools.count(seed)
    try:
        # Few are pending at a time: finished attempts that were not yet asked for stay in memory.
        pending = deque(pool.submit(_demonstrate, next(seeds)) for _ in range(2 * workers))
        while True:
            first = pending.popleft()
            pending.append(pool.submit(_demonstrate, next(seeds)))
            yield first.result()
    except BrokenProcessPool as error:
        raise ChildProcessError(f"{task.name}: a worker died; try fewer workers") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task: TaskSpec, observations: str, noise: float) -> None:
    """Make this worker's demonstrator."""
    global _demonstrator
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process stops the pool
    _demonstrator = Demonstrator(task, observations, noise)


def _demonstrate(seed: int) -> Attempt:
    return _demonstrator.demonstrate(seed)


_demonstrator: Demonstrator
