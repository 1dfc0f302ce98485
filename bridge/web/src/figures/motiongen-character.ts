/**
 * What pages import to move a model of three.js, with or without three-vrm:
 *
 *     const character = await client.open({ prompt: "a person walks" });
 *     const figure = new MotiongenCharacter(character, await loader.loadAsync("hero.glb"));
 *     scene.add(figure.object);
 *     renderer.setAnimationLoop(() => (figure.update(clock.getDelta()), renderer.render(scene, camera)));
 */

import type { Object3D, Vector3 } from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import type { RemoteCharacter } from "../client/client.js";
import { type Dispose, figureOf, type ModelFigure } from "./models.js";

export { AvatarRig, nodesByName } from "./avatar-rig.js";
export type { Figure } from "./figure.js";
export { type Dispose, figureOf, type ModelFigure } from "./models.js";

/** A model that shows a character of a server. */
export class MotiongenCharacter {
  private readonly figure: ModelFigure;

  /**
   * @param remote the character; where it is on an avatar, `gltf` is that avatar's file.
   * @param gltf a loaded model in its rest pose, a humanoid; loaded by three-vrm's plug-in where it is a VRM.
   * @param dispose three-vrm's `VRMUtils.deepDispose` or the like.
   */
  constructor(
    readonly remote: RemoteCharacter,
    gltf: GLTF,
    dispose?: Dispose,
  ) {
    this.figure = figureOf(gltf, "model", remote.avatar, dispose);
  }

  /** The object to add to the scene; it may be moved about there. */
  get object(): Object3D {
    return this.figure.object;
  }

  /** Show the pose of a time of `performance.now()`, `seconds` after the last one; return whether there is one yet. */
  update(seconds: number, now: number = performance.now()): boolean {
    const pose = this.remote.sample(now);
    if (pose) this.figure.apply(pose, seconds);
    return pose !== null;
  }

  /** Return the world position of a joint of SMPL-22, such as "head", or null where the model has none. */
  joint(name: string): Vector3 | null {
    return this.figure.joint(name);
  }

  /** Free what it holds on the GPU; the character on the server goes on. */
  dispose(): void {
    this.figure.dispose();
  }
}
