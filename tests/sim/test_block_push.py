"""Two blocks, two targets: the arm, the rewards, and the expert that shows all four ways."""

from collections.abc import Iterator

import gymnasium
import numpy as np
import pytest

from motiongen_sim.envs.block_push import BLOCK_SIZE, MAX_STEP, STICK_HEIGHT, WORKSPACE, BlockPush
from motiongen_sim.experts.block_push import BlockPushExpert, heading
from motiongen_sim.robots.bullet import connect
from motiongen_sim.robots.xarm import STICK_RADIUS, XArm6, joint_angles
from motiongen_sim.tasks import TASKS

ASIDE = np.array([0.25, 0.0, 0.0])
LIMITS = np.array(
    [[-6.28, -2.059, -3.927, -6.28, -1.69297, -6.28], [6.28, 2.0944, 0.19198, 6.28, 3.1416, 6.28]]
)


@pytest.fixture
def env() -> Iterator[BlockPush]:
    made = BlockPush()
    made.reset(seed=0)
    yield made
    made.close()


def stay(env: BlockPush) -> tuple[float, bool, dict[str, float]]:
    _, reward, terminated, _, info = env.step(np.zeros(2, np.float32))
    return reward, terminated, info


def test_stick_stands_where_the_joint_angles_say_and_points_down():
    client = connect()
    arm = XArm6(client, STICK_HEIGHT)
    for place in np.random.default_rng(0).uniform([0.15, -0.45], [0.5, 0.45], (20, 2)):
        arm.set_position(place)
        np.testing.assert_allclose(arm.position(), place, atol=1e-5)
        link = client.getLinkState(arm.body, arm.stick, computeForwardKinematics=1)
        down = np.array(client.getMatrixFromQuaternion(link[5])).reshape(3, 3)[:, 2]
        np.testing.assert_allclose([*down, link[4][2]], [0, 0, -1, STICK_HEIGHT], atol=1e-4)
    client.disconnect()


def test_joint_limits_hold_in_the_whole_workspace():
    for x in np.linspace(*WORKSPACE[:, 0], 30):
        for y in np.linspace(*WORKSPACE[:, 1], 30):
            angles = joint_angles(np.array([x, y]), STICK_HEIGHT)
            assert (LIMITS[0] <= angles).all() and (angles <= LIMITS[1]).all(), (x, y, angles)


def test_place_out_of_reach_gives_the_nearest_in_its_direction():
    client = connect()
    arm = XArm6(client, STICK_HEIGHT)
    arm.set_position(WORKSPACE[1])
    reached = arm.position()
    assert 0.70 < np.linalg.norm(reached) < 0.71
    np.testing.assert_allclose(reached[1] / reached[0], WORKSPACE[1, 1] / WORKSPACE[1, 0], rtol=1e-4)
    client.disconnect()


def test_stick_follows_its_target_within_two_millimetres(env):
    for action in np.random.default_rng(1).uniform(-MAX_STEP, MAX_STEP, (60, 2)):
        env.step(action.astype(np.float32))
        assert np.linalg.norm(env.stick - env.stick_target) < 0.002


def test_target_of_the_stick_stays_in_the_workspace_and_steps_are_bounded(env):
    before = env.stick_target
    env.step(np.array([1.0, 0.0], np.float32))
    np.testing.assert_allclose(env.stick_target - before, [MAX_STEP, 0.0], atol=1e-9)
    for _ in range(10):
        env.step(np.array([0.0, -MAX_STEP], np.float32))
    assert env.stick_target[1] == WORKSPACE[0, 1]


