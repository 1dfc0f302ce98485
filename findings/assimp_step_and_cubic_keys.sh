#!/usr/bin/env bash
# assimpjs 0.0.10 turns STEP and CUBICSPLINE keys of glTF into LINEAR ones, from GLB to GLB, and loses the tangents.
#
# Input: three GLBs that differ in the interpolation of one translation track alone, from x = 0 to x = 1 in a second. At
# 0.5 s a STEP track is at 0, and the CUBICSPLINE one, with tangents of 3 and -3, at 1.25 (glTF 2.0, appendix C).
# Seen: for all three, the GLB that assimp writes says LINEAR with the values 0 and 1: 0.5 at 0.5 s.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y > /dev/null
npm install --silent --no-audit --no-fund assimpjs@0.0.10
cat > run.mjs <<'JS'
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import assimpjs from "assimpjs";

const assimp = await assimpjs();

function glb(interpolation, values) {
  const times = Buffer.from(new Float32Array([0, 1]).buffer);
  const track = Buffer.from(new Float32Array(values).buffer);
  const points = Buffer.from(new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0]).buffer);
  const data = Buffer.concat([times, track, points]);
  const document = {
    asset: { version: "2.0" },
    buffers: [{ byteLength: data.length }],
    bufferViews: [
      { buffer: 0, byteLength: 8 },
      { buffer: 0, byteOffset: 8, byteLength: track.length },
      { buffer: 0, byteOffset: 8 + track.length, byteLength: 36 },
    ],
    accessors: [
      { bufferView: 0, componentType: 5126, count: 2, type: "SCALAR", min: [0], max: [1] },
      { bufferView: 1, componentType: 5126, count: values.length / 3, type: "VEC3" },
      { bufferView: 2, componentType: 5126, count: 3, type: "VEC3", min: [0, 0, 0], max: [1, 1, 0] },
    ],
    meshes: [{ primitives: [{ attributes: { POSITION: 2 } }] }],
    nodes: [{ name: "n", mesh: 0 }],
    scenes: [{ nodes: [0] }],
    scene: 0,
    animations: [{ samplers: [{ input: 0, output: 1, interpolation }], channels: [{ sampler: 0, target: { node: 0, path: "translation" } }] }],
  };
  let text = JSON.stringify(document);
  text += " ".repeat((4 - (text.length % 4)) % 4);
  const head = Buffer.alloc(20);
  head.write("glTF");
  [2, 28 + text.length + data.length, text.length].forEach((n, i) => head.writeUInt32LE(n, 4 + 4 * i));
  head.write("JSON", 16);
  const chunk = Buffer.alloc(8);
  chunk.writeUInt32LE(data.length);
  chunk.write("BIN", 4);
  return Buffer.concat([head, Buffer.from(text), chunk, data]);
}

const TRACKS = {
  LINEAR: [0, 0, 0, 1, 0, 0],
  STEP: [0, 0, 0, 1, 0, 0],
  CUBICSPLINE: [0, 0, 0, 0, 0, 0, 3, 0, 0, -3, 0, 0, 1, 0, 0, 0, 0, 0], // in-tangent, value, out-tangent of each key
};
console.log("assimpjs", JSON.parse(readFileSync("node_modules/assimpjs/package.json", "utf8")).version);
for (const [interpolation, values] of Object.entries(TRACKS)) {
  const files = new assimp.FileList();
  files.AddFile("in.glb", new Uint8Array(glb(interpolation, values)));
  const result = assimp.ConvertFileList(files, "glb2");
  assert(result.IsSuccess(), result.GetErrorCode());
  const bytes = Buffer.from(result.GetFile(0).GetContent());
  const length = bytes.readUInt32LE(12);
  const { animations, accessors, bufferViews } = JSON.parse(bytes.subarray(20, 20 + length));
  const { target, sampler } = animations[0].channels[0];
  const written = animations[0].samplers[sampler];
  const output = accessors[written.output];
  const start = 28 + length + (bufferViews[output.bufferView].byteOffset ?? 0) + (output.byteOffset ?? 0);
  const xs = Array.from({ length: output.count }, (_, key) => bytes.readFloatLE(start + 12 * key));
  console.log(`${interpolation} is written as ${written.interpolation}, ${target.path} x = ${xs}`);
  assert.equal(target.path, "translation");
  assert.equal(written.interpolation, "LINEAR", "assimpjs has changed");
  assert.deepEqual(xs, [0, 1], "assimpjs has changed");
}
JS
node run.mjs
