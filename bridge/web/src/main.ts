/** The page's entry: connects to the server, builds the scene and the controls, and draws frames. */

import "./styles/base.css";
import "./styles/scene.css";
import "./styles/top.css";
import "./styles/controls.css";
import "./styles/overlays.css";
import "./styles/small-windows.css";
import { Box3, Vector3 } from "three";
import { App, FIRST_PROMPT } from "./app.js";
import type { CharacterView } from "./character-view.js";
import { MotionGenClient } from "./client/client.js";
import { JOINTS } from "./figures/skeleton.js";
import type { MusicController } from "./music/music-controller.js";
import type { ContactShadow } from "./scene/floor.js";
import { SceneRenderer } from "./scene/scene-renderer.js";
import { buildCharacterList, updateNameTags } from "./ui/character-list.js";
import { byId } from "./ui/dom.js";
import { buildKeyboard } from "./ui/keyboard.js";
import { buildKeyframeStrip } from "./ui/keyframe-strip.js";
import { buildMusicPanel } from "./ui/music-panel.js";
import { buildPointer } from "./ui/pointer.js";
import { buildPromptPanel } from "./ui/prompt-panel.js";
import { buildStatus } from "./ui/status.js";
import { showError, toast } from "./ui/toast.js";
import { buildTokenDialog, readToken } from "./ui/token-dialog.js";
import { buildToolbar } from "./ui/toolbar.js";
import { buildVerbButtons } from "./ui/verb-buttons.js";

/** The object that the page exposes as `window.motiongen`, for tests and the browser's console. */
export interface PageHandle {
  client: MotionGenClient;
  music: MusicController;
  readonly characters: readonly CharacterView[];
  /** Return the world positions of the drawn joints of the n-th character, by name. */
  jointPositions(n: number): Record<string, [number, number, number]>;
  /** Return where a point of the world is drawn, CSS pixels, or null when it is behind the camera. */
  placeOnPage(x: number, y: number, z: number): { x: number; y: number } | null;
}

/** Longest time step of a drawn frame, seconds: a page in the background draws none. */
const LONGEST_STEP = 0.25;
/** Joints that darken the floor under them, and the radius of the shadow, metres. */
const CONTACT_SHADOWS: [string, number][] = [["left_foot", 0.16], ["right_foot", 0.16], ["pelvis", 0.3]];

function start(): void {
  const parameters = new URLSearchParams(location.search);
  const token = readToken();
  const client = new MotionGenClient(new URL("ws", document.baseURI), { patient: true, ...(token && { token }) });
  const resolution = Number(parameters.get("quality"));
  const scene = new SceneRenderer(byId<HTMLCanvasElement>("view"), resolution > 0 ? resolution : undefined);
  const seed = /^\d{1,15}$/.test(parameters.get("seed") ?? "") ? Number(parameters.get("seed")) : null;
  const app = new App(client, scene, parameters.get("prompt") ?? FIRST_PROMPT, seed);

  buildStatus(app);
  buildCharacterList(app);
  buildPromptPanel(app);
  buildVerbButtons(app);
  const updateKeyframes = buildKeyframeStrip(app);
  buildKeyboard(app, buildToolbar(app), buildMusicPanel(app));
  buildPointer(app);
  buildTokenDialog(app);
  followWindowSize(scene);
  exposeHandle(app);
  app.notify();
  client.connect().catch(showError);
  document.addEventListener("visibilitychange", () => document.hidden || client.retry());
  drawFrames(app, updateKeyframes);
}

/** Keep the scene at the size of the window, and the character clear of the controls. */
function followWindowSize(scene: SceneRenderer): void {
  const resize = () => {
    const controls = byId("now").getBoundingClientRect();
    scene.resize(innerWidth, innerHeight, { top: 40, bottom: Math.max(0, innerHeight - controls.top) });
  };
  new ResizeObserver(resize).observe(document.body);
  new ResizeObserver(resize).observe(document.querySelector(".controls")!);
  resize();
}

/** Draw a frame at each refresh of the screen. */
function drawFrames(app: App, updateKeyframes: () => void): void {
  let before = performance.now();
  const hips = new Vector3();
  const draw = (now: number) => {
    const seconds = Math.min(LONGEST_STEP, (now - before) / 1000);
    before = now;
    const showsSelection = app.characters.length > 1;
    for (const view of app.characters) view.update(seconds, performance.now(), showsSelection && view === app.selected);
    const shown = app.characters.filter(({ group }) => group.visible);
    const framed = app.showsAll ? shown : shown.filter((view) => view === app.selected);
    if (framed.length) {
      const places = framed.map((view) => view.position());
      hips.copy(centre(places));
      const reach = Math.max(...places.map((place) => Math.hypot(place.x - hips.x, place.z - hips.z)));
      app.scene.followCamera.setTarget(hips.setY(0.55 + 0.4 * hips.y), reach);
    }
    app.scene.floor.setContactShadows(app.characters.flatMap((view) => contactShadows(view)));
    const sight = app.scene.followCamera.camera.getWorldDirection(new Vector3());
    app.stick.update(now, sight, navigator.getGamepads?.() ?? []); // pages without TLS have none
    app.scene.update(seconds);
    updateNameTags(app);
    updateKeyframes();
    app.music.update();
    requestAnimationFrame(draw);
  };
  requestAnimationFrame(draw);
}

/** Return the middle of the box around some points. */
function centre(points: Vector3[]): Vector3 {
  return new Box3().setFromPoints(points).getCenter(new Vector3());
}

function contactShadows(view: CharacterView): ContactShadow[] {
  if (!view.group.visible) return [];
  return CONTACT_SHADOWS.flatMap(([joint, radius]) => {
    const at = view.figure.joint(joint);
    return at ? [{ at, radius }] : [];
  });
}

function exposeHandle(app: App): void {
  const handle: PageHandle = {
    client: app.client,
    music: app.music,
    get characters() {
      return app.characters;
    },
    placeOnPage: (x, y, z) => app.scene.projectToPage(new Vector3(x, y, z)),
    jointPositions(n) {
      const figure = app.characters[n]?.figure;
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
