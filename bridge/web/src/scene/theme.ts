/** The light and the dark theme of the 3D scene: colours of sky and floor, and the lights. */

/** One theme; colours are CSS colours. */
export interface SceneTheme {
  zenith: string;
  /** Colour of the distant floor and of the lowest sky. */
  horizon: string;
  floor: string;
  /** Every other square metre of the floor. */
  tile: string;
  /** Grid lines of the floor. */
  line: string;
  /** Colour of shadows, and their opacity. */
  shadow: string;
  shadowDepth: number;
  /** Colour of the light spot around the camera's target, and its opacity. */
  spot: string;
  spotDepth: number;
  sun: { colour: string; intensity: number };
  sky: { above: string; below: string; intensity: number };
  rim: { colour: string; intensity: number };
  environment: number;
  exposure: number;
}

/** Themes by name. */
export const SCENE_THEMES: Record<"light" | "dark", SceneTheme> = {
  light: {
    zenith: "#d5dfec",
    horizon: "#f1f4f8",
    floor: "#e3e8ef",
    tile: "#dbe1ea",
    line: "#c3ccd9",
    shadow: "#5c6a86",
    shadowDepth: 0.62,
    spot: "#ffffff",
    spotDepth: 0.42,
    sun: { colour: "#fff3e0", intensity: 2.5 },
    sky: { above: "#e8f0ff", below: "#c9c6c0", intensity: 0.85 },
    rim: { colour: "#dbe8ff", intensity: 0.9 },
    environment: 0.42,
    exposure: 1.0,
  },
  dark: {
    zenith: "#06080c",
    horizon: "#12161e",
    floor: "#171c26",
    tile: "#1a202b",
    line: "#2c3646",
    shadow: "#04060a",
    shadowDepth: 0.8,
    spot: "#39465c",
    spotDepth: 0.6,
    sun: { colour: "#fff0dc", intensity: 2.4 },
    sky: { above: "#8fa6cc", below: "#171a20", intensity: 0.55 },
    rim: { colour: "#8db4ff", intensity: 2.2 },
    environment: 0.2,
    exposure: 1.0,
  },
};
