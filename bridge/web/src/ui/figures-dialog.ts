/** The dialog that chooses how the selected character looks: the mannequin, one of the server's avatars, or a file. */

import type { App } from "../app.js";
import { byId, make } from "./dom.js";

/** Build the dialog; returns the action that opens it. */
export function buildFiguresDialog(app: App, chooseFile: () => void): () => void {
  const dialog = byId<HTMLDialogElement>("figures");
  const choices = make("div", { className: "choices" });
  dialog.append(
    make("h2", { id: "figures-title" }, "Show it as"),
    choices,
    make("button", { type: "button", className: "primary", onclick: () => dialog.close() }, "Close"),
  );
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  return () => {
    const view = app.selected;
    const choose = (words: string, isChosen: boolean, act: () => void) => {
      const choice = make("button", { type: "button", className: "choice", onclick: () => (dialog.close(), act()) }, words);
      choice.setAttribute("aria-pressed", String(isChosen));
      return choice;
    };
    const title = view && "title" in view.figure ? String(view.figure.title) : null;
    const avatar = view?.figure.avatar ?? null;
    const names = (app.client.hello?.avatars ?? []).filter(({ file }) => file).map(({ name }) => name);
    choices.replaceChildren(
      choose("The mannequin", title === null, () => view?.setFigure(null)),
      ...names.map((name) => choose(name, name === avatar, () => view && void app.attempt(() => app.showAvatar(view, name)))),
      choose("A .vrm or .glb file of your own …", title !== null && avatar === null, chooseFile),
    );
    dialog.showModal();
  };
}
