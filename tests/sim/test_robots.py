"""Robots by their URDFs: joints, poses, retargeting, and control."""

from importlib import metadata

import numpy as np
import pytest
import torch

from motiongen.motion import Motion
from motiongen.rotation import quat_identity, quat_yaw
from motiongen.skeleton import SMPL22
from motiongen_sim.robots import mocap, quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import SIMULATION_RATE, connect
from motiongen_sim.robots.catalog import lookup
from motiongen_sim.robots.dynamics import Dynamics
from motiongen_sim.robots.follower import interpolate
from motiongen_sim.robots.hinges import Hinges
from motiongen_sim.robots.measurement import foot_heights, standing
from motiongen_sim.robots.retarget import Retargeter, retarget
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.robots.world import World


def has_g1() -> bool:
    try:
        metadata.distribution("example-robot-data")
    except metadata.PackageNotFoundError:
        return False
    return True


needs_g1 = pytest.mark.skipif(not has_g1(), reason="needs example-robot-data (motiongen[g1])")


@pytest.fixture(params=["humanoid", pytest.param("g1", marks=needs_g1)])
def robot(request: pytest.FixtureRequest) -> Robot:
    return lookup(request.param)


def random_pose(robot: Robot, seed: int, size: float = 0.4) -> np.ndarray:
    radians = size * np.random.default_rng(seed).standard_normal(robot.dof)
    return robot.pose_within_limits(robot.integrate(robot.zero_pose, radians))


def at_rest(robot: Robot, pose: np.ndarray, root: tuple[float, float, float] = (0.0, 0.0, 2.0)) -> RobotState:
    return RobotState(
        root=np.array(root),
        rotation=quaternion.exp(np.array([0.3, -0.2, 0.5])),
        pose=pose,
        linear=np.zeros(3),
        angular=np.zeros(3),
        velocity=np.zeros(robot.dof),
    )


def still(seconds: float = 1.0) -> Motion:
    frames = round(30 * seconds)
    root = torch.tensor([0.0, 0.97, 0.0]).repeat(frames, 1)
    return Motion(SMPL22, quat_identity(frames, 22), root, 30.0)


def test_robots_have_their_published_freedoms():
    assert lookup("humanoid").dof == 28 and sum(j.is_ball for j in lookup("humanoid").joints) == 8


@needs_g1
def test_g1_joints_are_in_the_order_of_its_data():
    from motiongen_datasets.g1_robot import ANGLES

    assert tuple(joint.name for joint in lookup("g1").joints) == ANGLES


def test_unknown_robot_names_those_there_are():
    with pytest.raises(ValueError, match="humanoid"):
        lookup("humanoit")


def test_actions_and_poses_are_inverse(robot):
    pose = random_pose(robot, 0)
    back = robot.pose_of_action(robot.action_of_pose(pose))
    np.testing.assert_allclose(robot.joint_errors(back, pose), 0.0, atol=1e-7)


def test_difference_is_undone_by_turning(robot):
    start, end = random_pose(robot, 1), random_pose(robot, 2)
    reached = robot.integrate(start, robot.difference(start, end))
    np.testing.assert_allclose(robot.joint_errors(reached, end), 0.0, atol=1e-7)


def test_body_is_read_as_it_was_placed(robot):
    body = Body(connect(), robot, is_bare=True)
    state = at_rest(robot, random_pose(robot, 3))
    body.set_state(state)
    found = body.get_state()
    np.testing.assert_allclose(found.root, state.root, atol=1e-9)
    np.testing.assert_allclose(robot.joint_errors(found.pose, state.pose), 0.0, atol=1e-6)
    assert abs(found.rotation @ state.rotation) == pytest.approx(1.0)


def test_dynamics_foresee_what_a_torque_does(robot):
    body = Body(connect(), robot, is_bare=True)
    pose = random_pose(robot, 4)
    for joint in robot.joints:  # off the limits, which would push back
        if not joint.is_ball:
            pose[joint.q] = np.clip(pose[joint.q], joint.lower + 0.1, joint.upper - 0.1)
    body.set_state(at_rest(robot, pose))
    inertia, _ = Dynamics(body).mass_matrix_and_gravity()
    torque = np.random.default_rng(4).standard_normal(robot.dof)
    body.set_torques(torque)
    body.client.stepSimulation()
    found = body.get_state().velocity * SIMULATION_RATE
    # In free fall gravity moves the root alone.
    foreseen = np.linalg.solve(inertia, np.concatenate([np.zeros(6), torque]))[6:]
    np.testing.assert_allclose(found, foreseen, rtol=1e-3, atol=0.1)  # links under 10 g are left out


