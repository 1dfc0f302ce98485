"""Episodes played one after the other, or a few side by side: what happened in each, and how long the policy took."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.film import Film, Reel
from motiongen_sim.policy import Policy
from motiongen_sim.scripted import ACTORS
from motiongen_sim.tasks import lookup

MODE = ("first_block", "first_target")
"""Keys of `info` that tell which of several ways an episode went."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is played.

    Attributes:
        task: its name.
        policy: a model that acts, or the name of one of ACTORS.
        observations: "state" or "image".
        seed: of episode 0; episode i has the seed `seed + i`.
        batch: episodes side by side.
        max_steps: where an episode is cut off.
        filmed: how many of the first episodes are filmed.
    """

    task: str
    policy: Policy | str
    observations: str
    seed: int
    batch: int
    max_steps: int
    filmed: int

    @property
    def policy_name(self) -> str:
        """What a report calls the policy."""
        return self.policy if isinstance(self.policy, str) else self.policy.name


@dataclass(frozen=True, kw_only=True)
class Episode:
    """What happened in one episode.

    Attributes:
        index: its number.
        success: whether the task was solved at the end.
        steps: actions executed.
        reward: sum over the steps.
        measures: the task's measures at the end.
        mode: which way it went, for tasks with several.
        jerk: mean |third difference of the executed actions| x rate^3; None below four actions.
        reel: its film.
    """

    index: int
    success: bool
    steps: int
    reward: float
    measures: dict[str, float]
    mode: str | None
    jerk: float | None
    reel: Reel | None


@dataclass(frozen=True, kw_only=True)
class Played:
    """Episodes, and milliseconds of the policy's answers: of all, and of those in which it predicted a chunk."""

    episodes: tuple[Episode, ...]
    action_ms: tuple[float, ...]
    chunk_ms: tuple[float, ...]


class Player:
    """Plays groups of episodes of a job, in environments that it keeps.

    What it plays depends on the job and the episodes' numbers alone: a group that is not full is filled up with copies,
    since a model's sums are rounded differently in batches of another size.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._task = lookup(job.task)
        self._envs: list[gymnasium.Env[Any, Any]] = []
        if isinstance(job.policy, Policy):
            job.policy.warm_up(job.batch)

    def play(self, group: Sequence[int]) -> Played:
        """Play the episodes of these numbers, at most `batch` and in order, side by side."""
        lanes = [_Lane(self._env(place), self.job, index) for place, index in enumerate(group)]
        actor = self._actor(lanes[0])
        actor.reset(self.job.seed + group[0])
        action_ms, chunk_ms = [], []
        while any(not lane.is_over for lane in lanes):
            start = time.perf_counter()
            actions = self._act(actor, [lane.observation for lane in lanes])
            action_ms.append(1000 * (time.perf_counter() - start))
            if actor.predicted:
                chunk_ms.append(action_ms[-1])
            for lane, action in zip(lanes, actions, strict=False):
                if not lane.is_over:
                    lane.step(action)
        episodes = tuple(lane.episode(self._task.measures) for lane in lanes)
        return Played(episodes=episodes, action_ms=tuple(action_ms), chunk_ms=tuple(chunk_ms))

    def close(self) -> None:
        """Close the environments."""
        while self._envs:
            self._envs.pop().close()

    def _env(self, place: int) -> gymnasium.Env[Any, Any]:
        if place == len(self._envs):
            options = {"render_mode": "rgb_array"} if self.job.filmed else {}
            env = self._task.make(self.job.observations, max_episode_steps=self.job.max_steps, **options)
            self._envs.append(env)
        return self._envs[place]

    def _actor(self, lane: "_Lane") -> Any:
        policy = self.job.policy
        return policy if isinstance(policy, Policy) else ACTORS[policy](self._task, lane.env)

    def _act(self, actor: Any, observations: list[Any]) -> NDArray[np.float32]:
        """Return the actions (B, A) that answer the observations of the lanes."""
        if self.job.batch == 1:
            return actor.act(observations[0])[None]
        observations = observations + observations[-1:] * (self.job.batch - len(observations))
        if isinstance(observations[0], dict):
            return actor.act_batch(
                {key: np.stack([one[key] for one in observations]) for key in observations[0]}
            )
        return actor.act_batch(np.stack(observations))


@dataclass
class _Lane:
    """An environment in which one episode goes on."""

    env: gymnasium.Env[Any, Any]
    job: Job
    index: int
    is_over: bool = False
    reward: float = 0.0
    actions: list[NDArray[np.float32]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.observation, self.info = self.env.reset(seed=self.job.seed + self.index)
        self.film: Film | None = None
        if self.index < self.job.filmed:
            self.film = Film(f"{self.job.task} · {self.job.policy_name} · episode {self.index}", self._fps)
            self.film.add(self.env.render())

    @property
    def _fps(self) -> float:
        return float(self.env.metadata["render_fps"])

    def step(self, action: NDArray[np.float32]) -> None:
        """Execute an action, cut to what the environment takes."""
        space: Any = self.env.action_space
        action = np.clip(action, space.low, space.high)
        self.actions.append(action)
        self.observation, reward, terminated, truncated, self.info = self.env.step(action)
        self.reward += float(reward)
        self.is_over = terminated or truncated
        if self.film is not None:
            self.film.add(self.env.render())

    def episode(self, measures: Sequence[str]) -> Episode:
        """Return what happened."""
        success = bool(self.info["is_success"])
        return Episode(
            index=self.index,
            success=success,
            steps=len(self.actions),
            reward=self.reward,
            measures={name: float(self.info[name]) for name in measures},
            mode=_mode(self.info),
            jerk=jerk(np.stack(self.actions), self._fps),
            reel=None if self.film is None else self.film.finish(success),
        )


def jerk(actions: NDArray[np.float32], fps: float) -> float | None:
    """Return how unsmooth actions (T, A) are: the mean of |third difference| x fps^3, in units of the action / s^3.

    None below four actions. (Flash & Hogan 1985 measure movements by the third derivative of position.)
    """
    if len(actions) < 4:
        return None
    return float(np.abs(np.diff(actions.astype(np.float64), n=3, axis=0)).mean() * fps**3)


def _mode(info: dict[str, Any]) -> str | None:
    if not all(key in info for key in MODE):
        return None
    block, target = (int(info[key]) for key in MODE)
    return "none" if block < 0 else f"block {block} to target {target}"
