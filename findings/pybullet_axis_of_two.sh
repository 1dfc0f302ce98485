#!/usr/bin/env bash
# PyBullet 3.2.7 tells twice the velocity of a link whose joint axis in the URDF has the length two, and moves it once.
#
# Input: a URDF with one continuous joint whose <axis xyz="0 0 2"/> is not normalised (the same with "0 0 1" beside it).
# The joint turns freely at 1 rad/s for a tenth of a second.
# Seen: getJointState tells 1 rad/s and getLinkState a link that has turned by 0.1 rad; the same call tells a world
# angular velocity of 2 rad/s. No warning. A controller that reads links' velocities gets damping twice too strong.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pybullet==3.2.7 numpy==2.4.6
cat > "$work/run.py" <<'PY'
import math, pathlib, sys
import pybullet as p

INERTIAL = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
told = {}
for length in (1, 2):
    path = pathlib.Path(sys.argv[1]) / f"axis{length}.urdf"
    path.write_text(
        f'<robot name="r"><link name="base">{INERTIAL}</link><link name="arm">{INERTIAL}</link>'
        '<joint name="j" type="continuous"><parent link="base"/><child link="arm"/>'
        f'<axis xyz="0 0 {length}"/></joint></robot>'
    )
    client = p.connect(p.DIRECT)
    body = p.loadURDF(str(path), useFixedBase=True, physicsClientId=client)
    p.changeDynamics(body, 0, jointDamping=0, linearDamping=0, angularDamping=0, physicsClientId=client)
    p.setJointMotorControl2(body, 0, p.VELOCITY_CONTROL, force=0, physicsClientId=client)
    p.resetJointState(body, 0, 0.0, 1.0, physicsClientId=client)
    for _ in range(24):
        p.stepSimulation(physicsClientId=client)
    joint = p.getJointState(body, 0, physicsClientId=client)[1]
    state = p.getLinkState(body, 0, computeLinkVelocity=1, computeForwardKinematics=1, physicsClientId=client)
    told[length] = (joint, 2 * math.atan2(state[1][2], state[1][3]), state[7][2])
    print(f"axis of length {length}: joint {joint:.3f} rad/s, link turned {told[length][1]:.3f} rad, told {state[7][2]:.3f} rad/s")
    p.disconnect(client)
for length in (1, 2):
    joint, turned, velocity = told[length]
    assert abs(joint - 1) < 0.02 and abs(turned - 0.1) < 0.002 and abs(velocity - length) < 0.04, "PyBullet has changed"
PY
"$work/venv/bin/python" "$work/run.py" "$work"
