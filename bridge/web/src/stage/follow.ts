/** The camera: goes where who it follows goes, and is turned by hand. */

import { MathUtils, PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

/** Time in which most of a step is made up for, seconds. */
const SMOOTHING = 0.28;
/** Further than this it jumps, metres. */
const CUT = 12;
/** How far away it stands at first, and what it is to see there at least, metres. */
const DISTANCE = 5.4;
const ROOM = { up: 2.1, across: 1.5 };

/** Follows a point with a critically damped spring, so that steps do not shake the picture. */
export class FollowCamera {
  readonly camera = new PerspectiveCamera(32, 1, 0.05, 200);
  readonly controls: OrbitControls;
  /** Whether it goes along. */
  follows = true;
  private readonly velocity = new Vector3();
  private readonly wanted = new Vector3(0, 0.92, 0);
  private readonly wantedBefore = this.wanted.clone();
  private readonly pace = new Vector3();

  constructor(element: HTMLElement) {
    this.camera.position.set(2.1, 1.5, 4.9);
    this.controls = new OrbitControls(this.camera, element);
    Object.assign(this.controls, {
      enableDamping: true,
      dampingFactor: 0.08,
      minDistance: 1.2,
      maxDistance: 18,
      maxPolarAngle: Math.PI * 0.495, // never under the floor
      enablePan: false,
      rotateSpeed: 0.7,
      zoomSpeed: 0.8,
    });
    this.controls.target.copy(this.wanted);
  }

  /** Look at this point from now on. */
  aim(point: Vector3): void {
    this.wanted.copy(point);
  }

  /** Start or stop going along; when it does not, it can be dragged across the floor. */
  setFollows(follows: boolean): void {
    this.follows = follows;
    this.controls.enablePan = !follows;
    this.controls.screenSpacePanning = false;
  }

  /** Fit a view of that size, of which the page covers the edges: a person is to fit into what is left. */
  resize(width: number, height: number, covered: { top: number; bottom: number }): void {
    const open = Math.max(120, height - covered.top - covered.bottom);
    const span = Math.max((ROOM.up * height) / open, (ROOM.across * height) / width);
    this.camera.fov = MathUtils.clamp(2 * MathUtils.radToDeg(Math.atan(span / 2 / DISTANCE)), 24, 62);
    this.camera.aspect = width / height;
    this.camera.setViewOffset(width, height, 0, (covered.bottom - covered.top) / 2, width, height);
  }

  /** Move on. */
  update(seconds: number): void {
    if (this.follows && seconds > 0) this.go(seconds);
    this.controls.update(seconds);
  }

  private go(seconds: number): void {
    const target = this.controls.target;
    const before = target.clone();
    this.learn(seconds);
    if (target.distanceTo(this.wanted) > CUT) {
      target.copy(this.wanted);
      this.velocity.set(0, 0, 0);
    } else {
      // A spring stays behind what moves by its speed times the smoothing; aim that much ahead.
      spring(target, this.velocity, this.wanted.clone().addScaledVector(this.pace, SMOOTHING), seconds);
    }
    this.camera.position.add(target).sub(before);
  }

  /** Learn how fast the point goes, over about a step of a walk. */
  private learn(seconds: number): void {
    const speed = this.wanted.clone().sub(this.wantedBefore).divideScalar(seconds);
    this.wantedBefore.copy(this.wanted);
    if (speed.length() > 8) return; // it was put elsewhere
    this.pace.lerp(speed.setY(0), 1 - Math.exp(-seconds / 0.6));
  }
}

/** Critically damped spring, exact enough for any step (Game Programming Gems 4, chapter 1.10). */
function spring(at: Vector3, velocity: Vector3, wanted: Vector3, seconds: number): void {
  const omega = 2 / SMOOTHING;
  const x = omega * seconds;
  const decay = 1 / (1 + x + 0.48 * x * x + 0.235 * x * x * x);
  const change = at.clone().sub(wanted);
  const move = velocity.clone().addScaledVector(change, omega).multiplyScalar(seconds);
  velocity.addScaledVector(move, -omega).multiplyScalar(decay);
  at.copy(wanted).add(change.add(move).multiplyScalar(decay));
}
