/** The floor: a large plane that moves along with the camera's target under a pattern that is fixed in the world. */

import { Color, Mesh, PlaneGeometry, ShaderMaterial, UniformsLib, UniformsUtils, Vector3, Vector4 } from "three";
import type { SceneTheme } from "./theme.js";

/** Most contact shadows: three for each of eight characters. */
const MOST_SHADOWS = 24;
const SIZE = 160;

const VERTEX = /* glsl */ `
#include <common>
#include <shadowmap_pars_vertex>
varying vec3 vWorld;
void main() {
  #include <beginnormal_vertex>
  #include <defaultnormal_vertex>
  #include <begin_vertex>
  #include <worldpos_vertex>
  #include <shadowmap_vertex>
  vec4 world = modelMatrix * vec4(position, 1.0);
  vWorld = world.xyz;
  gl_Position = projectionMatrix * viewMatrix * world;
}`;

// Grid lines by Ben Golus' "pristine grid": a line that would be thinner than a pixel is drawn fainter instead.
const FRAGMENT = /* glsl */ `
#include <common>
#include <packing>
#include <lights_pars_begin>
#include <shadowmap_pars_fragment>
#include <shadowmask_pars_fragment>
uniform vec3 floorColour, tileColour, lineColour, horizonColour, shadowColour, spotColour;
uniform float shadowDepth, spotDepth, fadeFrom, fadeTo;
uniform vec3 centre;
uniform vec4 contactShadows[${MOST_SHADOWS}];
uniform int contactShadowCount;
varying vec3 vWorld;

float grid(vec2 at, float cell, float width) {
  vec2 uv = at / cell;
  vec2 step1 = fwidth(uv);
  vec2 wide = vec2(width / cell);
  vec2 drawn = clamp(wide, step1, vec2(0.5));
  vec2 soft = step1 * 1.5;
  vec2 near1 = 1.0 - abs(fract(uv) * 2.0 - 1.0);
  vec2 lines = smoothstep(drawn + soft, drawn - soft, near1) * saturate(wide / drawn);
  lines = mix(lines, wide, saturate(step1 * 2.0 - 1.0));
  return mix(lines.x, 1.0, lines.y);
}

float checker(vec2 at) {
  vec2 wide = max(fwidth(at), vec2(1e-4));
  vec2 edges = 2.0 * (abs(fract((at - 0.5 * wide) * 0.5) - 0.5) - abs(fract((at + 0.5 * wide) * 0.5) - 0.5)) / wide;
  return 0.5 - 0.5 * edges.x * edges.y;
}

void main() {
  vec2 at = vWorld.xz;
  float away = distance(at, centre.xz);
  vec3 colour = mix(floorColour, tileColour, checker(at));
  colour = mix(colour, lineColour, 0.55 * grid(at, 1.0, 0.012) + 0.35 * grid(at, 5.0, 0.03));
  colour = mix(colour, spotColour, spotDepth * exp(-away * away / 14.0));
  float open = 1.0;
  for (int i = 0; i < contactShadowCount; i++) {
    vec4 contact = contactShadows[i]; // x, z, radius, opacity
    vec2 off = at - contact.xy;
    open *= 1.0 - contact.w * exp(-dot(off, off) / (contact.z * contact.z));
  }
  float lit = getShadowMask() * open;
  colour = mix(colour, shadowColour, shadowDepth * (1.0 - lit));
  colour = mix(colour, horizonColour, smoothstep(fadeFrom, fadeTo, away));
  gl_FragColor = vec4(colour, 1.0);
  #include <colorspace_fragment>
}`;

/** A point over the floor that darkens it, and the radius of its shadow; metres. */
export interface ContactShadow {
  at: Vector3;
  radius: number;
}

/** The floor; add `mesh` to the scene. */
export class Floor {
  readonly mesh: Mesh<PlaneGeometry, ShaderMaterial>;
  private readonly contactShadows = Array.from({ length: MOST_SHADOWS }, () => new Vector4(0, 0, 1, 0));

  constructor() {
    const own = {
      floorColour: { value: new Color() },
      tileColour: { value: new Color() },
      lineColour: { value: new Color() },
      horizonColour: { value: new Color() },
      shadowColour: { value: new Color() },
      spotColour: { value: new Color() },
      shadowDepth: { value: 0.5 },
      spotDepth: { value: 0.5 },
      fadeFrom: { value: 3 },
      fadeTo: { value: 26 },
      centre: { value: new Vector3() },
      contactShadows: { value: this.contactShadows },
      contactShadowCount: { value: 0 },
    };
    const material = new ShaderMaterial({
      uniforms: { ...UniformsUtils.clone(UniformsLib.lights), ...own },
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      lights: true,
    });
    this.mesh = new Mesh(new PlaneGeometry(SIZE, SIZE).rotateX(-Math.PI / 2), material);
    this.mesh.receiveShadow = true;
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = -1;
  }

  /** Use a theme's colours. */
  setTheme(theme: SceneTheme): void {
    const { uniforms } = this.mesh.material;
    for (const part of ["floor", "tile", "line", "horizon", "shadow", "spot"] as const) {
      uniforms[`${part}Colour`]!.value.set(theme[part]);
    }
    uniforms["shadowDepth"]!.value = theme.shadowDepth;
    uniforms["spotDepth"]!.value = theme.spotDepth;
  }

  /** Move the plane's centre to a point. */
  moveTo(centre: Vector3): void {
    this.mesh.position.set(centre.x, 0, centre.z);
    (this.mesh.material.uniforms["centre"]!.value as Vector3).copy(centre);
  }

  /** Draw soft contact shadows under points: darker the lower the point is, with a radius in metres. */
  setContactShadows(points: readonly ContactShadow[]): void {
    this.mesh.material.uniforms["contactShadowCount"]!.value = Math.min(MOST_SHADOWS, points.length);
    for (const [i, { at, radius }] of points.slice(0, MOST_SHADOWS).entries()) {
      this.contactShadows[i]!.set(at.x, at.z, radius * (1 + at.y), 0.5 / (1 + 6 * Math.max(0, at.y)));
    }
  }
}
