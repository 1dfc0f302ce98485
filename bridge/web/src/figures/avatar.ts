/** A dropped .vrm or .glb as a figure. three-vrm is fetched when the first one comes. */

import { Mesh, Object3D, Quaternion, TextureLoader, Vector3 } from "three";
import { type GLTF, GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import type { VRM } from "@pixiv/three-vrm";
import type { Pose } from "../client/client.js";
import { matchBones, VRM_BONES } from "./bones.js";
import type { Figure } from "./figure.js";
import { NEEDED, Retarget } from "./retarget.js";
import { type Joint, JOINTS, PARENTS, PELVIS_HEIGHT } from "./skeleton.js";

/** Largest file that is read, bytes. */
const LARGEST = 256 * 2 ** 20;

/** Return the figure in a file; raises an Error with a sentence for the user where it holds none. */
export async function loadAvatar(file: File): Promise<Figure & { title: string }> {
  if (!/\.(vrm|glb)$/i.test(file.name)) throw new Error(`${file.name}: expected a .vrm or .glb file`);
  if (file.size > LARGEST) throw new Error(`${file.name}: expected at most 256 MB; reduce its textures`);
  const { VRMLoaderPlugin, VRMUtils } = await import("@pixiv/three-vrm");
  const loader = new GLTFLoader();
  loader.register((parser) => {
    // Pictures by <img>, not by fetch: the page may connect to nothing but its server.
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return new VRMLoaderPlugin(parser);
  });
  let gltf: GLTF;
  try {
    gltf = await loader.parseAsync(await file.arrayBuffer(), "");
  } catch (error) {
    throw new Error(`${file.name}: ${(error as Error).message}`);
  }
  const vrm = gltf.userData["vrm"] as VRM | undefined;
  if (vrm) {
    VRMUtils.rotateVRM0(vrm); // VRM 0 faces -Z
    VRMUtils.combineSkeletons(gltf.scene);
    return new VrmAvatar(vrm, file.name, VRMUtils.deepDispose);
  }
  return new GlbAvatar(gltf.scene, file.name, VRMUtils.deepDispose);
}

function dress(object: Object3D): void {
  object.traverse((part) => {
    if (!(part instanceof Mesh)) return;
    part.castShadow = part.receiveShadow = true;
    part.frustumCulled = false;
  });
}

/** A VRM: its normalised bones rest in the T-pose without rotation, as the stream's joints do. */
class VrmAvatar implements Figure {
  readonly object = new Object3D();
  readonly scale: number;
  private readonly bones: (Object3D | null)[];
  private readonly turn = new Quaternion();
  private readonly isOld: boolean;

  constructor(
    private readonly vrm: VRM,
    readonly title: string,
    private readonly free: (object: Object3D) => void,
  ) {
    this.object.add(vrm.scene);
    dress(vrm.scene);
    this.isOld = vrm.meta.metaVersion === "0";
    type Name = Parameters<VRM["humanoid"]["getNormalizedBoneNode"]>[0];
    this.bones = JOINTS.map((joint) => vrm.humanoid.getNormalizedBoneNode(VRM_BONES[joint] as Name));
    const hips = vrm.humanoid.normalizedRestPose.hips?.position ?? [0, PELVIS_HEIGHT, 0];
    this.scale = hips[1]! / PELVIS_HEIGHT;
  }

  apply(pose: Pose, seconds: number): void {
    const sign = this.isOld ? -1 : 1;
    const [x, y, z] = pose.root as unknown as [number, number, number];
    this.bones[0]?.position.set(sign * x, y, sign * z).multiplyScalar(this.scale);
    for (const [j, bone] of this.bones.entries()) {
      if (!bone) continue;
      bone.quaternion.fromArray(pose.rotations, 4 * j);
      // The turns of joints that this model has no bone for are in the next bone below.
      for (let up = PARENTS[j]!; up >= 0 && !this.bones[up]; up = PARENTS[up]!) {
        bone.quaternion.premultiply(this.turn.fromArray(pose.rotations, 4 * up));
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
    this.free(this.object);
  }
}

/** Any other model with a humanoid skeleton, known by the names of its bones. */
class GlbAvatar implements Figure {
  readonly object = new Object3D();
  readonly scale: number;
  private readonly retarget: Retarget;

  constructor(
    model: Object3D,
    readonly title: string,
    private readonly free: (object: Object3D) => void,
  ) {
    const nodes = new Map<string, Object3D>();
    model.traverse((node) => node.name && !nodes.has(node.name) && nodes.set(node.name, node));
    const matched = matchBones([...nodes.keys()]);
    const missing = NEEDED.filter((joint) => !matched.has(joint));
    if (missing.length) {
      throw new Error(`${title}: no bone for ${missing.join(", ").replaceAll("_", " ")}; name them as Mixamo, Unreal, SMPL or VRM do`);
    }
    const bones = new Map([...matched].map(([joint, name]) => [joint, nodes.get(name)!]));
    this.retarget = new Retarget(this.object, model, bones);
    this.scale = this.retarget.scale;
    dress(model);
  }

  apply(pose: Pose): void {
    this.retarget.apply(pose);
  }

  joint(name: string): Vector3 | null {
    return this.retarget.joint(name);
  }

  dispose(): void {
    this.free(this.object);
  }
}
