"""Candidates: of several chunks the one that earns most in the simulator is executed, and trying leaves no trace."""

from contextlib import closing

import numpy as np
import pytest
import torch

from motiongen_sim.envs.base import robot_env
from motiongen_sim.lookahead import SimulatedReturn
from motiongen_sim.policy import Policy
from motiongen_sim.policy_rollout import rollout
from motiongen_sim.tasks import TASKS, lookup
from tests.sim.tiny import Counter, tiny_carp
from tests.sim.toy import REACH


class Wanderer(Counter):
    """Draws each chunk anew: one direction, kept for all its steps."""

    def predict(self, observation, *, generator=None):
        direction = torch.rand(len(observation["state"]), 1, 2, generator=generator) - 0.5
        return direction.expand(-1, self.config.horizon, -1)


@pytest.fixture
def reach(monkeypatch):
    monkeypatch.setitem(TASKS, "Reach", REACH)


def wandering(candidates):
    model = Wanderer(state_dim=4, action_dim=2, obs_steps=1, horizon=4, action_steps=2)
    return Policy(model, candidates=candidates)


def test_more_candidates_reach_more_often(reach):
    alone, best = (rollout("Reach", wandering(count), episodes=20, seed=0).success_rate for count in (1, 32))
    assert alone <= 0.2
    assert best >= 0.8


def test_the_same_seed_draws_the_same_candidates(reach):
    one, again = (rollout("Reach", wandering(4), episodes=5, seed=3) for _ in range(2))
    assert (one.success, one.steps, one.jerk) == (again.success, again.steps, again.jerk)


def test_a_single_candidate_is_what_the_policy_does(reach):
    model = wandering(1).model
    assert rollout("Reach", Policy(model), episodes=3).jerk == rollout("Reach", wandering(1), episodes=3).jerk


def test_trying_leaves_no_trace():
    with closing(lookup("PandaPush").make()) as env:
        env.reset(seed=0)
        before = robot_env(env).state
        judge = SimulatedReturn(robot_env(env))
        chunks = np.random.default_rng(0).uniform(-1, 1, (3, 6, 3)).astype(np.float32)
        assert judge(chunks).tolist() == [-6.0, -6.0, -6.0]  # each step before success costs 1
        assert np.array_equal(robot_env(env).state, before)


def test_what_is_solved_goes_on_earning(reach):
    with closing(REACH.make()) as env:
        env.reset(seed=0)
        inner = robot_env(env)
        inner.point, inner.target = np.zeros(2), np.array([0.2, 0.0])
        there, away = np.array([[[0.2, 0.0]] * 4, [[-0.2, 0.0]] * 4], np.float32)
        assert SimulatedReturn(inner)(np.stack([there, away])) == pytest.approx([0.0, -0.4 - 0.6 - 0.8 - 1.0])


def test_candidates_need_a_judge_and_one_environment():
    policy = Policy(tiny_carp(), candidates=3)
    states = np.zeros((2, policy.state_dim), np.float32)
    with pytest.raises(
        ValueError, match=r"judge: expected one for 3 candidates, got none; set policy\.judge"
    ):
        policy.act(states[0])
    policy.reset()
    with pytest.raises(ValueError, match=r"candidates: expected 1 in 2 environments side by side, got 3"):
        policy.act_batch(states)
    with pytest.raises(ValueError, match=r"batch: expected 1 for 3 candidates, got 2; use workers"):
        rollout("BlockPush", policy, episodes=2, batch=2)
    with pytest.raises(ValueError, match=r"candidates: expected 1 or more, got 0"):
        Policy(tiny_carp(), candidates=0)


def test_a_policy_that_takes_the_likeliest_codes_draws_the_others():
    policy, seen = Policy(tiny_carp(), candidates=4), []
    policy.judge = lambda chunks: seen.append(chunks) or np.arange(len(chunks))
    state = np.zeros(policy.state_dim, np.float32)
    action = policy.act(state)
    assert len({chunk.tobytes() for chunk in seen[0]}) == 4
    assert np.array_equal(action, seen[0][3, 0])
    np.testing.assert_allclose(
        Policy(tiny_carp()).act(state), seen[0][0, 0], rtol=1e-5
    )  # the first is its own
