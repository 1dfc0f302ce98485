#!/usr/bin/env bash
# three 0.187.0 adds a joint's OFFSET to its position channels, where bvhio 1.5.4 and pybvh 0.9.0 put the channels in its place.
#
# Input: a BVH of two joints whose ROOT has OFFSET 0 10 0 and six channels, Yposition 90 in each frame. The format's
# description leaves open which is meant, and nobody names the other reading: the same file stands 10 units higher.
# Seen: root at y = 100 in three's BVHLoader, y = 90 in bvhio and in pybvh. A zero OFFSET of the root is read alike.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
cat > in.bvh <<'BVH'
HIERARCHY
ROOT Hips
{
  OFFSET 0 10 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Arm
  {
    OFFSET 5 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 5 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.1
0 90 0 0 0 0 0 0 0
0 90 0 0 0 0 0 0 0
BVH
npm init -y > /dev/null
npm install --silent --no-audit --no-fund three@0.187.0
cat > run.mjs <<'JS'
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AnimationMixer, REVISION, Vector3 } from "three";
import { BVHLoader } from "three/addons/loaders/BVHLoader.js";

const { clip, skeleton } = new BVHLoader().parse(readFileSync("in.bvh", "utf8"));
const mixer = new AnimationMixer(skeleton.bones[0]);
mixer.clipAction(clip).play();
mixer.setTime(0.05);
skeleton.bones[0].updateMatrixWorld(true);
const { y } = skeleton.bones[0].getWorldPosition(new Vector3());
console.log(`three r${REVISION} root y = ${y}`);
assert.equal(y, 100, "three has changed");
JS
node run.mjs
python3 -m venv venv
venv/bin/pip install --quiet bvhio==1.5.4 pybvh==0.9.0
cat > run.py <<'PY'
import warnings
warnings.simplefilter("ignore")
import bvhio, pybvh

theirs = {
    "bvhio": bvhio.readAsHierarchy("in.bvh").loadPose(1).PositionWorld[1],
    "pybvh": pybvh.read_bvh_file("in.bvh").root_pos[1][1],
}
for name, y in theirs.items():
    print(name, "root y =", round(float(y), 4))
    assert abs(y - 90) < 1e-3, f"{name} has changed"
PY
venv/bin/python run.py
