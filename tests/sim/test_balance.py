"""Balance: robots that stand, are pushed, and follow motions without any help from outside."""

import numpy as np
import pytest

from motiongen_sim import drive
from motiongen_sim.robots import body_tasks, mocap, quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.bullet import SIMULATION_RATE, connect
from motiongen_sim.robots.catalog import lookup
from motiongen_sim.robots.dynamics import Dynamics
from motiongen_sim.robots.measurement import standing
from motiongen_sim.robots.robot import Robot
from motiongen_sim.robots.soles import Soles
from motiongen_sim.robots.steps import LANDED, angle_between, outside
from motiongen_sim.robots.trajectory import RobotState
from motiongen_sim.robots.world import World
from tests.sim.test_robots import needs_g1


@pytest.fixture(params=["humanoid", pytest.param("g1", marks=needs_g1)])
def robot(request: pytest.FixtureRequest) -> Robot:
    return lookup(request.param)


def stood(
    robot: Robot, seconds: float, *, has_balance: bool = True, impulse: tuple[float, ...] = ()
) -> World:
    """Return a world with a robot that has stood so long, or fallen, and was pushed after the first second."""
    world = World(robot, has_balance=has_balance)
    goal = standing(robot).moved(np.array([0.0, 0.0, world.standing_height])).states()[0]
    world.set_state(goal)
    for frame in range(round(30 * seconds)):
        if frame == 30 and impulse:
            world.push(np.array(impulse))
        world.advance([goal] * (SIMULATION_RATE // 30))
        if world.has_fallen:
            break
    return world


def test_a_point_is_outside_by_its_distance_to_the_nearest_edge():
    square = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert outside(square, np.array([1.25, 0.5])) == pytest.approx(0.25)
    assert outside(square, np.array([0.5, 0.1])) == pytest.approx(-0.1)


def test_forces_are_found_where_the_fast_solver_gives_up(monkeypatch):
    def gives_up(*_):
        raise RuntimeError("Maximum number of iterations reached.")

    drawn = np.random.default_rng(0)
    system, wanted = drawn.normal(size=(38, 32)), drawn.normal(size=38)
    expected = body_tasks._least_pushes(system, wanted)
    monkeypatch.setattr(body_tasks, "nnls", gives_up)
    np.testing.assert_allclose(body_tasks._least_pushes(system, wanted), expected, atol=1e-4)
    assert (expected == 0).any() and (expected > 0).any()


def test_a_foot_that_has_landed_comes_to_bear_gradually():
    world = World(lookup("humanoid"), has_balance=True)
    goal = standing(world.robot).moved(np.array([0.0, 0.0, world.standing_height])).states()[0]
    world.set_state(goal)
    world.advance([goal])
    steps = world.balance._steps
    steps._landed, steps._since = 1, LANDED / 4
    assert steps.firmness(1) == pytest.approx(0.25) and steps.firmness(0) == 1.0
    steps.foot = 0  # the other one steps: this one bears all
    assert steps.firmness(1) == 1.0
    world.close()


def test_angles_go_the_short_way_round():
    assert angle_between(3.0, -3.0) == pytest.approx(2 * np.pi - 6.0)


def test_soles_of_a_standing_robot_are_level(robot):
    body = Body(connect(), robot)
    soles = Soles(body, dynamics := Dynamics(body))
    body.set_state(standing(robot).states()[0])
    left, right = soles.at(dynamics.motions())
    for sole in (left, right):
        assert len(sole.corners) == 4 and sole.yaw == pytest.approx(0.0, abs=1e-6)
        np.testing.assert_allclose(sole.corners[:, 2], sole.centre[2], atol=1e-3)
    assert left.centre[1] > 0 > right.centre[1]


def test_drift_foresees_a_body_that_tumbles_freely(robot):
    body, draw = Body(connect(), robot, is_bare=True), np.random.default_rng(3)
    pose = robot.pose_within_limits(robot.integrate(robot.zero_pose, 0.3 * draw.standard_normal(robot.dof)))
    for joint in robot.joints:  # off the limits, which would push back
        if not joint.is_ball:
            pose[joint.q] = np.clip(pose[joint.q], joint.lower + 0.2, joint.upper - 0.2)
    body.set_state(
        RobotState(
            root=np.array([0.0, 0.0, 2.0]),
            rotation=quaternion.exp(np.array([0.3, -0.2, 0.5])),
            pose=pose,
            linear=draw.standard_normal(3),
            angular=draw.standard_normal(3),
            velocity=1.5 * draw.standard_normal(robot.dof),
        )
    )
    dynamics = Dynamics(body)

    def step() -> np.ndarray:
        body.set_torques(np.zeros(robot.dof))
        body.client.stepSimulation()
        return np.concatenate([*body.client.getBaseVelocity(body.id), body.get_state().velocity])

    before = dynamics.motions()
    speed, motions = step(), dynamics.motions()
    gained = (step() - speed) * SIMULATION_RATE
    gained[2] += 9.81
    foreseen = -np.linalg.solve(motions.inertia, motions.drift(before, speed, 1 / SIMULATION_RATE))
    assert np.linalg.norm(gained - foreseen) < 0.15 * np.linalg.norm(gained)


@pytest.mark.slow
def test_it_stands_where_it_was_put(robot):
    world = stood(robot, 6.0)
    assert not world.has_fallen and world.balance.steps == 0
    assert np.abs(world.state.root[:2]).max() < 0.08 and np.abs(world.state.velocity).max() < 0.2
    world.close()


@pytest.mark.slow
@pytest.mark.parametrize("has_balance", [True, False])
@pytest.mark.parametrize("impulse", [(0.0, 12.0, 0.0), (12.0, 0.0, 0.0)], ids=["aside", "ahead"])
def test_a_push_is_withstood_by_balance_alone(robot, has_balance, impulse):
    world = stood(robot, 4.0, has_balance=has_balance, impulse=impulse)
    assert world.has_fallen is not has_balance
    world.close()


@pytest.mark.slow
def test_it_steps_where_a_push_would_throw_it_down():
    world = stood(lookup("humanoid"), 2.5, impulse=(-20.0, 0.0, 0.0))
    assert not world.has_fallen and world.balance.steps > 0
    world.close()


@pytest.mark.slow
def test_it_follows_a_motion_unassisted_to_its_end():
    report = drive("humanoid", mocap.read("punch"), root_assist=0.0)
    assert report.balance and not report.fell and report.assistance == "no assistance, balance control"
