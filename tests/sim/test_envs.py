"""What holds for the environment of every task."""

import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from motiongen_sim.tasks import TASKS, TaskSpec

SHOWN = [(name, shown) for name, task in TASKS.items() for shown in task.observations]


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> TaskSpec:
    return TASKS[request.param]


@pytest.fixture(params=SHOWN, ids=lambda case: "-".join(case))
def env(request: pytest.FixtureRequest) -> Iterator[gymnasium.Env[Any, Any]]:
    name, observations = request.param
    made = TASKS[name].make(observations)
    yield made
    made.close()


def episode(env: gymnasium.Env[Any, Any], *, seed: int, steps: int) -> list[Any]:
    """Return all that an episode of random actions gives, as arrays."""
    observation, info = env.reset(seed=seed)
    rng, given = np.random.default_rng(seed), [observation, info]
    for _ in range(steps):
        given += env.step(rng.uniform(env.action_space.low, env.action_space.high).astype(np.float32))
    return given


@pytest.mark.slow
def test_gymnasium_finds_no_fault(env):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # PushT's actions are pixels.
        warnings.filterwarnings("ignore", message=".*symmetric and normalized space")
        check_env(env.unwrapped)


@pytest.mark.slow
def test_seed_decides_the_episode_whatever_came_before(task):
    used, new = task.make(), task.make()
    episode(used, seed=1, steps=20)
    episode(used, seed=2, steps=3)
    np.testing.assert_equal(episode(used, seed=3, steps=15), episode(new, seed=3, steps=15))
    used.close()
    new.close()


@pytest.mark.slow
def test_environments_do_not_disturb_each_other(task):
    one, other = task.make(), task.make()
    alone = episode(one, seed=4, steps=10)
    other.reset(seed=5)
    rng, beside = np.random.default_rng(4), list(one.reset(seed=4))
    for _ in range(10):
        other.step(other.action_space.high)
        beside += one.step(rng.uniform(one.action_space.low, one.action_space.high).astype(np.float32))
    np.testing.assert_equal(beside, alone)
    one.close()
    other.close()


@pytest.mark.slow
def test_vector_of_environments_gives_what_each_gives(task):
    vector = gymnasium.make_vec(task.id, num_envs=2, vectorization_mode="sync")
    together, _ = vector.reset(seed=6)
    for index in range(2):
        env = task.make()
        np.testing.assert_array_equal(together[index], env.reset(seed=6 + index)[0])
        env.close()
    vector.close()


@pytest.mark.slow
def test_render_shows_something(task):
    env = task.make(render_mode="rgb_array")
    env.reset(seed=7)
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3, picture.shape
    assert min(picture.shape[:2]) >= 96 and picture.std() > 5, picture.shape
    env.close()


def test_every_number_has_a_name(env):
    spaces = (
        env.observation_space.spaces if isinstance(env.observation_space, gymnasium.spaces.Dict) else None
    )
    made, names = env.unwrapped, env.unwrapped.PROPRIOCEPTION_NAMES if spaces else env.unwrapped.STATE_NAMES
    state = spaces["state"] if spaces else env.observation_space
    assert state.shape == (len(names),) and state.dtype == np.float32
    assert env.action_space.shape == (len(made.ACTION_NAMES),) and env.action_space.dtype == np.float32
    assert len(set(names)) == len(names) and len(set(made.ACTION_NAMES)) == len(made.ACTION_NAMES)
    if spaces:
        size = spaces["image"].shape[0]
        assert size >= 96 and spaces["image"] == gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)


def test_info_has_success_and_the_measures(task):
    env = task.make()
    _, at_reset = env.reset(seed=8)
    *_, at_step = env.step(np.zeros(env.action_space.shape, np.float32))
    for info in (at_reset, at_step):
        assert isinstance(info["is_success"], bool)
        assert all(isinstance(info[measure], float) for measure in task.measures), info
    env.close()


def test_time_limit_is_the_tasks(task):
    env = task.make()
    assert env.spec.max_episode_steps == task.max_steps
    env.close()


def test_unknown_observations_name_those_there_are(task):
    with pytest.raises(ValueError, match=r"observations: expected state.*got 'sound'"):
        task.make("sound")


def test_importing_the_package_registers_the_environments():
    code = "import gymnasium, motiongen_sim; print(gymnasium.make('motiongen/BlockPush-v0').reset(seed=0)[0].shape)"
    named = "import gymnasium; print(gymnasium.make('motiongen_sim:motiongen/BlockPush-v0').reset(seed=0)[0].shape)"
    for program in (code, named):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.stdout.strip().endswith("(16,)"), done.stderr


def test_public_functions_stay_functions_whatever_was_imported_before():
    code = (
        "import importlib, pkgutil, motiongen_sim\n"
        "names = [module.name for module in pkgutil.iter_modules(motiongen_sim.__path__)]\n"
        "for name in names: importlib.import_module(f'motiongen_sim.{name}')\n"
        "assert all(callable(getattr(motiongen_sim, name)) for name in motiongen_sim.__all__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