@pytest.mark.slow
def test_pd_holds_a_pose_against_gravity(robot):
    world = World(robot, is_fixed=True)
    pose = random_pose(robot, 5, size=0.2)
    goal = RobotState(
        root=np.array([0.0, 0.0, 1.5]),
        rotation=quaternion.IDENTITY,
        pose=pose,
        linear=np.zeros(3),
        angular=np.zeros(3),
        velocity=np.zeros(robot.dof),
    )
    world.set_state(goal)
    world.advance([goal] * SIMULATION_RATE)
    errors = np.degrees(robot.joint_errors(world.state.pose, pose))
    assert errors.max() < 4.0 and np.abs(world.state.velocity).max() < 0.1, errors
    world.close()


@pytest.mark.slow
def test_pd_is_stable_far_from_its_target(robot):
    world = World(robot, is_fixed=True)
    start, end = at_rest(robot, robot.zero_pose), at_rest(robot, random_pose(robot, 6, size=0.8))
    world.set_state(start)
    world.advance([end] * SIMULATION_RATE)
    assert np.degrees(robot.joint_errors(world.state.pose, end.pose)).mean() < 3.0
    world.close()


@pytest.mark.parametrize("assist", [0.0, 1.0])
def test_helper_alone_keeps_a_push_from_moving_the_root(assist):
    robot = lookup("humanoid")
    world = World(robot, assist=assist)
    goal = standing(robot).moved(np.array([0.0, 0.0, world.standing_height])).states()[0]
    world.set_state(goal)
    for _ in range(60):
        world.body.apply_root_wrench(world.state.root, np.array([150.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
        world.advance([goal])
    moved = float(world.state.root[0])
    assert (moved < 0.01) if assist else (moved > 0.05), moved
    world.close()


def test_unassisted_humanoid_falls_and_says_so():
    robot = lookup("humanoid")
    world = World(robot)
    pose = robot.integrate(robot.zero_pose, np.zeros(robot.dof))
    goal = RobotState(
        root=np.array([0.0, 0.0, world.standing_height]),
        rotation=quaternion.exp(np.array([0.0, 0.3, 0.0])),
        pose=pose,
        linear=np.zeros(3),
        angular=np.zeros(3),
        velocity=np.zeros(robot.dof),
    )
    world.set_state(goal)
    assert not world.has_fallen
    world.advance([goal] * 2 * SIMULATION_RATE)
    assert world.has_fallen
    world.close()


def test_assistance_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"root_assist: expected 0 \(none\) to 1"):
        World(lookup("humanoid"), assist=1.5)


def test_glide_ends_at_its_end(robot):
    start, end = at_rest(robot, random_pose(robot, 7)), at_rest(robot, random_pose(robot, 8), (0.1, 0.0, 2.0))
    way = interpolate(robot, start, end, 8)
    assert len(way) == 8
    np.testing.assert_allclose(robot.joint_errors(way[-1].pose, end.pose), 0.0, atol=1e-7)
    np.testing.assert_allclose(way[-1].root, end.root)
    half = robot.joint_errors(start.pose, way[3].pose)
    np.testing.assert_allclose(2 * half, robot.joint_errors(start.pose, end.pose), atol=1e-6)


@pytest.mark.parametrize("count", [2, 3])
def test_hinges_find_the_angles_of_their_own_rotations(count):
    axes = np.array([[0.0, 0.96, 0.28], [1.0, 0.0, 0.0], [0.17, 0.0, 0.985]])[:count]
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    hinges = Hinges(axes, np.full(count, -2.0), np.full(count, 2.0))
    angles = 1.1 * np.sin(np.linspace(0, 3, 50)[:, None] + np.arange(count))
    found = hinges.solve(hinges.rotation(angles), angles[0])
    np.testing.assert_allclose(found, angles, atol=1e-6)


def test_hinges_pass_where_two_axes_do_the_same():
    hinges = Hinges(
        np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), np.full(3, -3.0), np.full(3, 3.0)
    )
    # The last axis comes to lie on the first one, a little off it: an arm out to the side.
    angles = np.stack([0.3 * np.ones(61), np.linspace(1.0, 2.1, 61), np.linspace(0.0, 0.6, 61)], axis=1)
    turns = quaternion.multiply(hinges.rotation(angles), quaternion.exp(np.array([0.0, 0.02, 0.0])))
    found = hinges.solve(turns, angles[0])
    errors = quaternion.log(quaternion.multiply(quaternion.inverse(hinges.rotation(found)), turns))
    assert np.abs(np.diff(found, axis=0)).max() < 0.5  # it does not spin
    assert np.linalg.norm(errors, axis=1).max() < 0.2


@pytest.mark.parametrize("name", ["walk", "dance_b", "kick"])
def test_mocap_comes_back_as_it_was(name):
    robot, motion = lookup("humanoid"), mocap.read(name)
    trajectory, _ = retarget(motion, robot)
    turned, _ = robot.skeleton.fk(motion.rotations, motion.root)
    pelvis = turned[:, 0].double().numpy()[:, [2, 0, 1, 3]]
    apart = quaternion.log(quaternion.multiply(quaternion.inverse(pelvis), trajectory.rotation))
    np.testing.assert_allclose(apart, 0.0, atol=1e-5)
    knee = robot.joint_of["left_knee"]
    spine = motion.rotations[:, robot.skeleton.index("left_knee")].double().numpy()
    bend = 2 * np.arctan2(spine[:, 0], spine[:, 3])  # about +x, motiongen's left
    np.testing.assert_allclose(trajectory.pose[:, knee.q][:, 0], np.minimum(-bend, 0.0), atol=1e-4)


def test_feet_of_a_standing_person_are_on_the_floor(robot):
    trajectory, clipping = retarget(still(), robot)
    np.testing.assert_allclose(foot_heights(trajectory), 0.0, atol=2e-3)
    assert not clipping
    assert trajectory.root[0, 2] == pytest.approx(-foot_heights(standing(robot))[0], rel=0.01)


def test_arms_of_a_t_pose_are_level(robot):
    trajectory, _ = retarget(still(0.1), robot)
    body = Body(connect(), robot, is_bare=True)
    body.set_state(trajectory.states()[0])
    hands = body.end_effectors()[2:]
    assert hands[0, 1] > 0.4 and hands[1, 1] < -0.4  # y is left
    assert hands[0, 2] == pytest.approx(hands[1, 2], abs=1e-3)
    assert hands[:, 2].min() > trajectory.root[0, 2] + 0.2


def test_limits_are_kept_and_clipping_is_told(robot):
    rotations = quat_identity(10, 22)
    knee = SMPL22.index("left_knee")
    rotations[:, knee] = torch.tensor([-0.5, 0.0, 0.0, 0.75**0.5])  # 60 degrees the wrong way
    trajectory, clipping = retarget(Motion(SMPL22, rotations, still().root[:10], 30.0), robot)
    for joint in robot.joints:
        if not joint.is_ball:
            angles = trajectory.pose[:, joint.q]
            assert (angles >= joint.lower - 1e-9).all() and (angles <= joint.upper + 1e-9).all(), joint.name
    (name,) = (name for name in clipping if "left_knee" in name)
    assert clipping[name].share == 1.0 and 50 < clipping[name].worst < 62


@pytest.mark.slow
def test_frames_as_they_come_give_what_the_clip_gives(robot):
    motion = mocap.read("walk")
    whole = Retargeter(motion.skeleton, robot).follow(motion)
    piecewise = Retargeter(motion.skeleton, robot)
    poses = np.concatenate(
        [piecewise.follow(motion[frame : frame + 1]).pose for frame in range(motion.num_frames)]
    )
    np.testing.assert_allclose(robot.joint_errors(poses, whole.pose), 0.0, atol=1e-4)


def test_turned_person_is_a_turned_robot(robot):
    motion = mocap.read("walk")
    turn = 0.7
    straight, _ = retarget(motion, robot)
    turned, _ = retarget(motion.rotated(quat_yaw(torch.tensor(turn))), robot)
    assert quaternion.yaw_of(turned.rotation) - quaternion.yaw_of(straight.rotation) == pytest.approx(
        turn, abs=1e-4
    )
    np.testing.assert_allclose(robot.joint_errors(turned.pose, straight.pose), 0.0, atol=1e-4)


def test_upright_robot_bows_by_its_waist(robot):
    rotations = quat_identity(5, 22)
    rotations[:, 0] = torch.tensor([np.sin(0.2), 0.0, 0.0, np.cos(0.2)])  # the pelvis leans 0.4 rad forward
    trajectory, _ = retarget(Motion(SMPL22, rotations, still().root[:5], 30.0), robot, is_upright=True)
    np.testing.assert_allclose(trajectory.rotation[0], quaternion.IDENTITY)
    waist = next(j for j in robot.joints if j.name in ("chest", "waist_pitch_joint"))
    bend = trajectory.pose[0, waist.q]
    radians = np.linalg.norm(quaternion.log(bend)) if waist.is_ball else bend[0]
    assert radians == pytest.approx(0.4, abs=0.01)


@needs_g1
def test_g1_round_trip_from_angles_to_a_person_and_back():
    from motiongen_datasets.g1_robot import motion_from_angles

    robot = lookup("g1")
    times = np.linspace(0, 4, 120)[:, None]
    middle = np.array([(joint.lower + joint.upper) / 2 for joint in robot.joints])
    reach = np.array([(joint.upper - joint.lower) / 2 for joint in robot.joints])
    angles = np.clip(middle * 0.3, -0.5, 0.5) + 0.25 * np.minimum(reach, 1.0) * np.sin(times + np.arange(29))
    angles = np.clip(angles, middle - reach, middle + reach)
    root = torch.tensor([0.0, 0.0, 0.8], dtype=torch.float64).repeat(120, 1)
    turn = quat_identity(120, dtype=torch.float64)
    person = motion_from_angles(root, turn, torch.from_numpy(angles), 30.0)
    trajectory, clipping = retarget(person, robot)
    errors = np.degrees(np.abs(trajectory.pose - angles))
    assert errors.mean() < 0.5 and errors.max() < 3.0, (errors.mean(), errors.max())
    assert not clipping
