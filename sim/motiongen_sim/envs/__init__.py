"""Gymnasium environments. Importing this registers them, and motiongen_sim imports it."""

import gymnasium

from motiongen_sim.tasks import TASKS


def register_envs() -> None:
    """Register every task's environment that is not yet."""
    for task in TASKS.values():
        if task.id not in gymnasium.registry:
            gymnasium.register(id=task.id, entry_point=task.entry_point, max_episode_steps=task.max_steps)


register_envs()
