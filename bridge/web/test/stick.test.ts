/** The stick of arrow keys and gamepads, and ways that are drawn: what they send, and when. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { FloorPath } from "../src/driving/floor-path.js";
import { pushOfKeys, pushOfPad, RUN, Stick, velocityOf, WALK } from "../src/driving/stick.js";

const AHEAD = { x: 0, z: 1 };

test("keys push along their sum, as fast whatever its direction is", () => {
  assert.deepEqual(pushOfKeys(new Set(["ArrowUp"]), false), [0, WALK]);
  assert.deepEqual(pushOfKeys(new Set(["w"]), true), [0, RUN]);
  assert.ok(Math.abs(Math.hypot(...pushOfKeys(new Set(["a", "ArrowUp"]), false)) - WALK) < 1e-9);
  assert.deepEqual(pushOfKeys(new Set(["a", "d"]), false).map(Math.abs), [0, 0]);
});

test("a gamepad's stick has a dead zone, and its trigger makes it run", () => {
  const pad = (x: number, y: number, trigger = 0) => ({
    axes: [x, y],
    buttons: Array.from({ length: 8 }, (_, n) => ({ pressed: false, value: n === 7 ? trigger : 0 })),
  });
  assert.deepEqual(pushOfPad(pad(0.1, -0.1)), [0, 0]);
  assert.ok(Math.abs(pushOfPad(pad(0, -1))[1] - WALK) < 1e-9);
  assert.ok(Math.abs(pushOfPad(pad(1, 0, 1))[0] - RUN) < 1e-9);
});

test("a velocity is seen along the camera: what is right of +Z is -X", () => {
  assert.deepEqual(velocityOf([0, 2], AHEAD), [0, 2]);
  assert.deepEqual(velocityOf([1, 0], AHEAD), [-1, 0]);
  assert.deepEqual(velocityOf([0, 1], { x: 3, z: 0 }), [1, 0]);
});

test("a stick says what changes, and once that it is at rest", () => {
  const sent: [number, number][] = [];
  const stick = new Stick(async (velocity) => void sent.push(velocity));
  stick.update(0, AHEAD, []);
  stick.held.add("ArrowUp");
  for (const now of [100, 110, 200, 300]) stick.update(now, AHEAD, []);
  stick.held.clear();
  for (const now of [305, 400, 500]) stick.update(now, AHEAD, []);
  assert.deepEqual(sent, [[0, WALK], [0, 0]]);
});

test("a way that is drawn keeps points at a distance, and not too many", () => {
  const path = new FloorPath();
  for (let n = 0; n < 5000; n++) path.add([n * 0.05, 0]);
  assert.ok(path.points.length <= 200 && path.length > 200);
  assert.deepEqual(path.points[0], [0, 0]);
});
