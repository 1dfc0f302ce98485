/** Clicks and drags on the 3D scene: select a character, send it to a point or along a way, lead its hand. */

import { Vector3 } from "three";
import type { App } from "../app.js";
import type { CharacterView } from "../character-view.js";
import { FloorPath } from "../driving/floor-path.js";
import { HandHandle } from "../driving/hand-handle.js";
import { byId } from "./dom.js";

/** A press that moves further than this is a drag, pixels. */
const DRAG_DISTANCE = 5;
/** Greatest distance from a character's vertical axis at which a click selects it, metres. */
const SELECT_DISTANCE = 0.45;
/** Height of the head over the floor where the figure has no head, metres. */
const HEAD_HEIGHT = 1.7;

/** Distance from the target on the floor at which it can be dragged, metres, and least time between two messages, ms. */
const TARGET_DISTANCE = 0.45;
const INTERVAL = 120;

/** What the pointer is doing with the scene. */
type Drag = { kind: "hand" } | { kind: "way"; path: FloorPath; view: CharacterView } | { kind: "target"; sentAt: number };

/** Listen to clicks and drags. */
export function buildPointer(app: App): void {
  const canvas = byId<HTMLCanvasElement>("view");
  const hand = new HandHandle(app);
  const controls = app.scene.followCamera.controls;
  let pressed: [number, number] | null = null;
  let drag: Drag | null = null;
  const end = () => {
    drag = null;
    controls.enabled = true;
  };
  // Before the camera's own listener, which is on the canvas, too: it must not turn with what is dragged.
  canvas.parentElement!.addEventListener(
    "pointerdown",
    ({ clientX, clientY, button, target }) => {
      if (target !== canvas || button !== 0) return;
      pressed = [clientX, clientY];
      drag = beginDrag(app, hand, clientX, clientY);
      controls.enabled = drag === null;
    },
    { capture: true },
  );
  canvas.addEventListener("pointermove", ({ clientX, clientY, timeStamp, buttons }) => {
    if (!drag) {
      if (!buttons) canvas.style.cursor = hand.hover(clientX, clientY) ? "grab" : "";
    } else if (drag.kind === "hand") hand.move(clientX, clientY, timeStamp);
    else moveOnFloor(app, drag, clientX, clientY, timeStamp);
  });
  canvas.addEventListener("pointerup", ({ clientX, clientY, button }) => {
    const isClick = pressed && Math.hypot(clientX - pressed[0], clientY - pressed[1]) < DRAG_DISTANCE && button === 0;
    const done = drag;
    pressed = null;
    end();
    if (done?.kind === "hand") hand.drop(clientX, clientY);
    else if (done?.kind === "way" && !isClick) void app.follow(done.path.points);
    else if (done?.kind === "target" && !isClick) void app.goto(clientX, clientY);
    else if (isClick && app.isPickingTarget) void app.goto(clientX, clientY);
    else if (isClick) app.select(characterAt(app, clientX, clientY));
  });
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("dblclick", ({ clientX, clientY }) => {
    if (hand.release(clientX, clientY)) return;
    if (!characterAt(app, clientX, clientY)) void app.goto(clientX, clientY);
  });
}

/** Return what a press at a point of the page begins to drag, or null where it is the camera's. */
function beginDrag(app: App, hand: HandHandle, x: number, y: number): Drag | null {
  const view = app.selected;
  const point = app.scene.floorAt(x, y);
  if (app.isPickingTarget) {
    if (!view || !point || !app.supports("path")) return null;
    const path = new FloorPath();
    path.add([point.x, point.z]);
    return { kind: "way", path, view };
  }
  if (hand.take(x, y)) return { kind: "hand" };
  const target = view?.target;
  return point && target && point.distanceTo(target) < TARGET_DISTANCE ? { kind: "target", sentAt: -Infinity } : null;
}

/** Go on with a way that is drawn, or with a target that is dragged, at a time in milliseconds. */
function moveOnFloor(app: App, drag: Exclude<Drag, { kind: "hand" }>, x: number, y: number, now: number): void {
  const point = app.scene.floorAt(x, y);
  if (!point) return;
  if (drag.kind === "way") {
    if (drag.path.add([point.x, point.z])) drag.view.sketch(drag.path.points);
  } else if (now - drag.sentAt > INTERVAL) {
    drag.sentAt = now;
    void app.goto(x, y);
  }
}

/** Return the nearest character whose vertical axis passes near a point of the page. */
function characterAt(app: App, x: number, y: number): CharacterView | undefined {
  const { ray } = app.scene.rayAt(x, y);
  const candidates = app.characters.map((view) => {
    const foot = view.position().setY(0);
    const head = view.figure.joint("head") ?? foot.clone().add(new Vector3(0, HEAD_HEIGHT, 0));
    return { view, offset: Math.sqrt(ray.distanceSqToSegment(foot, head)), distance: ray.origin.distanceTo(head) };
  });
  return candidates.filter(({ offset }) => offset < SELECT_DISTANCE).sort((a, b) => a.distance - b.distance)[0]?.view;
}
