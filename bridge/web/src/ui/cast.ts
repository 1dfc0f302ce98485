/** The list of characters, and their names over their heads. */

import { Vector3 } from "three";
import type { Actor } from "../actor.js";
import type { App } from "../app.js";
import { DUOS } from "../figures/paint.js";
import { byId, icon, make, paint } from "./dom.js";

/** Build the list. */
export function buildCast(app: App): void {
  const add = byId<HTMLButtonElement>("add");
  add.append(icon("plus"), make("span", {}, "Add a character"));
  add.title = "Add a character (N)";
  add.setAttribute("aria-label", "Add a character");
  add.onclick = () => void app.add();
  app.watch(() => {
    add.disabled = app.client.state !== "open" || app.actors.length >= DUOS.length;
    byId("cast").replaceChildren(...app.actors.map((actor, at) => row(app, actor, at + 1)));
  });
}

function row(app: App, actor: Actor, number: number): HTMLLIElement {
  const dot = make("span", { className: "duo" });
  paint(dot, actor.duo);
  const words = make("span", { className: actor.isIdle ? "doing idle" : "doing" }, actor.doing.replace(/^a person /, "") || "standing by");
  const choose = make("button", { type: "button", className: "choose", title: `Select (${number})` }, dot, words);
  choose.onclick = () => app.select(actor);
  choose.setAttribute("aria-pressed", String(actor === app.selected));
  choose.setAttribute("aria-label", `Character ${number}, ${actor.duo.name}: ${actor.doing || "standing by"}`);
  const remove = make("button", { type: "button", className: "remove", title: "Remove" }, icon("close"));
  remove.setAttribute("aria-label", `Remove character ${number}`);
  remove.onclick = () => void app.remove(actor);
  return make("li", { className: actor === app.selected ? "selected" : "" }, choose, remove);
}

const OVER = new Vector3(0, 0.28, 0);

/** Put names over heads where there are several characters; once a frame. */
export function placeTags(app: App): void {
  const tags = byId("tags");
  const wanted = app.actors.length > 1 ? app.actors : [];
  while (tags.children.length > wanted.length) tags.lastElementChild?.remove();
  while (tags.children.length < wanted.length) tags.append(make("div", { className: "tag" }));
  for (const [i, actor] of wanted.entries()) {
    const tag = tags.children[i] as HTMLElement;
    const head = actor.figure.joint("head")?.add(OVER);
    const seen = head && actor.group.visible ? app.stage.onPage(head) : null;
    tag.hidden = seen === null;
    if (!seen) continue;
    tag.textContent = String(i + 1);
    tag.classList.toggle("selected", actor === app.selected);
    paint(tag, actor.duo);
    tag.style.transform = `translate(-50%, -100%) translate(${seen.x.toFixed(1)}px, ${seen.y.toFixed(1)}px)`;
  }
}
