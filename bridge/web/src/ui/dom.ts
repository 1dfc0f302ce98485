/** Makes and finds elements, icons and buttons. */

/** Return the element with this id, which index.html must have. */
export function byId<Kind extends HTMLElement = HTMLElement>(id: string): Kind {
  return document.getElementById(id) as Kind;
}

/** Return a new element with properties and children; strings become text, never markup. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<Omit<HTMLElementTagNameMap[Tag], "style">> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const PATHS = {
  send: "M12 19V5M6 11l6-6 6 6",
  then: "M4 7h10M4 12h7M4 17h5M15 14l4 3.5L15 21z",
  hold: "M9 6v12M15 6v12",
  loop: "M17 3l3 3-3 3M20 6H8a4 4 0 0 0-4 4v1M7 21l-3-3 3-3M4 18h12a4 4 0 0 0 4-4v-1",
  finish: "M6 21V4M6 5h11l-2.5 3.5L17 12H6",
  left: "M9 14 4 9l5-5M4 9h9a6.5 6.5 0 0 1 0 13h-2",
  right: "m15 14 5-5-5-5M20 9h-9a6.5 6.5 0 0 0 0 13h2",
  goto: "M12 21s-6.5-5.6-6.5-10.5a6.5 6.5 0 0 1 13 0C18.500 15.400 12 21 12 21zM12 12.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  pose: "M12 6.500a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM3 10h18M12 10v6M12 16l-3.500 6M12 16l3.500 6",
  keep: "M12 4l8 8-8 8-8-8z",
  seed: "M5 4h14a1 1 0 0 1 1 1v14a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM8.500 8.500v.01M15.500 15.500v.01M15.500 8.500v.01M8.500 15.500v.01M12 12v.01",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M4.900 4.900l1.400 1.400M17.700 17.700l1.400 1.400M2 12h2M20 12h2M4.900 19.100l1.400-1.400M17.700 6.300l1.400-1.400",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z",
  help: "M9.200 9a3 3 0 1 1 4.300 2.700c-1 .5-1.500 1.100-1.500 2.300M12 17.500v.01M12 22a10 10 0 1 0 0-20 10 10 0 0 0 0 20z",
  camera: "M4 8V5a1 1 0 0 1 1-1h3M16 4h3a1 1 0 0 1 1 1v3M20 16v3a1 1 0 0 1-1 1h-3M8 20H5a1 1 0 0 1-1-1v-3M12 14.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z",
  avatar: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 12-6.900M19 15v6M16 18h6",
  note: "M9 18V6l10-2v12M9 18a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0zM19 16a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0z",
  microphone: "M12 15a3 3 0 0 0 3-3V7a3 3 0 0 0-6 0v5a3 3 0 0 0 3 3zM6 12a6 6 0 0 0 12 0M12 18v3",
  save: "M12 4v11M7 10.500l5 5 5-5M5 20h14",
  key: "M15 12a4 4 0 1 0-3.900-5H3v4h3v-2h2v2h3.100A4 4 0 0 0 15 12z",
} as const;

/** Name of an icon. */
export type Icon = keyof typeof PATHS;

/** Return an icon; it is hidden from screen readers, so that its button needs a label. */
export function icon(name: Icon): SVGSVGElement {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Return a new button with an icon, a word, a tooltip and the keyboard shortcut of the same action. */
export function button(name: Icon, word: string, title: string, key: string, press: () => void): HTMLButtonElement {
  const made = make("button", { type: "button", title: key ? `${title} (${key})` : title, onclick: press }, icon(name));
  if (word) made.append(make("span", {}, word));
  made.setAttribute("aria-label", title);
  if (key.length === 1) made.setAttribute("aria-keyshortcuts", key);
  return made;
}

/** Set the colours that the style sheet uses for a character's swatch or tag. */
export function setColours(element: HTMLElement, colours: { left: string; right: string }): void {
  element.style.setProperty("--left-colour", colours.left);
  element.style.setProperty("--right-colour", colours.right);
}
