"""RobotEnv: the contract of every environment, and the code that all of them share."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar, NoReturn, SupportsIndex, TypeVar

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from numpy.typing import NDArray

Action = NDArray[np.float32]
"""An action (A,), as ACTION_NAMES names it."""
State = NDArray[np.float32]
"""A state (D,), as STATE_NAMES names it."""
Image = NDArray[np.uint8]
"""A picture (height, width, 3)."""
Observation = State | dict[str, NDArray[Any]]
"""A state (D,); or with image observations a dict of `state`, the robot's own numbers, and `image` (S, S, 3)."""
Info = dict[str, Any]

EnvT = TypeVar("EnvT", bound="RobotEnv")

MOST_DRAWS = 1000
"""Worlds that a reset draws at most to find one in which the task is not yet solved."""


class RobotEnv(gymnasium.Env[Observation, Action], ABC):
    """Abstract base of all environments: a gymnasium.Env whose numbers have names and whose steps can be undone.

    The public methods are complete here: they check the action and the order of calls, and assemble observations. A
    subclass sets the class attributes below and writes the abstract methods, which are called only in the right order.
    `info` always has `is_success` (bool) and the measures of the task (float).

    Args:
        state_space: bounds of the state (D,).
        action_space: bounds of an action (A,).
        observations: one of OBSERVATIONS.
        render_mode: None or "rgb_array".
        picture_size: width and height of what `render` returns, in pixels.

    Attributes:
        metadata: gymnasium's: render_modes, and render_fps, which is the rate of control in Hz.
        OBSERVATIONS: kinds of observations that the environment has: "state", "image".
        IMAGE_SIZE: side of an observation's image, in pixels; 0 for environments without one.
        STATE_NAMES: names of the D numbers of `state`.
        PROPRIOCEPTION_NAMES: those of them that a robot measures itself: the state beside an image.
        ACTION_NAMES: names of the A numbers of an action.
        EPISODE_ATTRIBUTES: attributes of the object that steps rebind, and `undone` puts back.

    Raises:
        ValueError: the environment has no such observations.
    """

    OBSERVATIONS: ClassVar[tuple[str, ...]] = ("state", "image")
    IMAGE_SIZE: ClassVar[int] = 0
    EPISODE_ATTRIBUTES: ClassVar[tuple[str, ...]] = ()
    STATE_NAMES: tuple[str, ...]
    PROPRIOCEPTION_NAMES: tuple[str, ...]
    ACTION_NAMES: tuple[str, ...]
    action_space: spaces.Box  # type: ignore[assignment]  # gymnasium's Box allows integers, too

    def __init__(
        self,
        state_space: spaces.Box,
        action_space: spaces.Box,
        *,
        observations: str,
        render_mode: str | None,
        picture_size: tuple[int, int],
    ) -> None:
        self._is_reset, self._is_closed = False, False
        self.observations = checked_observations(observations, self.OBSERVATIONS)
        self.render_mode = render_mode
        self.picture_size = picture_size
        self.action_space = action_space
        names = list(self.STATE_NAMES)
        self._proprioception = np.array([names.index(name) for name in self.PROPRIOCEPTION_NAMES])
        self.observation_space: spaces.Space[Any] = state_space
        if observations == "image":
            low, high = state_space.low[self._proprioception], state_space.high[self._proprioception]
            image = spaces.Box(0, 255, (self.IMAGE_SIZE, self.IMAGE_SIZE, 3), np.uint8)
            own = spaces.Box(low, high, dtype=np.float32)
            self.observation_space = spaces.Dict({"state": own, "image": image})

    @property
    def fps(self) -> float:
        """Actions a second."""
        return float(self.metadata["render_fps"])

    @property
    @abstractmethod
    def state(self) -> State:
        """The whole state of the world (D,), as STATE_NAMES names it."""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode. Returns the observation and the info.

        A world in which the task is already solved is drawn again, by the same random generator: a policy that does
        nothing would succeed in it.

        Args:
            seed: of this episode and, while there is no other, of those after it; None continues.
            options: `published_resets`, true to keep worlds in which the task is already solved, as the published
                tasks do.

        Raises:
            ValueError: another option.
            ClosedEnvironmentError: the environment is closed.
        """
        self._check_open("reset")
        super().reset(seed=seed, options=options)
        keeps_solved = published_resets(options)
        for _ in range(MOST_DRAWS):
            self._reset_world()
            self._is_reset = True
            info = self._info()
            if keeps_solved or not self._starts_solved(info):
                return self._observation(), info
        raise RuntimeError(f"reset: expected an unsolved world, got none in {MOST_DRAWS} draws")

    def step(self, action: Action) -> tuple[Observation, float, bool, bool, Info]:
        """Act for one control step. Returns the observation, the reward, terminated, truncated and the info.

        Args:
            action: (A,), as ACTION_NAMES names it; cut to the action space.

        Raises:
            ValueError: another shape, not numbers, or a number that is not finite; the world is as it was.
            ResetNeeded: there was no `reset`.
            ClosedEnvironmentError: the environment is closed.
        """
        self._check_ready("step")
        reward, terminated = self._step_world(checked_action(action, self.ACTION_NAMES))
        return self._observation(), reward, terminated, False, self._info()

    def render(self) -> Image | None:
        """Return a picture (height, width, 3), or None when no render mode was asked for.

        Raises:
            ResetNeeded: there was no `reset`.
            ClosedEnvironmentError: the environment is closed.
        """
        self._check_ready("render")
        return None if self.render_mode is None else self._draw()

    def close(self) -> None:
        """Free the simulator; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._free()

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Take back all steps that are taken while the block runs."""
        self._check_ready("undone")
        kept = {name: getattr(self, name) for name in self.EPISODE_ATTRIBUTES}
        try:
            with self._simulator_undone():
                yield
        finally:
            for name, value in kept.items():
                setattr(self, name, value)

    @abstractmethod
    def _reset_world(self) -> None:
        """Put the world into a new episode's first state, drawn from `self.np_random` alone."""

    @abstractmethod
    def _step_world(self, action: NDArray[np.float64]) -> tuple[float, bool]:
        """Simulate a control step. Returns the reward, and whether the episode is over (terminated).

        Args:
            action: (A,), finite, not yet cut to the action space.
        """

    @abstractmethod
    def _info(self) -> Info:
        """Return `is_success` and the task's measures, as the world is now."""

    def _starts_solved(self, info: Info) -> bool:
        """Return whether a reset draws another world in place of this one, whose info is given."""
        return bool(info["is_success"])

    @abstractmethod
    def _draw(self) -> Image:
        """Return a picture of `picture_size` for people."""

    def _observe_image(self) -> Image:
        """Return an observation's image (IMAGE_SIZE, IMAGE_SIZE, 3); for environments that have one."""
        raise NotImplementedError(
            f"{type(self).__name__} lists image observations, and has no _observe_image"
        )

    @abstractmethod
    def _simulator_undone(self) -> AbstractContextManager[None]:
        """Return a context that puts the simulator back into the state it had when the block began."""

    @abstractmethod
    def _free(self) -> None:
        """Free the simulator; called once."""

    def _observation(self) -> Observation:
        if self.observations == "state":
            return self.state
        return {"state": self.state[self._proprioception], "image": self._observe_image()}

    def _check_open(self, call: str) -> None:
        if self._is_closed:
            raise ClosedEnvironmentError(
                f"{call}: expected an open {type(self).__name__}, got one that is closed; make another one"
            )

    def _check_ready(self, call: str) -> None:
        self._check_open(call)
        if not self._is_reset:
            raise ResetNeeded(f"{call}: expected {type(self).__name__} to be reset before; call reset first")

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        # copy.copy, copy.deepcopy and pickle all come here. A copy would share the simulator, or free it twice.
        raise TypeError(
            f"{type(self).__name__}: expected not to be copied or pickled, since it holds a simulator; "
            "make another one, or take steps back with undone()"
        )


