/**
 * Matches the bones of any humanoid skeleton with the joints of SMPL-22: names propose, the tree decides.
 *
 * The same as motiongen/humanoid.py, with the same table of names (motiongen/rigs.json) and cases (bridge/fixtures/rigs.json).
 */

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

/** The names that rigs use; motiongen/rigs.json. */
export interface RigTable {
  prefixes: string[];
  noise: string[];
  turns: string[];
  helpers: string[];
  fingers: string[];
  sides: Record<string, string[]>;
  pelvis: string[];
  spine: string[];
  neck: string[];
  head: string[];
  /** Limb to role to word to weight. */
  limbs: Record<string, Record<string, Record<string, number>>>;
}

type Middle = "pelvis" | "spine" | "neck" | "head";
/** A joint's name: its side, the rest without prefix and punctuation, and whether it is a twist, an end or a finger. */
type ReadName = { side: string; word: string; isHelper: boolean };
type Chain = { sum: number; joints: [number, string][] };

const WORDS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\P{L}A-Za-z]+/gu;
/** Share of a rig's joints that begin with a word for it to be the rig's prefix. */
const COMMON = 0.6;
/** Weight of a name that stands for one joint alone. */
const SURE = 3;

/**
 * Return the bone name of each joint of SMPL-22; joints without a bone are left out.
 *
 * @param names of the bones, each once, a parent before its children.
 * @param parents index of each bone's parent, -1 for none.
 * @param table motiongen/rigs.json.
 */
export function matchBones(names: readonly string[], parents: readonly number[], table: RigTable): Map<Joint, string> {
  const rig = new Rig(names, parents, table);
  const found = new Map<string, number>();
  for (const side of ["left", "right"]) {
    for (const roles of Object.values(table.limbs)) {
      for (const [role, joint] of rig.limb(side, roles)) found.set(`${side}_${role}`, joint);
    }
  }
  for (const [role, joint] of rig.trunk(found)) found.set(role, joint);
  return new Map(JOINTS.filter((joint) => found.has(joint)).map((joint) => [joint, names[found.get(joint)!]!]));
}

/** The tree of a rig, and what its names say. */
class Rig {
  private readonly said: ReadName[];
  private readonly hasAxes: boolean;
  /** Ancestors of each joint, from the root down. */
  private readonly above: number[][] = [];

  constructor(
    names: readonly string[],
    private readonly parents: readonly number[],
    private readonly table: RigTable,
  ) {
    const cut = names.map(cutName);
    this.hasAxes = table.turns.every((turn) => cut.some((words) => words.includes(turn)));
    this.said = withoutCommon(cut, table).map((words) => readName(words, table, this.hasAxes));
    for (const parent of parents) this.above.push(parent < 0 ? [] : [...this.above[parent]!, parent]);
  }

  /** Return the chain of joints that fits a limb best, from the body outwards; of equals the first. */
  limb(side: string, roles: Record<string, Record<string, number>>): Map<string, number> {
    const order = Object.keys(roles);
    const best = new Map<string, Chain>();
    let top: Chain = { sum: 0, joints: [] };
    for (const [joint, said] of this.said.entries()) {
      if (said.side !== side || said.isHelper) continue;
      for (const [place, role] of order.entries()) {
        const weight = roles[role]![said.word];
        if (weight === undefined) continue;
        let before: Chain = { sum: 0, joints: [] };
        for (const up of this.above[joint]!) {
          for (const earlier of order.slice(0, place)) {
            const option = best.get(`${up} ${earlier}`);
            if (option && this.said[up]!.word !== said.word && this.beats(option.sum, before.sum)) before = option;
          }
        }
        const chain: Chain = { sum: before.sum + weight, joints: [...before.joints, [joint, role]] };
        best.set(`${joint} ${role}`, chain);
        if (this.beats(chain.sum, top.sum)) top = chain;
      }
    }
    const found = new Map(top.joints.map(([joint, role]) => [role, joint]));
    // Feet hang from the root in rigs for inverse kinematics.
    for (const role of found.size ? ["ankle", "wrist"] : []) {
      const words = roles[role];
      if (!words || found.has(role)) continue;
      const taken = new Set(found.values());
      const apart = this.said.findIndex((said, joint) => said.side === side && !said.isHelper && !taken.has(joint) && (words[said.word] ?? 0) >= SURE);
      if (apart >= 0) found.set(role, apart);
    }
    return found;
  }

