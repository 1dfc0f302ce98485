"""Pushing the T: gym-pusht's layouts, how it moves, what is planned for it, and exact repeats."""

import copy

import gymnasium
import numpy as np
import pytest
from gym_pusht.envs.pusht import PushTEnv

from motiongen_sim.envs.push_t import PushT
from motiongen_sim.experts.push_plan import plan
from motiongen_sim.experts.push_t import PushTExpert
from motiongen_sim.experts.push_t_block import (
    BOXES,
    CONTACTS,
    NORMALS,
    PUSHER_RADIUS,
    STARTS,
    TOUCHING,
    is_free,
    pushed,
    shortest_paths,
    step_back,
    to_block,
    to_world,
)

GOAL = np.array([256.0, 256.0, np.pi / 4])


def place(env: PushT, block: np.ndarray, pusher: np.ndarray) -> None:
    body, agent = env._table.block, env._table.agent
    body.angle, body.position = float(block[2]), tuple(block[:2])
    agent.position, agent.velocity = tuple(pusher), (0.0, 0.0)


def test_seed_gives_the_episode_that_gym_pusht_has_for_it():
    env, twin = PushT(), PushTEnv()
    for seed in (0, 3):
        ours, (theirs, _) = env.reset(seed=seed)[0], twin.reset(seed=seed)
        for action in np.random.default_rng(seed).uniform(0, 512, (20, 2)):
            ours, reward = env.step(action)[:2]
            theirs, expected_reward = twin.step(action)[:2]
            np.testing.assert_allclose(ours[:4], theirs[:4], rtol=1e-6)
            np.testing.assert_allclose(np.arctan2(ours[5], ours[4]) % (2 * np.pi), theirs[4], atol=1e-6)
            assert reward == pytest.approx(expected_reward, rel=1e-12)


def test_handling_the_block_leaves_no_trace_in_the_next_episode():
    def episode(env: PushT, seed: int) -> np.ndarray:
        states, expert = [env.reset(seed=seed)[0]], PushTExpert(env, seed)
        states += [env.step(expert.act())[0] for _ in range(60)]
        return np.stack(states)

    used = PushT()
    expected = episode(PushT(), 1)
    assert np.abs(expected[-1, 2:4] - expected[0, 2:4]).max() > 5.0
    for before in (0, 1):
        episode(used, before)
        np.testing.assert_array_equal(episode(used, 1), expected)


def test_coverage_of_a_place_has_the_same_bits_in_every_environment():
    tables, far = [PushT() for _ in range(8)], np.array([20.0, 20.0], np.float32)
    for env in tables:
        env.reset(seed=0)
    for off in np.random.default_rng(0).uniform(-1, 1, (20, 3)) * [30.0, 30.0, 0.5]:
        for env in tables:
            place(env, GOAL + off, far)
        assert len({env.step(far)[4]["covered"] for env in tables}) == 1


def test_coverage_is_the_best_so_far():
    env = PushT()
    env.reset(seed=0)
    place(env, GOAL + np.array([5.0, 0.0, 0.0]), np.array([20.0, 20.0]))
    best = env.step(np.array([20.0, 20.0], np.float32))[4]["coverage"]
    place(env, GOAL + np.array([80.0, 0.0, 0.0]), np.array([20.0, 20.0]))
    _, reward, solved, _, info = env.step(np.array([20.0, 20.0], np.float32))
    assert info["coverage"] == best > 0.8 and info["covered"] < 0.5 and not solved
    assert reward == pytest.approx(info["covered"] / 0.95)


def test_block_in_its_outline_is_solved():
    env = PushT()
    env.reset(seed=0)
    place(env, GOAL + np.array([1.0, 0.0, 0.01]), np.array([20.0, 20.0]))
    _, reward, solved, _, info = env.step(np.array([20.0, 20.0], np.float32))
    assert solved and info["is_success"] and reward == 1.0


def test_block_moves_as_the_pushing_rule_says():
    env = PushT()
    env.reset(seed=0)
    for contact in range(0, len(CONTACTS), 5):
        block = np.array([256.0, 256.0, 0.3 * contact])
        place(env, block, to_world(block, TOUCHING[contact] - 0.5 * NORMALS[contact]))
        expected = pushed(block, np.int64(contact), np.array(40.0))
        end = to_world(expected, TOUCHING[contact])
        for _ in range(30):
            ahead = to_world(env.block, TOUCHING[contact] + 20.0 * NORMALS[contact])
            env.step((end if np.linalg.norm(end - env.pusher) < 20.0 else ahead).astype(np.float32))
        # Two pixels in forty: the pusher is a little late in turns.
        np.testing.assert_allclose(env.block[:2], expected[:2], atol=2.5)
        np.testing.assert_allclose(env.block[2], expected[2], atol=0.05)


