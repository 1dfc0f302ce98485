/** Matches the bones of any humanoid skeleton with the joints of SMPL-22, by their names. */

import { JOINTS, type Joint } from "./skeleton.js";

/** VRM's names of the joints. */
export const VRM_BONES: Record<Joint, string> = {
  pelvis: "hips",
  spine1: "spine",
  spine2: "chest",
  spine3: "upperChest",
  neck: "neck",
  head: "head",
  left_collar: "leftShoulder",
  left_shoulder: "leftUpperArm",
  left_elbow: "leftLowerArm",
  left_wrist: "leftHand",
  right_collar: "rightShoulder",
  right_shoulder: "rightUpperArm",
  right_elbow: "rightLowerArm",
  right_wrist: "rightHand",
  left_hip: "leftUpperLeg",
  left_knee: "leftLowerLeg",
  left_ankle: "leftFoot",
  left_foot: "leftToes",
  right_hip: "rightUpperLeg",
  right_knee: "rightLowerLeg",
  right_ankle: "rightFoot",
  right_foot: "rightToes",
};

// Names of the joints of one side, without "left" and "right"; unambiguous names come first.
const SIDES: Record<string, string[]> = {
  collar: ["collar", "shoulder", "clavicle", "collarbone"],
  shoulder: ["upperarm", "uparm", "arm", "shldr", "shldrbend", "shoulder"],
  elbow: ["lowerarm", "forearm", "loarm", "forearmbend", "elbow"],
  wrist: ["wrist", "hand"],
  hip: ["upleg", "upperleg", "thigh", "thighbend", "hip"],
  knee: ["lowerleg", "leg", "calf", "shin", "loleg", "knee"],
  ankle: ["foot", "ankle"],
  foot: ["toebase", "toes", "toe", "toe0", "ball", "foot"],
};
const MIDDLE: Partial<Record<Joint, string[]>> = {
  pelvis: ["hips", "pelvis", "hip"],
  neck: ["neck", "neck1", "neck01", "neck0"],
  head: ["head"],
};
/** Names in Blender's Rigify, which numbers the bones from the pelvis to the head. */
const RIGIFY: Partial<Record<Joint, string[]>> = {
  pelvis: ["spine"],
  spine1: ["spine001"],
  spine2: ["spine002"],
  spine3: ["spine003"],
  neck: ["spine004"],
  head: ["spine006"],
};
const SPINE = ["spine1", "spine2", "spine3"] as const;
/** Names of the spine's bones by convention. The one that most bones of a skeleton follow is used, the first of equals. */
const SPINES: string[][] = [
  ["spine1", "spine2", "spine3"], // SMPL
  ["spine", "spine1", "spine2"], // Mixamo
  ["spine01", "spine03", "spine05"], // Unreal 5
  ["spine01", "spine02", "spine03"], // Unreal 4
  ["spine", "chest", "upperchest"], // VRM and Unity
  ["torso", "chest", "upperchest"],
];

/** Return a bone's side, and its name without prefix and punctuation: "mixamorig:LeftUpLeg" is left, "upleg". */
export function readName(name: string): { side: "left" | "right" | ""; plain: string } {
  let plain = name
    .replace(/^.*[:|]/, "")
    .replace(/^(mixamorig\d*|bip\d*|def|jbip|ccbase|armature|smplx?)[\s_.-]*/i, "")
    .replace(/^([mf]_avg)[_-]/i, "");
  let side: "left" | "right" | "" = "";
  // VRoid writes j_c_, j_l_ and j_r_; others write a letter or a word, before or after the name.
  plain = plain.replace(/^[jJ]_(?:Bip|Sec|Adj)?_?/, "").replace(/^[cC]_/, "");
  const rules: [RegExp, "left" | "right"][] = [
    [/^left[\s_.-]?|[\s_.-]left$|(?<=[a-z])Left$/i, "left"],
    [/^right[\s_.-]?|[\s_.-]right$|(?<=[a-z])Right$/i, "right"],
    [/^l[\s_.-]|[\s_.-]l$|^[lL](?=[A-Z])/, "left"],
    [/^r[\s_.-]|[\s_.-]r$|^[rR](?=[A-Z])/, "right"],
    [/^L[\s_.-]|[\s_.-]L$|(?<=[a-z])L$/, "left"],
    [/^R[\s_.-]|[\s_.-]R$|(?<=[a-z])R$/, "right"],
  ];
  for (const [rule, which] of rules) {
    if (!rule.test(plain)) continue;
    [side, plain] = [which, plain.replace(rule, "")];
    break;
  }
  return { side, plain: plain.toLowerCase().replace(/[^a-z0-9]/g, "") };
}

/** Return the bone name of each joint of SMPL-22; joints without a bone are left out. */
export function matchBones(names: readonly string[]): Map<Joint, string> {
  const found = new Map<Joint, string>();
  const read = names.map((name) => ({ name, ...readName(name) }));
  const taken = new Set<string>();
  const take = (joint: Joint, side: string, wanted: readonly string[]) => {
    for (const plain of wanted) {
      const bone = read.find((one) => one.side === side && one.plain === plain && !taken.has(one.name));
      if (!bone) continue;
      found.set(joint, bone.name);
      taken.add(bone.name);
      return;
    }
  };
  const isRigify = read.some((one) => one.plain === "spine006");
  const middle = isRigify ? RIGIFY : MIDDLE;
  for (const [joint, wanted] of Object.entries(middle)) take(joint as Joint, "", wanted);
  const spine = SPINES.map((chain) => chain.filter((plain) => read.some((one) => !one.side && one.plain === plain)));
  const longest = spine.reduce((a, b) => (b.length > a.length ? b : a));
  SPINE.forEach((joint, i) => longest[i] && !found.has(joint) && take(joint, "", [longest[i]]));
  for (const side of ["left", "right"] as const) {
    // From the end of each limb inwards: which half "leg" and "arm" name depends on the other bones.
    for (const part of ["wrist", "elbow", "collar", "shoulder", "hip", "knee", "ankle", "foot"]) {
      take(`${side}_${part}` as Joint, side, namesOf(part, side, read));
    }
  }
  return new Map(JOINTS.filter((joint) => found.has(joint)).map((joint) => [joint, found.get(joint)!]));
}

type ParsedName = { side: string; plain: string };

/** Return a joint's possible names. SMPL names the upper arm "shoulder", the toes "foot"; others mean other bones. */
function namesOf(part: string, side: string, read: readonly ParsedName[]): string[] {
  const has = (plain: string) => read.some((one) => one.side === side && one.plain === plain);
  const names = SIDES[part]!;
  if (part === "collar" && has("elbow")) return ["collar", "clavicle"];
  if (part === "ankle" && has("ankle")) return ["ankle"];
  return names;
}
