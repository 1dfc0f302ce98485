"""Helpers of the commands demos, rollout and drive: names for help texts, and the message of a missing extra."""

from collections.abc import Iterator
from contextlib import contextmanager

from motiongen.cli import UsageError, choices

_MODULES = (
    *("gymnasium", "pybullet", "pybullet_data", "pybullet_utils", "panda_gym", "gym_pusht", "pymunk"),
    *("shapely", "pyarrow", "matplotlib"),
)
"""Modules of the extra [sim]."""


@contextmanager
def needs_sim(verb: str) -> Iterator[None]:
    """Turn a missing module of the extra [sim] into an ImportError that names the extra.

    Args:
        verb: of the command, for the message.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _MODULES:
            raise
        raise ImportError(
            f"{verb}: {error.name} is not installed; run pip install 'motiongen[sim]'"
        ) from error


def task_names() -> str:
    """Return the names of all tasks, for a help text."""
    from motiongen_sim.tasks import TASKS

    return ", ".join(TASKS)


def check_task(name: str) -> None:
    """Raise UsageError, which lists the names, unless there is such a task."""
    from motiongen_sim.tasks import lookup

    try:
        lookup(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def policies() -> choices.Choice:
    """Return the choice of policies: heads, those without a model, and trained ones."""

    def names() -> dict[str, str]:
        from motiongen.heads import heads_for
        from motiongen_sim.scripted_policies import SCRIPTED_POLICIES

        return dict.fromkeys(heads_for("policy"), "is the one that ships for the task") | dict.fromkeys(
            SCRIPTED_POLICIES, ""
        )

    purpose = "Policy; NAME is one of those of motiongen models, DIR a folder of your own."
    return choices.Choice(kind="policy", names=names, purpose=purpose, others=("NAME", "DIR"))


def robot_names() -> str:
    """Return the names of all robots, for a metavar."""
    from motiongen_sim.robots.catalog import ROBOTS

    return "|".join(ROBOTS)


def robot_descriptions() -> str:
    """Return the names and descriptions of all robots, for a help text."""
    from motiongen_sim.robots.catalog import ROBOTS

    return "; ".join(f"{name}: {robot.description}" for name, robot in ROBOTS.items())


def check_robot(name: str) -> None:
    """Raise UsageError, which lists the names, unless there is such a robot."""
    from motiongen import registry
    from motiongen_sim.robots.catalog import ROBOTS

    try:
        registry.lookup("robot", ROBOTS, name)
    except ValueError as error:
        raise UsageError(str(error)) from error
