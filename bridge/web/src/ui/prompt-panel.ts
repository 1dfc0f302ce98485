/** The panel at the lower edge: the prompt field, suggested prompts, and the present and the queued prompts. */

import type { App } from "../app.js";
import { byId, icon, make, setColours } from "./dom.js";
import { PromptHistory } from "./prompt-history.js";

/** Prompts that the shipped models follow well. */
const SUGGESTIONS = [
  "a person walks forward",
  "a person runs forward",
  "a person waves with the right hand",
  "a person jumps",
  "a person dances salsa",
  "a person bows",
  "a person kicks",
  "a person punches",
  "a person jogs in a circle to the left",
  "a person sits down",
  "a person cheers",
  "a person sneaks",
];

/** How a prompt is sent: at once, or to the queue. */
type Mode = "now" | "queue";

/** Build the panel, apart from the buttons of verbs. */
export function buildPromptPanel(app: App): void {
  const history = new PromptHistory(browserStorage());
  const field = byId<HTMLInputElement>("prompt");
  const submit = (mode: Mode, text = field.value.trim()) => {
    if (!text || !app.selected) return field.focus(); // what was typed before the first character is there stays
    history.add(text);
    field.value = "";
    void (mode === "now" ? app.prompt(text) : app.queuePrompt(text));
  };
  buildField(field, history, submit);
  byId("chips").append(
    ...SUGGESTIONS.map((text) =>
      make("button", {
        type: "button",
        className: "chip",
        title: `${text} (with Shift: afterwards)`,
        textContent: text.replace(/^a person /, ""),
        onclick: (event) => submit(event.shiftKey ? "queue" : "now", text),
      }),
    ),
  );
  app.onChange(() => redraw(app));
}

function buildField(field: HTMLInputElement, history: PromptHistory, submit: (mode: Mode) => void): void {
  byId("send").append(icon("send"));
  byId("then").append(icon("then"), make("span", {}, "Then"));
  byId("then").title = "Do it afterwards (Shift+Enter)";
  byId("then").onclick = () => submit("queue");
  byId<HTMLFormElement>("prompt-form").onsubmit = (event) => {
    event.preventDefault();
    submit("now");
  };
  field.onkeydown = (event) => {
    if (event.key === "Enter" && event.shiftKey) {
      event.preventDefault();
      submit("queue");
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      event.preventDefault();
      field.value = history.move(event.key === "ArrowUp" ? -1 : 1, field.value);
    } else if (event.key === "Escape") {
      field.blur();
    }
  };
}

function redraw(app: App): void {
  const view = app.selected;
  const isEnabled = app.client.state === "open" && view !== null;
  for (const control of document.querySelectorAll<HTMLButtonElement | HTMLInputElement>(".controls button, .controls input")) {
    if (control.id !== "prompt") control.disabled = !isEnabled;
  }
  byId("prompt-form").classList.toggle("busy", (view?.pendingRequests ?? 0) > 0);
  if (view) setColours(byId("prompt-swatch"), view.colours);
  const now = view ? [make("b", { className: view.isIdle ? "idle" : "" }, view.activity || "standing by")] : [];
  const next = view?.queue.map(({ text }) => make("span", { className: "next" }, text)) ?? [];
  byId("now").replaceChildren(...now, ...next);
}

function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // forbidden, as in some private windows
  }
}
