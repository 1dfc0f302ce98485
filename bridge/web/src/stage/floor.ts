/** A floor that never ends: it goes along with who is followed, and its pattern stays where it is. */

import { Color, Mesh, PlaneGeometry, ShaderMaterial, UniformsLib, UniformsUtils, Vector3, Vector4 } from "three";
import type { Mood } from "./theme.js";

/** Feet, hips and heads that darken the floor under them: eight characters of three points. */
const BLOBS = 24;
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
  vec4 place = modelMatrix * vec4(position, 1.0);
  vWorld = place.xyz;
  gl_Position = projectionMatrix * viewMatrix * place;
}`;

// The lines are Ben Golus' "pristine grid": as thin as they are, and never thinner than a pixel but fainter.
const FRAGMENT = /* glsl */ `
#include <common>
#include <packing>
#include <lights_pars_begin>
#include <shadowmap_pars_fragment>
#include <shadowmask_pars_fragment>
uniform vec3 floorColour, tileColour, lineColour, horizonColour, shadowColour, poolColour;
uniform float shadowDepth, poolDepth, fadeFrom, fadeTo;
uniform vec3 centre;
uniform vec4 blobs[${BLOBS}];
uniform int blobCount;
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
  colour = mix(colour, poolColour, poolDepth * exp(-away * away / 14.0));
  float open = 1.0;
  for (int i = 0; i < blobCount; i++) {
    vec4 blob = blobs[i]; // x, z, reach, depth
    vec2 off = at - blob.xy;
    open *= 1.0 - blob.w * exp(-dot(off, off) / (blob.z * blob.z));
  }
  float lit = getShadowMask() * open;
  colour = mix(colour, shadowColour, shadowDepth * (1.0 - lit));
  colour = mix(colour, horizonColour, smoothstep(fadeFrom, fadeTo, away));
  gl_FragColor = vec4(colour, 1.0);
  #include <colorspace_fragment>
}`;

/** The floor; add `mesh` to the scene. */
export class Floor {
  readonly mesh: Mesh<PlaneGeometry, ShaderMaterial>;
  private readonly blobs = Array.from({ length: BLOBS }, () => new Vector4(0, 0, 1, 0));

  constructor() {
    const own = {
      floorColour: { value: new Color() },
      tileColour: { value: new Color() },
      lineColour: { value: new Color() },
      horizonColour: { value: new Color() },
      shadowColour: { value: new Color() },
      poolColour: { value: new Color() },
      shadowDepth: { value: 0.5 },
      poolDepth: { value: 0.5 },
      fadeFrom: { value: 3 },
      fadeTo: { value: 26 },
      centre: { value: new Vector3() },
      blobs: { value: this.blobs },
      blobCount: { value: 0 },
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

  /** Take a mood's colours. */
  wear(mood: Mood): void {
    const { uniforms } = this.mesh.material;
    for (const part of ["floor", "tile", "line", "horizon", "shadow", "pool"] as const) {
      uniforms[`${part}Colour`]!.value.set(mood[part]);
    }
    uniforms["shadowDepth"]!.value = mood.shadowDepth;
    uniforms["poolDepth"]!.value = mood.poolDepth;
  }

  /** Lie around a point. */
  follow(centre: Vector3): void {
    this.mesh.position.set(centre.x, 0, centre.z);
    (this.mesh.material.uniforms["centre"]!.value as Vector3).copy(centre);
  }

  /** Be darker under these points, the more the nearer they are; each with how far its shade reaches on the floor. */
  shade(points: readonly { at: Vector3; reach: number }[]): void {
    this.mesh.material.uniforms["blobCount"]!.value = Math.min(BLOBS, points.length);
    for (const [i, { at, reach }] of points.slice(0, BLOBS).entries()) {
      this.blobs[i]!.set(at.x, at.z, reach * (1 + at.y), 0.5 / (1 + 6 * Math.max(0, at.y)));
    }
  }
}
