/** The stage: renderer, light, floor, sky and camera. It knows nothing of characters. */

import {
  BackSide, Color, DirectionalLight, HemisphereLight, MathUtils, Mesh, NeutralToneMapping, Object3D, PCFShadowMap, Plane,
  PMREMGenerator, Raycaster, Scene, ShaderMaterial, SphereGeometry, Vector2, Vector3, WebGLRenderer,
} from "three";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { Floor } from "./floor.js";
import { FollowCamera } from "./follow.js";
import { MOODS, type Mood } from "./theme.js";

/** Where the sun stands, seen from who is followed, metres. */
const SUN = new Vector3(-2.6, 5.2, 3.4);
const RIM = new Vector3(3.2, 3.0, -4.2);
/** Half the side of the square that casts shadows, metres. */
const SHADOWED = 4.5;
/** Drawing slower than the first, milliseconds a frame, lowers the resolution; faster than the second raises it. */
const [SLOW, FAST] = [30, 18];

const SKY_VERTEX = /* glsl */ `
varying vec3 vWay;
void main() {
  vWay = position;
  gl_Position = projectionMatrix * vec4(mat3(viewMatrix) * position, 1.0);
  gl_Position.z = gl_Position.w;
}`;
const SKY_FRAGMENT = /* glsl */ `
uniform vec3 zenith, horizon;
varying vec3 vWay;
void main() {
  float up = clamp(normalize(vWay).y, 0.0, 1.0);
  gl_FragColor = vec4(mix(horizon, zenith, pow(up, 0.65)), 1.0);
  #include <colorspace_fragment>
}`;

/** Everything that is drawn; `update` draws a frame. */
export class Stage {
  readonly scene = new Scene();
  readonly follow: FollowCamera;
  readonly floor = new Floor();
  /** Frames drawn a second, over the last half second. */
  fps = 0;
  private readonly renderer: WebGLRenderer;
  private readonly sun = new DirectionalLight();
  private readonly rim = new DirectionalLight();
  private readonly sky = new HemisphereLight();
  private readonly dome: Mesh<SphereGeometry, ShaderMaterial>;
  private readonly size = new Vector2(1, 1);
  private ratio = 1;
  private drawn = 0;
  private since = 0;
  /** Seconds since the resolution changed, and how many have to pass before it is raised. */
  private calm = -2; // the first frames compile shaders
  private patience = 2;
  private readonly isFixed: boolean;

