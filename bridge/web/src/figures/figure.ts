/** The interface of rigged 3D models that a character's poses move. */

import type { Object3D, Vector3 } from "three";
import type { Pose } from "../client/client.js";

/** A rigged 3D model: the mannequin, or one from a user's file. */
export interface Figure {
  /** The object to add to the scene. */
  readonly object: Object3D;
  /** Height of its hips divided by that of the stream's skeleton: positions are scaled by it. */
  readonly scale: number;
  /** Name of the server's avatar whose frames it takes; null for those of the stream's own skeleton. */
  readonly avatar: string | null;
  /** Set the pose; `seconds` since the last one drive hair and cloth. */
  apply(pose: Pose, seconds: number): void;
  /** Return the world position of a joint of SMPL-22, or null where the model has no such bone. */
  joint(name: string): Vector3 | null;
  /** Free the GPU resources that this model does not share. */
  dispose(): void;
}
