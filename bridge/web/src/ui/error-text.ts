/** Sentences for the page's user about errors. */

import { MotionGenError } from "../client/errors.js";

/**
 * Return the sentence that a toast shows for an error.
 *
 * A failure of the server (code "internal") is marked as one; all other codes are refusals of a wrong request. The
 * server's message is shown whatever the code, or else the code.
 */
export function errorText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof MotionGenError)) return message || "Something failed, without a message";
  if (error.code === "internal") return `The server failed: ${message || "see its log"}`;
  return message || `The server refused: ${error.code}`;
}
