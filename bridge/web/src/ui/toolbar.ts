/** The toolbar at the upper right corner: model file, camera, theme, help. Files can be dropped on the page, too. */

import type { App } from "../app.js";
import { loadModelFile } from "../figures/model-file.js";
import { isSoundFile } from "../music/music-controller.js";
import { button, byId, icon } from "./dom.js";
import { buildFiguresDialog } from "./figures-dialog.js";
import { buildHelpDialog } from "./help-dialog.js";
import { buildSaveDialog } from "./save-dialog.js";
import { toast } from "./toast.js";

const THEME_KEY = "motiongen.theme";

/** The toolbar's actions that have keyboard shortcuts. */
export type ToolbarActions = Record<"toggleTheme" | "toggleCamera" | "toggleHelp" | "toggleSave" | "showFigures", () => void>;

/** Build the toolbar, and let files be dropped on the page. */
export function buildToolbar(app: App): ToolbarActions {
  const toggleTheme = buildTheme(app);
  const camera = button("camera", "", "Camera follows the selected character", "C", () => toggleCamera());
  const toggleCamera = () => {
    const { followCamera } = app.scene;
    followCamera.setFollowing(!followCamera.isFollowing);
    camera.setAttribute("aria-pressed", String(followCamera.isFollowing));
  };
  camera.setAttribute("aria-pressed", "true");
  const toggleHelp = buildHelpDialog(app);
  const toggleSave = buildSaveDialog(app);
  const file = byId<HTMLInputElement>("file");
  file.onchange = () => {
    if (file.files?.[0]) void loadFigure(app, file.files[0]);
    file.value = "";
  };
  const showFigures = buildFiguresDialog(app, () => file.click());
  const theme = button("moon", "", "Light or dark", "T", toggleTheme);
  theme.id = "theme";
  byId("toolbar").append(
    button("avatar", "", "Show the selected character as another model", "V", showFigures),
    button("save", "", "Save what you saw: a file, a video or a link", "E", toggleSave),
    camera,
    theme,
    button("help", "", "Keys and help", "?", toggleHelp),
  );
  buildDrop(app);
  return { toggleTheme, toggleCamera, toggleHelp, toggleSave, showFigures };
}

/** Show the selected character as the model in a file. */
async function loadFigure(app: App, file: File): Promise<void> {
  const view = app.selected;
  if (!view) return toast("There is no character to show as this model; add one first");
  await app.attempt(async () => {
    toast(`Reading ${file.name} …`, "note");
    const figure = await loadModelFile(file);
    if (app.characters.includes(view)) view.setFigure(figure);
    else figure.dispose();
  });
}

/** Let files be dropped on the page. */
function buildDrop(app: App): void {
  const overlay = byId("drop");
  let depth = 0; // elements under the pointer that were entered and not left
  const show = (change: number) => {
    depth = Math.max(0, depth + change);
    overlay.classList.toggle("shown", depth > 0);
  };
  addEventListener("dragenter", (event) => (event.preventDefault(), show(1)));
  addEventListener("dragleave", () => show(-1));
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    show(-depth);
    const file = event.dataTransfer?.files[0];
    if (file && app.isDanceServer && isSoundFile(file)) void app.playFile(file);
    else if (file) void loadFigure(app, file);
  });
}

/** Return the action that switches between the light and the dark theme; at first the system's is used. */
function buildTheme(app: App): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let chosen = readTheme();
  const isDark = () => (chosen ? chosen === "dark" : system.matches);
  const show = () => {
    document.documentElement.dataset["theme"] = isDark() ? "dark" : "light";
    app.scene.setTheme(isDark() ? "dark" : "light");
    const theme = document.getElementById("theme");
    theme?.replaceChildren(icon(isDark() ? "sun" : "moon"));
  };
  system.addEventListener("change", show);
  queueMicrotask(show);
  return () => {
    chosen = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(THEME_KEY, chosen);
    } catch {
      // Storage is forbidden: the choice lasts as long as the page.
    }
    show();
  };
}

/** Return the theme of the page's address, or else the stored one. */
function readTheme(): string | null {
  const requested = new URLSearchParams(location.search).get("theme");
  if (requested === "light" || requested === "dark") return requested;
  try {
    return localStorage.getItem(THEME_KEY);
  } catch {
    return null;
  }
}
