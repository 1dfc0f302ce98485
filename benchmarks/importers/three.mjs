/**
 * World matrices of the joints of files, by three.js in Node: node three.mjs JOBS.json FOLDER, whose node_modules has it.
 *
 * A job is {path, times}; the answer, on stdout, is a list of lists of {name: 16 numbers, column by column}.
 */

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [jobs, modules] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${modules}/node_modules/three/${path}`).href);
globalThis.self = globalThis;
const { AnimationMixer, LoopOnce, Texture } = await load("build/three.module.js");
const { GLTFLoader } = await load("examples/jsm/loaders/GLTFLoader.js");
const { FBXLoader } = await load("examples/jsm/loaders/FBXLoader.js");
const { BVHLoader } = await load("examples/jsm/loaders/BVHLoader.js");

/** Return the root and the clip of a file. */
async function read(path) {
  const data = readFileSync(path);
  const buffer = data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength);
  if (path.endsWith(".fbx")) {
    const root = new FBXLoader().parse(buffer, "");
    return [root, root.animations[0]];
  }
  if (path.endsWith(".bvh")) {
    const { skeleton, clip } = new BVHLoader().parse(data.toString("utf8"));
    return [skeleton.bones[0], clip];
  }
  const loader = new GLTFLoader();
  loader.register((parser) => { // no pictures in Node
    parser.textureLoader = { load: (_url, done) => done(new Texture()) };
    return { name: "no pictures" };
  });
  const { scene, animations } = await loader.parseAsync(buffer, "");
  return [scene, animations[0]];
}

const answers = [];
for (const { path, times } of JSON.parse(readFileSync(jobs, "utf8"))) {
  const [root, clip] = await read(path);
  const mixer = new AnimationMixer(root);
  const action = mixer.clipAction(clip);
  action.setLoop(LoopOnce, 1);
  action.clampWhenFinished = true;
  action.play();
  answers.push(
    times.map((time) => {
      action.reset();
      mixer.setTime(time);
      root.updateMatrixWorld(true);
      const found = {};
      root.traverse((node) => (found[node.name] = [...node.matrixWorld.elements]));
      return found;
    }),
  );
}
console.log(JSON.stringify(answers));
