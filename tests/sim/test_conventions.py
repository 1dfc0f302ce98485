"""docs/sim.md: the conventions of PyBullet, MuJoCo and Pinocchio are as its table says, and traps are kept out."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from motiongen_sim.robots import bullet, quaternion
from motiongen_sim.robots.body import Body
from motiongen_sim.robots.catalog import lookup
from motiongen_sim.tasks import TASKS

INERTIA = '<inertia ixx="{0}" iyy="{0}" izz="{0}" ixy="0" ixz="0" iyz="0"/>'


def link(name: str, at: str = "0 0 0", mass: float = 1.0) -> str:
    inertia = INERTIA.format(0.1)
    return (
        f'<link name="{name}"><inertial><origin xyz="{at}"/><mass value="{mass}"/>{inertia}</inertial></link>'
    )


def joint(name: str, parent: str, child: str, at: str, axis: str) -> str:
    ends = f'<parent link="{parent}"/><child link="{child}"/><origin xyz="{at}"/>'
    limit = '<limit lower="-3" upper="3" effort="1" velocity="0.5"/>'
    return f'<joint name="{name}" type="revolute">{ends}<axis xyz="{axis}"/>{limit}</joint>'


URDF = "".join(
    [
        '<robot name="arm"><mujoco><compiler fusestatic="false"/></mujoco>',
        link("base", at="0.1 0 0.2", mass=2.0),
        link("b"),
        link("a"),
        link("tip", at="0 0.1 0.3"),
        joint("zeta", "base", "b", "0 0 0.5", "0 0 1"),
        joint("alpha", "base", "a", "0 0.3 0", "1 0 0"),
        joint("beta", "a", "tip", "0 0.3 0", "0 1 0"),
        "</robot>",
    ]
)
ANGLES, SPEEDS = {"zeta": 0.3, "alpha": -0.5, "beta": 0.7}, {"zeta": 1.0, "alpha": 2.0, "beta": -0.4}
ROOT, LINEAR, ANGULAR = np.array([0.5, -0.2, 1.0]), np.array([0.3, 0.1, -0.2]), np.array([0.7, -1.1, 0.4])
TURN = quaternion.exp(np.array([0.4, -0.9, 1.3]))
R = quaternion.matrices(TURN)


def table(simulator: str) -> dict[str, str]:
    """Return row -> cell of a simulator's column in docs/sim.md."""
    lines = (Path(__file__).parents[2] / "docs/sim.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    header = next(row for row in rows if "MuJoCo" in row)
    return {row[0]: row[header.index(simulator)] for row in rows if len(row) == len(header)}


@pytest.fixture(scope="module")
def tip(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """Position, velocity and angular velocity (9,) of the tip's centre of mass in PyBullet, in the world."""
    client, path = bullet.connect(), tmp_path_factory.mktemp("urdf") / "arm.urdf"
    path.write_text(URDF, encoding="utf-8")
    arm = client.loadURDF(str(path), ROOT.tolist(), TURN.tolist())
    names = [client.getJointInfo(arm, number)[1].decode() for number in range(3)]
    rows = table("PyBullet")
    assert rows["order of the joints"] == ", ".join(names) and rows["quaternion"] == "x, y, z, w"
    centre = R @ np.array(client.getDynamicsInfo(arm, -1)[3])
    np.testing.assert_allclose(client.getBasePositionAndOrientation(arm)[0], ROOT + centre, atol=1e-6)
    assert rows["position of the root"] == "centre of mass"
    client.resetBaseVelocity(arm, (LINEAR + np.cross(ANGULAR, centre)).tolist(), ANGULAR.tolist())
    for number, name in enumerate(names):
        client.resetJointState(arm, number, ANGLES[name], SPEEDS[name])
    state = client.getLinkState(arm, 2, computeLinkVelocity=1, computeForwardKinematics=1)
    client.disconnect()
    return np.concatenate([state[0], state[6], state[7]])


def test_mujoco_is_as_the_table_says(tip):
    mujoco = pytest.importorskip("mujoco")
    spec = mujoco.MjSpec.from_string(URDF)
    spec.body("base").add_freejoint()
    model = spec.compile()
    names = [model.joint(number).name for number in range(1, 4)]
    rows, data = table("MuJoCo"), mujoco.MjData(model)
    assert rows["order of the joints"] == ", ".join(names) and rows["quaternion"] == "w, x, y, z"
    data.qpos[:] = [*ROOT, TURN[3], *TURN[:3], *(ANGLES[name] for name in names)]
    data.qvel[:] = [*LINEAR, *(R.T @ ANGULAR), *(SPEEDS[name] for name in names)]
    assert rows["linear velocity along the axes of"] == "the world"
    assert rows["angular velocity along the axes of"] == "the root"
    mujoco.mj_forward(model, data)
    number, moves = model.body("tip").id, np.zeros(6)
    mujoco.mj_objectVelocity(model, data, mujoco.mjtObj.mjOBJ_BODY, number, moves, 0)
    np.testing.assert_allclose(np.concatenate([data.xipos[number], moves[3:], moves[:3]]), tip, atol=1e-5)


def test_pinocchio_is_as_the_table_says(tip):
    pin = pytest.importorskip("pinocchio")
    model = pin.buildModelFromXML(URDF, pin.JointModelFreeFlyer())
    names, rows, data = list(model.names)[2:], table("Pinocchio"), model.createData()
    assert rows["order of the joints"] == ", ".join(names) and rows["quaternion"] == "x, y, z, w"
    q = np.array([*ROOT, *TURN, *(ANGLES[name] for name in names)])
    v = np.array([*(R.T @ LINEAR), *(R.T @ ANGULAR), *(SPEEDS[name] for name in names)])
    assert (
        rows["linear velocity along the axes of"] == rows["angular velocity along the axes of"] == "the root"
    )
    pin.forwardKinematics(model, data, q, v)
    number = model.getJointId("beta")
    moves = pin.getVelocity(model, data, number, pin.LOCAL_WORLD_ALIGNED)
    arm = data.oMi[number].rotation @ np.array([0, 0.1, 0.3])
    centre = data.oMi[number].translation + arm
    speed = moves.linear + np.cross(moves.angular, arm)
    np.testing.assert_allclose(np.concatenate([centre, speed, moves.angular]), tip, atol=1e-5)


@pytest.fixture(params=["humanoid", "g1"])
def robot(request: pytest.FixtureRequest):
    found = lookup(request.param)
    try:
        assert found.text
    except ImportError:
        pytest.skip("needs the robot's model")
    return found


def test_robots_weigh_what_their_urdf_says(robot):
    client = bullet.connect()
    masses = [float(mass.get("value", "nan")) for mass in ElementTree.fromstring(robot.text).iter("mass")]
    assert Body(client, robot, is_bare=True).mass == pytest.approx(sum(masses), rel=1e-5)
    client.disconnect()


def test_axes_of_robots_have_length_one(robot):
    axes = [axis.get("xyz", "").split() for axis in ElementTree.fromstring(robot.text).iter("axis")]
    lengths = np.linalg.norm(np.array(axes, float), axis=1)
    np.testing.assert_allclose(lengths[lengths > 0], 1.0, atol=1e-6)


def test_a_robot_is_read_anew_each_time(robot):
    client = bullet.connect()
    first = Body(client, robot, is_bare=True)
    tree = ElementTree.fromstring(robot.text)
    mass = next(tree.iter("mass"))
    mass.set("value", str(float(mass.get("value", "nan")) + 5))
    heavier = replace(robot, read_urdf=lambda: ElementTree.tostring(tree, encoding="unicode"))
    assert Body(client, heavier, is_bare=True).mass > first.mass + 4.9
    client.disconnect()


def test_success_in_a_vector_that_resets_at_once_is_in_the_final_info():
    task = TASKS["PandaPush"]
    vector = SyncVectorEnv([lambda: task.make(max_episode_steps=50)], autoreset_mode=AutoresetMode.SAME_STEP)
    vector.reset(seed=0)
    env: gymnasium.Env = vector.envs[0]
    expert = task.make_expert(env, 0)
    for _ in range(50):
        *_, infos = vector.step(expert.act()[None])
        if "final_info" in infos:
            break
    assert infos["final_info"]["is_success"].tolist() == [True]
    assert not infos.get("is_success", np.array([False]))[0]  # of the world that begins
    vector.close()
