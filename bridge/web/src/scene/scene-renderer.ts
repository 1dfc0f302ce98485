/** The 3D scene and its renderer: lights, floor, sky and camera. It knows no characters. */

import {
  BackSide, Color, DirectionalLight, HemisphereLight, MathUtils, Mesh, NeutralToneMapping, Object3D, PCFShadowMap, Plane,
  PMREMGenerator, Raycaster, Scene, ShaderMaterial, SphereGeometry, Vector2, Vector3, WebGLRenderer,
} from "three";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { Floor } from "./floor.js";
import { FollowCamera } from "./follow-camera.js";
import { SCENE_THEMES } from "./theme.js";

/** Positions of the sun and of the rim light, relative to the camera's target, metres. */
const SUN = new Vector3(-2.6, 5.2, 3.4);
const RIM = new Vector3(3.2, 3.0, -4.2);
/** Half the side of the square in which shadows are cast, metres. */
const SHADOW_RANGE = 4.5;
/** A frame time above the first, milliseconds, lowers the resolution; one below the second raises it. */
const [SLOW, FAST] = [30, 18];

const SKY_VERTEX = /* glsl */ `
varying vec3 vDirection;
void main() {
  vDirection = position;
  gl_Position = projectionMatrix * vec4(mat3(viewMatrix) * position, 1.0);
  gl_Position.z = gl_Position.w;
}`;
const SKY_FRAGMENT = /* glsl */ `
uniform vec3 zenith, horizon;
varying vec3 vDirection;
void main() {
  float up = clamp(normalize(vDirection).y, 0.0, 1.0);
  gl_FragColor = vec4(mix(horizon, zenith, pow(up, 0.65)), 1.0);
  #include <colorspace_fragment>
}`;

/** The 3D scene of the page; `update` draws a frame. */
export class SceneRenderer {
  /** Objects to draw are added here. */
  readonly root = new Scene();
  readonly followCamera: FollowCamera;
  readonly floor = new Floor();
  /** Frames drawn a second, averaged over half a second. */
  fps = 0;
  private readonly renderer: WebGLRenderer;
  private readonly sun = new DirectionalLight();
  private readonly rim = new DirectionalLight();
  private readonly sky = new HemisphereLight();
  private readonly dome: Mesh<SphereGeometry, ShaderMaterial>;
  private readonly size = new Vector2(1, 1);
  private ratio = 1;
  private framesDrawn = 0;
  private secondsMeasured = 0;
  /** Seconds since the resolution changed, and how many must pass before it is raised. */
  private secondsStable = -2; // the first frames compile shaders
  private raiseAfter = 2;
  private readonly hasFixedResolution: boolean;

