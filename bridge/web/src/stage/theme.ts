/** The two moods of the stage: colours of sky and floor, and its lamps. */

/** What one mood is made of; colours as CSS writes them. */
export interface Mood {
  zenith: string;
  /** Sky and floor meet in it. */
  horizon: string;
  floor: string;
  tile: string;
  line: string;
  /** What is seen where the sun does not reach, and how much of it. */
  shadow: string;
  shadowDepth: number;
  /** A pool of light around who is followed. */
  pool: string;
  poolDepth: number;
  sun: { colour: string; intensity: number };
  sky: { above: string; below: string; intensity: number };
  rim: { colour: string; intensity: number };
  environment: number;
  exposure: number;
}

export const MOODS: Record<"light" | "dark", Mood> = {
  light: {
    zenith: "#d5dfec",
    horizon: "#f1f4f8",
    floor: "#e3e8ef",
    tile: "#dbe1ea",
    line: "#c3ccd9",
    shadow: "#5c6a86",
    shadowDepth: 0.62,
    pool: "#ffffff",
    poolDepth: 0.42,
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
    pool: "#39465c",
    poolDepth: 0.6,
    sun: { colour: "#fff0dc", intensity: 2.4 },
    sky: { above: "#8fa6cc", below: "#171a20", intensity: 0.55 },
    rim: { colour: "#8db4ff", intensity: 2.2 },
    environment: 0.2,
    exposure: 1.0,
  },
};
