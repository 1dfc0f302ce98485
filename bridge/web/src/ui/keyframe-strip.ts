/** The strip of poses ahead: the next ten seconds, with a diamond for each, which is dragged or moved by keys. */

import type { App } from "../app.js";
import { type Keyframe, type Keyframes, LONGEST } from "../keyframes.js";
import { byId, icon, make } from "./dom.js";

/** How far beside the strip a diamond is let go of to drop it, pixels. */
const OFF = 44;
/** Seconds by which keys move the pose that has the focus; with Shift, by a second. */
const STEPS: Record<string, number> = { ArrowLeft: -0.1, ArrowDown: -0.1, ArrowRight: 0.1, ArrowUp: 0.1 };

/** A pose on the strip. */
interface Item {
  element: HTMLLIElement;
  diamond: HTMLElement;
  label: HTMLElement;
}

/** The strip of the selected character. Its items live as long as their poses, so that focus and drags outlast a redraw. */
class KeyframeStrip {
  private items = new Map<Keyframe, Item>();
  private keyframes: Keyframes | null = null;
  private drag: { key: Keyframe; at: [number, number] } | null = null;

  constructor(private readonly element: HTMLElement) {
    element.addEventListener("pointerdown", (event) => {
      const key = this.keyOf(event.target as Element);
      if (event.button !== 0 || !key || key.isSent || (event.target as Element).closest("button")) return;
      this.drag = { key, at: [event.clientX, event.clientY] };
      this.items.get(key)!.diamond.focus();
      element.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    element.addEventListener("pointermove", ({ clientX, clientY }) => {
      if (this.drag) this.drag.at = [clientX, clientY];
      this.update();
    });
    element.addEventListener("pointerup", () => this.endDrag(true));
    element.addEventListener("lostpointercapture", () => this.endDrag(false));
    element.addEventListener("keydown", (event) => this.handleKey(event));
  }

  /** Show the poses of a character; null for none. */
  redraw(keyframes: Keyframes | null): void {
    this.keyframes = keyframes;
    const keys = keyframes?.keys ?? [];
    if (this.drag && (this.drag.key.isSent || !keys.includes(this.drag.key))) this.endDrag(false);
    for (const [key, { element }] of this.items) if (!keys.includes(key)) element.remove();
    this.items = new Map(keys.map((key) => [key, this.items.get(key) ?? this.build(key)]));
    for (const [key, { element, diamond }] of this.items) {
      element.classList.toggle("sent", key.isSent);
      diamond.title = key.isSent ? "It comes to this pose" : "Drag it to another time, or off the strip to drop it (← → Delete)";
      diamond.setAttribute("aria-disabled", String(key.isSent));
    }
    this.element.hidden = !keys.length;
    this.update();
  }

  /** Put the diamonds where their times are now. */
  update(): void {
    if (!this.keyframes || this.element.hidden) return;
    if (this.drag) this.moveDragged();
    for (const [key, { element, diamond, label }] of this.items) {
      const seconds = this.keyframes.secondsTo(key);
      element.style.left = `${(100 * seconds) / LONGEST}%`;
      const text = seconds.toFixed(1);
      if (label.textContent === text) continue;
      label.textContent = text;
      diamond.setAttribute("aria-valuenow", text);
      diamond.setAttribute("aria-valuetext", `in ${text} seconds`);
    }
  }

  private build(key: Keyframe): Item {
    const diamond = make("span", { className: "diamond", tabIndex: 0 });
    for (const [name, value] of Object.entries({ role: "slider", "aria-label": "Pose ahead", "aria-valuemin": "0", "aria-valuemax": String(LONGEST) })) {
      diamond.setAttribute(name, value);
    }
    const drop = make("button", { type: "button", title: "Drop this pose", onclick: () => this.keyframes?.drop(key) }, icon("close"));
    drop.setAttribute("aria-label", "Drop this pose");
    const label = make("i");
    const element = make("li", { className: "key" }, diamond, label, drop);
    this.element.append(element);
    return { element, diamond, label };
  }

  private keyOf(target: Element): Keyframe | null {
    const element = target.closest(".key");
    return [...this.items].find(([, item]) => item.element === element)?.[0] ?? null;
  }

  private handleKey(event: KeyboardEvent): void {
    const key = (event.target as Element).closest(".diamond") && this.keyOf(event.target as Element);
    const step = STEPS[event.key];
    const drops = event.key === "Delete" || event.key === "Backspace";
    if (!key || !this.keyframes || !(step || drops) || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation(); // else the arrow keys drive the character
    if (step) this.keyframes.move(key, this.keyframes.secondsTo(key) + (event.shiftKey ? 10 * step : step));
    else this.keyframes.drop(key);
  }

  /** Whether what is dragged is off the strip. */
  private get isOff(): boolean {
    const { top, bottom } = this.element.getBoundingClientRect();
    const y = this.drag!.at[1];
    return y < top - OFF || y > bottom + OFF;
  }

  private moveDragged(): void {
    const { key, at } = this.drag!;
    const { left, width } = this.element.getBoundingClientRect();
    this.items.get(key)?.element.classList.toggle("off", this.isOff);
    this.keyframes!.move(key, (LONGEST * (at[0] - left)) / width);
  }

  private endDrag(isDropped: boolean): void {
    const { drag } = this;
    if (!drag) return;
    const isOff = isDropped && this.isOff;
    this.drag = null;
    this.items.get(drag.key)?.element.classList.remove("off");
    if (isOff) this.keyframes?.drop(drag.key);
  }
}

/** Build the strip; returns what puts its diamonds where their times are now, for each drawn frame. */
export function buildKeyframeStrip(app: App): () => void {
  const strip = new KeyframeStrip(byId("keys"));
  app.onChange(() => strip.redraw(app.selected?.keyframes ?? null));
  return () => strip.update();
}
