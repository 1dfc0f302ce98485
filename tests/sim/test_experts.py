"""What holds for the expert of every task."""

import numpy as np
import pytest

from motiongen_sim.tasks import TASKS

EPISODES = 4


@pytest.mark.slow
@pytest.mark.parametrize("name", TASKS)
def test_expert_solves_its_task_within_the_time_limit(name):
    task = TASKS[name]
    env = task.make()
    ends = []
    for seed in range(EPISODES):
        expert = task.make_expert(env, seed)
        env.reset(seed=seed)
        expert.reset()
        is_over = False
        while not is_over:
            action = expert.act()
            assert action.shape == env.action_space.shape and action.dtype == np.float32
            _, _, terminated, truncated, info = env.step(action)
            is_over = terminated or truncated
        ends.append(info["is_success"])
    env.close()
    assert all(ends)


@pytest.mark.parametrize("name", TASKS)
def test_expert_does_the_same_for_the_same_seed(name):
    task, shown = TASKS[name], []
    for _ in range(2):
        env = task.make()
        env.reset(seed=3)
        expert = task.make_expert(env, 3)
        expert.reset()
        actions = []
        for _ in range(8):
            actions.append(expert.act())
            env.step(actions[-1])
        shown.append(np.stack(actions))
        env.close()
    np.testing.assert_array_equal(*shown)


@pytest.mark.parametrize("name", TASKS)
def test_expert_refuses_another_tasks_environment(name):
    other = next(task for task in TASKS.values() if task.name != name and task.robot != TASKS[name].robot)
    env = other.make()
    with pytest.raises(ValueError, match="env: expected"):
        TASKS[name].make_expert(env, 0)
    env.close()
