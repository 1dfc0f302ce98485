/** The panel at the lower edge where characters dance: sound file, microphone and dance style. */

import type { App } from "../app.js";
import { SOUND_FILES } from "../music/music-controller.js";
import { button, byId, make, setColours } from "./dom.js";

/** Build the panel, which is shown when the server's characters dance; returns a function that lets the user choose a file. */
export function buildMusicPanel(app: App): () => void {
  const file = byId<HTMLInputElement>("song");
  file.accept = `audio/*,${SOUND_FILES}`;
  file.onchange = () => {
    if (file.files?.[0]) void app.playFile(file.files[0]);
    file.value = "";
  };
  const choose = () => file.click();
  const swatch = make("span", { className: "swatch" });
  const pick = button("note", "Choose music", "A sound file: .mp3, .wav, .ogg or .flac; or drop one", "M", choose);
  pick.classList.add("pick");
  const microphone = button("microphone", "Microphone", "Dance to the microphone", "", () => void app.toggleMicrophone());
  microphone.id = "microphone";
  const stop = button("close", "Stop", "Stop the music", "S", () => void app.stopMusic());
  stop.id = "stop";
  const title = make("span", { className: "title", id: "title" });
  const style = make("select", { id: "style", title: "Dance style" });
  style.setAttribute("aria-label", "Dance style");
  style.onchange = () => void app.setStyle(style.value || null);
  const delay = make("span", { className: "delay", id: "delay", title: "Delay from the microphone's sound to the dance" });
  byId("music").append(swatch, pick, microphone, title, style, stop, delay);

  app.onChange(() => {
    const { hello, state } = app.client;
    document.body.classList.toggle("dance-server", app.isDanceServer);
    if (!app.isDanceServer) return;
    const view = app.selected;
    for (const control of [pick, microphone, style]) control.disabled = state !== "open" || !view;
    stop.disabled = !app.music.title;
    microphone.setAttribute("aria-pressed", String(app.music.isLive));
    title.textContent = app.music.title;
    delay.textContent = hello?.audio ? `live ${hello.audio.delay_seconds.toFixed(1)} s behind` : "";
    if (style.options.length !== (hello?.styles?.length ?? 0) + 1) {
      style.replaceChildren(new Option("any style", ""), ...(hello?.styles ?? []).map((name) => new Option(name, name)));
    }
    if (document.activeElement !== style) style.value = view?.style ?? "";
    if (view) setColours(swatch, view.colours);
  });
  return choose;
}
