/** The upper right corner: avatar, camera, theme, help. */

import type { App } from "../app.js";
import { loadAvatar } from "../figures/avatar.js";
import { isSound } from "../music/music.js";
import { button, byId, icon, make } from "./dom.js";
import { toast } from "./toast.js";

/** Keys, what they do, and the verb that the server must know for it. */
const KEYS: [string, string, string?][] = [
  ["/", "type a prompt", "prompt"],
  ["Enter", "do it now", "prompt"],
  ["Shift + Enter", "do it afterwards", "then"],
  ["↑ ↓", "earlier prompts", "prompt"],
  ["H", "hold", "hold"],
  ["L", "loop", "loop"],
  ["F", "finish in two seconds", "finish"],
  ["← →", "turn", "turn"],
  ["G", "go to: then click the floor", "goto"],
  ["R", "reset the pose", "pose"],
  ["M", "choose music", "music"],
  ["S", "stop the music", "music"],
  ["N", "add a character"],
  ["1 – 8", "select a character"],
  ["C", "camera follows, or stays"],
  ["T", "light or dark"],
  ["?", "this help"],
];

/** Build the tools, and let files be dropped. */
export function buildTools(app: App): { toggleTheme: () => void; toggleCamera: () => void; toggleHelp: () => void } {
  const toggleTheme = buildTheme(app);
  const camera = button("camera", "", "Camera follows the selected character", "C", () => toggleCamera());
  const toggleCamera = () => {
    app.stage.follow.setFollows(!app.stage.follow.follows);
    camera.setAttribute("aria-pressed", String(app.stage.follow.follows));
  };
  camera.setAttribute("aria-pressed", "true");
  const toggleHelp = buildHelp(app);
  const file = byId<HTMLInputElement>("file");
  file.onchange = () => {
    if (file.files?.[0]) void wear(app, file.files[0]);
    file.value = "";
  };
  const theme = button("moon", "", "Light or dark", "T", toggleTheme);
  theme.id = "theme";
  byId("tools").append(
    button("avatar", "", "Give the selected character an avatar: a .vrm or .glb file", "", () => changeAvatar(app, file)),
    camera,
    theme,
    button("help", "", "Keys and help", "?", toggleHelp),
  );
  buildDrop(app);
  return { toggleTheme, toggleCamera, toggleHelp };
}

function changeAvatar(app: App, file: HTMLInputElement): void {
  const actor = app.selected;
  if (actor && "title" in actor.figure) actor.wear(null);
  else file.click();
}

async function wear(app: App, file: File): Promise<void> {
  const actor = app.selected;
  if (!actor) return toast("There is no character to wear it; add one first");
  await app.try(async () => {
    toast(`Reading ${file.name} …`, "note");
    const figure = await loadAvatar(file);
    if (app.actors.includes(actor)) actor.wear(figure);
    else figure.dispose();
  });
}

function buildDrop(app: App): void {
  const veil = byId("drop");
  let inside = 0;
  const show = (change: number) => {
    inside = Math.max(0, inside + change);
    veil.classList.toggle("shown", inside > 0);
  };
  addEventListener("dragenter", (event) => (event.preventDefault(), show(1)));
  addEventListener("dragleave", () => show(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    show(-inside);
    const file = event.dataTransfer?.files[0];
    if (file && app.dances && isSound(file)) void app.play(file);
    else if (file) void wear(app, file);
  });
}

function buildTheme(app: App): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = read("motiongen.theme");
  const isDark = () => (chosen ? chosen === "dark" : system.matches);
  const show = () => {
    document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
    app.stage.setMood(isDark() ? "dark" : "light");
    const theme = document.getElementById("theme");
    theme?.replaceChildren(icon(isDark() ? "sun" : "moon"));
  };
  system.addEventListener("change", show);
  queueMicrotask(show);
  return () => {
    chosen = isDark() ? "light" : "dark";
    try {
      localStorage.setItem("motiongen.theme", chosen);
    } catch {
      // Forbidden: the choice lasts as long as the page.
    }
    show();
  };
}

function read(key: string): string | null {
  const asked = new URLSearchParams(location.search).get("theme");
  if (asked === "light" || asked === "dark") return asked;
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function buildHelp(app: App): () => void {
  const help = byId<HTMLDialogElement>("help");
  const list = make("dl");
  const title = make("h2", { id: "help-title" });
  const about = make("p");
  const write = () => {
    title.textContent = app.dances ? "Give it music to dance to" : "Tell it what to do";
    const first = app.dances
      ? "Choose or drop a sound file, or let it hear your microphone. Drag to look around"
      : "Type a sentence; the character changes its mind while it moves. Drag to look around, double-click the floor to send it there";
    about.textContent = `${first}, drop a .vrm or .glb file to give it another body.`;
    const known = KEYS.filter(([, , verb]) => !verb || app.can(verb));
    list.replaceChildren(...known.flatMap(([key, words]) => [make("dt", {}, ...drawn(key)), make("dd", {}, words)]));
  };
  const close = make("button", { type: "button", className: "primary", onclick: () => help.close() }, "Close");
  help.append(
    title,
    about,
    list,
    close,
  );
  help.onclick = (event) => event.target === help && help.close();
  return () => {
    write();
    if (help.open) help.close();
    else help.showModal();
  };
}

function drawn(key: string): (Node | string)[] {
  return key.split(" ").map((part) => (part === "+" || part === "–" ? part : make("kbd", {}, part)));
}
