/** A ring on the floor: around the selected character, or at the target that a character walks to. */

import { Color, MathUtils, Mesh, PlaneGeometry, ShaderMaterial } from "three";

/** Height over the floor, metres: just over the footprints. */
const HEIGHT = 0.006;

const VERTEX = /* glsl */ `
varying vec2 vAt;
void main() {
  vAt = (uv - 0.5) * 2.0;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;
const FRAGMENT = /* glsl */ `
uniform vec3 colour;
uniform float opacity, pulse;
varying vec2 vAt;
float band(float at, float radius, float width) {
  float soft = fwidth(at);
  return smoothstep(width + soft, width - soft, abs(at - radius));
}
void main() {
  float away = length(vAt);
  float alpha = band(away, 0.72, 0.018) + 0.10 * smoothstep(0.72, 0.2, away);
  if (pulse >= 0.0) alpha += band(away, 0.1 + 0.85 * pulse, 0.014) * (1.0 - pulse) + smoothstep(0.12, 0.1, away);
  alpha *= opacity;
  if (alpha < 0.003) discard;
  gl_FragColor = vec4(colour, min(alpha, 1.0));
  #include <colorspace_fragment>
}`;

/** A ring on the floor. */
export class RingMarker {
  readonly mesh: Mesh<PlaneGeometry, ShaderMaterial>;
  /** Whether the ring is shown; it fades in and out. */
  isShown = false;
  private opacity = 0;

  /**
   * @param colour CSS colour.
   * @param size of the square that it is drawn on, metres.
   * @param isPulsing whether rings spread from its centre: the mark of a target.
   */
  constructor(
    colour: string,
    size: number,
    private readonly isPulsing: boolean,
  ) {
    const material = new ShaderMaterial({
      uniforms: { colour: { value: new Color(colour) }, opacity: { value: 0 }, pulse: { value: -1 } },
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      transparent: true,
      depthWrite: false,
    });
    this.mesh = new Mesh(new PlaneGeometry(size, size).rotateX(-Math.PI / 2), material);
    this.mesh.position.y = HEIGHT;
  }

  /** Move the centre to a point of the floor. */
  moveTo(x: number, z: number): void {
    this.mesh.position.set(x, HEIGHT, z);
  }

  /** Advance the animation by `seconds`, to the time `now` in seconds. */
  update(seconds: number, now: number): void {
    this.opacity = MathUtils.damp(this.opacity, this.isShown ? 0.85 : 0, 8, seconds);
    this.mesh.visible = this.opacity > 0.01;
    this.mesh.material.uniforms["opacity"]!.value = this.opacity;
    if (this.isPulsing) this.mesh.material.uniforms["pulse"]!.value = (now / 1.4) % 1;
  }

  /** Free its GPU resources. */
  dispose(): void {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
