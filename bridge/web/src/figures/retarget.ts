/** Retargets the stream's poses to any humanoid skeleton, by the difference of the rest poses. */

import { Box3, Matrix4, Object3D, Quaternion, Vector3 } from "three";
import type { Pose } from "../client/client.js";
import { type Joint, JOINTS, LIMBS, PARENTS, PELVIS_HEIGHT } from "./skeleton.js";

/** A bone that a joint of the stream moves. */
interface DrivenBone {
  bone: Object3D;
  joint: number;
  /** Index of the nearest driven bone above it; -1 for the hips. */
  above: number;
  /** Rotation from there to this bone's parent, of the bones between that nothing moves. */
  between: Quaternion;
  /** World rotation of the bone in the T-pose. */
  rest: Quaternion;
  /** World rotation of the bone now. */
  now: Quaternion;
}

/** Joints that a humanoid skeleton must have. */
export const REQUIRED_JOINTS: readonly Joint[] = ["pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_shoulder", "right_shoulder"];

/**
 * Moves the bones of a model.
 *
 * Each bone gets the world rotation of its joint. So the rotation of a joint without a bone goes to the next bone below;
 * a bone without a joint keeps its rotation relative to its parent.
 */
export class Retarget {
  private readonly driven: DrivenBone[] = [];
  private readonly worldRotations = JOINTS.map(() => new Quaternion());
  private readonly hips: Object3D;
  /** Height of the model's hips divided by that of the stream's skeleton. */
  readonly scale: number;
  private readonly toParent: Matrix4;
  private readonly point = new Vector3();

  /**
   * Turn and scale the model to face +Z at a human size.
   *
   * @param object the model's new parent; it must be at the origin, and may be moved afterwards.
   * @param model the model in its rest pose.
   * @param bones the bone of each joint; REQUIRED_JOINTS must be there.
   */
  constructor(
    readonly object: Object3D,
    model: Object3D,
    private readonly bones: ReadonlyMap<Joint, Object3D>,
  ) {
    object.add(model);
    normalise(object, model, bones);
    placeOnFloor(object, model, bones);
    this.hips = bones.get("pelvis")!;
    this.toParent = this.hips.parent!.matrixWorld.clone().invert();
    this.scale = this.hips.getWorldPosition(new Vector3()).y / PELVIS_HEIGHT;
    this.collectBones();
  }

  /** Set the pose. */
  apply(pose: Pose): void {
    this.point.fromArray(pose.root).multiplyScalar(this.scale).applyMatrix4(this.toParent);
    this.hips.position.copy(this.point);
    for (const [j, rotation] of this.worldRotations.entries()) {
      rotation.fromArray(pose.rotations, 4 * j);
      const parent = PARENTS[j]!;
      if (parent >= 0) rotation.premultiply(this.worldRotations[parent]!);
    }
    for (const { bone, joint, above, between, rest, now } of this.driven) {
      now.copy(this.worldRotations[joint]!).multiply(rest);
      const parent = above < 0 ? bone.quaternion.identity() : bone.quaternion.copy(this.driven[above]!.now);
      parent.multiply(between).invert().multiply(now);
    }
  }

  /** Return the world position of a joint, or null where the model has no such bone. */
  joint(name: string): Vector3 | null {
    return this.bones.get(name as Joint)?.getWorldPosition(new Vector3()) ?? null;
  }

  private collectBones(): void {
    const corrections = new Map<Joint, Quaternion>();
    for (const [j, joint] of JOINTS.entries()) {
      const bone = this.bones.get(joint);
      const correction = this.tPoseCorrection(joint, corrections);
      if (!bone) continue;
      const above = this.nearestAbove(bone);
      const parent = bone.parent!.getWorldQuaternion(new Quaternion());
      const between = above < 0 ? parent : worldRotation(this.driven[above]!.bone).invert().multiply(parent);
      const rest = worldRotation(bone).premultiply(correction);
      this.driven.push({ bone, joint: j, above, between, rest, now: rest.clone() });
    }
  }

  /** Return the world rotation from the model's rest pose to the T-pose for a limb; a hand moves with its arm. */
  private tPoseCorrection(joint: Joint, corrections: Map<Joint, Quaternion>): Quaternion {
    const parent = JOINTS[PARENTS[JOINTS.indexOf(joint)]!];
    const limb = LIMBS[joint];
    const follows = limb || joint.endsWith("wrist");
    const above = (follows && parent && corrections.get(parent)) || new Quaternion();
    const correction = above.clone();
    const [from, to] = [this.bones.get(joint), limb && this.bones.get(limb.child)];
    if (limb && from && to) {
      const points = to.getWorldPosition(new Vector3()).sub(from.getWorldPosition(new Vector3())).normalize();
      const wanted = new Vector3(...limb.towards).normalize();
      correction.premultiply(new Quaternion().setFromUnitVectors(points.applyQuaternion(above), wanted));
    }
    corrections.set(joint, correction);
    return correction;
  }

  private nearestAbove(bone: Object3D): number {
    for (let up = bone.parent; up; up = up.parent) {
      const at = this.driven.findIndex((one) => one.bone === up);
      if (at >= 0) return at;
    }
    return -1;
  }
}

function worldRotation(bone: Object3D): Quaternion {
  return bone.getWorldQuaternion(new Quaternion());
}

/** Turn the model to face +Z, and scale it to a human's height where its unit was not metres. */
function normalise(object: Object3D, model: Object3D, bones: ReadonlyMap<Joint, Object3D>): void {
  object.updateMatrixWorld(true);
  const left = bones.get("left_hip")!.getWorldPosition(new Vector3());
  const across = left.sub(bones.get("right_hip")!.getWorldPosition(new Vector3()));
  model.rotateOnWorldAxis(new Vector3(0, 1, 0), Math.atan2(across.z, across.x));
  model.position.applyAxisAngle(new Vector3(0, 1, 0), Math.atan2(across.z, across.x));
  object.updateMatrixWorld(true);
  const height = bones.get("pelvis")!.getWorldPosition(new Vector3()).y - lowestPoint(model, bones);
  // Hips between 0.25 and 2.5 m high are as the artist made them; other heights mean that the unit was not metres.
  if (height > 0 && (height < 0.25 || height > 2.5)) {
    model.scale.multiplyScalar(PELVIS_HEIGHT / height);
    model.position.multiplyScalar(PELVIS_HEIGHT / height);
  }
}

/** Move the model so that its soles are at y = 0. */
function placeOnFloor(object: Object3D, model: Object3D, bones: ReadonlyMap<Joint, Object3D>): void {
  object.updateMatrixWorld(true);
  model.position.y -= lowestPoint(model, bones);
  object.updateMatrixWorld(true);
}

/** Return the height of the model's lowest point. */
function lowestPoint(model: Object3D, bones: ReadonlyMap<Joint, Object3D>): number {
  const box = new Box3().setFromObject(model, true);
  if (!box.isEmpty()) return box.min.y;
  const feet = (["left_foot", "right_foot", "left_ankle", "right_ankle"] as const).map((joint) => bones.get(joint));
  return Math.min(...feet.filter((bone) => bone).map((bone) => bone!.getWorldPosition(new Vector3()).y)) - 0.03;
}
