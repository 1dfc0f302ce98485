/** A server that is not on this machine may want a token: where to get it from, and where to ask for it. */

import type { App } from "../app.js";
import { byId, make } from "./dom.js";

const KEY = "motiongen.token";

/** Return the token of the page's address, or that of this tab; it is taken out of the address, which people share. */
export function takeToken(): string | undefined {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  try {
    if (!token) return sessionStorage.getItem(KEY) ?? undefined;
    sessionStorage.setItem(KEY, token);
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  } catch {
    // Storage is forbidden: the address has to keep it.
  }
  return token ?? undefined;
}

/** Ask for a token when the server is there and still lets nobody in: browsers do not say why a socket is refused. */
export function buildToken(app: App): void {
  const dialog = byId<HTMLDialogElement>("token");
  const input = make("input", { type: "password", autocomplete: "off", required: true });
  input.setAttribute("aria-label", "Token");
  const form = make("form", {}, input, make("button", { type: "submit", className: "primary" }, "Connect"));
  form.onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, input.value.trim());
    location.reload();
  };
  dialog.append(
    make("h2", { id: "token-title" }, "This server wants a token"),
    make("p", {}, "It was printed when the server was started."),
    form,
  );
  let failed = 0;
  app.client.on("state", (state) => {
    if (state === "open") [failed] = [0, dialog.close()];
    if (state !== "waiting" || app.client.hello || ++failed !== 2) return;
    void fetch(new URL("healthz", document.baseURI)).then(({ ok }) => ok && !dialog.open && dialog.showModal(), () => {});
  });
}
