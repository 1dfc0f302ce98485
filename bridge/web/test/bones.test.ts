/** Tests of matching bones by the names that other tools give them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { matchBones } from "../src/figures/bones.js";
import { JOINTS } from "../src/figures/skeleton.js";

const SIDED = ["collar", "shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot"] as const;
const MIDDLE = ["pelvis", "spine1", "spine2", "spine3", "neck", "head"] as const;

/** Names as their makers write them: those of the middle, then those of the left side in the order of SIDED. */
const MAKERS: Record<string, { middle: string[]; left: string[]; right: (name: string) => string; others?: string[] }> = {
  SMPL: {
    middle: ["pelvis", "spine1", "spine2", "spine3", "neck", "head"],
    left: SIDED.map((part) => `left_${part}`),
    right: (name) => name.replace("left", "right"),
    others: ["left_hand", "right_hand", "jaw"],
  },
  "Mixamo, as three.js writes it": {
    middle: ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"].map((name) => `mixamorig${name}`),
    left: ["Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"].map((name) => `mixamorigLeft${name}`),
    right: (name) => name.replace("Left", "Right"),
    others: ["mixamorigHeadTop_End", "mixamorigLeftHandThumb1", "mixamorigRightHandIndex1", "mixamorigLeftToe_End"],
  },
  "Mixamo in other tools": {
    middle: ["Hips", "Spine", "Spine1", "Spine2", "Neck", "Head"].map((name) => `mixamorig:${name}`),
    left: ["Shoulder", "Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot", "ToeBase"].map((name) => `mixamorig:Left${name}`),
    right: (name) => name.replace("Left", "Right"),
  },
  "Unreal 4": {
    middle: ["pelvis", "spine_01", "spine_02", "spine_03", "neck_01", "head"],
    left: ["clavicle_l", "upperarm_l", "lowerarm_l", "hand_l", "thigh_l", "calf_l", "foot_l", "ball_l"],
    right: (name) => name.replace(/_l$/, "_r"),
    others: ["root", "ik_hand_l", "ik_foot_r", "upperarm_twist_01_l", "calf_twist_01_r", "index_01_l"],
  },
  "Unreal 5": {
    middle: ["pelvis", "spine_01", "spine_03", "spine_05", "neck_01", "head"],
    left: ["clavicle_l", "upperarm_l", "lowerarm_l", "hand_l", "thigh_l", "calf_l", "foot_l", "ball_l"],
    right: (name) => name.replace(/_l$/, "_r"),
    others: ["root", "spine_02", "spine_04", "neck_02"],
  },
  "Unity and VRM": {
    middle: ["hips", "spine", "chest", "upperChest", "neck", "head"],
    left: ["Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "Toes"].map((name) => `left${name}`),
    right: (name) => name.replace("left", "right"),
  },
  VRoid: {
    middle: ["Hips", "Spine", "Chest", "UpperChest", "Neck", "Head"].map((name) => `J_Bip_C_${name}`),
    left: ["Shoulder", "UpperArm", "LowerArm", "Hand", "UpperLeg", "LowerLeg", "Foot", "ToeBase"].map((name) => `J_Bip_L_${name}`),
    right: (name) => name.replace("_L_", "_R_"),
    others: ["J_Sec_L_Bust1", "J_Adj_L_FaceEye"],
  },
  Biped: {
    middle: ["Bip01_Pelvis", "Bip01_Spine", "Bip01_Spine1", "Bip01_Spine2", "Bip01_Neck", "Bip01_Head"],
    left: ["Clavicle", "UpperArm", "Forearm", "Hand", "Thigh", "Calf", "Foot", "Toe0"].map((name) => `Bip01_L_${name}`),
    right: (name) => name.replace("_L_", "_R_"),
    others: ["Bip01", "Bip01_L_Finger0"],
  },
  "Rigify, as three.js writes it": {
    middle: ["", "001", "002", "003", "004", "006"].map((number) => `DEF-spine${number}`),
    left: ["shoulder", "upper_arm", "forearm", "hand", "thigh", "shin", "foot", "toe"].map((name) => `DEF-${name}L`),
    right: (name) => name.replace(/L$/, "R"),
    others: ["DEF-spine005", "DEF-breastL", "DEF-pelvisL"],
  },
};

for (const [maker, { middle, left, right, others }] of Object.entries(MAKERS)) {
  test(`bones named by ${maker} are found`, () => {
    const wanted = new Map<string, string>();
    MIDDLE.forEach((joint, i) => wanted.set(joint, middle[i]!));
    SIDED.forEach((part, i) => {
      wanted.set(`left_${part}`, left[i]!);
      wanted.set(`right_${part}`, right(left[i]!));
    });
    const found = matchBones([...(others ?? []), ...wanted.values()]);
    for (const joint of JOINTS) assert.equal(found.get(joint), wanted.get(joint), joint);
  });
}

test("a chair has no bones", () => {
  assert.equal(matchBones(["seat", "leg_1", "leg_2", "back"]).size, 0);
});
