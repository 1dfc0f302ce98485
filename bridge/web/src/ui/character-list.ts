/** The list of characters at the left edge, and the name tags over their heads. */

import { Vector3 } from "three";
import type { App } from "../app.js";
import type { CharacterView } from "../character-view.js";
import { COLOUR_PAIRS } from "../figures/colours.js";
import { byId, icon, make, setColours } from "./dom.js";

/** Offset from the head joint to the name tag, metres. */
const TAG_OFFSET = new Vector3(0, 0.28, 0);

/** Build the list. */
export function buildCharacterList(app: App): void {
  const add = byId<HTMLButtonElement>("add");
  add.append(icon("plus"), make("span", {}, "Add a character"));
  add.title = "Add a character (N)";
  add.setAttribute("aria-label", "Add a character");
  add.onclick = () => void app.addCharacter();
  app.onChange(() => {
    add.disabled = app.client.state !== "open" || app.characters.length >= COLOUR_PAIRS.length;
    byId("characters").replaceChildren(...app.characters.map((view, at) => buildRow(app, view, at + 1)));
  });
}

function buildRow(app: App, view: CharacterView, number: number): HTMLLIElement {
  const swatch = make("span", { className: "swatch" });
  setColours(swatch, view.colours);
  const activity = make("span", { className: "activity" }, view.activity.replace(/^a person /, "") || "standing by");
  activity.classList.toggle("idle", view.isIdle);
  const select = make("button", { type: "button", className: "select", title: `Select (${number})` }, swatch, activity);
  select.onclick = () => app.select(view);
  select.setAttribute("aria-pressed", String(view === app.selected));
  select.setAttribute("aria-label", `Character ${number}, ${view.colours.name}: ${view.activity || "standing by"}`);
  const remove = make("button", { type: "button", className: "remove", title: "Remove" }, icon("close"));
  remove.setAttribute("aria-label", `Remove character ${number}`);
  remove.onclick = () => void app.removeCharacter(view);
  return make("li", { className: view === app.selected ? "selected" : "" }, select, remove);
}

/** Put the number of each character over its head where there are several; called once a drawn frame. */
export function updateNameTags(app: App): void {
  const tags = byId("tags");
  const tagged = app.characters.length > 1 ? app.characters : [];
  while (tags.children.length > tagged.length) tags.lastElementChild?.remove();
  while (tags.children.length < tagged.length) tags.append(make("div", { className: "tag" }));
  for (const [i, view] of tagged.entries()) {
    const tag = tags.children[i] as HTMLElement;
    const head = view.figure.joint("head")?.add(TAG_OFFSET);
    const at = head && view.group.visible ? app.scene.projectToPage(head) : null;
    tag.hidden = at === null;
    if (!at) continue;
    tag.textContent = String(i + 1);
    tag.classList.toggle("selected", view === app.selected);
    setColours(tag, view.colours);
    tag.style.transform = `translate(-50%, -100%) translate(${at.x.toFixed(1)}px, ${at.y.toFixed(1)}px)`;
  }
}
