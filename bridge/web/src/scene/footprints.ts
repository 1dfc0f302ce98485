/** Footprints that a character leaves on the floor and that fade. */

import {
  Color, DynamicDrawUsage, InstancedBufferAttribute, InstancedMesh, Matrix4, PlaneGeometry, Quaternion, ShaderMaterial, Vector3,
} from "three";

/** Height over the floor, metres: in the floor's own plane they would flicker. */
const HEIGHT = 0.004;
const CAPACITY = 40;
/** Time until a footprint has faded, seconds. */
const LIFETIME = 7;
/** Least distance between two footprints of one foot, metres. */
const SPACING = 0.14;

const VERTEX = /* glsl */ `
attribute float createdAt;
attribute float side;
varying vec2 vAt;
varying float vCreatedAt, vSide;
void main() {
  vAt = vec2((uv.x - 0.5) * side, uv.y - 0.5);
  vCreatedAt = createdAt;
  vSide = side;
  gl_Position = projectionMatrix * modelViewMatrix * instanceMatrix * vec4(position, 1.0);
}`;
// The sole is two ovals, for ball and heel, joined by a waist that is narrower on the inside.
const FRAGMENT = /* glsl */ `
uniform vec3 left, right;
uniform float now, opacity;
varying vec2 vAt;
varying float vCreatedAt, vSide;
float oval(vec2 at, vec2 centre, vec2 size) { return (length((at - centre) / size) - 1.0) * min(size.x, size.y); }
float join(float a, float b, float k) {
  float h = clamp(0.5 + 0.5 * (b - a) / k, 0.0, 1.0);
  return mix(b, a, h) - k * h * (1.0 - h);
}
void main() {
  float sole = join(oval(vAt, vec2(-0.01, 0.18), vec2(0.20, 0.24)), oval(vAt, vec2(0.02, -0.26), vec2(0.155, 0.17)), 0.34);
  float age = (now - vCreatedAt) / ${LIFETIME.toFixed(1)};
  float soft = fwidth(sole) + 0.01;
  float alpha = smoothstep(soft, -soft, sole) * opacity * clamp(1.0 - age, 0.0, 1.0) * step(0.0, age);
  if (alpha < 0.003) discard;
  gl_FragColor = vec4(vSide > 0.0 ? left : right, alpha);
  #include <colorspace_fragment>
}`;

/** The footprints of one character. */
export class Footprints {
  readonly mesh: InstancedMesh<PlaneGeometry, ShaderMaterial>;
  private readonly createdAt: InstancedBufferAttribute;
  private readonly side: InstancedBufferAttribute;
  private next = 0;
  private readonly last = { left: new Vector3(Infinity), right: new Vector3(Infinity) };

  /** @param colours CSS colours of the left and the right foot. */
  constructor(colours: { left: string; right: string }) {
    const geometry = new PlaneGeometry(0.2, 0.3).rotateX(-Math.PI / 2).rotateY(Math.PI); // toes towards +Z
    this.createdAt = new InstancedBufferAttribute(new Float32Array(CAPACITY).fill(-1e9), 1).setUsage(DynamicDrawUsage);
    this.side = new InstancedBufferAttribute(new Float32Array(CAPACITY), 1).setUsage(DynamicDrawUsage);
    geometry.setAttribute("createdAt", this.createdAt);
    geometry.setAttribute("side", this.side);
    const material = new ShaderMaterial({
      uniforms: {
        left: { value: new Color(colours.left) },
        right: { value: new Color(colours.right) },
        now: { value: 0 },
        opacity: { value: 0.55 },
      },
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      transparent: true,
      depthWrite: false,
    });
    this.mesh = new InstancedMesh(geometry, material, CAPACITY);
    this.mesh.frustumCulled = false;
  }

  /** Set the present time, seconds: footprints fade with their age. */
  update(now: number): void {
    this.mesh.material.uniforms["now"]!.value = now;
  }

  /** Add a footprint under a foot, given the positions of its joints, unless the last one is at the same place. */
  add(side: "left" | "right", heel: Vector3, toes: Vector3, now: number): void {
    const direction = toes.clone().sub(heel).setY(0);
    const centre = heel.clone().add(toes).multiplyScalar(0.5).setY(HEIGHT);
    if (centre.distanceTo(this.last[side]) < SPACING || direction.lengthSq() < 1e-4) return;
    this.last[side].copy(centre);
    const turn = new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), Math.atan2(direction.x, direction.z));
    this.mesh.setMatrixAt(this.next, new Matrix4().compose(centre, turn, new Vector3(1, 1, 1)));
    this.createdAt.setX(this.next, now);
    this.side.setX(this.next, side === "left" ? 1 : -1);
    this.mesh.instanceMatrix.needsUpdate = this.createdAt.needsUpdate = this.side.needsUpdate = true;
    this.next = (this.next + 1) % CAPACITY;
  }

  /** Free its GPU resources. */
  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
    this.mesh.dispose();
  }
}
