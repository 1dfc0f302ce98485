"""TASKS: the registry of tasks. Adding one is a record here.

Nothing heavy is imported: help texts read the names.
"""

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from motiongen import registry

if TYPE_CHECKING:
    import gymnasium

    from motiongen_sim.experts.base import Expert


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """A task of a robot: its environment, its expert and its measures.

    Attributes:
        name: its key in TASKS, "BlockPush".
        entry_point: "module:class" of its environment, a `RobotEnv`.
        expert: "module:class" of its scripted expert, an `Expert`.
        robot: name of the robot in datasets.
        instruction: the task in words, which policies of several tasks are conditioned on.
        max_steps: length of an episode at which it is truncated.
        measures: keys of `info` beside `is_success` whose means a report gives.
        observations: kinds of observations: "state", "image".
        disturbance: 0..1, of noisy demonstrations: how far a random action is from the expert's, 1 for all the way.
    """

    name: str
    entry_point: str
    expert: str
    robot: str
    instruction: str
    max_steps: int
    measures: tuple[str, ...] = ()
    observations: tuple[str, ...] = ("state", "image")
    disturbance: float = 1.0

    @property
    def id(self) -> str:
        """The id under which gymnasium makes its environment."""
        return f"motiongen/{self.name}-v0"

    def register(self) -> None:
        """Register the environment with gymnasium, where that has not been done."""
        import gymnasium

        if self.id not in gymnasium.registry:
            gymnasium.register(id=self.id, entry_point=self.entry_point, max_episode_steps=self.max_steps)

    def make(self, observations: str = "state", **options: Any) -> "gymnasium.Env[Any, Any]":
        """Return a new environment with a time limit; inside is a `RobotEnv`.

        Args:
            observations: one of the task's kinds.
            options: for gymnasium.make: render_mode, max_episode_steps, and those of the environment's class.

        Raises:
            ValueError: the environment cannot show such observations.
        """
        import gymnasium

        if observations not in self.observations:
            expected = " or ".join(self.observations)
            raise ValueError(f"observations: expected {expected} for {self.name}, got {observations!r}")
        self.register()
        return gymnasium.make(self.id, observations=observations, **options)

    def make_expert(self, env: "gymnasium.Env[Any, Any]", seed: int) -> "Expert[Any]":
        """Return the scripted expert for an environment of this task.

        Args:
            env: the environment, wrapped or not.
            seed: of the expert's choices.
        """
        module, _, name = self.expert.partition(":")
        expert: Expert[Any] = getattr(importlib.import_module(module), name)(env, seed)
        return expert


TASKS: dict[str, TaskSpec] = {
    "BlockPush": TaskSpec(
        name="BlockPush",
        entry_point="motiongen_sim.envs.block_push:BlockPush",
        expert="motiongen_sim.experts.block_push:BlockPushExpert",
        robot="xarm6",
        instruction="push the two blocks into the two squares, in any order",
        max_steps=350,
        measures=("p1", "p2"),
    ),
    "PandaPush": TaskSpec(
        name="PandaPush",
        entry_point="motiongen_sim.envs.panda:PandaPush",
        expert="motiongen_sim.experts.panda:PandaPushExpert",
        robot="panda",
        instruction="push the cube to the target",
        max_steps=50,
    ),
    "PandaPickAndPlace": TaskSpec(
        name="PandaPickAndPlace",
        entry_point="motiongen_sim.envs.panda:PandaPickAndPlace",
        expert="motiongen_sim.experts.panda:PandaPickAndPlaceExpert",
        robot="panda",
        instruction="carry the cube to the target",
        max_steps=50,
    ),
    "PandaStack": TaskSpec(
        name="PandaStack",
        entry_point="motiongen_sim.envs.panda:PandaStack",
        expert="motiongen_sim.experts.panda:PandaStackExpert",
        robot="panda",
        instruction="stack the green cube on the blue one at the target",
        max_steps=100,
        measures=("published",),
    ),
    "PushT": TaskSpec(
        name="PushT",
        entry_point="motiongen_sim.envs.push_t:PushT",
        expert="motiongen_sim.experts.push_t:PushTExpert",
        robot="pusher",
        instruction="push the T into its outline",
        max_steps=300,
        measures=("coverage",),
    ),
    "HumanoidTrack": TaskSpec(
        name="HumanoidTrack",
        entry_point="motiongen_sim.envs.humanoid_track:HumanoidTrack",
        expert="motiongen_sim.experts.humanoid_track:HumanoidTrackExpert",
        robot="humanoid",
        instruction="follow the reference motion",
        max_steps=300,
        measures=("tracking_error",),
        observations=("state",),
        disturbance=0.1,  # what its joints bear: whole random poses throw it down in 70 % of the tries
    ),
}
"""Name -> task."""


def lookup(name: str) -> TaskSpec:
    """Return the task of that name. Raises ValueError that lists the names."""
    return registry.lookup("task", TASKS, name)
