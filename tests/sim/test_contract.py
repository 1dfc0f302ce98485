"""The contract of RobotEnv, for the environment of every task."""

import copy
import gc
import os
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded

from motiongen_sim.envs.base import RobotEnv, robot_env
from motiongen_sim.experts.base import Expert
from motiongen_sim.tasks import TASKS, TaskSpec


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> TaskSpec:
    return TASKS[request.param]


@pytest.fixture
def env(task: TaskSpec) -> Iterator[RobotEnv]:
    made = robot_env(task.make())
    yield made
    made.close()


def small_actions(env: RobotEnv, count: int) -> np.ndarray:
    """Actions (count, A) around the middle of the space."""
    low, high = env.action_space.low, env.action_space.high
    middle, half = (low + high) / 2, (high - low) / 2
    return (middle + 0.3 * half * np.random.default_rng(0).uniform(-1, 1, (count, len(low)))).astype(
        np.float32
    )


def test_a_task_is_what_its_environment_and_expert_are(task, env):
    assert TASKS[task.name] is task and env.spec.id == task.id
    assert task.observations == env.OBSERVATIONS and env.fps > 0
    assert isinstance(task.make_expert(env, 0), Expert)
    env.reset(seed=0)
    assert env.state.shape == (len(env.STATE_NAMES),) and env.state.dtype == np.float32


WRONG = {
    "nan": (lambda a: a * np.nan, "expected finite numbers, got nan for"),
    "infinite": (lambda a: a + np.inf, "expected finite numbers, got inf for"),
    "shape": (lambda a: np.append(a, 0), r"expected shape \(\d+,\), got \(\d+,\)"),
    "batch": (lambda a: a[None], r"expected shape \(\d+,\), got \(1, \d+\)"),
    "words": (lambda a: ["left"] * len(a), "expected real numbers, got dtype"),
    "booleans": (lambda a: a > 0, "expected real numbers, got dtype bool"),
    "nothing": (lambda a: [None] * len(a), "expected real numbers, got dtype object"),
    "ragged": (lambda a: [a, 1.0], r"expected shape \(\d+,\)"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_action_is_refused_and_changes_nothing(env, wrong):
    spoil, message = WRONG[wrong]
    first, _ = env.reset(seed=3)
    good = small_actions(env, 1)[0]
    with pytest.raises(ValueError, match=f"action: {message}"):
        env.step(spoil(good))
    np.testing.assert_array_equal(env.state, first)
    after = env.step(good)
    env.reset(seed=3)
    np.testing.assert_equal(env.step(good), after)
    assert np.isfinite(after[0]).all()


def test_numbers_of_any_type_are_an_action(env):
    action, seen = small_actions(env, 1)[0], []
    for given in (action, action.astype(np.float64), action.tolist()):
        env.reset(seed=4)
        seen.append(env.step(given)[0])
    np.testing.assert_array_equal(seen[0], seen[1])
    np.testing.assert_array_equal(seen[0], seen[2])


def test_calls_out_of_order_are_one_clear_line(task):
    env = robot_env(task.make(render_mode="rgb_array"))
    action, name = small_actions(env, 1)[0], type(env).__name__
    calls: dict[str, Any] = {"step": lambda: env.step(action), "render": env.render}
    for call in calls.values():
        with pytest.raises(ResetNeeded, match=f"expected {name} to be reset before; call reset first"):
            call()
    env.close()
    env.close()  # frees nothing twice
    for call in (*calls.values(), env.reset):
        with pytest.raises(ClosedEnvironmentError, match=f"expected an open {name}, got one that is closed"):
            call()


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy, pickle.dumps], ids=lambda how: how.__name__)
def test_a_copy_is_refused_and_harms_nothing(task, how):
    wrapped = task.make()
    wrapped.reset(seed=5)
    with pytest.raises(TypeError, match="expected not to be copied or pickled"):
        how(wrapped.unwrapped)
    gc.collect()
    assert np.isfinite(wrapped.step(small_actions(wrapped.unwrapped, 1)[0])[0]).all()
    wrapped.close()


def test_undone_steps_leave_state_and_info_as_they_were(env):
    env.reset(seed=6)
    actions = small_actions(env, 6)
    for action in actions[:3]:
        *_, info = env.step(action)
    before = env.state
    for _ in range(2):
        with env.undone():
            for action in actions:
                env.step(action)
            assert not np.array_equal(env.state, before)
        # PyBullet reads links a physics step late, but not after a state was restored.
        np.testing.assert_allclose(env.state, before, rtol=0, atol=2e-3)
        assert env._info() == pytest.approx(info, abs=1e-3)


def test_undone_before_a_reset_is_refused(env):
    with pytest.raises(ResetNeeded, match="undone: expected"), env.undone():
        pass


def megabytes() -> float:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


ONE_OF_A_KIND = {task.entry_point.partition(":")[0]: task for task in TASKS.values()}
"""Module of environments -> one of its tasks: they are made and closed alike."""


@pytest.mark.slow
@pytest.mark.parametrize("task", ONE_OF_A_KIND.values(), ids=lambda task: task.name)
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads memory as Linux gives it")
def test_sixty_environments_one_after_the_other_take_no_memory(task):
    seen: list[float] = []
    for cycle in range(60):
        env = robot_env(task.make())
        env.reset(seed=cycle)
        env.step(small_actions(env, 1)[0])
        env.close()
        del env
        gc.collect()
        if cycle % 6 == 5:
            seen.append(megabytes())
    # Allocators keep and give back some; a leak of .4 MB a cycle would add 12 MB from one half to the other.
    assert min(seen[5:]) - min(seen[:5]) < 10, seen
    files = len(os.listdir("/proc/self/fd"))
    assert files < 200, files


def test_a_reset_draws_worlds_that_are_not_yet_solved(task):
    env = robot_env(task.make())
    published = [env.reset(seed=seed, options={"published_resets": True})[1] for seed in range(60)]
    drawn = [env.reset(seed=seed) for seed in range(60)]
    assert not any(info["is_success"] for _, info in drawn)
    for seed, info in enumerate(published):
        again, _ = env.reset(seed=seed, options={"published_resets": True})
        assert np.array_equal(again, drawn[seed][0]) != info["is_success"], seed
    assert any(info["is_success"] for info in published) == (task.name in ("PandaPush", "PandaPickAndPlace"))
    env.close()


def test_an_unknown_option_of_a_reset_is_refused(env):
    with pytest.raises(ValueError, match="options: expected published_resets or none, got layout"):
        env.reset(seed=0, options={"layout": 1})
