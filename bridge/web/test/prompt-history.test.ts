/** Tests of the prompt history: arrow keys, repeats, damaged storage. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { PromptHistory } from "../src/ui/prompt-history.js";

function storage(kept?: string) {
  const store = new Map(kept === undefined ? [] : [["motiongen.history", kept]]);
  return { getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, value: string) => void store.set(key, value) };
}

test("the arrows go back and forth, and what was being typed is at the end", () => {
  const history = new PromptHistory(storage());
  history.add("walk");
  history.add("bow");
  assert.deepEqual([history.move(-1, "ju"), history.move(-1, "bow"), history.move(-1, "walk")], ["bow", "walk", "walk"]);
  assert.deepEqual([history.move(1, "walk"), history.move(1, "bow"), history.move(1, "ju")], ["bow", "ju", "ju"]);
});

test("a prompt that is sent again is there once", () => {
  const history = new PromptHistory(storage());
  for (const line of ["walk", "bow", "walk"]) history.add(line);
  assert.deepEqual([history.move(-1, ""), history.move(-1, ""), history.move(-1, "")], ["walk", "bow", "bow"]);
});

test("it is kept between visits, and damage to it is no harm", () => {
  const saved = storage();
  new PromptHistory(saved).add("walk");
  assert.equal(new PromptHistory(saved).move(-1, ""), "walk");
  for (const kept of ["{", "7", '["a", 3]']) new PromptHistory(storage(kept)).move(-1, "");
});
