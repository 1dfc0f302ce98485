/** Retargeting on skeletons made here: whatever their axes, rest pose and size, their joints go where ours go. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Bone, Euler, Object3D, Quaternion, Vector3 } from "three";
import type { Pose } from "../src/client/client.js";
import { Retarget } from "../src/figures/retarget.js";
import { type Joint, JOINTS, PARENTS, PELVIS_HEIGHT } from "../src/figures/skeleton.js";

const OFFSETS: Record<string, [number, number, number]> = {
  pelvis: [0, PELVIS_HEIGHT, 0], hip: [0.08, -0.08, 0], knee: [0.01, -0.4, 0.005], ankle: [0, -0.405, -0.02],
  foot: [0.015, -0.06, 0.125], spine1: [0, 0.11, -0.015], spine2: [0, 0.13, 0], spine3: [0, 0.06, 0.01],
  neck: [0, 0.215, -0.015], head: [0, 0.09, 0.03], collar: [0.075, 0.12, -0.01], shoulder: [0.105, 0.035, -0.015],
  elbow: [0.265, 0, 0], wrist: [0.25, 0, 0],
};

function offset(joint: string): Vector3 {
  const at = new Vector3(...OFFSETS[joint.replace(/left_|right_/, "")]!);
  return joint.startsWith("right") ? at.setX(-at.x) : at;
}

/** A model: bones with any local axes, whose arms hang by `slope`, in other units, turned about. */
function build(options: { slope?: number; scale?: number; yaw?: number; twist?: boolean; without?: Joint[] }) {
  const { slope = 0, scale = 1, yaw = 0, twist = false, without = [] } = options;
  const bones = new Map<Joint, Object3D>();
  const positions = new Map<string, Vector3>();
  const turns = new Map<string, Quaternion>();
  for (const [j, joint] of JOINTS.entries()) {
    const parent = JOINTS[PARENTS[j]!];
    const hang = /elbow|wrist/.test(joint) ? (joint.startsWith("left") ? -slope : slope) : 0;
    const step = offset(joint).applyAxisAngle(new Vector3(0, 0, 1), hang);
    positions.set(joint, parent ? positions.get(parent)!.clone().add(step) : step);
    turns.set(joint, new Quaternion().setFromEuler(twist ? new Euler(0.7 * j, 0.3 * j, -0.5 * j) : new Euler()));
  }
  const model = new Object3D();
  for (const [j, joint] of JOINTS.entries()) {
    if (without.includes(joint)) continue;
    let up = PARENTS[j]!;
    while (up >= 0 && without.includes(JOINTS[up]!)) up = PARENTS[up]!;
    const parent = up < 0 ? null : JOINTS[up]!;
    const bone = new Bone();
    const from = parent ? turns.get(parent)!.clone().invert() : new Quaternion();
    const origin = parent ? positions.get(parent)! : new Vector3();
    bone.position.copy(positions.get(joint)!).sub(origin).applyQuaternion(from);
    bone.quaternion.copy(from).multiply(turns.get(joint)!);
    (parent ? bones.get(parent)! : model).add(bone);
    bones.set(joint, bone);
  }
  model.scale.setScalar(scale);
  model.rotation.y = yaw;
  return { model, bones };
}

/** A pose with every joint turned, and where it puts the joints by forward kinematics. */
function posed(): { pose: Pose; positions: Map<string, Vector3> } {
  const pose = { root: Float32Array.from([0.3, 0.9, -0.2]), rotations: new Float32Array(88), contacts: 0, seq: 0, obeys: 0 };
  const positions = new Map<string, Vector3>();
  const turns: Quaternion[] = [];
  for (const [j, joint] of JOINTS.entries()) {
    const local = new Quaternion().setFromEuler(new Euler(0.2 * Math.sin(j), 0.3 * Math.cos(2 * j), 0.25 * Math.sin(3 * j + 1)));
    local.toArray(pose.rotations, 4 * j);
    const up = PARENTS[j]!;
    turns.push(up < 0 ? local.clone() : turns[up]!.clone().multiply(local));
    const step = up < 0 ? new Vector3(...pose.root) : offset(joint).applyQuaternion(turns[up]!).add(positions.get(JOINTS[up]!)!);
    positions.set(joint, step);
  }
  return { pose, positions };
}

/** How far joints are from where they should be, at most, metres; `floor` is that of the model without a mesh. */
function error(options: Parameters<typeof build>[0], joints: readonly Joint[] = JOINTS): number {
  const { model, bones } = build(options);
  const object = new Object3D();
  const retarget = new Retarget(object, model, bones);
  const { pose, positions } = posed();
  retarget.apply(pose);
  object.updateMatrixWorld(true);
  const hips = retarget.joint("pelvis")!;
  const root = positions.get("pelvis")!;
  assert.ok(hips.distanceTo(root.clone().multiplyScalar(retarget.scale)) < 1e-5, "the hips are where the root is");
  const ours = (joint: Joint) => positions.get(joint)!.clone().sub(root);
  const size = bones.get("left_knee")!.position.length() * bones.get("left_knee")!.parent!.getWorldScale(new Vector3()).x;
  const longer = size / offset("left_knee").length();
  return Math.max(...joints.map((joint) => retarget.joint(joint)!.sub(hips).distanceTo(ours(joint).multiplyScalar(longer))));
}

test("a skeleton like ours takes on the very pose", () => assert.ok(error({}) < 1e-5));
test("the axes of its bones do not matter", () => assert.ok(error({ twist: true }) < 1e-5));
test("nor which way it faces", () => assert.ok(error({ twist: true, yaw: 2.5 }) < 1e-5));
test("nor that it is in centimetres", () => assert.ok(error({ twist: true, scale: 100 }) < 1e-5));
test("nor that its arms hang in its rest pose", () => assert.ok(error({ twist: true, slope: 0.8 }) < 1e-5));

test("what a missing joint turns by is in the next bone below", () => {
  const without: Joint[] = ["spine2", "spine3", "left_collar", "right_collar"];
  const { model, bones } = build({ without });
  const object = new Object3D();
  const retarget = new Retarget(object, model, bones);
  const { pose, positions } = posed();
  retarget.apply(pose);
  object.updateMatrixWorld(true);
  for (const side of ["left", "right"]) {
    const forearm = (at: (joint: string) => Vector3) => at(`${side}_wrist`).clone().sub(at(`${side}_elbow`));
    const ours = forearm((joint) => positions.get(joint)!);
    assert.ok(forearm((joint) => retarget.joint(joint)!).distanceTo(ours) < 1e-5);
  }
});
