"""The policies that ship: their names, their folders, and which one is for a task."""

from pathlib import Path

from motiongen import checkpoint
from motiongen.inference.weight_sets import policy_folder as folder
from motiongen.inference.weight_sets import shipped_policies as policies
from motiongen_sim.tasks import TaskSpec

__all__ = ["folder", "for_task", "policies"]


def for_task(task: TaskSpec, observations: str) -> Path:
    """Return the folder of the policy that ships for a task: its own one, or else one of several tasks.

    Args:
        task: the task.
        observations: kind that the policy is to be trained on.

    Raises:
        ValueError: there is none; the message says how to train one.
    """
    names = policies()
    own = f"carp-{task.name.lower()}" + ("-image" if observations == "image" else "")
    for path in [names[own]] if own in names else names.values():
        config = checkpoint.read_json(path / checkpoint.CONFIG)
        if (config["image_size"] > 0) == (observations == "image") and task.instruction in config["tasks"]:
            return path
    image = " --observations image" if observations == "image" else ""
    raise ValueError(
        f"policy: expected one that ships for {task.name} with {observations} observations, got none; train one "
        f"(motiongen demos {task.name}{image} -o DATA; motiongen train carp --data DATA) and give its folder, "
        "or use --policy expert"
    )
