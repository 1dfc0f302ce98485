/** Short notes that come and go by themselves. */

import { byId, make } from "./dom.js";

const LASTING = 6000;

/** Show a sentence for a while; the same one is not shown twice at once. */
export function toast(text: string, kind: "error" | "note" = "error"): void {
  const all = byId("toasts");
  for (const old of all.children) if (old.textContent === text) return;
  const shown = make("div", { className: `toast card ${kind}` }, text);
  shown.onclick = () => shown.remove();
  all.append(shown);
  while (all.children.length > 4) all.firstElementChild?.remove();
  setTimeout(() => shown.classList.add("leaving"), LASTING - 300);
  setTimeout(() => shown.remove(), LASTING);
}
