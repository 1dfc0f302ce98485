/** The lower edge of the page: what to say, how to say it, and what is being done. */

import type { App } from "../app.js";
import { button, byId, icon, make, paint } from "./dom.js";
import { History } from "./history.js";

/** Things that the shipped models know well. */
const SUGGESTIONS = [
  "a person walks forward",
  "a person runs forward",
  "a person waves with the right hand",
  "a person jumps",
  "a person dances salsa",
  "a person bows",
  "a person kicks",
  "a person punches",
  "a person walks in a circle",
  "a person sits down",
  "a person cheers",
  "a person sneaks",
];
/** Seconds that the button "finish" gives. */
const FINISH = 2;
/** Degrees of one turn. */
export const TURN = 45;

/** Build the dock. */
export function buildDock(app: App): void {
  const history = new History(safeStorage());
  const prompt = byId<HTMLInputElement>("prompt");
  const say = (how: "prompt" | "then", text = prompt.value.trim()) => {
    if (!text) return prompt.focus();
    history.add(text);
    prompt.value = "";
    void app[how](text);
  };

  byId("send").append(icon("send"));
  byId("then").append(icon("then"), make("span", {}, "Then"));
  byId("then").title = "Do it afterwards (Shift+Enter)";
  byId("then").onclick = () => say("then");
  byId<HTMLFormElement>("speak").onsubmit = (event) => {
    event.preventDefault();
    say("prompt");
  };
  prompt.onkeydown = (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      say("then");
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      prompt.value = history.move(event.key === "ArrowUp" ? -1 : 1, prompt.value);
    } else if (event.key === "Escape") {
      prompt.blur();
    }
  };
  byId("chips").append(
    ...SUGGESTIONS.map((text) =>
      make("button", {
        type: "button",
        className: "chip",
        title: `${text} (with Shift: afterwards)`,
        textContent: text.replace(/^a person /, ""),
        onclick: (event) => say(event.shiftKey ? "then" : "prompt", text),
      }),
    ),
  );
  buildVerbs(app);
  app.watch(() => redraw(app));
}

function buildVerbs(app: App): void {
  const strength = make("input", { type: "range", min: "1", max: "10", step: "0.5", value: "3", id: "strength" });
  strength.onchange = () => void app.strengthen(Number(strength.value));
  strength.oninput = () => (byId("strength-value").textContent = Number(strength.value).toFixed(1));
  const slider = make("label", { className: "strength", title: "How strictly it follows the words, or the music" });
  slider.append(make("span", {}, "Strength"), strength, make("output", { id: "strength-value" }, "auto"));
  const gap = () => make("span", { className: "gap" });
  const goto = button("goto", "Go to", "Go to a point: click the floor", "G", () => app.aim(!app.isAiming));
  goto.id = "goto";
  const seed = button("seed", "Seed", "Draw another way of doing it", "", () => void app.reseed());
  seed.id = "seed";
  const obeys = make(
    "span",
    { className: "obeys" },
    button("hold", "Hold", "Stop, and stand there alive", "H", () => void app.hold()),
    button("loop", "Loop", "Go round and round in this", "L", () => void app.loop()),
    button("finish", "Finish", `End this in ${FINISH} seconds`, "F", () => void app.finish(FINISH)),
    gap(),
    button("left", "Left", `Turn left by ${TURN} degrees`, "←", () => void app.turn(TURN)),
    button("right", "Right", `Turn right by ${TURN} degrees`, "→", () => void app.turn(-TURN)),
    goto,
    gap(),
    button("pose", "Reset", "Start anew from the rest pose", "R", () => void app.resetPose()),
  );
  byId("verbs").append(obeys, seed, slider);
}

function redraw(app: App): void {
  const actor = app.selected;
  const isOpen = app.client.state === "open" && actor !== null;
  for (const control of document.querySelectorAll<HTMLButtonElement | HTMLInputElement>(".dock button, .dock input")) {
    if (control.id !== "prompt") control.disabled = !isOpen;
  }
  byId("speak").classList.toggle("busy", (actor?.awaits ?? 0) > 0);
  byId("goto").setAttribute("aria-pressed", String(app.isAiming));
  document.body.classList.toggle("aiming", app.isAiming);
  if (actor) paint(byId("speaker"), actor.duo);
  byId("seed").querySelector("span")!.textContent = actor?.seed == null ? "Seed" : `Seed ${actor.seed}`;
  const strength = byId<HTMLInputElement>("strength");
  if (document.activeElement !== strength) strength.value = String(actor?.strength ?? 3);
  byId("strength-value").textContent = actor?.strength == null ? "auto" : actor.strength.toFixed(1);
  const now = actor ? [make("b", { className: actor.isIdle ? "idle" : "" }, actor.doing || "standing by")] : [];
  const next = actor?.queue.map(({ text }) => make("span", { className: "next" }, text)) ?? [];
  byId("now").replaceChildren(...now, ...next);
}

function safeStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // forbidden, as in some private windows
  }
}