  /** Return pelvis, spine, neck and head, given the limbs. */
  trunk(limbs: ReadonlyMap<string, number>): Map<string, number> {
    const found = new Map<string, number>();
    const [left, right] = [limbs.get("left_hip"), limbs.get("right_hip")];
    let pelvis = left === undefined || right === undefined ? -1 : this.meet(this.above[left]!, this.above[right]!);
    if (pelvis < 0) return found;
    const over = this.parents[pelvis]!;
    if (this.is(pelvis, "spine") && over >= 0 && this.is(over, "pelvis")) pelvis = over; // as in an old Biped
    found.set("pelvis", pelvis);
    const [one, other] = ["left", "right"].map((side) => limbs.get(`${side}_collar`) ?? limbs.get(`${side}_shoulder`));
    let chest = one === undefined || other === undefined ? -1 : this.meet(this.above[one]!, this.above[other]!);
    if (chest >= 0 && this.is(chest, "neck")) chest = this.parents[chest]!; // collars on the neck, as in a Biped
    if (chest < 0) return found;
    const start = this.meet([...this.above[pelvis]!, pelvis], [...this.above[chest]!, chest]);
    const spine = this.between(start, chest).filter((joint) => !this.said[joint]!.isHelper && joint !== pelvis);
    const n = spine.length;
    const places: [string, number][] =
      n === 1 ? [["spine3", 0]] : n === 2 ? [["spine1", 0], ["spine3", 1]] : n ? [["spine1", 0], ["spine2", n >> 1], ["spine3", n - 1]] : [];
    for (const [role, place] of places) found.set(role, spine[place]!);
    for (const [role, joint] of this.neck(chest)) found.set(role, joint);
    return found;
  }

  /** Return neck and head by their names, else as the chain that goes on as the spine does. */
  private neck(chest: number): [string, number][] {
    const middle = [...this.said.keys()].filter((joint) => !this.said[joint]!.side && !this.said[joint]!.isHelper && this.above[joint]!.includes(chest));
    const head = middle.find((joint) => this.is(joint, "head"));
    if (head !== undefined) {
      const under = this.between(chest, head).slice(0, -1).find((joint) => !this.said[joint]!.isHelper);
      const neck = under ?? middle.find((joint) => this.is(joint, "neck"));
      return neck === undefined ? [["head", head]] : [["head", head], ["neck", neck]];
    }
    let chain = middle.filter((joint) => this.is(joint, "neck"));
    if (!chain.length) chain = middle.filter((joint) => this.said[joint]!.word === this.said[chest]!.word);
    if (!chain.length) return [];
    return chain.length > 1 ? [["neck", chain[0]!], ["head", chain.at(-1)!]] : [["neck", chain[0]!]];
  }

  /** Whether one sum is better; a robot has a joint for each axis, of which the last carries the whole rotation. */
  private beats(one: number, other: number): boolean {
    return this.hasAxes && other > 0 ? one >= other : one > other;
  }

  private is(joint: number, kind: Middle): boolean {
    const said = this.said[joint]!;
    return !said.side && this.table[kind].includes(said.word);
  }

  /** Return the joints below `start` on the way to `end`, which is the last. */
  private between(start: number, end: number): number[] {
    const line = [...this.above[end]!, end];
    return line.includes(start) ? line.slice(line.indexOf(start) + 1) : [];
  }

  /** Return the last joint that two lines share, -1 for none. */
  private meet(one: readonly number[], other: readonly number[]): number {
    return one.filter((joint) => other.includes(joint)).at(-1) ?? -1;
  }
}

/** Return the words of a name in lower case, without a namespace; 左足首 is 左 and 足首. */
function cutName(name: string): string[] {
  const plain = name.normalize("NFKC").split(/[:|]/).at(-1)!;
  return (plain.match(WORDS) ?? []).flatMap((word) => (/^[左右]./u.test(word) ? [word[0]!, word.slice(1)] : [word.toLowerCase()]));
}

/** Return the words without those with which most of the joints begin, such as a character's name. */
function withoutCommon(cut: string[][], table: RigTable): string[][] {
  const known = limbWords(table);
  for (const tokens of Object.values(table.sides)) for (const token of tokens) known.add(token);
  while (cut.length >= 6) {
    const counts = new Map<string, number>();
    for (const [first] of cut) if (first !== undefined) counts.set(first, (counts.get(first) ?? 0) + 1);
    const [first, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0]);
    if (count < COMMON * cut.length || known.has(first)) break;
    cut = cut.map((words) => (words[0] === first ? words.slice(1) : words));
  }
  return cut;
}

function readName(words: string[], table: RigTable, hasAxes: boolean): ReadName {
  while (words.length > 1 && table.prefixes.includes(words[0]!)) words = words.slice(1);
  let letters = words.filter((word) => !/^\d/.test(word));
  let side = "";
  for (const [label, tokens] of Object.entries(table.sides)) {
    const at = letters.length > 1 ? letters.findIndex((word) => tokens.includes(word)) : -1;
    if (at < 0) continue;
    [side, letters] = [label, letters.filter((_, i) => i !== at)];
    break;
  }
  const known = limbWords(table);
  let word = letters.join("");
  if (!known.has(word)) word = letters.filter((one) => !table.noise.includes(one)).join("") || word; // LHipJoint is known as it is
  if (!side && /^[lr]/.test(word) && known.has(word.slice(1))) {
    [side, word] = [word[0] === "l" ? "left" : "right", word.slice(1)]; // lfemur, LUArm
  }
  const isHelp = (one: string) => (table.helpers.includes(one) && !(hasAxes && one === "roll")) || (side && table.fingers.includes(one));
  return { side, word, isHelper: words.some(isHelp) && !words.includes("neck") };
}

function limbWords(table: RigTable): Set<string> {
  return new Set(Object.values(table.limbs).flatMap((roles) => Object.values(roles).flatMap((words) => Object.keys(words))));
}
