/** Frames as bytes: those of bridge/fixtures/frames.json, which every client reads alike, and round trips. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeFrame, encodeFrame, type Frame, frameFromJson, WireError } from "../src/client/wire.js";

interface Fixture {
  name: string;
  format: "f32" | "i16" | "json";
  hex: string;
  text: string;
  frame: Omit<Frame, "root" | "rotations"> & { root: number[]; rotations: number[][] };
}

// From .test/test/, where this file is run.
const fixtures = JSON.parse(readFileSync(new URL("../../../fixtures/frames.json", import.meta.url), "utf8")) as {
  frames: Fixture[];
  refused: { name: string; hex: string }[];
};

function bytes(hex: string): ArrayBuffer {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer;
}

function hex(data: ArrayBuffer): string {
  return [...new Uint8Array(data)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

for (const { name, format, hex: sent, text, frame: fields } of fixtures.frames) {
  const expected: Frame = {
    ...fields,
    root: Float32Array.from(fields.root),
    rotations: Float32Array.from(fields.rotations.flat()),
  };
  test(`the fixture "${name}" is read and written alike`, () => {
    assert.deepEqual(format === "json" ? frameFromJson(JSON.parse(text)) : decodeFrame(bytes(sent)), expected);
    if (format !== "json") assert.equal(hex(encodeFrame(expected, format)), sent);
  });
}

for (const { name, hex: sent } of fixtures.refused) {
  test(`the fixture "${name}" is refused`, () => {
    assert.throws(() => decodeFrame(bytes(sent)), WireError);
  });
}

function frame(change: Partial<Frame> = {}): Frame {
  const rotations = new Float32Array(88);
  for (let j = 0; j < 22; j++) rotations.set([0, 0.6, 0, 0.8], 4 * j);
  const root = Float32Array.from([1.5, 0.97, -2.25]);
  return { character: 3, seq: 7, obeys: 2, time: 2 ** 40 + 5, contacts: 0b1010, gap: true, root, rotations, ...change };
}

test("a frame of floats comes back as it was", () => {
  const data = encodeFrame(frame());
  assert.equal(data.byteLength, 388);
  assert.deepEqual(decodeFrame(data), frame());
});

test("a frame of integers comes back to a 32767th", () => {
  const data = encodeFrame(frame(), "i16");
  assert.equal(data.byteLength, 212);
  const read = decodeFrame(data);
  read.rotations.forEach((value, i) => assert.ok(Math.abs(value - frame().rotations[i]!) <= 0.5001 / 32767));
  assert.deepEqual({ ...read, rotations: 0 }, { ...frame(), rotations: 0 });
});

test("the header is where the protocol says", () => {
  const bytes = [...new Uint8Array(encodeFrame(frame({ seq: 0x01020304, time: 0x0102030405 })))].slice(0, 24);
  assert.deepEqual(bytes, [1, 1, 1, 10, 3, 0, 22, 0, 4, 3, 2, 1, 2, 0, 0, 0, 5, 4, 3, 2, 1, 0, 0, 0]);
});

test("a JSON frame says the same", () => {
  const { character, seq, obeys, time } = frame();
  const rotations = Array.from({ length: 22 }, () => [0, 0.6, 0, 0.8]);
  const contacts = [false, true, false, true];
  const message = { type: "frame", character, seq, obeys, time, contacts, gap: true, root: [1.5, 0.97, -2.25], rotations };
  assert.deepEqual(frameFromJson(message), frame());
});

test("bytes that are no frame are refused with a reason", () => {
  assert.throws(() => decodeFrame(new ArrayBuffer(3)), WireError);
  assert.throws(() => decodeFrame(new ArrayBuffer(388)), /kind 1, got 0/);
  assert.throws(() => decodeFrame(encodeFrame(frame()).slice(0, 387)), /expected 388 bytes, got 387/);
});