def checked_action(action: Any, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Return an action (A,) in double precision.

    Args:
        action: (A,) real numbers of any type.
        names: of the A numbers.

    Raises:
        ValueError: another shape, not real numbers, or a number that is not finite.
    """
    try:
        values = np.asarray(action)
    except ValueError as error:  # rows of unequal lengths
        raise ValueError(f"action: expected shape ({len(names)},), got {action!r}") from error
    if values.dtype.kind not in "fiu":
        raise ValueError(f"action: expected real numbers, got dtype {values.dtype}; convert to float32")
    if values.shape != (len(names),):
        raise ValueError(f"action: expected shape ({len(names)},), got {values.shape}; see ACTION_NAMES")
    finite = np.isfinite(values)
    if not finite.all():
        first = int(np.argmin(finite))
        raise ValueError(
            f"action: expected finite numbers, got {values[first]} for {names[first]}; check the policy"
        )
    return values.astype(np.float64)


def published_resets(options: dict[str, Any] | None) -> bool:
    """Return whether the options of a reset keep worlds that are already solved. Raises ValueError for others."""
    unknown = [name for name in options or {} if name != "published_resets"]
    if unknown:
        raise ValueError(f"options: expected published_resets or none, got {', '.join(unknown)}")
    return bool((options or {}).get("published_resets", False))


def checked_observations(observations: str, known: tuple[str, ...]) -> str:
    """Return the kind of observations, checked.

    Args:
        observations: the kind that is asked for.
        known: kinds that the environment has.

    Raises:
        ValueError: it is none of those known.
    """
    if observations not in known:
        raise ValueError(f"observations: expected {' or '.join(known)}, got {observations!r}; pick one")
    return observations


def robot_env(env: gymnasium.Env[Any, Any]) -> RobotEnv:
    """Return the RobotEnv inside all wrappers. Raises ValueError when there is none."""
    inner = env.unwrapped
    if not isinstance(inner, RobotEnv):
        raise ValueError(f"env: expected a RobotEnv, got {inner!r}; see motiongen_sim.envs.base")
    return inner


def unwrapped_as(env: gymnasium.Env[Any, Any], kind: type[EnvT]) -> EnvT:
    """Return the environment inside all wrappers.

    Args:
        env: wrapped or not.
        kind: its class.

    Raises:
        ValueError: it is of another class.
    """
    inner = env.unwrapped
    if not isinstance(inner, kind):
        name = kind.__name__
        raise ValueError(f"env: expected {name}, got {inner!r}; make it with tasks.lookup({name!r})")
    return inner
