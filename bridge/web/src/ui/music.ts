/** The lower edge of the page where characters dance: what they hear, and how they dance to it. */

import type { App } from "../app.js";
import { SOUND_FILES } from "../music/music.js";
import { button, byId, make, paint } from "./dom.js";

/** Build the dock of dancers; it is seen when the server says that its characters dance. */
export function buildMusic(app: App): { choose: () => void } {
  const file = byId<HTMLInputElement>("song");
  file.accept = `audio/*,${SOUND_FILES}`;
  file.onchange = () => {
    if (file.files?.[0]) void app.play(file.files[0]);
    file.value = "";
  };
  const choose = () => file.click();
  const speaker = make("span", { className: "duo" });
  const pick = button("note", "Choose music", "A sound file: .mp3, .wav, .ogg or .flac; or drop one", "M", choose);
  pick.classList.add("pick");
  const listen = button("microphone", "Microphone", "Dance to what the microphone hears", "", () => void app.listen());
  listen.id = "listen";
  const stop = button("close", "Stop", "Stop the music", "S", () => void app.silence());
  stop.id = "stop";
  const title = make("span", { className: "title", id: "title" });
  const style = make("select", { id: "style", title: "Dance style" });
  style.setAttribute("aria-label", "Dance style");
  style.onchange = () => void app.restyle(style.value || null);
  const delay = make("span", { className: "delay", id: "delay", title: "From a sound at the microphone's server to the frame that shows it" });
  byId("music").append(speaker, pick, listen, title, style, stop, delay);

  app.watch(() => {
    const { hello, state } = app.client;
    document.body.classList.toggle("dances", app.dances);
    if (!app.dances) return;
    const actor = app.selected;
    for (const control of [pick, listen, style]) control.disabled = state !== "open" || !actor;
    stop.disabled = !app.music.title;
    listen.setAttribute("aria-pressed", String(app.music.isLive));
    title.textContent = app.music.title;
    delay.textContent = hello?.audio ? `live ${hello.audio.delay_seconds.toFixed(1)} s behind` : "";
    if (style.options.length !== (hello?.styles?.length ?? 0) + 1) {
      style.replaceChildren(new Option("any style", ""), ...(hello?.styles ?? []).map((name) => new Option(name, name)));
    }
    if (document.activeElement !== style) style.value = actor?.style ?? "";
    if (actor) paint(speaker, actor.duo);
  });
  return { choose };
}