  /**
   * @param canvas to draw on; it fills its parent.
   * @param resolution drawn pixels by CSS pixel; adapted to the speed of the machine when left out.
   */
  constructor(canvas: HTMLCanvasElement, resolution?: number) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.toneMapping = NeutralToneMapping;
    this.hasFixedResolution = resolution !== undefined;
    this.ratio = resolution ?? Math.min(2, window.devicePixelRatio);
    this.followCamera = new FollowCamera(canvas);
    this.dome = this.addSky();
    this.addLights();
    this.root.add(this.floor.mesh);
    const generator = new PMREMGenerator(this.renderer);
    this.root.environment = generator.fromScene(new RoomEnvironment(), 0.04).texture;
    generator.dispose();
    this.setTheme("light");
  }

  /** Use the light or the dark theme. */
  setTheme(name: "light" | "dark"): void {
    const theme = SCENE_THEMES[name];
    this.floor.setTheme(theme);
    this.dome.material.uniforms["zenith"]!.value.set(theme.zenith);
    this.dome.material.uniforms["horizon"]!.value.set(theme.horizon);
    this.sun.color.set(theme.sun.colour);
    this.sun.intensity = theme.sun.intensity;
    this.rim.color.set(theme.rim.colour);
    this.rim.intensity = theme.rim.intensity;
    this.sky.color.set(theme.sky.above);
    this.sky.groundColor.set(theme.sky.below);
    this.sky.intensity = theme.sky.intensity;
    this.root.environmentIntensity = theme.environment;
    this.renderer.toneMappingExposure = theme.exposure;
  }

  /** Adapt to the size of the window and to the pixels that the page covers at its edges. */
  resize(width: number, height: number, covered: { top: number; bottom: number }): void {
    this.size.set(Math.max(1, width), Math.max(1, height));
    this.renderer.setPixelRatio(this.ratio);
    this.renderer.setSize(this.size.x, this.size.y, false);
    this.followCamera.resize(this.size.x, this.size.y, covered);
  }

  /** Draw a frame, `seconds` after the last one. */
  update(seconds: number): void {
    this.followCamera.update(seconds);
    const target = this.followCamera.controls.target;
    this.floor.moveTo(target);
    this.moveLights(target);
    this.renderer.render(this.root, this.followCamera.camera);
    this.measure(seconds);
  }

  /** Return the ray through a point of the page, given in CSS pixels. */
  rayAt(x: number, y: number): Raycaster {
    const bounds = this.renderer.domElement.getBoundingClientRect();
    const point = new Vector2(((x - bounds.left) / bounds.width) * 2 - 1, 1 - ((y - bounds.top) / bounds.height) * 2);
    const caster = new Raycaster();
    caster.setFromCamera(point, this.followCamera.camera);
    return caster;
  }

  /** Return the point of the floor at a point of the page, or null where it is the sky or more than 40 m away. */
  floorAt(x: number, y: number): Vector3 | null {
    const hit = this.rayAt(x, y).ray.intersectPlane(new Plane(new Vector3(0, 1, 0)), new Vector3());
    return hit && hit.distanceTo(this.followCamera.controls.target) < 40 ? hit : null;
  }

  /** Return the CSS pixel at which a point is drawn, or null when it is behind the camera. */
  projectToPage(point: Vector3): { x: number; y: number } | null {
    const projected = point.clone().project(this.followCamera.camera);
    if (projected.z > 1) return null;
    return { x: ((projected.x + 1) / 2) * this.size.x, y: ((1 - projected.y) / 2) * this.size.y };
  }

  private addSky(): Mesh<SphereGeometry, ShaderMaterial> {
    const material = new ShaderMaterial({
      uniforms: { zenith: { value: new Color() }, horizon: { value: new Color() } },
      vertexShader: SKY_VERTEX,
      fragmentShader: SKY_FRAGMENT,
      side: BackSide,
      depthWrite: false,
    });
    const dome = new Mesh(new SphereGeometry(1, 24, 16), material);
    dome.frustumCulled = false;
    dome.renderOrder = -2;
    this.root.add(dome);
    return dome;
  }

  private addLights(): void {
    const { shadow } = this.sun;
    this.sun.castShadow = true;
    shadow.mapSize.set(2048, 2048);
    Object.assign(shadow.camera, { left: -SHADOW_RANGE, right: SHADOW_RANGE, top: SHADOW_RANGE, bottom: -SHADOW_RANGE, near: 0.5, far: 16 });
    shadow.radius = 5;
    shadow.bias = -0.0004;
    shadow.normalBias = 0.03;
    const lights: Object3D[] = [this.sun, this.sun.target, this.rim, this.rim.target, this.sky];
    this.root.add(...lights);
  }

  /** Move the lights along; the sun by whole texels of its shadow map, because shadow edges would crawl otherwise. */
  private moveLights(target: Vector3): void {
    const texel = (2 * SHADOW_RANGE) / this.sun.shadow.mapSize.x;
    const across = new Vector3(0, 1, 0).cross(SUN).normalize();
    const along = SUN.clone().cross(across).normalize();
    this.sun.target.position.set(target.x, 0, target.z);
    for (const axis of [across, along]) {
      const at = this.sun.target.position.dot(axis);
      this.sun.target.position.addScaledVector(axis, Math.round(at / texel) * texel - at);
    }
    this.sun.position.copy(this.sun.target.position).add(SUN);
    this.rim.target.position.copy(target);
    this.rim.position.copy(target).add(RIM);
  }

  private measure(seconds: number): void {
    this.framesDrawn += 1;
    this.secondsMeasured += seconds;
    if (this.secondsMeasured < 0.5) return;
    this.fps = this.framesDrawn / this.secondsMeasured;
    this.secondsStable += this.secondsMeasured;
    [this.framesDrawn, this.secondsMeasured] = [0, 0];
    if (!this.hasFixedResolution && !document.hidden) this.adaptResolution(1000 / this.fps);
  }

  /** Lower the resolution where drawing is slow; raise it after a while, which doubles each time it has to be lowered. */
  private adaptResolution(frameTime: number): void {
    const most = Math.min(2, window.devicePixelRatio);
    let ratio = this.ratio;
    if (frameTime > SLOW && this.secondsStable > 1) ratio *= 0.8;
    else if (frameTime < FAST && this.secondsStable > this.raiseAfter) ratio *= 1.25;
    ratio = MathUtils.clamp(ratio, Math.min(0.6, most), most);
    if (ratio === this.ratio) return;
    if (ratio < this.ratio) this.raiseAfter = Math.min(120, this.raiseAfter * 2);
    this.ratio = ratio;
    this.secondsStable = 0;
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(this.size.x, this.size.y, false);
  }
}
