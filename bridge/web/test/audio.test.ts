/** Audio messages as bytes: those of bridge/fixtures/audio.json, which every client writes alike. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { decodeAudio, encodeAudio, toS16 } from "../src/client/audio.js";
import { WireError } from "../src/client/wire.js";

interface Fixture {
  name: string;
  hex: string;
  audio: { character: number; sample_rate: number; first: number; samples: number[] };
}

// From .test/test/, where this file is run.
const fixtures = JSON.parse(readFileSync(new URL("../../../fixtures/audio.json", import.meta.url), "utf8")) as {
  audio: Fixture[];
  refused: { name: string; hex: string }[];
};

function bytes(hex: string): ArrayBuffer {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16)).buffer;
}

for (const { name, hex, audio } of fixtures.audio) {
  const expected = { character: audio.character, rate: audio.sample_rate, first: audio.first, samples: Int16Array.from(audio.samples) };
  test(`the fixture "${name}" is read and written alike`, () => {
    assert.deepEqual(decodeAudio(bytes(hex)), expected);
    assert.deepEqual(encodeAudio(expected), bytes(hex));
  });
}

for (const { name, hex } of fixtures.refused) {
  test(`the fixture "${name}" is refused`, () => {
    assert.throws(() => decodeAudio(bytes(hex)), WireError);
  });
}

test("floats become integers, and what is too loud is clipped", () => {
  assert.deepEqual(toS16(Float32Array.from([0, 0.5, -1, 7])), Int16Array.from([0, 16384, -32767, 32767]));
});
