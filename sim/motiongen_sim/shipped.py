"""The policies that ship: their names, their folders, and which one is for a task."""

from pathlib import Path

from motiongen import checkpoint
from motiongen.registry import suggest
from motiongen_sim.tasks import TaskSpec


def policies() -> dict[str, Path]:
    """Return the name and the folder of each policy that ships."""
    import motiongen_assets

    found = (motiongen_assets.ROOT / "weights" / "policies").glob(f"*/{checkpoint.CONFIG}")
    return {path.parent.name: path.parent for path in sorted(found)}


def folder(name_or_folder: str | Path) -> Path:
    """Return the folder of a policy.

    Args:
        name_or_folder: the name of one that ships, or a folder.

    Raises:
        ValueError: there is no such policy; the message lists the names, and the nearest.
    """
    names, wanted = policies(), str(name_or_folder)
    if wanted in names:
        return names[wanted]
    if Path(name_or_folder).is_dir():
        return Path(name_or_folder)
    nearest = suggest(wanted, names)
    hint = f"did you mean {nearest}?" if nearest else "check the name"
    raise ValueError(
        f"policy: expected {', '.join(names) or 'none ships'} or a folder, got {wanted!r}; {hint}"
    )


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
