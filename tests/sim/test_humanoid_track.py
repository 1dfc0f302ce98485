"""The environment in which a robot follows a reference motion."""

import numpy as np
import pytest

from motiongen_sim.envs.humanoid_track import CLIPS, HumanoidTrack
from motiongen_sim.experts.humanoid_track import HumanoidTrackExpert
from motiongen_sim.robots import mocap, quaternion
from motiongen_sim.robots.reference import clip_reference, motion_reference
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.tasks import TASKS
from tests.sim.test_robots import needs_g1


@pytest.fixture(scope="module")
def env():
    made = HumanoidTrack()
    yield made
    made.close()


def play(env, seed=0, steps=1000):
    """Let the expert act; returns the rewards and the last (terminated, info)."""
    expert = HumanoidTrackExpert(env, seed)
    env.reset(seed=seed)
    expert.reset()
    rewards = []
    for _ in range(steps):
        _, reward, terminated, _, info = env.step(expert.act())
        rewards.append(reward)
        if terminated:
            break
    return rewards, terminated, info


@pytest.mark.slow
def test_expert_follows_what_it_draws(env):
    for seed in (0, 1):
        rewards, terminated, info = play(env, seed)
        assert terminated and info["is_success"] and info["tracking_error"] < 5.0, info
        assert np.mean(rewards) > 0.6, info


@pytest.mark.slow
def test_without_assistance_a_punch_fails():
    env = HumanoidTrack(motion=mocap.read("punch"), root_assist=0.0)
    rewards, terminated, info = play(env)
    assert terminated and not info["is_success"] and info["root_assist"] == 0.0
    assert len(rewards) < env.reference.steps  # it fell
    env.close()


@pytest.mark.slow
def test_a_poor_follower_reaches_the_end_without_success():
    env = HumanoidTrack(motion=mocap.read("dance_b"))
    env.reset(seed=0)
    terminated, neutral = False, np.zeros(28, np.float32)
    while not terminated:
        _, _, terminated, _, info = env.step(neutral)  # arms out, legs straight
    assert info["tracking_error"] > 10.0 and not info["is_success"]
    env.close()


def test_reward_is_one_where_the_reference_is(env):
    env.reset(seed=0)
    goal = env.reference.at(0)
    assert env._reward(goal, goal) == pytest.approx(1.0, abs=1e-6)


def test_reward_by_hand(env):
    env.reset(seed=0)
    goal = env.reference.at(0)
    turn = np.zeros(28)
    turn[0] = 0.5  # one joint is off by 0.5 rad, and as fast as 2 rad/s
    state = RobotState(
        root=goal.root,
        rotation=goal.rotation,
        pose=env.robot.integrate(goal.pose, turn),
        linear=goal.linear,
        angular=goal.angular,
        velocity=goal.velocity + 4 * turn,
    )
    # Hands, feet and the centre of mass are read from the body, which is where it should be.
    expected = 0.65 * np.exp(-2 * 0.25) + 0.1 * np.exp(-0.1 * 4.0) + 0.15 + 0.1
    assert env._reward(state, goal) == pytest.approx(expected, abs=1e-6)


def test_episodes_draw_several_clips_and_beginnings(env):
    drawn = {(env.reset(seed=seed)[1]["clip"], env.reference.first) for seed in range(20)}
    assert len({clip for clip, _ in drawn}) > 3 and len(drawn) > 12
    assert {clip for clip, _ in drawn} <= set(CLIPS)


def test_observation_does_not_know_north():
    motion, seen = mocap.read("walk"), []
    for angle in (0.0, 1.0):
        env = HumanoidTrack(motion=motion)
        env.reset(seed=0)
        trajectory = env.reference.trajectory
        turn = quaternion.about_z(np.array(angle))
        start = env.reference.at(0)
        for state in (start, *(env.reference.at(n) for n in (1, 2))):
            state.root[:] = quaternion.rotate(turn, state.root)
            state.rotation[:] = quaternion.multiply(turn, state.rotation)
            state.linear[:] = quaternion.rotate(turn, state.linear)
            state.angular[:] = quaternion.rotate(turn, state.angular)
        env._world.set_state(start)
        seen.append(env._observation())
        assert len(trajectory) > 2
        env.close()
    np.testing.assert_allclose(seen[0], seen[1], atol=1e-5)


def test_a_motion_of_ones_own_is_followed_from_its_beginning(tmp_path):
    path = tmp_path / "walk.npz"
    mocap.read("walk").save(path)
    env = HumanoidTrack(motion=path)
    _, info = env.reset(seed=5)
    assert env.reference.first == 0 and info["clip"] == "motion"
    assert env.reference.at(0).root[:2] == pytest.approx([0.0, 0.0], abs=0.02)
    env.close()


def test_cycles_go_round_without_a_jump():
    reference = clip_reference("walk", TASKS["HumanoidTrack"].make().unwrapped.robot)
    steps = np.linalg.norm(np.diff(reference.trajectory.root, axis=0), axis=1)
    assert reference.cycle == 38 and len(reference.trajectory) > 4 * reference.cycle
    assert steps.max() < 0.1 and reference.starting(0.5).steps == 150


def test_too_short_a_motion_is_refused():
    with pytest.raises(ValueError, match=r"motion: expected at least 0.1 s"):
        motion_reference(mocap.read("walk")[:2], HumanoidTrack().robot)


@needs_g1
@pytest.mark.slow
def test_g1_follows_too():
    env = HumanoidTrack(robot="g1", motion=mocap.read("walk"))
    assert env.action_space.shape == (29,) and env.observation_space.shape == (len(env.STATE_NAMES),)
    _, terminated, info = play(env)
    assert terminated and info["is_success"], info
    env.close()
