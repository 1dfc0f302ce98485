/** Loads a user's .vrm or .glb file, or one of the server's avatars, as a figure. three-vrm is fetched when the first file is loaded. */

import { Mesh, Object3D, Quaternion, TextureLoader, Vector3 } from "three";
import { type GLTF, GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import type { VRM } from "@pixiv/three-vrm";
import table from "../../../../motiongen/rigs.json";
import type { Avatar, Pose } from "../client/client.js";
import { AvatarRig, nodesByName } from "./avatar-rig.js";
import { matchBones, VRM_BONES } from "./bones.js";
import type { Figure } from "./figure.js";
import { REQUIRED_JOINTS, Retarget } from "./retarget.js";
import { type Joint, JOINTS, PARENTS, PELVIS_HEIGHT } from "./skeleton.js";

/** Largest file that is read, bytes. */
const MOST_BYTES = 256 * 2 ** 20;

/** A figure with the name of its file. */
export type ModelFigure = Figure & { title: string };

/** Return the figure in a file; rejects with an Error whose message is for the user. */
export async function loadModelFile(file: File): Promise<ModelFigure> {
  if (!/\.(vrm|glb)$/i.test(file.name)) throw new Error(`${file.name}: expected a .vrm or .glb file`);
  if (file.size > MOST_BYTES) throw new Error(`${file.name}: expected at most 256 MB; reduce its textures`);
  const { gltf, VRMUtils } = await parse(file.name, await file.arrayBuffer());
  const vrm = gltf.userData["vrm"] as VRM | undefined;
  if (vrm) {
    VRMUtils.rotateVRM0(vrm); // VRM 0 faces -Z
    VRMUtils.combineSkeletons(gltf.scene);
    return new VrmFigure(vrm, file.name, VRMUtils.deepDispose);
  }
  return new GlbFigure(gltf.scene, file.name, VRMUtils.deepDispose);
}

/** Return the figure of one of the server's avatars, whose frames the server makes; `url` is that of its file. */
export async function loadAvatar(avatar: Avatar, url: string): Promise<ModelFigure> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${avatar.name}: ${await answer.text()}`);
  const { gltf, VRMUtils } = await parse(avatar.name, await answer.arrayBuffer());
  return new AvatarFigure(avatar, gltf, VRMUtils.deepDispose);
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
    return { gltf: await loader.parseAsync(data, ""), VRMUtils };
  } catch (error) {
    throw new Error(`${title}: ${(error as Error).message}`);
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
    private readonly disposeDeep: (object: Object3D) => void,
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
    private readonly disposeDeep: (object: Object3D) => void,
  ) {
    this.object.add(vrm.scene);
    enableShadows(vrm.scene);
    this.isVersion0 = vrm.meta.metaVersion === "0";
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
    private readonly disposeDeep: (object: Object3D) => void,
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
