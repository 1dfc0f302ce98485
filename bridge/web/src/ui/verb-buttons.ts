/** The buttons of verbs, and the slider of the guidance strength. */

import type { App } from "../app.js";
import { button, byId, make } from "./dom.js";

/** Seconds that the button "Finish" gives. */
export const FINISH_SECONDS = 2;
/** Degrees of one turn. */
export const TURN_DEGREES = 45;
/** Position of the slider while the server's own strength applies. */
const DEFAULT_STRENGTH = 3;

/** Build the buttons and the slider. */
export function buildVerbButtons(app: App): void {
  const gap = () => make("span", { className: "gap" });
  const goto = button("goto", "Go to", "Go to a point: click the floor", "G", () => app.pickTarget(!app.isPickingTarget));
  goto.id = "goto";
  const seed = button("seed", "Seed", "Draw another way of doing it", "", () => void app.reseed());
  seed.id = "seed";
  const promptVerbs = make(
    "span",
    { className: "prompt-verbs" },
    button("hold", "Hold", "Stop and stand by", "H", () => void app.hold()),
    button("loop", "Loop", "Repeat this", "L", () => void app.loop()),
    button("finish", "Finish", `End this in ${FINISH_SECONDS} seconds`, "F", () => void app.finish(FINISH_SECONDS)),
    gap(),
    button("left", "Left", `Turn left by ${TURN_DEGREES} degrees`, "", () => void app.turn(TURN_DEGREES)),
    button("right", "Right", `Turn right by ${TURN_DEGREES} degrees`, "", () => void app.turn(-TURN_DEGREES)),
    goto,
    gap(),
    button("keep", "Keep", "Keep this pose: it comes to it again, at a time ahead", "K", () => app.keepPose()),
    button("pose", "Reset", "Start again from the rest pose", "R", () => void app.resetPose()),
  );
  byId("verbs").append(promptVerbs, seed, buildStrength(app));
  app.onChange(() => redraw(app));
}

function buildStrength(app: App): HTMLLabelElement {
  const slider = make("input", { type: "range", min: "1", max: "10", step: "0.5", value: String(DEFAULT_STRENGTH), id: "strength" });
  slider.onchange = () => void app.setStrength(Number(slider.value));
  slider.oninput = () => (byId("strength-value").textContent = Number(slider.value).toFixed(1));
  const label = make("label", { className: "strength", title: "How strictly it follows the words, or the music" });
  label.append(make("span", {}, "Strength"), slider, make("output", { id: "strength-value" }, "auto"));
  return label;
}

function redraw(app: App): void {
  const view = app.selected;
  byId("goto").setAttribute("aria-pressed", String(app.isPickingTarget));
  document.body.classList.toggle("picking-target", app.isPickingTarget);
  byId("seed").querySelector("span")!.textContent = view?.seed == null ? "Seed" : `Seed ${view.seed}`;
  const slider = byId<HTMLInputElement>("strength");
  if (document.activeElement !== slider) slider.value = String(view?.strength ?? DEFAULT_STRENGTH);
  byId("strength-value").textContent = view?.strength == null ? "auto" : view.strength.toFixed(1);
}
