/** What is drawn on the floor: footprints that fade, a ring around who is spoken to, and where someone is sent. */

import {
  Color, DynamicDrawUsage, InstancedBufferAttribute, InstancedMesh, Matrix4, Mesh, MathUtils, PlaneGeometry, Quaternion,
  ShaderMaterial, Vector3,
} from "three";

const HEIGHT = 0.004; // over the floor, so that they do not flicker
const PRINTS = 40;
const LASTING = 7; // seconds
const APART = 0.14; // metres between prints of one foot

const VERTEX = /* glsl */ `
attribute float born;
attribute float side;
varying vec2 vAt;
varying float vBorn, vSide;
void main() {
  vAt = vec2((uv.x - 0.5) * side, uv.y - 0.5);
  vBorn = born;
  vSide = side;
  gl_Position = projectionMatrix * modelViewMatrix * instanceMatrix * vec4(position, 1.0);
}`;
// A sole: a ball, a heel, and a waist that is narrower on the inside.
const FRAGMENT = /* glsl */ `
uniform vec3 left, right;
uniform float now, strength;
varying vec2 vAt;
varying float vBorn, vSide;
float oval(vec2 at, vec2 centre, vec2 size) { return (length((at - centre) / size) - 1.0) * min(size.x, size.y); }
float join(float a, float b, float k) {
  float h = clamp(0.5 + 0.5 * (b - a) / k, 0.0, 1.0);
  return mix(b, a, h) - k * h * (1.0 - h);
}
void main() {
  float sole = join(oval(vAt, vec2(-0.01, 0.18), vec2(0.20, 0.24)), oval(vAt, vec2(0.02, -0.26), vec2(0.155, 0.17)), 0.34);
  float age = (now - vBorn) / ${LASTING.toFixed(1)};
  float soft = fwidth(sole) + 0.01;
  float alpha = smoothstep(soft, -soft, sole) * strength * clamp(1.0 - age, 0.0, 1.0) * step(0.0, age);
  if (alpha < 0.003) discard;
  gl_FragColor = vec4(vSide > 0.0 ? left : right, alpha);
  #include <colorspace_fragment>
}`;

/** The footprints of one character. */
export class Prints {
  readonly mesh: InstancedMesh<PlaneGeometry, ShaderMaterial>;
  private readonly born: InstancedBufferAttribute;
  private readonly side: InstancedBufferAttribute;
  private next = 0;
  private readonly last = { left: new Vector3(Infinity), right: new Vector3(Infinity) };

  constructor(duo: { left: string; right: string }) {
    const geometry = new PlaneGeometry(0.2, 0.3).rotateX(-Math.PI / 2).rotateY(Math.PI); // toes towards +Z
    this.born = new InstancedBufferAttribute(new Float32Array(PRINTS).fill(-1e9), 1).setUsage(DynamicDrawUsage);
    this.side = new InstancedBufferAttribute(new Float32Array(PRINTS), 1).setUsage(DynamicDrawUsage);
    geometry.setAttribute("born", this.born);
    geometry.setAttribute("side", this.side);
    const material = new ShaderMaterial({
      uniforms: {
        left: { value: new Color(duo.left) },
        right: { value: new Color(duo.right) },
        now: { value: 0 },
        strength: { value: 0.55 },
      },
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      transparent: true,
      depthWrite: false,
    });
    this.mesh = new InstancedMesh(geometry, material, PRINTS);
    this.mesh.frustumCulled = false;
  }

  /** Let time pass; `now` in seconds. */
  update(now: number): void {
    this.mesh.material.uniforms["now"]!.value = now;
  }

  /** Leave a print where a foot stands, unless one is there. */
  step(side: "left" | "right", heel: Vector3, toes: Vector3, now: number): void {
    const way = toes.clone().sub(heel).setY(0);
    const centre = heel.clone().add(toes).multiplyScalar(0.5).setY(HEIGHT);
    if (centre.distanceTo(this.last[side]) < APART || way.lengthSq() < 1e-4) return;
    this.last[side].copy(centre);
    const turn = new Quaternion().setFromAxisAngle(new Vector3(0, 1, 0), Math.atan2(way.x, way.z));
    this.mesh.setMatrixAt(this.next, new Matrix4().compose(centre, turn, new Vector3(1, 1, 1)));
    this.born.setX(this.next, now);
    this.side.setX(this.next, side === "left" ? 1 : -1);
    this.mesh.instanceMatrix.needsUpdate = this.born.needsUpdate = this.side.needsUpdate = true;
    this.next = (this.next + 1) % PRINTS;
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
    this.mesh.dispose();
  }
}

const RING_VERTEX = /* glsl */ `
varying vec2 vAt;
void main() {
  vAt = (uv - 0.5) * 2.0;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;
const RING_FRAGMENT = /* glsl */ `
uniform vec3 colour;
uniform float strength, pulse;
varying vec2 vAt;
float band(float at, float radius, float width) {
  float soft = fwidth(at);
  return smoothstep(width + soft, width - soft, abs(at - radius));
}
void main() {
  float away = length(vAt);
  float alpha = band(away, 0.72, 0.018) + 0.10 * smoothstep(0.72, 0.2, away);
  if (pulse >= 0.0) alpha += band(away, 0.1 + 0.85 * pulse, 0.014) * (1.0 - pulse) + smoothstep(0.12, 0.1, away);
  alpha *= strength;
  if (alpha < 0.003) discard;
  gl_FragColor = vec4(colour, min(alpha, 1.0));
  #include <colorspace_fragment>
}`;

/** A ring on the floor; with a pulse it says "here". */
export class Ring {
  readonly mesh: Mesh<PlaneGeometry, ShaderMaterial>;
  /** Whether it is to be seen; it fades in and out. */
  isShown = false;
  private strength = 0;

  constructor(
    colour: string,
    size: number,
    private readonly pulses: boolean,
  ) {
    const material = new ShaderMaterial({
      uniforms: { colour: { value: new Color(colour) }, strength: { value: 0 }, pulse: { value: -1 } },
      vertexShader: RING_VERTEX,
      fragmentShader: RING_FRAGMENT,
      transparent: true,
      depthWrite: false,
    });
    this.mesh = new Mesh(new PlaneGeometry(size, size).rotateX(-Math.PI / 2), material);
    this.mesh.position.y = HEIGHT + 0.002;
  }

  /** Lie around this point. */
  at(x: number, z: number): void {
    this.mesh.position.set(x, HEIGHT + 0.002, z);
  }

  /** Let time pass. */
  update(seconds: number, now: number): void {
    this.strength = MathUtils.damp(this.strength, this.isShown ? 0.85 : 0, 8, seconds);
    this.mesh.visible = this.strength > 0.01;
    this.mesh.material.uniforms["strength"]!.value = this.strength;
    if (this.pulses) this.mesh.material.uniforms["pulse"]!.value = (now / 1.4) % 1;
  }

  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
