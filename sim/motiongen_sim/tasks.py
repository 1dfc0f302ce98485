"""The tasks: what a robot is asked to do, in which environment, and who can show how. Adding one is a record here."""

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

import gymnasium
import numpy as np
from numpy.typing import NDArray

from motiongen import registry


class Expert(Protocol):
    """Solves a task by rules that may read the simulator's true state."""

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        """Take the environment it will act in, and the seed of its own choices."""
        ...

    def reset(self) -> None:
        """Start over; called after every reset of the environment."""
        ...

    def act(self) -> NDArray[np.float32]:
        """Return the next action (A,) for the state that the environment is in."""
        ...


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task.

    Attributes:
        name: what people call it, "BlockPush".
        entry_point: "module:class" of its environment, registered as `id`.
        expert: "module:class" of its scripted expert.
        robot: what acts, as a dataset names it.
        instruction: what is to be done, in words.
        max_steps: when an episode is cut off.
        measures: keys of `info` beside `is_success` that a report averages over the episodes' ends.
        observations: what the environment can show: "state", "image".
    """

    name: str
    entry_point: str
    expert: str
    robot: str
    instruction: str
    max_steps: int
    measures: tuple[str, ...] = ()
    observations: tuple[str, ...] = ("state", "image")

    @property
    def id(self) -> str:
        """The name under which gymnasium makes its environment."""
        return f"motiongen/{self.name}-v0"

    def make(self, observations: str = "state", **options: Any) -> gymnasium.Env[Any, Any]:
        """Return a new environment. Raises ValueError when it cannot show such observations."""
        if observations not in self.observations:
            expected = " or ".join(self.observations)
            raise ValueError(f"observations: expected {expected} for {self.name}, got {observations!r}")
        if self.observations != ("state",):
            options["observations"] = observations
        return gymnasium.make(self.id, **options)

    def make_expert(self, env: gymnasium.Env[Any, Any], seed: int) -> Expert:
        """Return the scripted expert for an environment of this task."""
        module, _, name = self.expert.partition(":")
        expert: Expert = getattr(importlib.import_module(module), name)(env, seed)
        return expert


TASKS = {
    task.name: task
    for task in (
        Task(
            name="BlockPush",
            entry_point="motiongen_sim.envs.block_push:BlockPush",
            expert="motiongen_sim.experts.block_push:BlockPushExpert",
            robot="xarm6",
            instruction="push the two blocks into the two squares, in any order",
            max_steps=350,
            measures=("p1", "p2"),
        ),
        Task(
            name="PandaPush",
            entry_point="motiongen_sim.envs.panda:PandaPush",
            expert="motiongen_sim.experts.panda:PandaPushExpert",
            robot="panda",
            instruction="push the cube to the target",
            max_steps=50,
        ),
        Task(
            name="PandaPickAndPlace",
            entry_point="motiongen_sim.envs.panda:PandaPickAndPlace",
            expert="motiongen_sim.experts.panda:PandaPickAndPlaceExpert",
            robot="panda",
            instruction="carry the cube to the target",
            max_steps=50,
        ),
        Task(
            name="PandaStack",
            entry_point="motiongen_sim.envs.panda:PandaStack",
            expert="motiongen_sim.experts.panda:PandaStackExpert",
            robot="panda",
            instruction="stack the green cube on the blue one at the target",
            max_steps=100,
        ),
        Task(
            name="PushT",
            entry_point="motiongen_sim.envs.push_t:PushT",
            expert="motiongen_sim.experts.push_t:PushTExpert",
            robot="pusher",
            instruction="push the T into its outline",
            max_steps=300,
            measures=("coverage",),
        ),
        Task(
            name="HumanoidTrack",
            entry_point="motiongen_sim.envs.humanoid_track:HumanoidTrack",
            expert="motiongen_sim.experts.humanoid_track:HumanoidTrackExpert",
            robot="humanoid",
            instruction="follow the reference motion",
            max_steps=300,
            measures=("tracking_error",),
            observations=("state",),
        ),
    )
}
"""Name -> task."""


def lookup(name: str) -> Task:
    """Return the task of that name. Raises ValueError that lists the names."""
    return registry.lookup("task", TASKS, name)
