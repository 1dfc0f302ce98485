/** The package as npm packs it, installed beside three.js in an empty folder: it plays the fixtures, and its types hold. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

// From .test/test/, where this file runs.
const WEB = fileURLToPath(new URL("../..", import.meta.url));
const FIXTURES = join(WEB, "../fixtures");

/** Reads frames.json and avatars.json with what the package exports, and prints what differs. */
const PLAYER = `
import { readFileSync } from "node:fs";
import { Object3D, Vector3 } from "three";
import { decodeFrame, encodeFrame, Playback } from "motiongen-web";
import { AvatarRig, figureOf, MotiongenCharacter } from "motiongen-web/three";

const read = (name) => JSON.parse(readFileSync(process.argv[2] + "/" + name, "utf8"));
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex")).buffer;
let played = 0;
for (const { format, hex, frame } of read("frames.json").frames) {
  if (format === "json") continue;
  const decoded = decodeFrame(bytes(hex));
  if (decoded.seq !== frame.seq || Buffer.from(encodeFrame(decoded, format)).toString("hex") !== hex) throw new Error(hex);
  const playback = new Playback(30);
  playback.push(decoded, frame.time / 1000);
  if (playback.sample(frame.time / 1000).seq !== frame.seq) throw new Error("playback");
  played += 1;
}
const { answer, frame, positions } = read("avatars.json");
const { names, parents, offsets, rest } = answer.avatar.skeleton;
const nodes = new Map(names.map((name) => [name, new Object3D()]));
const model = new Object3D();
for (const [j, name] of names.entries()) {
  nodes.get(name).position.fromArray(offsets[j]);
  nodes.get(name).quaternion.fromArray(rest[j]);
  (nodes.get(names[parents[j]]) ?? model).add(nodes.get(name));
}
new AvatarRig(answer.avatar, model, nodes).apply(decodeFrame(bytes(frame)));
model.updateMatrixWorld(true);
const errors = names.map((name) => nodes.get(name).getWorldPosition(new Vector3()).distanceTo(new Vector3(...positions[name])));
console.log(JSON.stringify({ played, error: Math.max(...errors), kinds: [typeof figureOf, typeof MotiongenCharacter] }));
`;
/** Time that a command may take: nothing else ends one that hangs. */
const RUN_MS = 180_000;
/** What a page in TypeScript writes. */
const PAGE = `
import { type Avatar, MotionGenClient } from "motiongen-web";
import { MotiongenCharacter } from "motiongen-web/three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

export async function show(url: string): Promise<MotiongenCharacter> {
  const character = await (await MotionGenClient.connect(url)).open({ prompt: "a person walks", avatar: "hero" });
  const avatar: Avatar | null = character.avatar;
  return new MotiongenCharacter(character, await new GLTFLoader().loadAsync(avatar!.file!));
}
`;

test("the packed tarball plays the fixtures, and a page that imports it type-checks", { timeout: 600_000 }, (context) => {
  const folder = mkdtempSync(join(tmpdir(), "motiongen-web-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const run = (cwd: string, command: string, ...words: string[]) => execFileSync(command, words, { cwd, encoding: "utf8", stdio: "pipe", timeout: RUN_MS });
  run(WEB, "npm", "pack", "--pack-destination", folder);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"))!;
  const home = join(folder, "node_modules/motiongen-web");
  mkdirSync(home, { recursive: true });
  run(folder, "tar", "-xzf", tarball, "-C", home, "--strip-components", "1");
  assert.deepEqual(readdirSync(home).sort(), ["README.md", "dist", "package.json"]);
  for (const name of ["three", "@types", "@pixiv"]) symlinkSync(join(WEB, "node_modules", name), join(folder, "node_modules", name));
  writeFileSync(join(folder, "player.mjs"), PLAYER);
  const { played, error, kinds } = JSON.parse(run(folder, "node", "player.mjs", FIXTURES)) as { played: number; error: number; kinds: string[] };
  assert.ok(played >= 2 && error < 1e-5, `${played} frames, ${error} m`);
  assert.deepEqual(kinds, ["function", "function"]);
  writeFileSync(join(folder, "page.ts"), PAGE);
  const options = { strict: true, module: "ESNext", moduleResolution: "bundler", target: "ES2022", noEmit: true, skipLibCheck: true, lib: ["ES2022", "DOM"], types: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: options, files: ["page.ts"] }));
  run(folder, join(WEB, "node_modules/.bin/tsc"), "-p", folder);
});
