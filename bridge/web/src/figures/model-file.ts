/** Loads a user's .vrm or .glb file, or one of the server's avatars, as a figure. three-vrm is fetched with the first. */

import { TextureLoader } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import type { Avatar } from "../client/client.js";
import { figureOf, type ModelFigure } from "./models.js";

/** Largest file that is read, bytes. */
const MOST_BYTES = 256 * 2 ** 20;

/** Return the figure in a file; rejects with an Error whose message is for the user. */
export async function loadModelFile(file: File): Promise<ModelFigure> {
  if (!/\.(vrm|glb)$/i.test(file.name)) throw new Error(`${file.name}: expected a .vrm or .glb file`);
  if (file.size > MOST_BYTES) throw new Error(`${file.name}: expected at most 256 MB; reduce its textures`);
  const { gltf, dispose } = await parse(file.name, await file.arrayBuffer());
  return figureOf(gltf, file.name, null, dispose);
}

/** Return the figure of one of the server's avatars, whose frames the server makes; `url` is that of its file. */
export async function loadAvatar(avatar: Avatar, url: string): Promise<ModelFigure> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${avatar.name}: ${await answer.text()}`);
  const { gltf, dispose } = await parse(avatar.name, await answer.arrayBuffer());
  return figureOf(gltf, avatar.name, avatar, dispose);
}

/** Read a model's file. */
async function parse(title: string, data: ArrayBuffer) {
  const { VRMLoaderPlugin, VRMUtils } = await import("@pixiv/three-vrm");
  const loader = new GLTFLoader();
  loader.register((parser) => {
    // Load pictures by <img>, not by fetch: the page's security policy allows requests to its own server only.
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return new VRMLoaderPlugin(parser);
  });
  try {
    const gltf = await loader.parseAsync(data, "");
    if (gltf.userData["vrm"]) VRMUtils.combineSkeletons(gltf.scene);
    return { gltf, dispose: VRMUtils.deepDispose };
  } catch (error) {
    throw new Error(`${title}: ${(error as Error).message}`);
  }
}
