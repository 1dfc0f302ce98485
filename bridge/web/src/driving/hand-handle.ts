/** Handles at the wrists of the selected character: drag one, and the hand comes along; double-click lets go. */

import { Mesh, MeshBasicMaterial, Plane, SphereGeometry, Vector3 } from "three";
import type { App } from "../app.js";
import type { CharacterView } from "../character-view.js";
import type { Point } from "../client/client.js";

/** Distance of the pointer from a wrist at which it takes the hand, pixels. */
const NEAR = 22;
/** Least time between two messages, milliseconds. */
const INTERVAL = 45;
const SIDES = ["left", "right"] as const;
type Side = (typeof SIDES)[number];

/** The handle that is dragged, or under the pointer. */
export class HandHandle {
  private readonly ball = new Mesh(new SphereGeometry(0.05, 16, 12), new MeshBasicMaterial({ transparent: true, opacity: 0.75, depthTest: false }));
  private dragged: { view: CharacterView; side: Side; plane: Plane } | null = null;
  private sentAt = -Infinity;

  constructor(private readonly app: App) {
    this.ball.visible = false;
    this.ball.renderOrder = 3;
    app.scene.root.add(this.ball);
  }

  /** Whether a hand is being dragged. */
  get isDragging(): boolean {
    return this.dragged !== null;
  }

  /** Show the handle where the pointer, in CSS pixels, is near a wrist; return whether it is. */
  hover(x: number, y: number): boolean {
    if (this.dragged) return true;
    const found = this.wristAt(x, y);
    this.ball.visible = found !== null;
    if (found) this.show(found.view, found.at);
    return found !== null;
  }

  /** Take the hand near the pointer, if there is one; return whether there is. */
  take(x: number, y: number): boolean {
    const found = this.wristAt(x, y);
    if (!found) return false;
    const sight = this.app.scene.followCamera.camera.getWorldDirection(new Vector3());
    this.dragged = { view: found.view, side: found.side, plane: new Plane().setFromNormalAndCoplanarPoint(sight, found.at) };
    this.show(found.view, found.at);
    return true;
  }

  /** Lead the hand that is dragged to the pointer at a time, milliseconds. */
  move(x: number, y: number, now: number): void {
    if (!this.dragged) return;
    const at = this.app.scene.rayAt(x, y).ray.intersectPlane(this.dragged.plane, new Vector3());
    if (!at) return;
    this.show(this.dragged.view, at);
    if (now - this.sentAt < INTERVAL) return;
    this.sentAt = now;
    this.send(this.dragged.view, this.dragged.side, at);
  }

  /** Leave the hand at the pointer. */
  drop(x: number, y: number): void {
    this.move(x, y, Infinity);
    this.sentAt = -Infinity;
    this.dragged = null;
    this.ball.visible = false;
  }

  /** Let go of the hand near the pointer, so that it moves by itself; return whether there is one. */
  release(x: number, y: number): boolean {
    const found = this.wristAt(x, y);
    if (found) void this.app.attempt(() => found.view.remote.reach(found.side, null));
    return found !== null;
  }

  private send(view: CharacterView, side: Side, at: Vector3): void {
    const { scale } = view.figure;
    const place = at.clone().sub(view.group.position).divideScalar(scale);
    void this.app.attempt(() => view.remote.reach(side, place.toArray() as Point));
  }

  private show(view: CharacterView, at: Vector3): void {
    this.ball.material.color.set(view.colours.left);
    this.ball.position.copy(at);
    this.ball.visible = true;
  }

  private wristAt(x: number, y: number): { view: CharacterView; side: Side; at: Vector3 } | null {
    const view = this.app.selected;
    if (!view?.group.visible || !this.app.supports("reach")) return null;
    let best: { view: CharacterView; side: Side; at: Vector3 } | null = null;
    let nearest = NEAR;
    for (const side of SIDES) {
      const at = view.figure.joint(`${side}_wrist`);
      const drawn = at && this.app.scene.projectToPage(at);
      if (!at || !drawn) continue;
      const away = Math.hypot(drawn.x - x, drawn.y - y);
      if (away < nearest) [best, nearest] = [{ view, side, at }, away];
    }
    return best;
  }
}
