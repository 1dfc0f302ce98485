import type { Object3D, Vector3 } from "three";
import type { Pose } from "../client/client.js";

/** Something that a character's frames move: the mannequin, or an avatar. */
export interface Figure {
  /** What stands on the stage. */
  readonly object: Object3D;
  /** How much longer than the stream its legs are, and so its path. */
  readonly scale: number;
  /** Take on a pose; `seconds` since the last, for hair and cloth. */
  apply(pose: Pose, seconds: number): void;
  /** Return where a joint of SMPL-22 is in the world, or null where the figure has none. */
  joint(name: string): Vector3 | null;
  /** Free what the graphics card holds for this figure alone. */
  dispose(): void;
}
