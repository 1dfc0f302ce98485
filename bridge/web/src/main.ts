/** The page: a client, a stage, and what is around them. */

import "./style.css";
import { Vector3 } from "three";
import { App, GREETING } from "./app.js";
import { MotionGenClient } from "./client/client.js";
import { JOINTS } from "./figures/skeleton.js";
import { Stage } from "./stage/stage.js";
import { buildCast, placeTags } from "./ui/cast.js";
import { buildDock } from "./ui/dock.js";
import { byId } from "./ui/dom.js";
import { buildKeys } from "./ui/keys.js";
import { buildMusic } from "./ui/music.js";
import { buildStatus } from "./ui/status.js";
import { toast } from "./ui/toast.js";
import { buildToken, takeToken } from "./ui/token.js";
import { buildTools } from "./ui/tools.js";

/** What tests, and the curious, find as `window.motiongen`. */
export interface Handle {
  client: MotionGenClient;
  music: App["music"];
  readonly characters: App["actors"];
  /** Positions in the world of the joints of the n-th character, by name, as they are drawn. */
  jointPositions(n: number): Record<string, [number, number, number]>;
}

function start(): void {
  const asked = new URLSearchParams(location.search);
  const token = takeToken();
  const client = new MotionGenClient(new URL("ws", document.baseURI), { patient: true, ...(token && { token }) });
  const quality = Number(asked.get("quality"));
  const stage = new Stage(byId<HTMLCanvasElement>("view"), quality > 0 ? quality : undefined);
  const app = new App(client, stage, asked.get("prompt") ?? GREETING);

  buildStatus(app);
  buildCast(app);
  buildDock(app);
  buildKeys(app, buildTools(app), buildMusic(app));
  buildToken(app);
  fit(stage);
  expose(app);
  app.changed();
  client.connect().catch((error: Error) => toast(error.message));
  document.addEventListener("visibilitychange", () => document.hidden || client.retry());
  draw(app);
}

function fit(stage: Stage): void {
  const resize = () => {
    const dock = byId("now").getBoundingClientRect();
    stage.resize(innerWidth, innerHeight, { top: 40, bottom: Math.max(0, innerHeight - dock.top) });
  };
  new ResizeObserver(resize).observe(document.body);
  new ResizeObserver(resize).observe(document.querySelector(".dock")!);
  resize();
}

function draw(app: App): void {
  let before = performance.now();
  const hips = new Vector3();
  const frame = (now: number) => {
    const seconds = Math.min(0.25, (now - before) / 1000);
    before = now;
    for (const actor of app.actors) actor.update(seconds, performance.now(), actor === app.selected && app.actors.length > 1);
    if (app.selected?.group.visible) {
      hips.copy(app.selected.place());
      app.stage.follow.aim(hips.setY(0.55 + 0.4 * hips.y));
    }
    app.stage.floor.shade(app.actors.flatMap((actor) => shadesOf(actor)));
    app.stage.update(seconds);
    placeTags(app);
    app.music.update();
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

const SHADING: [string, number][] = [["left_foot", 0.16], ["right_foot", 0.16], ["pelvis", 0.3]];

function shadesOf(actor: App["actors"][number]): { at: Vector3; reach: number }[] {
  if (!actor.group.visible) return [];
  return SHADING.flatMap(([joint, reach]) => {
    const at = actor.figure.joint(joint);
    return at ? [{ at, reach }] : [];
  });
}

function expose(app: App): void {
  const handle: Handle = {
    client: app.client,
    music: app.music,
    get characters() {
      return app.actors;
    },
    jointPositions(n) {
      const figure = app.actors[n]?.figure;
      const found = JOINTS.map((name) => [name, figure?.joint(name)?.toArray()] as const);
      return Object.fromEntries(found.filter(([, at]) => at)) as Record<string, [number, number, number]>;
    },
  };
  Object.assign(window, { motiongen: handle });
}

try {
  start();
} catch (error) {
  toast(`This page cannot draw here: ${(error as Error).message}. Is WebGL allowed?`);
}
