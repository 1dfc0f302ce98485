/** Tests of the jitter buffer: evenness, interpolation, pauses and jumps. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Playback } from "../src/client/playback.js";
import type { Frame } from "../src/client/wire.js";

const INTERVAL = 1000 / 30;

/** A frame of a character that goes along x at 1 m a frame-interval, and turns by 0.1 rad. */
function frame(n: number, change: Partial<Frame> = {}): Frame {
  const rotations = new Float32Array([0, Math.sin(0.05 * n), 0, Math.cos(0.05 * n)]);
  const root = Float32Array.from([0.1 * n, 1, 0]);
  return { character: 1, seq: n, obeys: 0, time: n * INTERVAL * 1000, contacts: 0, gap: false, root, rotations, ...change };
}

/** Frames that come `late` ms after their time, and the poses of a screen of 120 Hz. */
function play(late: (n: number) => number, frames = 90): { playback: Playback; xs: number[] } {
  const playback = new Playback(30);
  const xs: number[] = [];
  const arrivals = Array.from({ length: frames }, (_, n) => ({ n, at: n * INTERVAL + late(n) })).sort((a, b) => a.at - b.at);
  for (let now = 0; now < frames * INTERVAL; now += 1000 / 120) {
    while (arrivals[0] && arrivals[0].at <= now) playback.push(frame(arrivals.shift()!.n), now);
    const pose = playback.sample(now);
    if (pose) xs.push(pose.root[0]!);
  }
  return { playback, xs };
}

/** How far each step from one picture to the next is from the mean, at most, once playback has settled. */
function unevenness(xs: number[]): number {
  const steps = xs.slice(120).map((x, i, all) => x - (all[i - 1] ?? x)).slice(1);
  const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
  return Math.max(...steps.map((step) => Math.abs(step / mean - 1)));
}

test("a steady stream plays evenly, less than two frames behind", () => {
  const { playback, xs } = play(() => 5);
  assert.ok(unevenness(xs) < 0.02, `${unevenness(xs)}`);
  assert.ok(playback.delay < 2 * INTERVAL, `${playback.delay}`);
});

test("frames that come when they like play evenly, too, a little later", () => {
  const { playback, xs } = play((n) => 5 + 35 * Math.abs(Math.sin(7 * n)));
  assert.ok(unevenness(xs) < 0.15, `${unevenness(xs)}`);
  assert.ok(playback.delay > 60 && playback.delay < 120, `${playback.delay}`);
});

test("between two frames the pose is in between, and its rotations are unit", () => {
  const playback = new Playback(30);
  for (const n of [0, 1]) playback.push(frame(n), n * INTERVAL);
  const pose = playback.sample(0.5 * INTERVAL + playback.delay)!;
  assert.ok(Math.abs(pose.root[0]! - 0.05) < 1e-6);
  assert.ok(Math.abs(Math.hypot(...pose.rotations) - 1) < 1e-6);
  assert.ok(Math.abs(2 * Math.asin(pose.rotations[1]!) - 0.05) < 1e-4);
});

test("q and -q are the same turn", () => {
  const playback = new Playback(30);
  playback.push(frame(0), 0);
  playback.push(frame(1, { rotations: frame(1).rotations.map((value) => -value) }), INTERVAL);
  const pose = playback.sample(0.5 * INTERVAL + playback.delay)!;
  assert.ok(Math.abs(2 * Math.asin(pose.rotations[1]!) - 0.05) < 1e-4);
});

test("when nothing comes the last pose stays", () => {
  const playback = new Playback(30);
  for (const n of [0, 1]) playback.push(frame(n), n * INTERVAL);
  assert.ok(Math.abs(playback.sample(5000)!.root[0]! - 0.1) < 1e-6);
});

test("after a pause the pose holds until the stream goes on", () => {
  const playback = new Playback(30);
  playback.push(frame(0), 0);
  playback.push(frame(5, { time: 1_000_000 }), 1000);
  assert.equal(playback.sample(500 + playback.delay)!.root[0], 0);
});

test("a jump of the root is not interpolated", () => {
  const playback = new Playback(30);
  playback.push(frame(0), 0);
  playback.push(frame(1, { root: Float32Array.from([9, 1, 0]) }), INTERVAL);
  assert.equal(playback.sample(0.9 * INTERVAL + playback.delay)!.root[0], 0);
  assert.equal(playback.sample(1.1 * INTERVAL + playback.delay)!.root[0], 9);
});
