"""Gymnasium environments. Importing this registers them; `gymnasium.make` does so by itself once installed."""

import gymnasium

from motiongen_sim.tasks import TASKS

IDS = tuple(task.id for task in TASKS.values())
"""The environments' names."""


def register_envs() -> None:
    """Register every task's environment that is not yet; called by gymnasium (entry point gymnasium.envs)."""
    for task in TASKS.values():
        if task.id not in gymnasium.registry:
            gymnasium.register(id=task.id, entry_point=task.entry_point, max_episode_steps=task.max_steps)


register_envs()
