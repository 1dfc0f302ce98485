/** The mannequin's material: paints its colours per pixel. Its file has them per vertex (motiongen/body/weights.py). */

import { Color, MeshStandardMaterial, Vector3 } from "three";
import type { ColourPair } from "./colours.js";

const VERTEX = /* glsl */ `
#include <begin_vertex>
vRest = position;`;
const DECLARED = /* glsl */ `
#include <common>
varying vec3 vRest;
uniform vec3 leftColour, rightColour, trunkColour, bandColour;
uniform vec3 shoulder, elbow, wrist, hip, knee, ankle, neck;
float cover(float inside) { // 1 where it is positive, with an edge as wide as a pixel
  float soft = max(0.7 * fwidth(inside), 0.0004);
  return smoothstep(-soft, soft, inside);
}
float around(vec3 at, float along, float width) { // a band around a limb at the origin
  return cover(0.5 * width - abs(along)) * step(length(at), 2.5 * width);
}
vec4 paint() { // the colour, and how much of it is a band's
  vec3 at = vec3(abs(vRest.x), vRest.yz); // both halves are alike
  float arm = at.x - shoulder.x - 0.015;
  float leg = min(hip.y - 0.020 - at.y + 0.9 * (at.x - 0.02), at.x);
  float limb = max(arm, leg);
  vec3 tone = mix(trunkColour, vRest.x > 0.0 ? leftColour : rightColour, cover(limb));
  tone *= 1.0 - 0.45 * cover(0.0016 - abs(limb)); // a seam
  float band = around(at - elbow, at.x - elbow.x, 0.044);
  band = max(band, around(at - wrist, at.x - wrist.x, 0.034));
  band = max(band, around(at - knee, at.y - knee.y, 0.064));
  vec3 instep = ankle + vec3(0.0, 0.035, 0.0);
  band = max(band, around(at - instep, at.y - instep.y, 0.048));
  vec3 collar = vRest - neck - vec3(0.0, 0.022, 0.010);
  band = max(band, cover(min(0.020 - abs(collar.y + 0.45 * collar.z), 0.090 - length(collar))));
  return vec4(mix(tone, bandColour, band), band);
}`;
const COLOUR = /* glsl */ `
vec4 painted = paint();
diffuseColor.rgb = painted.rgb;`;
const ROUGHNESS = /* glsl */ `
float roughnessFactor = mix(roughness, 0.42, painted.a);`;

/**
 * Return the mannequin's material.
 *
 * @param colours of its left and right limbs.
 * @param restPosition returns the position of a joint in the rest pose.
 */
export function mannequinMaterial(colours: ColourPair, restPosition: (joint: string) => Vector3): MeshStandardMaterial {
  const [left, right, band] = [new Color(colours.left), new Color(colours.right), new Color("#2b303b")];
  const parts = { left, right, trunk: new Color("#cfcfc8").lerp(left, 0.05), band };
  // Read the positions now: when the shader is compiled, the joints have moved.
  const joints = ["shoulder", "elbow", "wrist", "hip", "knee", "ankle"].map((joint) => [joint, restPosition(`left_${joint}`)] as const);
  const neck = restPosition("neck");
  const material = new MeshStandardMaterial({ roughness: 0.66 });
  material.onBeforeCompile = (shader) => {
    for (const [part, value] of Object.entries(parts)) shader.uniforms[`${part}Colour`] = { value };
    for (const [joint, value] of [...joints, ["neck", neck] as const]) shader.uniforms[joint] = { value };
    shader.vertexShader = shader.vertexShader
      .replace("#include <common>", "#include <common>\nvarying vec3 vRest;")
      .replace("#include <begin_vertex>", VERTEX);
    shader.fragmentShader = shader.fragmentShader
      .replace("#include <common>", DECLARED)
      .replace("#include <color_fragment>", COLOUR)
      .replace("#include <roughnessmap_fragment>", ROUGHNESS);
  };
  return material;
}
