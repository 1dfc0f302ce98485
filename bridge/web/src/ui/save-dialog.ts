/** The dialog that saves what was seen: the last half minute of the selected character as a file, a video, or a link. */

import type { App } from "../app.js";
import type { CharacterView } from "../character-view.js";
import { byId, make } from "./dom.js";
import { CanvasRecorder } from "./canvas-recorder.js";
import { serverFile } from "../server-files.js";

/** File formats that the server writes, and who reads them. */
const FORMATS: [extension: string, words: string][] = [
  ["bvh", "BVH: Blender, MotionBuilder and other tools"],
  ["glb", "GLB: Unity, Unreal, Godot and the web"],
  ["vrma", "VRMA: animations of VRM characters"],
  ["npz", "NPZ: Python"],
];

/** Build the dialog; returns the action that opens or closes it. */
export function buildSaveDialog(app: App): () => void {
  const dialog = byId<HTMLDialogElement>("save");
  const recorder = new CanvasRecorder(byId<HTMLCanvasElement>("view"));
  const files = make("div", { className: "choices" });
  const link = make("input", { type: "text", readOnly: true, id: "save-link", onfocus: () => link.select() });
  link.setAttribute("aria-label", "Link to this prompt and seed");
  const record = make("button", { type: "button", id: "record" });
  const redraw = () => (record.textContent = recorder.isRecording ? "Stop, and save the video" : "Record a video from now on");
  record.onclick = () => {
    void app.attempt(async () => recorder.toggle());
    redraw();
    if (recorder.isRecording) dialog.close();
  };
  record.hidden = !recorder.isSupported;
  const close = make("button", { type: "button", className: "primary", onclick: () => dialog.close() }, "Close");
  dialog.append(
    make("h2", { id: "save-title" }, "Save what you saw"),
    make("p", {}, "The last half minute of the selected character; all but BVH hold the licence of the weights:"),
    files,
    make("p", {}, "A link to the same prompt with the same seed:"),
    link,
    record,
    close,
  );
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  return () => {
    if (dialog.open) return dialog.close();
    const view = app.selected;
    files.replaceChildren(...(view ? FORMATS.map(([extension, words]) => fileLink(view, extension, words)) : ["There is no character."]));
    link.value = view ? shareLink(view) : location.href;
    redraw();
    dialog.showModal();
  };
}

/** Return a link that downloads a character's motion. */
function fileLink(view: CharacterView, extension: string, words: string): HTMLAnchorElement {
  const { avatar } = view.figure;
  const href = serverFile(`motion/${view.remote.key}.${extension}`, avatar === null ? {} : { avatar });
  return make("a", { href, download: `motiongen.${extension}` }, words);
}

/** Return the address of this page that begins with a character's prompt and seed. */
export function shareLink(view: CharacterView): string {
  const address = new URL(document.baseURI);
  address.search = "";
  const prompt = view.remote.lastPrompt || view.openingPrompt;
  if (prompt) address.searchParams.set("prompt", prompt);
  if (view.seed !== null) address.searchParams.set("seed", String(view.seed));
  return address.href;
}