def test_fast_pushes_neither_topple_blocks_nor_pass_through_them(env):
    rng = np.random.default_rng(2)
    for count in range(80):
        way = env.block_poses[count // 20 % 2, :2] - env.stick_target + rng.normal(0, 0.02, 2)
        env.step((MAX_STEP * way / np.abs(way).max()).astype(np.float32))
        for x, y, yaw in env.block_poses:
            cosine, sine = np.cos(yaw), np.sin(yaw)
            offset = np.array([[cosine, sine], [-sine, cosine]]) @ (env.stick - [x, y])
            gap = np.linalg.norm(np.maximum(np.abs(offset) - BLOCK_SIZE / 2, 0.0)) - STICK_RADIUS
            assert gap > -0.001
        assert np.abs(env.block_heights - BLOCK_SIZE / 2).max() < 0.002


def test_rewards_add_up_to_one_when_each_block_is_in_a_target(env):
    first, second = env.target_poses
    env.place_blocks(np.stack([ASIDE, second + np.array([0.04, 0, 0])]))
    reward, terminated, info = stay(env)
    assert (reward, terminated, info["p1"], info["p2"]) == (0.49, False, 1.0, 0.0)
    assert (info["first_block"], info["first_target"]) == (1, 1)
    assert stay(env)[0] == 0.0  # paid once
    env.place_blocks(np.array([first, second]))
    reward, terminated, info = stay(env)
    assert (reward, terminated, info["p2"], info["is_success"]) == (0.51, True, 1.0, True)


def test_two_blocks_in_one_target_do_not_solve_it(env):
    env.place_blocks(env.target_poses[[0, 0]] + [[0.025, 0, 0], [-0.025, 0, 0]])
    _, terminated, info = stay(env)
    assert env.inside.tolist() == [[True, False], [True, False]]
    assert not terminated and info["p1"] == 1.0


def test_a_block_six_centimetres_off_is_not_in_the_target(env):
    env.place_blocks(np.array([ASIDE, env.target_poses[0] + [0.06, 0, 0]]))
    assert stay(env)[2]["p1"] == 0.0


def test_layouts_keep_blocks_apart_and_targets_on_both_sides(env):
    sides = set()
    for seed in range(30):
        env.reset(seed=seed)
        blocks, targets = env.block_poses, env.target_poses
        assert abs(blocks[0, 0] - blocks[1, 0]) > 0.099
        assert (np.abs(blocks[:, :2] - [0.4, -0.2]) < [0.101, 0.151]).all()
        assert 0.22 < np.linalg.norm(targets[0, :2] - targets[1, :2]) < 0.26
        sides.add(bool(targets[0, 0] < targets[1, 0]))
    assert sides == {True, False}


def test_images_show_where_the_blocks_are():
    env = BlockPush(observations="image")
    env.reset(seed=0)
    blue = []
    for x in (0.3, 0.5):
        env.place_blocks(np.array([ASIDE, [x, -0.2, 0.0]]))
        image = env.step(np.zeros(2, np.float32))[0]["image"].astype(int)
        blue.append(np.argwhere(image[..., 2] - image[..., 0] > 80).mean(axis=0))
    assert blue[1][0] > blue[0][0] + 10  # nearer the camera is lower in the picture
    env.close()


def test_pushes_repeat_exactly_whatever_came_before(env):
    def pushed(made: BlockPush, seed: int) -> np.ndarray:
        made.reset(seed=seed)
        expert = BlockPushExpert(made, seed=0)
        return np.stack([made.step(expert.act())[0] for _ in range(30)])

    fresh = BlockPush()
    expected = pushed(fresh, 5)
    assert np.abs(expected[-1, :6] - expected[0, :6]).max() > 0.05  # a block was pushed
    for before in (1, 5):
        pushed(env, before)
        np.testing.assert_array_equal(pushed(env, 5), expected)
    fresh.close()


@pytest.mark.slow
def test_expert_solves_it_in_every_way():
    task = TASKS["BlockPush"]
    env = task.make()
    expert, ways = task.make_expert(env, seed=0), set()
    for seed in range(12):
        env.reset(seed=seed)
        expert.reset()
        total, over = 0.0, False
        while not over:
            _, reward, terminated, truncated, info = env.step(expert.act())
            total, over = total + reward, terminated or truncated
        assert info["is_success"] and total == pytest.approx(1.0), seed
        ways.add((info["first_block"], info["first_target"]))
    assert len(ways) == 4
    env.close()


def test_experts_choice_does_not_depend_on_the_layout(env):
    expert = BlockPushExpert(env, seed=3)
    chosen = [(expert.reset(), expert.block, expert.target)[1:] for _ in range(400)]
    counts = [chosen.count((block, target)) for block in range(2) for target in range(2)]
    assert min(counts) > 70 and sum(counts) == 400


def test_noise_is_the_experts_only_chance(env):
    plain, noisy = BlockPushExpert(env, seed=4), BlockPushExpert(env, seed=4, noise=0.002)
    np.testing.assert_array_equal(plain.act(), plain.act())
    assert 0 < np.abs(noisy.act() - plain.act()).max() < 0.02


def test_heading_passes_an_obstacle_along_its_tangent():
    start, end = np.zeros(2), np.array([2.0, 0.0])
    np.testing.assert_allclose(heading(start, end, (), 0.5), [1, 0])
    # A disc of radius .5 about (1, 0) is seen under 30 degrees to each side; it lies a little to the left.
    way = heading(start, end, (np.array([1.0, 1e-9]),), 0.5)
    np.testing.assert_allclose(way, [np.cos(np.pi / 6), -np.sin(np.pi / 6)], atol=1e-6)
    np.testing.assert_allclose(heading(start, end, (np.array([3.0, 0.0]),), 0.5), [1, 0])  # beyond the end


def test_expert_wants_its_own_environment():
    with pytest.raises(ValueError, match="env: expected BlockPush"):
        BlockPushExpert(gymnasium.make("CartPole-v1"), seed=0)
