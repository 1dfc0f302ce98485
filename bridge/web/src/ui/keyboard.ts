/** Keyboard shortcuts of the page, and the keys that drive; none applies while text is typed. */

import type { App } from "../app.js";
import { Stick } from "../driving/stick.js";
import { byId } from "./dom.js";
import type { ToolbarActions } from "./toolbar.js";
import { FINISH_SECONDS } from "./verb-buttons.js";

/** Listen to keys. */
export function buildKeyboard(app: App, toolbar: ToolbarActions, chooseMusic: () => void): void {
  const actions: Record<string, () => void> = {
    "/": () => byId("prompt").focus(),
    "?": toolbar.toggleHelp,
    e: toolbar.toggleSave,
    v: toolbar.showFigures,
    n: () => void app.addCharacter(),
    c: toolbar.toggleCamera,
    t: toolbar.toggleTheme,
    Escape: () => app.pickTarget(false),
  };
  for (let n = 1; n <= 8; n++) actions[String(n)] = () => app.select(app.characters[n - 1]);
  /** Actions that the server must know a verb for. */
  const verbActions: Record<string, [verb: string, action: () => void]> = {
    h: ["hold", () => void app.hold()],
    l: ["loop", () => void app.loop()],
    f: ["finish", () => void app.finish(FINISH_SECONDS)],
    g: ["goto", () => app.pickTarget(!app.isPickingTarget)],
    k: ["pose", () => app.keepPose()],
    r: ["pose", () => void app.resetPose()],
    m: ["music", chooseMusic],
    s: ["music", () => void app.stopMusic()],
  };
  addEventListener("keydown", ({ shiftKey }) => (app.stick.isRunning = shiftKey));
  addEventListener("keyup", (event) => {
    app.stick.isRunning = event.shiftKey;
    app.stick.held.delete(nameOf(event));
  });
  addEventListener("blur", () => app.stick.held.clear()); // its keyup goes elsewhere
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement || document.querySelector("dialog[open]") !== null;
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    const key = nameOf(event);
    if (Stick.hasKey(key) && app.supports("steer")) {
      event.preventDefault();
      app.stick.held.add(key);
      return;
    }
    const [verb, verbAction] = verbActions[key] ?? [];
    const action = verb && app.supports(verb) ? verbAction : actions[key];
    if (key === "/" && app.isDanceServer) return;
    if (key === "n" && !app.client.hello) return;
    if (!action) return;
    event.preventDefault();
    action();
  });
}

/** Return the name of a key, letters in lower case: Shift makes no other key of them. */
function nameOf({ key }: KeyboardEvent): string {
  return key.length === 1 ? key.toLowerCase() : key;
}
