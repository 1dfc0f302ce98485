#!/usr/bin/env bash
# panda-gym 3.0.7: a cube that its gripper holds closed swings between the fingers' ends, by centimetres, with the hand at rest.
#
# Input: PandaPickAndPlace-v3, seed 0; the cube put between the fingers, which are closed with the action -1 for 10 steps,
# the hand then moved sideways along their axis for 5 steps (action 0.4) and left alone for 20 (action 0, still closing).
# Seen: with the hand at rest the cube is centimetres off the middle of the hand. Both fingers press with equal force from
# both sides, at any place between their ends, and nothing couples them as the gear of the real hand does; so a grasp has no
# middle. With the fingers' target at 3 cm (a cube is 4 cm wide) in place of closed, the cube stays within 6 mm.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet panda-gym==3.0.7 pybullet==3.2.7 gymnasium==1.4.0 numpy==2.4.6
cat > "$work/run.py" <<'PY'
import gymnasium, numpy as np, panda_gym

def swing(close):
    env = gymnasium.make("PandaPickAndPlace-v3", max_episode_steps=200).unwrapped
    env.reset(seed=0)
    robot, sim = env.robot, env.sim
    cube = lambda: sim.get_base_position("object") - robot.get_ee_position()
    for _ in range(6):
        env.step(np.array([0, 0, 0, 1.0], np.float32))
    sim.set_base_pose("object", robot.get_ee_position(), np.array([0, 0, 0, 1.0]))
    for _ in range(10):
        env.step(np.array([0, 0, 0, close(robot.get_fingers_width())], np.float32))
    furthest = 0.0
    for step in range(25):
        env.step(np.array([0, 0.4 if step < 5 else 0.0, 0, close(robot.get_fingers_width())], np.float32))
        furthest = max(furthest, abs(cube()[1]))
    env.close()
    return furthest

free = swing(lambda width: -1.0)
held = swing(lambda width: (0.03 - width) / 0.2)
print(f"closed: {free * 1000:.0f} mm off the middle; to 3 cm: {held * 1000:.0f} mm")
assert free > 0.012 and held < 0.008, "panda-gym has changed"
PY
"$work/venv/bin/python" "$work/run.py" 2>&1 | grep -v "build time"
