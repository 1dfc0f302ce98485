/** A stream's pose on any humanoid skeleton, by the difference of the rest poses. */

import { Box3, Matrix4, Object3D, Quaternion, Vector3 } from "three";
import type { Pose } from "../client/client.js";
import { type Joint, JOINTS, LIMBS, PARENTS, PELVIS_HEIGHT } from "./skeleton.js";

interface Driven {
  bone: Object3D;
  joint: number;
  /** Index, in the list of driven bones, of the nearest one above; -1 for the hips. */
  above: number;
  /** From there to this bone's parent, at rest: bones in between that nothing moves. */
  between: Quaternion;
  /** Rotation in the world that the bone has in the T-pose. */
  rest: Quaternion;
  /** Rotation in the world that it has now. */
  now: Quaternion;
}

/** The joints without which a skeleton is not a humanoid. */
export const NEEDED: readonly Joint[] = ["pelvis", "left_hip", "right_hip", "left_knee", "right_knee", "left_shoulder", "right_shoulder"];

/**
 * Moves the bones of a model.
 *
 * Where a bone has no joint it stays as it is on its parent; where a joint has no bone, its turn is in the next bone
 * below, because every bone is set to the turn that its joint has in the world.
 */
export class Retarget {
  private readonly driven: Driven[] = [];
  private readonly turns = JOINTS.map(() => new Quaternion());
  private readonly hips: Object3D;
  /** Lengths of the stream are this much longer or shorter on the model: its hips' height by ours. */
  readonly scale: number;
  private readonly toParent: Matrix4;
  private readonly point = new Vector3();

  /**
   * Take a model in its rest pose, and turn and scale it to face +Z at a human size.
   *
   * @param object where the model is put; must be at the origin, and may be moved afterwards.
   * @param model in its rest pose.
   * @param bones the bones that are joints; NEEDED ones must be there.
   */
  constructor(
    readonly object: Object3D,
    model: Object3D,
    private readonly bones: ReadonlyMap<Joint, Object3D>,
  ) {
    object.add(model);
    face(object, model, bones);
    stand(object, model, bones);
    this.hips = bones.get("pelvis")!;
    this.toParent = this.hips.parent!.matrixWorld.clone().invert();
    this.scale = this.hips.getWorldPosition(new Vector3()).y / PELVIS_HEIGHT;
    this.drive();
  }

  /** Take on a pose. */
  apply(pose: Pose): void {
    this.point.fromArray(pose.root).multiplyScalar(this.scale).applyMatrix4(this.toParent);
    this.hips.position.copy(this.point);
    for (const [j, turn] of this.turns.entries()) {
      turn.fromArray(pose.rotations, 4 * j);
      const parent = PARENTS[j]!;
      if (parent >= 0) turn.premultiply(this.turns[parent]!);
    }
    for (const { bone, joint, above, between, rest, now } of this.driven) {
      now.copy(this.turns[joint]!).multiply(rest);
      const parent = above < 0 ? bone.quaternion.identity() : bone.quaternion.copy(this.driven[above]!.now);
      parent.multiply(between).invert().multiply(now);
    }
  }

  /** Return where a joint is in the world, or null where no bone is that joint. */
  joint(name: string): Vector3 | null {
    return this.bones.get(name as Joint)?.getWorldPosition(new Vector3()) ?? null;
  }

  private drive(): void {
    const fixes = new Map<Joint, Quaternion>();
    for (const [j, joint] of JOINTS.entries()) {
      const bone = this.bones.get(joint);
      const fix = this.tPose(joint, fixes);
      if (!bone) continue;
      const above = this.nearestAbove(bone);
      const parent = bone.parent!.getWorldQuaternion(new Quaternion());
      const between = above < 0 ? parent : worldOf(this.driven[above]!.bone).invert().multiply(parent);
      const rest = worldOf(bone).premultiply(fix);
      this.driven.push({ bone, joint: j, above, between, rest, now: rest.clone() });
    }
  }

  /** Return the turn in the world that straightens a limb whose rest pose is not the T-pose; a hand follows its arm. */
  private tPose(joint: Joint, fixes: Map<Joint, Quaternion>): Quaternion {
    const parent = JOINTS[PARENTS[JOINTS.indexOf(joint)]!];
    const limb = LIMBS[joint];
    const follows = limb || joint.endsWith("wrist");
    const above = (follows && parent && fixes.get(parent)) || new Quaternion();
    const fix = above.clone();
    const [from, to] = [this.bones.get(joint), limb && this.bones.get(limb.child)];
    if (limb && from && to) {
      const points = to.getWorldPosition(new Vector3()).sub(from.getWorldPosition(new Vector3())).normalize();
      const wanted = new Vector3(...limb.towards).normalize();
      fix.premultiply(new Quaternion().setFromUnitVectors(points.applyQuaternion(above), wanted));
    }
    fixes.set(joint, fix);
    return fix;
  }

  private nearestAbove(bone: Object3D): number {
    for (let up = bone.parent; up; up = up.parent) {
      const at = this.driven.findIndex((one) => one.bone === up);
      if (at >= 0) return at;
    }
    return -1;
  }
}

function worldOf(bone: Object3D): Quaternion {
  return bone.getWorldQuaternion(new Quaternion());
}

/** Turn and scale `object` so that the model faces +Z and its hips are as high as a human's. */
function face(object: Object3D, model: Object3D, bones: ReadonlyMap<Joint, Object3D>): void {
  object.updateMatrixWorld(true);
  const left = bones.get("left_hip")!.getWorldPosition(new Vector3());
  const across = left.sub(bones.get("right_hip")!.getWorldPosition(new Vector3()));
  model.rotateOnWorldAxis(new Vector3(0, 1, 0), Math.atan2(across.z, across.x));
  model.position.applyAxisAngle(new Vector3(0, 1, 0), Math.atan2(across.z, across.x));
  object.updateMatrixWorld(true);
  const height = bones.get("pelvis")!.getWorldPosition(new Vector3()).y - floorOf(model, bones);
  // Between a child's and a giant's the size is the artist's; beyond, it is a unit that was not metres.
  if (height > 0 && (height < 0.25 || height > 2.5)) {
    model.scale.multiplyScalar(PELVIS_HEIGHT / height);
    model.position.multiplyScalar(PELVIS_HEIGHT / height);
  }
}

/** Put the soles on y = 0. */
function stand(object: Object3D, model: Object3D, bones: ReadonlyMap<Joint, Object3D>): void {
  object.updateMatrixWorld(true);
  model.position.y -= floorOf(model, bones);
  object.updateMatrixWorld(true);
}

function floorOf(model: Object3D, bones: ReadonlyMap<Joint, Object3D>): number {
  const box = new Box3().setFromObject(model, true);
  if (!box.isEmpty()) return box.min.y;
  const feet = (["left_foot", "right_foot", "left_ankle", "right_ankle"] as const).map((joint) => bones.get(joint));
  return Math.min(...feet.filter((bone) => bone).map((bone) => bone!.getWorldPosition(new Vector3()).y)) - 0.03;
}
