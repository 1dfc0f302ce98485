#!/usr/bin/env bash
# PyBullet 3.2.7: a box pushed straight over a GEOM_PLANE goes aside and sinks in; over a large static box it does not.
#
# Input: a brick of 20 x 10 x 4 cm and 1 kg at rest on the ground, pushed for a second with 5.2 N along x at its centre
# (friction .5 holds 4.9 N). The ground is a plane, or a static box of 10 x 10 m whose top is at the same height.
# Seen: both bricks slide 1.33 m along x. On the plane, contact is down to 1 to 3 points a step soon after the start:
# the brick ends 8.6 cm aside and 5 mm under the surface. On the box it ends within 1 mm of straight, 0.5 mm under it.
# No warning. A walking robot's feet on a plane are turned, and pressed into the floor, while they slip a little.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pybullet==3.2.7 numpy==2.4.6
cat > "$work/run.py" <<'PY'
import pybullet as p

seen = {}
for ground in ("plane", "box"):
    client = p.connect(p.DIRECT)
    p.setGravity(0, 0, -9.81, physicsClientId=client)
    if ground == "plane":
        p.createMultiBody(0, p.createCollisionShape(p.GEOM_PLANE, physicsClientId=client), physicsClientId=client)
    else:
        shape = p.createCollisionShape(p.GEOM_BOX, halfExtents=[5, 5, 0.5], physicsClientId=client)
        p.createMultiBody(0, shape, basePosition=[0, 0, -0.5], physicsClientId=client)
    shape = p.createCollisionShape(p.GEOM_BOX, halfExtents=[0.1, 0.05, 0.02], physicsClientId=client)
    brick = p.createMultiBody(1.0, shape, basePosition=[0, 0, 0.02], physicsClientId=client)
    for _ in range(120):
        p.stepSimulation(physicsClientId=client)
    points = []
    for _ in range(240):
        p.applyExternalForce(brick, -1, [5.2, 0, 0], [0, 0, 0], p.LINK_FRAME, physicsClientId=client)
        p.stepSimulation(physicsClientId=client)
        points.append(len(p.getContactPoints(brick, physicsClientId=client)))
    (x, y, z), _ = p.getBasePositionAndOrientation(brick, physicsClientId=client)
    seen[ground] = (x, y, 0.02 - z)
    few = sum(count < 4 for count in points)
    print(f"on a {ground}: {x:.2f} m ahead, {100 * y:.1f} cm aside, {1000 * (0.02 - z):.1f} mm in; {few} of 240 steps with fewer than 4 points")
    p.disconnect(client)
assert all(1.2 < ahead < 1.5 for ahead, _, _ in seen.values()), "PyBullet has changed"
assert abs(seen["plane"][1]) > 0.04 and seen["plane"][2] > 0.003, "PyBullet has changed"
assert abs(seen["box"][1]) < 0.005 and seen["box"][2] < 0.001, "PyBullet has changed"
PY
"$work/venv/bin/python" "$work/run.py"
