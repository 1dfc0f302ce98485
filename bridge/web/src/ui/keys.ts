/** The keyboard, where nothing is being typed, and the pointer on the stage. */

import { Vector3 } from "three";
import type { App } from "../app.js";
import { TURN } from "./dock.js";
import { byId } from "./dom.js";

/** A press that moves further than this is a drag, pixels. */
const DRAG = 5;
/** How near to a character's axis a click must be to mean it, metres. */
const BODY = 0.45;

/** Listen to keys and clicks. */
export function buildKeys(
  app: App,
  tools: Record<"toggleTheme" | "toggleCamera" | "toggleHelp", () => void>,
  music: { choose: () => void },
): void {
  const acts: Record<string, () => void> = {
    "?": tools.toggleHelp,
    n: () => void app.add(),
    c: tools.toggleCamera,
    t: tools.toggleTheme,
    Escape: () => app.aim(false),
  };
  const told: Record<string, [verb: string, act: () => void]> = {
    "/": ["prompt", () => byId("prompt").focus()],
    h: ["hold", () => void app.hold()],
    l: ["loop", () => void app.loop()],
    f: ["finish", () => void app.finish(2)],
    g: ["goto", () => app.aim(!app.isAiming)],
    r: ["pose", () => void app.resetPose()],
    ArrowLeft: ["turn", () => void app.turn(TURN)],
    ArrowRight: ["turn", () => void app.turn(-TURN)],
    m: ["music", music.choose],
    s: ["music", () => void app.silence()],
  };
  for (let n = 1; n <= 8; n++) acts[String(n)] = () => app.select(app.actors[n - 1]);
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement || document.querySelector("dialog[open]") !== null;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const [verb, say] = told[key] ?? [];
    const act = verb && app.can(verb) ? say : acts[key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  buildPointer(app);
}

function buildPointer(app: App): void {
  const view = byId<HTMLCanvasElement>("view");
  let pressed: [number, number] | null = null;
  view.addEventListener("pointerdown", ({ clientX, clientY }) => (pressed = [clientX, clientY]));
  view.addEventListener("pointerup", ({ clientX, clientY, button }) => {
    const isClick = pressed && Math.hypot(clientX - pressed[0], clientY - pressed[1]) < DRAG && button === 0;
    pressed = null;
    if (!isClick) return;
    if (app.isAiming) void app.goto(clientX, clientY);
    else app.select(actorAt(app, clientX, clientY));
  });
  view.addEventListener("dblclick", ({ clientX, clientY }) => {
    if (!actorAt(app, clientX, clientY)) void app.goto(clientX, clientY);
  });
}

/** The character whose upright axis passes nearest to what was clicked. */
function actorAt(app: App, x: number, y: number) {
  const { ray } = app.stage.rayAt(x, y);
  const near = app.actors.map((actor) => {
    const foot = actor.place().setY(0);
    const head = actor.figure.joint("head") ?? foot.clone().add(new Vector3(0, 1.7, 0));
    return { actor, distance: Math.sqrt(ray.distanceSqToSegment(foot, head)), away: ray.origin.distanceTo(head) };
  });
  return near.filter(({ distance }) => distance < BODY).sort((a, b) => a.away - b.away)[0]?.actor;
}
