/** Tests of the sentences that toasts show for errors. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { MotionGenError, MotionGenTimeoutError } from "../src/client/client.js";
import { errorText } from "../src/ui/error-text.js";

test("a failure of the server is marked as one, a refused request is not", () => {
  assert.equal(errorText(new MotionGenError("internal", "prompt failed")), "The server failed: prompt failed");
  assert.equal(errorText(new MotionGenError("internal", "")), "The server failed: see its log");
  assert.equal(errorText(new MotionGenError("not_now", "finish: nothing is going on")), "finish: nothing is going on");
});

test("of a code that is not known, the message is shown, or else the code", () => {
  assert.equal(errorText(new MotionGenError("later", "the server is tired")), "the server is tired");
  assert.equal(errorText(new MotionGenError("later", "")), "The server refused: later");
});

test("errors of all kinds have a text", () => {
  assert.equal(errorText(new MotionGenTimeoutError("hold", 10_000, "host:1")), "hold: no answer from host:1 within 10 s; try again, or see the server's log");
  assert.equal(errorText(new TypeError("x is no function")), "x is no function");
  assert.equal(errorText("a text"), "a text");
  assert.notEqual(errorText(new Error()), "");
});
