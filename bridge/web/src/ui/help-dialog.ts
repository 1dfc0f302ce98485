/** The help dialog: the keyboard shortcuts and a short introduction. */

import type { App } from "../app.js";
import { byId, make } from "./dom.js";

/** Shortcuts, their actions, and the verb that the server must know for it. */
const SHORTCUTS: [string, string, string?][] = [
  ["/", "type a prompt", "prompt"],
  ["Enter", "do it now", "prompt"],
  ["Shift + Enter", "do it afterwards", "then"],
  ["↑ ↓", "earlier prompts", "prompt"],
  ["Alt + ← →", "move the waiting prompt that has the focus; or drag it", "then"],
  ["H", "hold", "hold"],
  ["L", "loop", "loop"],
  ["F", "finish in two seconds", "finish"],
  ["← ↑ ↓ →", "drive; W A S D or a gamepad, too", "steer"],
  ["Shift", "run", "steer"],
  ["G", "go to: then click the floor, or draw a way", "goto"],
  ["K", "keep this pose: it comes to it again at a time ahead", "pose"],
  ["← → Delete", "move or drop the kept pose that has the focus; or drag it", "pose"],
  ["R", "reset the pose", "pose"],
  ["M", "choose music", "music"],
  ["S", "stop the music", "music"],
  ["N", "add a character"],
  ["V", "show it as another model"],
  ["E", "save: a file, a video, a link"],
  ["1 – 8", "select a character"],
  ["C", "camera follows, or stays"],
  ["T", "light or dark"],
  ["?", "this help"],
];

/** Build the dialog; returns the action that opens or closes it. */
export function buildHelpDialog(app: App): () => void {
  const help = byId<HTMLDialogElement>("help");
  const list = make("dl");
  const title = make("h2", { id: "help-title" });
  const about = make("p");
  const write = () => {
    title.textContent = app.isDanceServer ? "Give it music to dance to" : "Tell it what to do";
    const first = app.isDanceServer
      ? "Choose or drop a sound file, or use the microphone. Drag to look around"
      : "Type a sentence; the character changes its mind while it moves. Drag to look around, double-click the floor to send it there, drag a hand to lead it";
    about.textContent = `${first}, drop a .vrm or .glb file to show another model.`;
    const shown = SHORTCUTS.filter(([, , verb]) => !verb || app.supports(verb));
    list.replaceChildren(...shown.flatMap(([key, words]) => [make("dt", {}, ...keyCaps(key)), make("dd", {}, words)]));
  };
  const close = make("button", { type: "button", className: "primary", onclick: () => help.close() }, "Close");
  help.append(title, about, list, close);
  help.onclick = (event) => event.target === help && help.close();
  return () => {
    write();
    if (help.open) help.close();
    else help.showModal();
  };
}

/** Return a shortcut such as "Shift + Enter" with its keys as key caps. */
function keyCaps(key: string): (Node | string)[] {
  return key.split(" ").map((part) => (part === "+" || part === "–" ? part : make("kbd", {}, part)));
}
