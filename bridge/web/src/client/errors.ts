/** Errors that the client's promises reject with. */

/** A request that failed: refused by the server, not sent because there is no connection, or not answered in time. */
export class MotionGenError extends Error {
  override readonly name: string = "MotionGenError";

  /**
   * @param code the server's error code, or one of the client's own: "disconnected", "refused" or "timeout".
   * PROTOCOL.md lists the server's codes; later servers may send others.
   * @param message a sentence for people.
   */
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A request, or an attempt to connect, that the server did not answer within the time limit. Its code is "timeout". */
export class MotionGenTimeoutError extends MotionGenError {
  override readonly name = "MotionGenTimeoutError";

  /**
   * @param request type of the message that was sent, such as "prompt", or "connect".
   * @param milliseconds how long the client waited.
   * @param host host and port of the server.
   */
  constructor(
    readonly request: string,
    readonly milliseconds: number,
    host: string,
  ) {
    const seconds = Number((milliseconds / 1000).toFixed(2));
    super("timeout", `${request}: no answer from ${host} within ${seconds} s; try again, or see the server's log`);
  }
}

/** Return the error of a request that cannot be sent now. */
export function disconnected(message = "there is no connection now; wait for state open"): MotionGenError {
  return new MotionGenError("disconnected", message);
}