  /**
   * @param canvas what it is drawn on; it fills its parent.
   * @param quality pixels of the picture by pixels of the page; left out, as many as can be drawn in time.
   */
  constructor(canvas: HTMLCanvasElement, quality?: number) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, powerPreference: "high-performance" });
    this.renderer.shadowMap.enabled = true;
    this.renderer.shadowMap.type = PCFShadowMap;
    this.renderer.toneMapping = NeutralToneMapping;
    this.isFixed = quality !== undefined;
    this.ratio = quality ?? Math.min(2, window.devicePixelRatio);
    this.follow = new FollowCamera(canvas);
    this.dome = this.addSky();
    this.addLights();
    this.scene.add(this.floor.mesh);
    const surroundings = new PMREMGenerator(this.renderer);
    this.scene.environment = surroundings.fromScene(new RoomEnvironment(), 0.04).texture;
    surroundings.dispose();
    this.setMood("light");
  }

  /** Change the light. */
  setMood(name: "light" | "dark"): void {
    const mood: Mood = MOODS[name];
    this.floor.wear(mood);
    this.dome.material.uniforms["zenith"]!.value.set(mood.zenith);
    this.dome.material.uniforms["horizon"]!.value.set(mood.horizon);
    this.sun.color.set(mood.sun.colour);
    this.sun.intensity = mood.sun.intensity;
    this.rim.color.set(mood.rim.colour);
    this.rim.intensity = mood.rim.intensity;
    this.sky.color.set(mood.sky.above);
    this.sky.groundColor.set(mood.sky.below);
    this.sky.intensity = mood.sky.intensity;
    this.scene.environmentIntensity = mood.environment;
    this.renderer.toneMappingExposure = mood.exposure;
  }

  /** Fit the window, of which the page covers so many pixels. */
  resize(width: number, height: number, covered: { top: number; bottom: number }): void {
    this.size.set(Math.max(1, width), Math.max(1, height));
    this.renderer.setPixelRatio(this.ratio);
    this.renderer.setSize(this.size.x, this.size.y, false);
    this.follow.resize(this.size.x, this.size.y, covered);
  }

  /** Draw, so many seconds after the last time. */
  update(seconds: number): void {
    this.follow.update(seconds);
    const target = this.follow.controls.target;
    this.floor.follow(target);
    this.lightUp(target);
    this.renderer.render(this.scene, this.follow.camera);
    this.measure(seconds);
  }

  /** Return the ray through a point of the page. */
  rayAt(x: number, y: number): Raycaster {
    const bounds = this.renderer.domElement.getBoundingClientRect();
    const point = new Vector2(((x - bounds.left) / bounds.width) * 2 - 1, 1 - ((y - bounds.top) / bounds.height) * 2);
    const caster = new Raycaster();
    caster.setFromCamera(point, this.follow.camera);
    return caster;
  }

  /** Return the point of the floor that is seen there on the page, or null. */
  floorAt(x: number, y: number): Vector3 | null {
    const hit = this.rayAt(x, y).ray.intersectPlane(new Plane(new Vector3(0, 1, 0)), new Vector3());
    return hit && hit.distanceTo(this.follow.controls.target) < 40 ? hit : null;
  }

  /** Return where a point is seen on the page, or null when it is behind the camera. */
  onPage(point: Vector3): { x: number; y: number } | null {
    const seen = point.clone().project(this.follow.camera);
    return seen.z > 1 ? null : { x: ((seen.x + 1) / 2) * this.size.x, y: ((1 - seen.y) / 2) * this.size.y };
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
    this.scene.add(dome);
    return dome;
  }

  private addLights(): void {
    const { shadow } = this.sun;
    this.sun.castShadow = true;
    shadow.mapSize.set(2048, 2048);
    Object.assign(shadow.camera, { left: -SHADOWED, right: SHADOWED, top: SHADOWED, bottom: -SHADOWED, near: 0.5, far: 16 });
    shadow.radius = 5;
    shadow.bias = -0.0004;
    shadow.normalBias = 0.03;
    const parts: Object3D[] = [this.sun, this.sun.target, this.rim, this.rim.target, this.sky];
    this.scene.add(...parts);
  }

  /** Lamps go along; the sun in whole texels of its shadow, which would crawl otherwise. */
  private lightUp(target: Vector3): void {
    const texel = (2 * SHADOWED) / this.sun.shadow.mapSize.x;
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
    this.drawn += 1;
    this.since += seconds;
    if (this.since < 0.5) return;
    this.fps = this.drawn / this.since;
    this.calm += this.since;
    [this.drawn, this.since] = [0, 0];
    if (!this.isFixed && !document.hidden) this.adapt(1000 / this.fps);
  }

  /** Lower the resolution where drawing is slow; raise it after a while, and a longer one each time that failed. */
  private adapt(spent: number): void {
    const most = Math.min(2, window.devicePixelRatio);
    let ratio = this.ratio;
    if (spent > SLOW && this.calm > 1) ratio *= 0.8;
    else if (spent < FAST && this.calm > this.patience) ratio *= 1.25;
    ratio = MathUtils.clamp(ratio, Math.min(0.6, most), most);
    if (ratio === this.ratio) return;
    if (ratio < this.ratio) this.patience = Math.min(120, this.patience * 2);
    this.ratio = ratio;
    this.calm = 0;
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(this.size.x, this.size.y, false);
  }
}
