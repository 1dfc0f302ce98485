"""Policies that ship do what their model cards say."""

import pytest

from motiongen_sim import Policy, shipped
from motiongen_sim.rollout import rollout
from motiongen_sim.tasks import TASKS


@pytest.mark.slow
def test_blockpush_is_solved_by_name():
    report = rollout("BlockPush", "carp", episodes=4, seed=0)
    assert report.policy == "carp-blockpush" and sum(report.success) >= 3


@pytest.mark.parametrize("name", shipped.policies())
def test_a_policy_that_ships_is_for_tasks_that_there_are(name):
    config = Policy.load(name, task=None if "blockpush" in name else "PandaPush").config
    assert set(config.tasks) <= {task.instruction for task in TASKS.values()}
    assert (shipped.policies()[name] / "README.md").read_text().count("rollout")
