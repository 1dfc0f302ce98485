/** The panel at the lower edge: the prompt field, suggested prompts, and the present and the queued prompts. */

import type { App } from "../app.js";
import { byId, icon, make, setColours } from "./dom.js";
import { PromptHistory } from "./prompt-history.js";
import { QueueList } from "./queue-list.js";

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

/** Seconds that a prompt may be given; otherwise it lasts as long as its motion takes. */
const DURATIONS = [2, 3, 5, 8, 12, 20];

/** How a prompt is sent: at once, or to the queue. */
type Mode = "now" | "queue";

/** Build the panel, apart from the buttons of verbs. */
export function buildPromptPanel(app: App): void {
  const history = new PromptHistory(browserStorage());
  const field = byId<HTMLInputElement>("prompt");
  const lasting = byId<HTMLSelectElement>("lasting");
  for (const seconds of DURATIONS) lasting.append(make("option", { value: String(seconds) }, `for ${seconds} s`));
  const submit = (mode: Mode, text = field.value.trim()) => {
    if (!text || !app.selected) return field.focus(); // what was typed before the first character is there stays
    history.add(text);
    field.value = "";
    const seconds = Number(lasting.value) || null;
    void (mode === "now" ? app.prompt(text, seconds) : app.queuePrompt(text, seconds));
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
  const [activity, queue] = [make("b"), new QueueList(byId("now"))];
  byId("now").append(activity, queue.element);
  app.onChange(() => redraw(app, activity, queue));
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

function redraw(app: App, activity: HTMLElement, queue: QueueList): void {
  const view = app.selected;
  queue.redraw(view?.timeline ?? null);
  activity.textContent = view ? view.activity || "standing by" : "";
  activity.classList.toggle("idle", view?.isIdle ?? true);
  const isEnabled = app.client.state === "open" && view !== null;
  for (const control of document.querySelectorAll<HTMLButtonElement | HTMLInputElement>(".controls button, .controls input, .controls select")) {
    if (control.id !== "prompt") control.disabled = !isEnabled;
  }
  byId("prompt-form").classList.toggle("busy", (view?.pendingRequests ?? 0) > 0);
  if (view) setColours(byId("prompt-swatch"), view.colours);
}

function browserStorage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    return null; // forbidden, as in some private windows
  }
}
