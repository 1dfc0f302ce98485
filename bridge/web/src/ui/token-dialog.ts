/** The access token of servers that require one: from the page's address, or from a dialog. */

import type { App } from "../app.js";
import { TOKEN_KEY } from "../server-files.js";
import { byId, make } from "./dom.js";

/** Return the token in the page's address, or else this tab's. It is removed from the address, which people share. */
export function readToken(): string | undefined {
  const address = new URL(location.href);
  const token = address.searchParams.get("token");
  try {
    if (!token) return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
    sessionStorage.setItem(TOKEN_KEY, token);
    address.searchParams.delete("token");
    history.replaceState(null, "", address);
  } catch {
    // Storage is forbidden: the token stays in the address.
  }
  return token ?? undefined;
}

/** Build the dialog. It opens when the server answers HTTP but refuses the websocket: browsers do not tell the reason. */
export function buildTokenDialog(app: App): void {
  const dialog = byId<HTMLDialogElement>("token");
  const input = make("input", { type: "password", autocomplete: "off", required: true });
  input.setAttribute("aria-label", "Token");
  const form = make("form", {}, input, make("button", { type: "submit", className: "primary" }, "Connect"));
  form.onsubmit = (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN_KEY, input.value.trim());
    location.reload();
  };
  dialog.append(
    make("h2", { id: "token-title" }, "This server wants a token"),
    make("p", {}, "It was printed when the server was started."),
    form,
  );
  let failures = 0;
  app.client.on("state", (state) => {
    if (state === "open") [failures] = [0, dialog.close()];
    if (state !== "waiting" || app.client.hello || ++failures !== 2) return;
    void fetch(new URL("healthz", document.baseURI)).then(({ ok }) => ok && !dialog.open && dialog.showModal(), () => {});
  });
}
