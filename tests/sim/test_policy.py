"""A policy's memory: which observations a model is shown, and which of its actions are executed."""

import math

import numpy as np
import pytest
import torch

from motiongen import checkpoint
from motiongen_sim.policy import Policy
from motiongen_sim.scripted_policies import SCRIPTED_POLICIES
from motiongen_sim.tasks import lookup
from tests.sim.tiny import Counter, tiny_carp


def state(first: float = 0.0, dim: int = 3) -> np.ndarray:
    return np.array([first] + [0.0] * (dim - 1), np.float32)


def test_a_chunk_is_executed_from_the_newest_observation_on_then_the_next_is_asked_for():
    policy = Policy(Counter(action_steps=3))
    said = [float(policy.act(state())[0]) for _ in range(7)]
    assert said == [100, 101, 102, 200, 201, 202, 300]


def test_more_of_a_chunk_is_executed_and_codes_are_drawn_where_one_says_so():
    longer = Policy(Counter(action_steps=3), action_steps=5)
    assert [float(longer.act(state())[0]) for _ in range(6)] == [100, 101, 102, 103, 104, 200]
    model, seen = tiny_carp(), state(1.0, 16)
    likeliest, drawn = Policy(model), Policy(model, temperature=5.0)
    assert np.array_equal(likeliest.act(seen), Policy(model, temperature=0.0).act(seen))
    firsts = set()
    for seed in range(5):
        drawn.reset(seed)
        firsts.add(float(drawn.act(seen)[0]))
    assert len(firsts) > 1 and model.config.temperature == 0.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"action_steps": 16}, "action_steps: expected 1..15, as long as a chunk is, got 16"),
        ({"temperature": 1.0}, "temperature: expected none for a policy without codes, got 1.0"),
    ],
)
def test_what_a_model_cannot_do_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Policy(Counter(), **options)


def test_predicted_tells_which_actions_took_the_model():
    policy, asked = Policy(Counter(action_steps=2)), []
    for _ in range(5):
        policy.act(state())
        asked.append(policy.predicted)
    assert asked == [True, False, True, False, True]


def test_model_sees_the_last_observations_and_the_first_one_twice():
    model = Counter(action_steps=2)
    policy = Policy(model)
    for first in (1.0, 2.0, 3.0):
        policy.act(state(first))
    assert [seen["state"][0, :, 0].tolist() for seen in model.seen] == [[1, 1], [2, 3]]


def test_ensemble_by_hand():
    # Third action: the chunks of calls 1, 2, 3 say 102, 201, 300, weighted 1, e^-m, e^-2m, oldest first.
    m = 0.5
    policy = Policy(Counter(horizon=4, action_steps=3), temporal_ensemble=m)
    said = [float(policy.act(state())[0]) for _ in range(4)]
    weights = [1.0, math.exp(-m), math.exp(-2 * m)]
    assert said[0] == pytest.approx(100)
    assert said[1] == pytest.approx((101 + 200 * weights[1]) / sum(weights[:2]), rel=1e-6)
    assert said[2] == pytest.approx(np.dot(weights, [102, 201, 300]) / sum(weights), rel=1e-6)
    # A chunk says 3 actions from its own on, so the first one is silent by the fourth.
    assert said[3] == pytest.approx(np.dot(weights, [202, 301, 400]) / sum(weights), rel=1e-6)


def test_reset_forgets_the_chunk_and_the_observations():
    model = Counter()
    policy = Policy(model)
    policy.act(state(1.0))
    policy.reset()
    assert policy.act(state(5.0)) == 205
    assert model.seen[-1]["state"][0, :, 0].tolist() == [5, 5]


def test_batch_acts_as_each_alone_where_episodes_begin_at_other_times():
    model = Counter(action_steps=2)
    policy = Policy(model)
    states = np.stack([state(1.0), state(2.0)])
    acted = [policy.act_batch(states, starts)[:, 0].tolist() for starts in (None, [False, True], None, None)]
    # The second begins anew at the second step, when the first still has an action in hand.
    assert acted == [[101, 102], [102, 202], [301, 203], [302, 402]]
    assert [len(seen["state"]) for seen in model.seen] == [2, 1, 1, 1]


