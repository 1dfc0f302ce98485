/** Tests of the estimate of the server's clock. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerClock } from "../src/client/clock.js";

test("the hello is a first guess, until a ping was answered", () => {
  const clock = new ServerClock();
  clock.guess(5000, 100);
  assert.equal(clock.at(100), 5000);
  clock.pong(100, 5010, 120); // 10 ms each way
  assert.equal(clock.at(120), 5020);
});

test("of several pings the shortest is believed", () => {
  const clock = new ServerClock();
  // The server is 1000 ms ahead; the way back of the long ping took all its 80 ms.
  clock.pong(0, 1000, 80);
  clock.pong(100, 1105, 110);
  clock.pong(200, 1200, 290);
  assert.equal(clock.at(300), 1300);
});

test("a better estimate moves the clock slowly, so that playback does not jump", () => {
  const clock = new ServerClock();
  for (let n = 0; n < 6; n++) clock.pong(100 * n, 1000 + 100 * n, 100 * n + 40); // 20 ms too early
  const before = clock.at(600);
  clock.pong(600, 1601, 602);
  assert.ok(clock.at(610) - before <= 10 * 1.02 + 1e-9);
  assert.ok(Math.abs(clock.at(4000) - 5000) < 1e-9);
});

test("a clock that was far off is put right at once", () => {
  const clock = new ServerClock();
  clock.guess(0, 0);
  for (let n = 0; n < 6; n++) clock.pong(n, 9000 + n, n);
  assert.equal(clock.at(10), 9010);
});
