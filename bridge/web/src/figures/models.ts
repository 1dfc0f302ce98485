/** Figures of loaded models: an avatar of the server's, a VRM, or any humanoid that is known by its bones' names. */

import { Mesh, Object3D, Quaternion, Vector3 } from "three";
import type { GLTF } from "three/addons/loaders/GLTFLoader.js";
import type { VRM } from "@pixiv/three-vrm";
import table from "../../../../motiongen/rigs.json";
import type { Avatar, Pose } from "../client/client.js";
import { AvatarRig, nodesByName } from "./avatar-rig.js";
import { matchBones, VRM_BONES } from "./bones.js";
import type { Figure } from "./figure.js";
import { REQUIRED_JOINTS, Retarget } from "./retarget.js";
import { type Joint, JOINTS, PARENTS, PELVIS_HEIGHT } from "./skeleton.js";

/** A figure with the name of its file. */
export type ModelFigure = Figure & { title: string };

/** Frees what a model holds on the GPU, as three-vrm's `VRMUtils.deepDispose` does. */
export type Dispose = (object: Object3D) => void;

/**
 * Return the figure of a model that three.js has loaded.
 *
 * @param title its name, for messages.
 * @param avatar the one that its frames are of; null where they are of the stream's own skeleton.
 * @throws Error with a message for the user: it is no humanoid, or another model than the avatar's.
 */
export function figureOf(gltf: GLTF, title: string, avatar: Avatar | null = null, dispose: Dispose = () => {}): ModelFigure {
  if (avatar) return new AvatarFigure(avatar, gltf, dispose);
  const vrm = gltf.userData["vrm"] as VRM | undefined;
  return vrm ? new VrmFigure(vrm, title, dispose) : new GlbFigure(gltf.scene, title, dispose);
}

/** A model whose poses come from the server, on its own bones. */
class AvatarFigure implements ModelFigure {
  readonly object = new Object3D();
  readonly title: string;
  readonly avatar: string;
  readonly scale: number;
  private readonly rig: AvatarRig;
  private readonly vrm: VRM | undefined;

  constructor(
    avatar: Avatar,
    gltf: GLTF,
    private readonly disposeDeep: Dispose,
  ) {
    this.title = this.avatar = avatar.name;
    this.object.add(gltf.scene);
    this.rig = new AvatarRig(avatar, this.object, nodesByName(gltf));
    this.scale = this.rig.scale;
    this.vrm = gltf.userData["vrm"] as VRM | undefined;
    if (this.vrm) this.vrm.humanoid.autoUpdateHumanBones = false; // hair and cloth alone move by themselves
    enableShadows(gltf.scene);
  }

  apply(pose: Pose, seconds: number): void {
    this.rig.apply(pose);
    this.vrm?.update(seconds);
  }

  joint(name: string): Vector3 | null {
    return this.rig.joint(name);
  }

  dispose(): void {
    this.disposeDeep(this.object);
  }
}

/** A VRM model: its normalised bones have no rotation in the T-pose, as the stream's joints have none. */
class VrmFigure implements ModelFigure {
  readonly object = new Object3D();
  readonly avatar = null;
  readonly scale: number;
  private readonly bones: (Object3D | null)[];
  private readonly parentRotation = new Quaternion();
  private readonly isVersion0: boolean;

  constructor(
    private readonly vrm: VRM,
    readonly title: string,
    private readonly disposeDeep: Dispose,
  ) {
    this.object.add(vrm.scene);
    enableShadows(vrm.scene);
    this.isVersion0 = vrm.meta.metaVersion === "0";
    if (this.isVersion0) vrm.scene.rotation.y = Math.PI; // VRM 0 faces -Z
    type Name = Parameters<VRM["humanoid"]["getNormalizedBoneNode"]>[0];
    this.bones = JOINTS.map((joint) => vrm.humanoid.getNormalizedBoneNode(VRM_BONES[joint] as Name));
    const hips = vrm.humanoid.normalizedRestPose.hips?.position ?? [0, PELVIS_HEIGHT, 0];
    this.scale = hips[1]! / PELVIS_HEIGHT;
  }

  apply(pose: Pose, seconds: number): void {
    const sign = this.isVersion0 ? -1 : 1;
    const [x, y, z] = pose.root as unknown as [number, number, number];
    this.bones[0]?.position.set(sign * x, y, sign * z).multiplyScalar(this.scale);
    for (const [j, bone] of this.bones.entries()) {
      if (!bone) continue;
      bone.quaternion.fromArray(pose.rotations, 4 * j);
      // Rotations of joints that this model has no bone for go to the next bone below.
      for (let up = PARENTS[j]!; up >= 0 && !this.bones[up]; up = PARENTS[up]!) {
        bone.quaternion.premultiply(this.parentRotation.fromArray(pose.rotations, 4 * up));
      }
      bone.quaternion.x *= sign;
      bone.quaternion.z *= sign;
    }
    this.vrm.update(seconds);
  }

  joint(name: string): Vector3 | null {
    const bone = VRM_BONES[name as Joint] as Parameters<VRM["humanoid"]["getRawBoneNode"]>[0];
    return this.vrm.humanoid.getRawBoneNode(bone)?.getWorldPosition(new Vector3()) ?? null;
  }

  dispose(): void {
    this.disposeDeep(this.object);
  }
}

/** Any other model with a humanoid skeleton, which is recognised by the names of its bones. */
class GlbFigure implements ModelFigure {
  readonly object = new Object3D();
  readonly avatar = null;
  readonly scale: number;
  private readonly retarget: Retarget;

  constructor(
    model: Object3D,
    readonly title: string,
    private readonly disposeDeep: Dispose,
  ) {
    const nodes = new Map<string, Object3D>();
    model.traverse((node) => node.name && !nodes.has(fileName(node)) && nodes.set(fileName(node), node));
    const places = new Map([...nodes.values()].map((node, i) => [node, i]));
    const parents = [...nodes.values()].map((node) => nearest(node.parent, places));
    const matched = matchBones([...nodes.keys()], parents, table);
    const missing = REQUIRED_JOINTS.filter((joint) => !matched.has(joint));
    if (missing.length) {
      throw new Error(`${title}: no bone for ${missing.join(", ").replaceAll("_", " ")}; name them as Mixamo, Unreal, SMPL or VRM do`);
    }
    const bones = new Map([...matched].map(([joint, name]) => [joint, nodes.get(name)!]));
    this.retarget = new Retarget(this.object, model, bones);
    this.scale = this.retarget.scale;
    enableShadows(model);
  }

  apply(pose: Pose): void {
    this.retarget.apply(pose);
  }

  joint(name: string): Vector3 | null {
    return this.retarget.joint(name);
  }

  dispose(): void {
    this.disposeDeep(this.object);
  }
}

/** Let all meshes of a model cast and receive shadows. */
function enableShadows(object: Object3D): void {
  object.traverse((part) => {
    if (!(part instanceof Mesh)) return;
    part.castShadow = part.receiveShadow = true;
    part.frustumCulled = false;
  });
}

/** Return a node's name in its file; three.js takes the dots and colons out of it. */
function fileName(node: Object3D): string {
  const name: unknown = node.userData["name"];
  return typeof name === "string" && name ? name : node.name;
}

/** Return the place of a node or of the first ancestor that has one; -1 for none. */
function nearest(node: Object3D | null, places: ReadonlyMap<Object3D, number>): number {
  for (; node; node = node.parent) {
    const place = places.get(node);
    if (place !== undefined) return place;
  }
  return -1;
}
