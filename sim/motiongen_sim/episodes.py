"""EpisodeRunner: runs episodes of a policy in a task, one after the other or several side by side."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen_sim.envs.base import Observation, robot_env
from motiongen_sim.episode_video import EpisodeVideo, VideoRecorder
from motiongen_sim.lookahead import SimulatedReturn
from motiongen_sim.modes import mode_of
from motiongen_sim.policy import Policy
from motiongen_sim.scripted_policies import SCRIPTED_POLICIES, Actor
from motiongen_sim.tasks import TaskSpec


@dataclass(frozen=True, kw_only=True)
class EpisodeSettings:
    """Settings of a rollout, the same for all its episodes.

    Attributes:
        task: the task.
        policy: a model that acts, or the name of one of SCRIPTED_POLICIES.
        observations: "state" or "image".
        seed: of episode 0; episode i has the seed `seed + i`.
        batch: episodes side by side.
        max_steps: length at which an episode is truncated.
        filmed: how many of the first episodes are recorded as video.
        published_resets: keep worlds in which the task is already solved, see `RobotEnv.reset`.
    """

    task: TaskSpec
    policy: Policy | str
    observations: str
    seed: int
    batch: int
    max_steps: int
    filmed: int
    published_resets: bool = False

    @property
    def policy_name(self) -> str:
        """Name of the policy in reports."""
        return self.policy if isinstance(self.policy, str) else self.policy.name


@dataclass(frozen=True, kw_only=True)
class EpisodeResult:
    """Result of one episode.

    Attributes:
        index: number of the episode.
        success: whether the task was solved at the end.
        success_ever: whether it was solved after any of the steps.
        steps: actions executed.
        reward: sum over the steps.
        measures: the task's measures at the end.
        mode: in which the task was solved (see modes.py), for tasks with several.
        jerk: mean |third difference of the executed actions| x rate^3; None below four actions.
        video: of the episode, if it was recorded.
    """

    index: int
    success: bool
    success_ever: bool
    steps: int
    reward: float
    measures: dict[str, float]
    mode: str | None
    jerk: float | None
    video: EpisodeVideo | None


@dataclass(frozen=True, kw_only=True)
class GroupResult:
    """Results of episodes that ran side by side, and how long the policy took.

    Attributes:
        episodes: their results.
        action_ms: milliseconds of each of the policy's answers.
        chunk_ms: milliseconds of those answers for which it predicted a chunk.
    """

    episodes: tuple[EpisodeResult, ...]
    action_ms: tuple[float, ...]
    chunk_ms: tuple[float, ...]


class EpisodeRunner:
    """Runs groups of episodes, in environments that it keeps.

    The results depend on the settings and the episodes' numbers alone: a group that is not full is filled up with
    copies, since a model's sums are rounded differently in batches of another size.

    Args:
        settings: of the rollout.
    """

    def __init__(self, settings: EpisodeSettings) -> None:
        self.settings = settings
        self._envs: list[gymnasium.Env[Any, Any]] = []
        if isinstance(settings.policy, Policy):
            settings.policy.warm_up(settings.batch)

    def run(self, group: Sequence[int]) -> GroupResult:
        """Run the episodes of these numbers, at most `batch` and in order, side by side."""
        slots = [_EpisodeSlot(self._env(slot), self.settings, index) for slot, index in enumerate(group)]
        actor = self._actor(slots[0])
        actor.reset(self.settings.seed + group[0])
        action_ms, chunk_ms = [], []
        while any(not slot.is_over for slot in slots):
            start = time.perf_counter()
            actions = self._act(actor, [slot.observation for slot in slots])
            action_ms.append(1000 * (time.perf_counter() - start))
            if actor.predicted:
                chunk_ms.append(action_ms[-1])
            for slot, action in zip(slots, actions, strict=False):
                if not slot.is_over:
                    slot.step(action)
        episodes = tuple(slot.result() for slot in slots)
        return GroupResult(episodes=episodes, action_ms=tuple(action_ms), chunk_ms=tuple(chunk_ms))

    def close(self) -> None:
        """Close the environments, of which the policy then knows nothing."""
        if isinstance(self.settings.policy, Policy):
            self.settings.policy.judge = None
        while self._envs:
            self._envs.pop().close()

    def _env(self, slot: int) -> gymnasium.Env[Any, Any]:
        if slot == len(self._envs):
            options = {"render_mode": "rgb_array"} if self.settings.filmed else {}
            env = self.settings.task.make(
                self.settings.observations, max_episode_steps=self.settings.max_steps, **options
            )
            self._envs.append(env)
        return self._envs[slot]

    def _actor(self, slot: "_EpisodeSlot") -> Actor:
        policy = self.settings.policy
        if isinstance(policy, Policy):
            policy.judge = SimulatedReturn(robot_env(slot.env))
            return policy
        return SCRIPTED_POLICIES[policy](self.settings.task, slot.env)

    def _act(self, actor: Actor, observations: list[Observation]) -> NDArray[np.float32]:
        """Return the actions (B, A) that answer the observations of the slots."""
        if not isinstance(actor, Policy) or self.settings.batch == 1:
            return actor.act(observations[0])[None]
        observations = observations + observations[-1:] * (self.settings.batch - len(observations))
        first = observations[0]
        if not isinstance(first, dict):
            return actor.act_batch(np.stack([np.asarray(one) for one in observations]))
        dicts = [one for one in observations if isinstance(one, dict)]
        return actor.act_batch({key: np.stack([one[key] for one in dicts]) for key in first})


class _EpisodeSlot:
    """An environment in which one episode runs.

    Args:
        env: the environment with its time limit.
        settings: of the rollout.
        index: number of the episode.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], settings: EpisodeSettings, index: int) -> None:
        self.env = env
        self.is_over = False
        self._robot_env = robot_env(env)
        self._settings, self._index = settings, index
        self._reward = 0.0
        self._actions: list[NDArray[np.float32]] = []
        options = {"published_resets": settings.published_resets}
        self.observation, self._info = env.reset(seed=settings.seed + index, options=options)
        self._success_ever = False
        self._recorder: VideoRecorder | None = None
        if index < settings.filmed:
            title = f"{settings.task.name} · {settings.policy_name} · episode {index}"
            self._recorder = VideoRecorder(title, self._robot_env.fps)
            self._recorder.add(self._robot_env.render())

    def step(self, action: NDArray[np.float32]) -> None:
        """Execute an action (A,), clipped to the action space."""
        space = self._robot_env.action_space
        action = np.clip(action, space.low, space.high)
        self._actions.append(action)
        self.observation, reward, terminated, truncated, self._info = self.env.step(action)
        self._reward += float(reward)
        self._success_ever |= bool(self._info["is_success"])
        self.is_over = terminated or truncated
        if self._recorder is not None:
            self._recorder.add(self._robot_env.render())

    def result(self) -> EpisodeResult:
        """Return the result of the episode, which is over."""
        success = bool(self._info["is_success"])
        return EpisodeResult(
            index=self._index,
            success=success,
            success_ever=self._success_ever,
            steps=len(self._actions),
            reward=self._reward,
            measures={name: float(self._info[name]) for name in self._settings.task.measures},
            mode=mode_of(self._info),
            jerk=jerk(np.stack(self._actions), self._robot_env.fps),
            video=None if self._recorder is None else self._recorder.finish(success),
        )


def jerk(actions: NDArray[np.float32], fps: float) -> float | None:
    """Return the mean |third difference| of actions x fps^3, in units of the action / s^3; None below four actions.

    (Flash & Hogan 1985 measure movements by the third derivative of position.)

    Args:
        actions: (T, A).
        fps: actions a second.
    """
    if len(actions) < 4:
        return None
    return float(np.abs(np.diff(actions.astype(np.float64), n=3, axis=0)).mean() * fps**3)