def test_narrow_task_is_filled_up_and_its_actions_cut():
    model = Counter(
        state_dim=5, action_dim=4, tasks=("lift", "push"), task_state_dims=(5, 2), task_action_dims=(4, 3)
    )
    policy = Policy(model, task="push")
    assert policy.act(np.array([7.0, 8.0], np.float32)).tolist() == [107, 107, 107]
    assert model.seen[0]["state"][0, -1].tolist() == [7, 8, 0, 0, 0] and model.seen[0]["task"].tolist() == [1]


def test_task_is_found_by_its_name_or_instruction():
    push = lookup("PandaPush").instruction
    model = Counter(tasks=("lift", push))
    assert Policy(model, task="PandaPush").task_index == Policy(model, task=push).task_index == 1
    with pytest.raises(ValueError, match=r"task: expected one of 'lift', .*, got None"):
        Policy(model)


def test_pictures_of_another_size_are_averaged():
    model = Counter(image_size=8, crop_size=8)
    image = np.zeros((16, 16, 3), np.uint8)
    image[:2, :2] = [[[100], [101]], [[102], [103]]]
    Policy(model).act({"state": state(), "image": image})
    seen = model.seen[0]["image"]
    assert seen.shape == (1, 2, 3, 8, 8) and seen.dtype == torch.uint8
    assert seen[0, 1, 0, 0, :2].tolist() == [102, 0]


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        (np.zeros(4, np.float32), r"expected a state of shape \(3,\), got \(4,\)"),
        ({"state": state()}, r"expected an array \(3,\), got a dict of state; .*observations='state'"),
        (state(math.nan), "expected finite numbers, got .*nan.* at 0"),
    ],
)
def test_wrong_observation_names_the_expected_shape(observation, message):
    with pytest.raises(ValueError, match=message):
        Policy(Counter()).act(observation)


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        (state(), r"expected a dict of state \(3,\) and image \(H, W, 3\), got an array \(3,\)"),
        ({"state": state(), "image": np.zeros((8, 8), np.uint8)}, r"expected an image of shape \(H, W, 3\)"),
    ],
)
def test_wrong_picture_names_the_expected_shape(observation, message):
    with pytest.raises(ValueError, match=message):
        Policy(Counter(image_size=8, crop_size=8)).act(observation)


def test_another_number_of_environments_asks_for_a_reset():
    policy = Policy(Counter())
    policy.act_batch(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="expected 2 environments as before, got 3; call reset"):
        policy.act_batch(np.zeros((3, 3)))


@pytest.mark.parametrize("ensemble", [None, 0.01])
def test_saving_and_loading_changes_nothing(tmp_path, ensemble):
    model = tiny_carp()
    checkpoint.save(model, model.config, tmp_path / "mine")
    loaded = Policy.load(tmp_path / "mine", temporal_ensemble=ensemble)
    kept = Policy(model, temporal_ensemble=ensemble)
    assert loaded.name == "mine" and loaded.observations == "state"
    for seen in np.random.default_rng(0).standard_normal((12, 16)).astype(np.float32):
        np.testing.assert_array_equal(loaded.act(seen), kept.act(seen))


def test_same_seed_same_draws_of_a_policy_that_samples():
    seen = np.zeros(16, np.float32)
    policy, acted = Policy(tiny_carp(temperature=1.0)), []
    for seed in (3, 4, 3):
        policy.reset(seed)
        acted.append(policy.act(seen))
    np.testing.assert_array_equal(acted[0], acted[2])
    assert (acted[0] != acted[1]).any()


def test_unknown_policy_lists_what_ships():
    with pytest.raises(ValueError, match=r"policy: expected .* or a folder, got 'carp-blokpush'"):
        Policy.load("carp-blokpush")


def test_actors_without_a_model_follow_their_seed():
    task = lookup("BlockPush")
    env = task.make()
    for name, actor in SCRIPTED_POLICIES.items():
        acted = []
        for seed in (1, 1):
            seen, _ = env.reset(seed=5)
            one = actor(task, env)
            one.reset(seed)
            acted.append(one.act(seen))
        np.testing.assert_array_equal(*acted, err_msg=name)
        assert env.action_space.contains(acted[0]), name
    env.close()
