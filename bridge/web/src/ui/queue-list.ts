/** The prompts that wait, in their order: each can be dragged or moved by keys to another place, or taken out. */

import type { QueuedPrompt, Timeline } from "../timeline.js";
import { icon, make } from "./dom.js";

/** A press that moves further than this is a drag, pixels. */
const DRAG_DISTANCE = 5;
/** How far above its place what is dragged is shown, pixels: the mark of its new place stays in sight. */
const LIFT = 16;
/** Places by which Alt and a key move the prompt that has the focus. */
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** A prompt that is being dragged, from a point of the page to a place in the queue; null before it has moved. */
interface Drag {
  entry: QueuedPrompt;
  from: [number, number];
  place: number | null;
}

/** The list of one character's prompts. Its items live as long as their prompts, so that focus and drags outlast a redraw. */
export class QueueList {
  readonly element = make("ol", { className: "queue" });
  private items = new Map<QueuedPrompt, HTMLLIElement>();
  private timeline: Timeline | null = null;
  private drag: Drag | null = null;

  /** @param parent what holds the list, and goes on getting the pointer's events while one is dragged. */
  constructor(parent: HTMLElement) {
    this.element.setAttribute("aria-label", "Prompts that wait");
    parent.addEventListener("pointerdown", (event) => {
      this.endDrag();
      if (event.button === 0 && this.take(event.target as Element, [event.clientX, event.clientY])) parent.setPointerCapture(event.pointerId);
    });
    parent.addEventListener("pointermove", ({ clientX, clientY }) => this.moveTo(clientX, clientY));
    parent.addEventListener("pointerup", () => this.endDrag(true));
    parent.addEventListener("lostpointercapture", () => this.endDrag());
    this.element.addEventListener("keydown", (event) => {
      const [entry, step] = [this.entryOf(event.target as Element), STEPS[event.key]];
      if (!entry || !step || !event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault(); // else it leaves the page
      this.timeline!.move(entry, this.timeline!.queue.indexOf(entry) + step);
    });
  }

  /** Show the prompts of a timeline; null for none. */
  redraw(timeline: Timeline | null): void {
    const queue = timeline?.queue ?? [];
    this.timeline = timeline;
    if (this.drag && (this.drag.entry.isSent || !queue.includes(this.drag.entry))) this.endDrag();
    this.items = new Map(queue.map((entry) => [entry, this.items.get(entry) ?? this.buildItem(entry)]));
    for (const [entry, item] of this.items) {
      item.tabIndex = entry.isSent ? -1 : 0;
      item.title = entry.isSent ? "It is next" : "Drag it to another place (Alt + ← →)";
      item.classList.toggle("sent", entry.isSent);
    }
    const items = [...this.items.values()];
    if (items.length === this.element.children.length && items.every((item, at) => item === this.element.children[at])) return;
    const focused = document.activeElement;
    this.element.replaceChildren(...items);
    if (focused instanceof HTMLElement && this.element.contains(focused)) focused.focus();
  }

  /** Return an item: the text of a prompt, its seconds, and a button that takes it out where that is still possible. */
  private buildItem(entry: QueuedPrompt): HTMLLIElement {
    const item = make("li", { className: "next" }, make("span", { title: entry.text }, entry.text.replace(/^a person /, "")));
    item.setAttribute("aria-keyshortcuts", "Alt+ArrowLeft Alt+ArrowRight");
    if (entry.seconds !== null) item.append(make("i", {}, `${entry.seconds} s`));
    const remove = make("button", { type: "button", title: "Take this out", onclick: () => this.timeline?.remove(entry) }, icon("close"));
    remove.setAttribute("aria-label", `Take out: ${entry.text}`);
    item.append(remove);
    return item;
  }

  private entryOf(target: Element): QueuedPrompt | null {
    const item = target.closest(".next");
    return [...this.items].find(([, other]) => other === item)?.[0] ?? null;
  }

  /** Begin to drag the prompt under the pointer, if there is one that may be moved; return whether there is. */
  private take(target: Element, from: [number, number]): boolean {
    const entry = target.closest("button") ? null : this.entryOf(target);
    if (!entry || entry.isSent) return false;
    this.drag = { entry, from, place: null };
    return true;
  }

  private moveTo(x: number, y: number): void {
    const { drag } = this;
    if (!drag) return;
    const [right, down] = [x - drag.from[0], y - drag.from[1]];
    if (drag.place === null && Math.hypot(right, down) < DRAG_DISTANCE) return;
    const item = this.items.get(drag.entry)!;
    item.classList.add("dragged");
    item.style.transform = `translate(${right}px, ${down - LIFT}px)`;
    const others = [...this.items].filter(([entry]) => entry !== drag.entry);
    const before = others.filter(([{ isSent }, other]) => isSent || isBefore(other.getBoundingClientRect(), x, y)).length;
    drag.place = before;
    for (const [at, [, other]] of others.entries()) {
      other.classList.toggle("drop-before", at === before);
      other.classList.toggle("drop-after", at === before - 1 && before === others.length);
    }
  }

  /** End a drag; the prompt goes to its new place if it is dropped there, else it stays where it was. */
  private endDrag(isDropped = false): void {
    const { drag } = this;
    if (!drag) return;
    this.drag = null;
    for (const item of this.items.values()) {
      item.classList.remove("dragged", "drop-before", "drop-after");
      item.style.transform = "";
    }
    if (isDropped && drag.place !== null) this.timeline?.move(drag.entry, drag.place);
  }
}

/** Return whether a box comes before a point of the page, line by line from left to right. */
function isBefore({ left, right, top, bottom }: DOMRect, x: number, y: number): boolean {
  return bottom < y || (top <= y && (left + right) / 2 < x);
}
