/** The status line: state of the connection, speed and delays, and the name and licence of the weights. */

import type { App } from "../app.js";
import { byId, make } from "./dom.js";

const STATE_TEXTS = {
  idle: "connecting",
  connecting: "connecting",
  open: "live",
  waiting: "reconnecting",
  closed: "disconnected",
} as const;
/** Time between two updates, milliseconds. */
const UPDATE_INTERVAL = 500;

/** Build the status line. */
export function buildStatus(app: App): void {
  const state = make("span", { className: "state" });
  const fps = make("span", { className: "number", title: "Frames drawn a second" });
  const rtt = make("span", { className: "number", title: "Round trip to the server" });
  const delay = make("span", { className: "number extra", title: "How far playback is behind the server, so that late frames are still in time" });
  const response = make("span", { className: "number extra", title: "From the last verb to the first frame that obeyed it" });
  byId("status").append(state, fps, rtt, delay, response);
  const redraw = () => {
    const { client, scene } = app;
    state.textContent = app.isLoading ? "loading" : STATE_TEXTS[client.state];
    byId("status").dataset["state"] = app.isLoading ? "loading" : client.state;
    showNumber(fps, scene.fps, "fps");
    showNumber(rtt, client.clock.rtt, "ms");
    showNumber(delay, app.selected?.remote.playback.delay ?? NaN, "ms buffer");
    showNumber(response, app.responseTime, "ms to obey");
    const weights = client.hello?.weights;
    byId("weights").textContent = weights ? `Weights “${weights.name}”: ${weights.licence}` : "";
  };
  app.onChange(redraw);
  setInterval(redraw, UPDATE_INTERVAL);
}

function showNumber(element: HTMLElement, value: number, unit: string): void {
  element.hidden = !Number.isFinite(value);
  element.textContent = `${Math.round(value)} ${unit}`;
}
