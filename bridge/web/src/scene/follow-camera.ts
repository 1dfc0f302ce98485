/** A camera that follows a moving point and is turned and zoomed by the user. */

import { MathUtils, PerspectiveCamera, Vector3 } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

/** Time constant of the spring, seconds. */
const SMOOTHING = 0.28;
/** The camera jumps to a target that is further away, metres. */
const JUMP_DISTANCE = 12;
/** Distance from the target at the start, and the height and width that must be visible there, metres. */
const DISTANCE = 5.4;
const VISIBLE = { height: 2.1, width: 1.5 };
/** Room on each side of the outermost hips, and the change of reach that moves the camera, metres. */
const MARGIN = 0.8;
const REACH_STEP = 0.25;

/** Follows a point with a critically damped spring, so that the steps of a walk do not shake the picture. */
export class FollowCamera {
  readonly camera = new PerspectiveCamera(32, 1, 0.05, 200);
  readonly controls: OrbitControls;
  /** Whether the camera follows the point. */
  isFollowing = true;
  private readonly velocity = new Vector3();
  private readonly wanted = new Vector3(0, 0.92, 0);
  private readonly wantedBefore = this.wanted.clone();
  /** Smoothed velocity of the point. */
  private readonly targetVelocity = new Vector3();

  /** Distance of what else is to be seen from the point, metres. */
  private reach = 0;
  /** Whether the distance of the camera is being changed to show it: until it does, or the user zooms. */
  private isApproaching = false;

  constructor(element: HTMLElement) {
    this.camera.position.set(2.1, 1.5, 4.9);
    this.controls = new OrbitControls(this.camera, element);
    Object.assign(this.controls, {
      enableDamping: true,
      dampingFactor: 0.08,
      minDistance: 1.2,
      maxDistance: 30,
      maxPolarAngle: Math.PI * 0.495, // never under the floor
      enablePan: false,
      rotateSpeed: 0.7,
      zoomSpeed: 0.8,
    });
    this.controls.target.copy(this.wanted);
    element.addEventListener("wheel", () => (this.isApproaching = false), { passive: true });
  }

  /** Set the point to follow, and how far from it, in metres, what is to be seen as well reaches; 0 for one person. */
  setTarget(point: Vector3, reach = 0): void {
    this.wanted.copy(point);
    if (Math.abs(reach - this.reach) < REACH_STEP && (reach > 0) === (this.reach > 0)) return;
    this.reach = reach;
    this.isApproaching = true;
  }

  /** Start or stop following; a camera that does not follow can be dragged across the floor. */
  setFollowing(isFollowing: boolean): void {
    this.isFollowing = isFollowing;
    this.controls.enablePan = !isFollowing;
    this.controls.screenSpacePanning = false;
  }

  /** Adapt to a view of this size in pixels, so that a person fits into the part that the page does not cover. */
  resize(width: number, height: number, covered: { top: number; bottom: number }): void {
    const open = Math.max(120, height - covered.top - covered.bottom);
    const span = Math.max((VISIBLE.height * height) / open, (VISIBLE.width * height) / width);
    this.camera.fov = MathUtils.clamp(2 * MathUtils.radToDeg(Math.atan(span / 2 / DISTANCE)), 24, 62);
    this.camera.aspect = width / height;
    this.camera.setViewOffset(width, height, 0, (covered.bottom - covered.top) / 2, width, height);
  }

  /** Advance by a time step, seconds. */
  update(seconds: number): void {
    if (this.isFollowing && seconds > 0) this.follow(seconds);
    this.controls.update(seconds);
  }

  private follow(seconds: number): void {
    const target = this.controls.target;
    const before = target.clone();
    this.estimatePace(seconds);
    if (target.distanceTo(this.wanted) > JUMP_DISTANCE) {
      target.copy(this.wanted);
      this.velocity.set(0, 0, 0);
    } else {
      // A spring lags behind a moving target by its velocity times the time constant: lead by as much.
      spring(target, this.velocity, this.wanted.clone().addScaledVector(this.targetVelocity, SMOOTHING), seconds);
    }
    this.camera.position.add(target).sub(before);
    if (this.isApproaching) this.approach(seconds);
  }

  /** Move along the line of sight, to where all that is to be seen fits into the width of the picture. */
  private approach(seconds: number): void {
    const halfWidth = Math.tan(MathUtils.degToRad(this.camera.fov / 2)) * this.camera.aspect;
    const wanted = this.reach ? Math.max(DISTANCE, (this.reach + MARGIN) / halfWidth + this.reach) : DISTANCE;
    const sight = this.camera.position.clone().sub(this.controls.target);
    const distance = MathUtils.lerp(sight.length(), wanted, 1 - Math.exp(-seconds / SMOOTHING));
    this.camera.position.copy(this.controls.target).addScaledVector(sight.normalize(), distance);
    if (Math.abs(distance - wanted) < 0.01) this.isApproaching = false;
  }

  /** Update the point's velocity, averaged over about one step of a walk. */
  private estimatePace(seconds: number): void {
    const speed = this.wanted.clone().sub(this.wantedBefore).divideScalar(seconds);
    this.wantedBefore.copy(this.wanted);
    if (speed.length() > 8) return; // the point jumped
    this.targetVelocity.lerp(speed.setY(0), 1 - Math.exp(-seconds / 0.6));
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
