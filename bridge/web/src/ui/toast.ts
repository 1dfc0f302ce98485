/** Toasts: short messages that disappear by themselves. */

import { byId, make } from "./dom.js";
import { errorText } from "./error-text.js";

/** How long a toast is shown, milliseconds. */
const DURATION = 6000;
const FADE_OUT = 300;
const MOST_TOASTS = 4;

/** Show a sentence for a while; one that is shown already is not repeated. */
export function toast(text: string, kind: "error" | "note" = "error"): void {
  const all = byId("toasts");
  for (const old of all.children) if (old.textContent === text) return;
  const shown = make("div", { className: `toast card ${kind}` }, text);
  shown.onclick = () => shown.remove();
  all.append(shown);
  while (all.children.length > MOST_TOASTS) all.firstElementChild?.remove();
  setTimeout(() => shown.classList.add("leaving"), DURATION - FADE_OUT);
  setTimeout(() => shown.remove(), DURATION);
}

/** Show an error of a request or of the page. */
export function showError(error: unknown): void {
  toast(errorText(error));
}
