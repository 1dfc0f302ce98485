/** Clicks on the 3D scene: select a character, or send it to a point of the floor. */

import { Vector3 } from "three";
import type { App } from "../app.js";
import type { CharacterView } from "../character-view.js";
import { byId } from "./dom.js";

/** A press that moves further than this is a drag, pixels. */
const DRAG_DISTANCE = 5;
/** Greatest distance from a character's vertical axis at which a click selects it, metres. */
const SELECT_DISTANCE = 0.45;
/** Height of the head over the floor where the figure has no head, metres. */
const HEAD_HEIGHT = 1.7;

/** Listen to clicks. */
export function buildPointer(app: App): void {
  const canvas = byId<HTMLCanvasElement>("view");
  let pressed: [number, number] | null = null;
  canvas.addEventListener("pointerdown", ({ clientX, clientY }) => (pressed = [clientX, clientY]));
  canvas.addEventListener("pointerup", ({ clientX, clientY, button }) => {
    const isClick = pressed && Math.hypot(clientX - pressed[0], clientY - pressed[1]) < DRAG_DISTANCE && button === 0;
    pressed = null;
    if (!isClick) return;
    if (app.isPickingTarget) void app.goto(clientX, clientY);
    else app.select(characterAt(app, clientX, clientY));
  });
  canvas.addEventListener("dblclick", ({ clientX, clientY }) => {
    if (!characterAt(app, clientX, clientY)) void app.goto(clientX, clientY);
  });
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
