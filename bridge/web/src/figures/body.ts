/** motiongen's own mannequin, in a character's two colours: one for its left limbs, one for its right. */

import { Material, Object3D, SkinnedMesh, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { clone } from "three/addons/utils/SkeletonUtils.js";
import mannequinUrl from "../../../../assets/motiongen_assets/body/mannequin.glb?url";
import type { Pose } from "../client/client.js";
import type { Figure } from "./figure.js";
import { type Duo, paintedMaterial } from "./paint.js";
import { JOINTS } from "./skeleton.js";

let loaded: Promise<Object3D> | null = null;

/** Return the mannequin as it is in its file; it is fetched once. */
export function loadMannequin(): Promise<Object3D> {
  loaded ??= new GLTFLoader().loadAsync(mannequinUrl).then(({ scene }) => scene);
  return loaded;
}

/** A mannequin that a character moves; its bones are the joints of the stream. */
export class Body implements Figure {
  readonly object: Object3D;
  readonly scale = 1;
  private readonly bones: Object3D[];
  private readonly material: Material;

  /** Take the loaded mannequin, which stays as it is, and two colours. */
  constructor(mannequin: Object3D, duo: Duo) {
    this.object = clone(mannequin);
    this.object.updateMatrixWorld(true);
    this.bones = JOINTS.map((name) => this.object.getObjectByName(name)!);
    const mesh = this.object.getObjectByProperty("isSkinnedMesh", true) as SkinnedMesh;
    mesh.material = this.material = paintedMaterial(duo, (joint) => this.joint(joint)!);
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
