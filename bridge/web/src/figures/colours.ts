/** The pairs of colours that tell characters apart. */

/** CSS colours of the left and the right limbs of one character. */
export interface ColourPair {
  name: string;
  left: string;
  right: string;
}

/** One pair for each character that a page may have, in order. */
export const COLOUR_PAIRS: readonly ColourPair[] = [
  { name: "blue and orange", left: "#6a9fd4", right: "#e39a63" },
  { name: "teal and rose", left: "#46a99d", right: "#e58299" },
  { name: "violet and gold", left: "#9480d2", right: "#d9b04e" },
  { name: "green and plum", left: "#72ad64", right: "#b276a4" },
  { name: "sky and crimson", left: "#5ab6d6", right: "#d0605c" },
  { name: "indigo and lime", left: "#6b76c8", right: "#a8bd55" },
  { name: "mint and brown", left: "#78c6a4", right: "#ad7c59" },
  { name: "slate and pink", left: "#75869c", right: "#e4a4c2" },
];