def test_push_through_the_centre_of_gravity_goes_straight_by_hand():
    # From the tip of the stem, upright: 30 pixels towards the bar, which is up.
    tip = int(np.flatnonzero((CONTACTS == [0.0, 120.0]).all(axis=1))[0])
    np.testing.assert_allclose(
        pushed(np.zeros(3), np.int64(tip), np.array(30.0)), [0.0, -30.0, 0.0], atol=1e-12
    )


def test_pushes_add_up_along_their_circle():
    contacts = np.arange(len(CONTACTS))
    start = np.array([100.0, 200.0, 0.7])
    once = pushed(start, contacts, np.full(len(contacts), 50.0))
    twice = pushed(
        pushed(start, contacts, np.full(len(contacts), 20.0)), contacts, np.full(len(contacts), 30.0)
    )
    np.testing.assert_allclose(once, twice, atol=1e-9)


def test_ways_around_the_block_keep_clear_of_it():
    distances, _ = shortest_paths()
    assert np.isfinite(distances).all()
    assert is_free(STARTS, STARTS - NORMALS).all()
    rng = np.random.default_rng(0)
    starts, ends = rng.uniform(-150, 250, (2, 500, 2))
    steps = np.linspace(0, 1, 50)[:, None, None]
    points = starts + steps * (ends - starts)  # (50, 500, 2)
    gaps = [np.maximum(np.maximum(box[:2] - points, points - box[2:]), 0) for box in BOXES]
    nearest = np.min([np.linalg.norm(gap, axis=-1) for gap in gaps], axis=(0, 1))
    free = is_free(starts, ends)
    assert free.any() and nearest[free].min() > PUSHER_RADIUS + 1.0
    assert not free[nearest < PUSHER_RADIUS].any()


def test_stepping_back_gets_a_pusher_off_the_block():
    for point in TOUCHING:
        place = step_back(point)
        assert is_free(place, place + 1e-6) and np.linalg.norm(place - point) < 12.0
    np.testing.assert_array_equal(step_back(np.array([200.0, 0.0])), [200.0, 0.0])


def test_frames_are_each_others_inverse():
    pose, point = np.array([10.0, 20.0, 0.5]), np.array([3.0, -4.0])
    np.testing.assert_allclose(to_block(pose, to_world(pose, point)), point, atol=1e-12)


def test_plan_ends_at_the_goal():
    for pose in np.random.default_rng(0).uniform([120, 120, -3], [390, 390, 3], (6, 3)):
        made = plan(pose, np.array([40.0, 40.0]), GOAL)
        assert made is not None and len(made.contacts) <= 3
        for contact, length in zip(made.contacts, made.lengths, strict=True):
            pose = pushed(pose, contact, length)
        assert np.linalg.norm(pose[:2] - GOAL[:2]) < 4.0
        assert abs((pose[2] - GOAL[2] + np.pi) % (2 * np.pi) - np.pi) < 0.04


@pytest.mark.slow
def test_expert_fills_the_outline():
    env = gymnasium.wrappers.TimeLimit(PushT(), 300)
    for seed in range(4):
        env.reset(seed=seed)
        expert, over = PushTExpert(env, seed), False
        while not over:
            _, _, terminated, truncated, info = env.step(expert.act())
            over = terminated or truncated
        assert info["is_success"] and info["coverage"] > 0.95, seed


def test_experts_taste_changes_how_it_pushes():
    ends = []
    for seed in range(4):
        env = PushT()
        env.reset(seed=0)
        expert = PushTExpert(env, seed)
        for _ in range(40):
            env.step(expert.act())
        ends.append(env.block)
    assert np.ptp(ends, axis=0).max() > 5.0


def test_undone_steps_and_a_copied_expert_leave_no_trace():
    def episode(*, looks_ahead: bool) -> tuple[np.ndarray, list[np.ndarray]]:
        env, ahead = PushT(), []
        states, expert = [env.reset(seed=2)[0]], PushTExpert(env, 2)
        for step in range(60):
            if looks_ahead and step % 10 == 0:
                with env.undone():
                    twin = copy.copy(expert)
                    ahead.append(np.stack([env.step(twin.act())[0] for _ in range(10)]))
            states.append(env.step(expert.act())[0])
        return np.stack(states), ahead

    calm, _ = episode(looks_ahead=False)
    states, ahead = episode(looks_ahead=True)
    np.testing.assert_array_equal(states, calm)
    # What is looked at comes true, but for what the solver keeps of contacts.
    np.testing.assert_allclose(np.concatenate(ahead), states[1:], atol=1.0)


def test_expert_wants_its_own_environment():
    with pytest.raises(ValueError, match="env: expected PushT"):
        PushTExpert(gymnasium.make("CartPole-v1"), seed=0)
