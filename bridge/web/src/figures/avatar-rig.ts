/** Moves the nodes of an avatar's model by frames that the server has put on it: rotations go over as they are. */

import { Matrix4, Object3D, Quaternion, Vector3 } from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import type { Avatar, Pose } from "../client/client.js";

/** Length of the legs of the stream's own skeleton, metres. */
const LEG = 0.805;

/** The nodes of a model that the frames of an avatar name. */
export class AvatarRig {
  /** Length of its legs divided by that of the stream's skeleton: its path is scaled by it. */
  readonly scale: number;
  private readonly nodes: Object3D[];
  private readonly toParent: Matrix4;
  private readonly turnToParent: Quaternion;

  /**
   * @param object the model, or one above it; it must be at the origin now, and may be moved afterwards.
   * @param nodes the model's nodes by the names in its file, see `nodesByName`.
   */
  constructor(
    private readonly avatar: Avatar,
    object: Object3D,
    private readonly byName: ReadonlyMap<string, Object3D>,
  ) {
    const { names } = avatar.skeleton;
    const missing = names.filter((name) => !byName.has(name));
    if (missing.length) throw new Error(`${avatar.name}: no node ${missing.join(", ")} in its file; is it the server's?`);
    this.nodes = names.map((name) => byName.get(name)!);
    object.updateMatrixWorld(true);
    const over = this.nodes[0]!.parent;
    this.toParent = (over?.matrixWorld ?? new Matrix4()).clone().invert();
    this.turnToParent = (over?.getWorldQuaternion(new Quaternion()) ?? new Quaternion()).invert();
    this.scale = this.legLength() / LEG;
  }

  /** Set the pose. */
  apply({ root, rotations }: Pose): void {
    if (rotations.length !== 4 * this.nodes.length) return; // of before the avatar was changed
    for (const [j, node] of this.nodes.entries()) node.quaternion.fromArray(rotations, 4 * j);
    this.nodes[0]!.position.fromArray(root).applyMatrix4(this.toParent);
    this.nodes[0]!.quaternion.premultiply(this.turnToParent);
  }

  /** Return the world position of the joint that plays a part, or null where there is none. */
  joint(part: string): Vector3 | null {
    const name = this.avatar.parts[part];
    return (name !== undefined && this.byName.get(name)?.getWorldPosition(new Vector3())) || null;
  }

  private legLength(): number {
    const [hip, knee, ankle] = ["left_hip", "left_knee", "left_ankle"].map((part) => this.joint(part));
    return hip && knee && ankle ? hip.distanceTo(knee) + knee.distanceTo(ankle) : LEG;
  }
}

/** Return the nodes of a loaded file by the names that they have there; three.js takes dots and colons out of them. */
export function nodesByName({ scene, parser }: Pick<GLTF, "scene" | "parser">): Map<string, Object3D> {
  const found = new Map<string, Object3D>();
  scene.traverse((node) => {
    const index = parser.associations.get(node)?.nodes;
    if (index === undefined) return;
    const name = String(parser.json.nodes[index].name || `node${index}`);
    found.set(found.has(name) ? `${name}.${index}` : name, node); // as the server tells two of one name apart
  });
  return found;
}
