/** Requests that wait for the server's answer, matched by id, each with a time limit. Opens no socket. */

import { MotionGenError, MotionGenTimeoutError } from "./errors.js";
import { startTimeLimit } from "./timeout.js";

/** A message of PROTOCOL.md, or the answer to one. */
export type Message = Record<string, unknown>;

/** Options of one request. */
export interface RequestOptions {
  /** Longest wait for the answer, milliseconds; 0 or Infinity waits without a limit. */
  timeout?: number;
}

/** Messages whose answer names a character that the server has made, or shows, for this client. */
const GRANTING = new Set(["open", "watch"]);

/**
 * Return the delay that the protocol itself puts before the answer to a message, milliseconds.
 *
 * A prompt with `at` is answered when it begins. So is `then`, whose turn may come at any time: its delay is Infinity.
 */
export function answerDelay(message: Message): number {
  if (message["type"] === "then") return Infinity;
  return message["type"] === "prompt" && typeof message["at"] === "number" ? 1000 * message["at"] : 0;
}

interface PendingRequest {
  resolve: (reply: Message) => void;
  reject: (error: MotionGenError) => void;
  cancelTimer: () => void;
}

/** The requests of one client that have no answer yet. */
export class PendingRequests {
  private readonly pending = new Map<number, PendingRequest>();
  private readonly expiredGrants = new Set<number>();
  private lastId = 0;

  /** @param host host and port of the server, for error messages. */
  constructor(private readonly host: string) {}

  /** Return the id of a new request. */
  newId(): number {
    return ++this.lastId;
  }

  /**
   * Return the promise of the answer to a request.
   *
   * @param id of the message, from `newId`.
   * @param type of the message.
   * @param timeout time limit in milliseconds; Infinity is none.
   */
  add(id: number, type: string, timeout: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      const cancelTimer = startTimeLimit(timeout, () => {
        this.pending.delete(id);
        if (GRANTING.has(type)) this.expiredGrants.add(id);
        reject(new MotionGenTimeoutError(type, timeout, this.host));
      });
      this.pending.set(id, { resolve, reject, cancelTimer });
    });
  }

  /**
   * Settle the request that a message of type "ok", "pong" or "error" answers.
   *
   * A late answer to an expired request is ignored.
   *
   * @returns the character that a late answer to `open` or `watch` granted, which nobody uses; null otherwise.
   */
  settle(message: Message): number | null {
    const id = message["id"] as number;
    const request = this.pending.get(id);
    this.pending.delete(id);
    request?.cancelTimer();
    if (message["type"] === "error") request?.reject(errorOf(message));
    else request?.resolve(message);
    const isLateGrant = this.expiredGrants.delete(id) && message["type"] === "ok";
    return isLateGrant ? (message["character"] as number) : null;
  }

  /** Reject all: the connection is lost, and no answer will come. */
  rejectAll(error: MotionGenError): void {
    for (const { reject, cancelTimer } of this.pending.values()) (cancelTimer(), reject(error));
    this.pending.clear();
    this.expiredGrants.clear();
  }
}

/** Return the error in a message of type "error". */
export function errorOf(message: Message): MotionGenError {
  return new MotionGenError(String(message["code"]), String(message["message"]));
}
