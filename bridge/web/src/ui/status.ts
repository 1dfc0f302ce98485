/** How the connection is, how fast all goes, and what weights make the motion. */

import type { App } from "../app.js";
import { byId, make } from "./dom.js";

const WORDS = {
  idle: "connecting",
  connecting: "connecting",
  open: "live",
  waiting: "reconnecting",
  closed: "disconnected",
} as const;

/** Build the readout; it is brought up to date twice a second. */
export function buildStatus(app: App): void {
  const state = make("span", { className: "state" });
  const fps = make("span", { className: "figure", title: "Pictures drawn a second" });
  const rtt = make("span", { className: "figure", title: "Way to the server and back" });
  const delay = make("span", { className: "figure extra", title: "How far playback stays behind the server, so that late frames still are in time" });
  const obeyed = make("span", { className: "figure extra", title: "From the last verb to the first frame that obeys it, here" });
  byId("status").append(state, fps, rtt, delay, obeyed);
  const redraw = () => {
    const { client, stage } = app;
    state.textContent = WORDS[client.state];
    byId("status").dataset["state"] = client.state;
    figure(fps, stage.fps, "fps");
    figure(rtt, client.clock.rtt, "ms");
    figure(delay, app.selected?.remote.playback.delay ?? NaN, "ms buffer");
    figure(obeyed, app.obeyedIn, "ms to obey");
    const weights = client.hello?.weights;
    byId("weights").textContent = weights ? `Weights “${weights.name}”: ${weights.licence}` : "";
  };
  app.watch(redraw);
  setInterval(redraw, 500);
}

function figure(element: HTMLElement, value: number, unit: string): void {
  element.hidden = !Number.isFinite(value);
  element.textContent = `${Math.round(value)} ${unit}`;
}
