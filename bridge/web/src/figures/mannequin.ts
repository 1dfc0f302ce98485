/** motiongen's own rigged body, with left and right limbs in a character's two colours. */

import { Material, Object3D, SkinnedMesh, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { clone } from "three/addons/utils/SkeletonUtils.js";
import mannequinUrl from "../../../../assets/motiongen_assets/body/mannequin.glb?url";
import type { Pose } from "../client/client.js";
import type { ColourPair } from "./colours.js";
import type { Figure } from "./figure.js";
import { mannequinMaterial } from "./mannequin-material.js";
import { JOINTS } from "./skeleton.js";

let loaded: Promise<Object3D> | null = null;

/** Return the mannequin of the model file, to be copied; the file is fetched once. */
export function loadMannequin(): Promise<Object3D> {
  loaded ??= new GLTFLoader().loadAsync(mannequinUrl).then(({ scene }) => scene);
  return loaded;
}

/** A copy of the mannequin that a character's poses move; its bones are the joints of the stream. */
export class Mannequin implements Figure {
  readonly object: Object3D;
  readonly scale = 1;
  readonly avatar = null;
  private readonly bones: Object3D[];
  private readonly material: Material;

  /** @param model the loaded mannequin, which is not changed. */
  constructor(model: Object3D, colours: ColourPair) {
    this.object = clone(model);
    this.object.updateMatrixWorld(true);
    this.bones = JOINTS.map((name) => this.object.getObjectByName(name)!);
    const mesh = this.object.getObjectByProperty("isSkinnedMesh", true) as SkinnedMesh;
    mesh.material = this.material = mannequinMaterial(colours, (joint) => this.joint(joint)!);
    mesh.castShadow = mesh.receiveShadow = true;
    mesh.frustumCulled = false; // its bounds are those of the T-pose at the origin
  }

  apply(pose: Pose): void {
    this.bones[0]!.position.fromArray(pose.root);
    for (const [j, bone] of this.bones.entries()) bone.quaternion.fromArray(pose.rotations, 4 * j);
  }

  joint(name: string): Vector3 | null {
    const at = JOINTS.indexOf(name as (typeof JOINTS)[number]);
    return this.bones[at]?.getWorldPosition(new Vector3()) ?? null;
  }

  dispose(): void {
    this.material.dispose();
  }
}
