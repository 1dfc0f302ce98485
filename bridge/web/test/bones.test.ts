/** Tests of matching bones by the names that other tools give them, with the cases that motiongen/humanoid.py has too. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { matchBones, type RigTable } from "../src/figures/bones.js";

const read = (path: string) => JSON.parse(readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8"));
const table = read("motiongen/rigs.json") as RigTable;
const { rigs } = read("bridge/fixtures/rigs.json") as { rigs: Record<string, { joints: [string, number][]; roles: Record<string, string> }> };

for (const [name, { joints, roles }] of Object.entries(rigs)) {
  test(`bones named by ${name} are found`, () => {
    const found = matchBones(joints.map(([joint]) => joint), joints.map(([, parent]) => parent), table);
    assert.deepEqual(Object.fromEntries(found), roles);
  });
}

test("a chair has no bones", () => {
  assert.equal(matchBones(["seat", "leg_1", "leg_2", "back"], [-1, 0, 0, 0], table).size, 0);
});
