"""Policies that ship do what their model cards say."""

import json

import pytest

from motiongen import checkpoint
from motiongen_sim import Policy, shipped
from motiongen_sim.policy_rollout import rollout
from motiongen_sim.tasks import TASKS


@pytest.mark.slow
def test_blockpush_is_solved_by_name():
    report = rollout("BlockPush", "carp", episodes=4, seed=0)
    assert report.policy == "carp-blockpush" and sum(report.success) >= 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["PandaPush", "PandaPickAndPlace", "PandaStack"])
def test_one_policy_solves_the_pandas_three_tasks(name):
    report = rollout(name, "carp", episodes=24, seed=0)
    assert report.policy == "carp-panda" and sum(report.success) >= 14  # .8 to 1 of 200: 19 to 24


def test_policies_that_ship_weigh_four_megabytes_at_most():
    weights = [folder / checkpoint.WEIGHTS for folder in shipped.policies().values()]
    assert weights and sum(path.stat().st_size for path in weights) <= 4e6


@pytest.mark.parametrize("name", shipped.policies())
def test_a_policy_that_ships_is_for_tasks_that_there_are(name):
    folder = shipped.policies()[name]
    tasks = json.loads((folder / "config.json").read_text())["tasks"]
    assert set(tasks) <= {task.instruction for task in TASKS.values()}
    for task in tasks:
        assert Policy.load(name, task=task).config.tasks == tuple(tasks)
    assert "rollout" in (folder / "README.md").read_text()
