"""The environments. Importing this package registers them with gymnasium, and motiongen_sim imports it."""

from motiongen_sim.tasks import TASKS


def register_envs() -> None:
    """Register the environment of every task with gymnasium."""
    for task in TASKS.values():
        task.register()


register_envs()
