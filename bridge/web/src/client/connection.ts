/** One websocket to a server that is connected again, with growing pauses, when it drops. Knows no messages. */

import { disconnected, type MotionGenError, MotionGenTimeoutError } from "./errors.js";
import { startTimeLimit } from "./timeout.js";
import { SUBPROTOCOL } from "./wire.js";

/** State of a connection; "waiting" is the pause before a new attempt to connect. */
export type State = "idle" | "connecting" | "open" | "waiting" | "closed";

/** Options of a connection; see ClientOptions. */
export interface ConnectionOptions {
  reconnect: boolean;
  patient: boolean;
  backoff: [number, number];
  /** Longest wait for the hello, milliseconds; Infinity is none. */
  timeout: number;
}

/** Callbacks of a connection. */
export interface ConnectionHandlers {
  onState(state: State): void;
  onMessage(data: string | ArrayBuffer): void;
  /** The socket is lost; a new attempt follows unless the state becomes "closed". */
  onDrop(error: MotionGenError): void;
  /** No attempt follows. */
  onClosed(reason: string): void;
}

/** Close code of a server that refuses this client for good: a rule was broken. */
const POLICY_VIOLATION = 1008;
/** Close code of this client's own, for a connection that it abandons. */
const ABANDONED = 4000;

/** A websocket and the attempts to have one. */
export class Connection {
  state: State = "idle";
  /** The socket in use, or the one that is being connected. */
  socket: WebSocket | null = null;
  /** The reason why the last socket was lost. */
  lastError: MotionGenError | null = null;
  private wasGreeted = false;
  private attempts = 0;
  private cancelTimer = () => {};

  constructor(
    private readonly url: URL,
    private readonly options: ConnectionOptions,
    private readonly handlers: ConnectionHandlers,
  ) {}

  /** Make one attempt to connect, now. */
  dial(): void {
    this.cancelTimer();
    this.enter("connecting");
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }) => this.socket === socket && this.handlers.onMessage(data);
    socket.onclose = ({ code, reason }) => {
      if (this.socket === socket) this.handleDrop(disconnected(reason || "the connection was lost"), code);
    };
    socket.onerror = () => {}; // a close event follows; Node's ws throws errors that nobody listens to
    const { timeout } = this.options;
    const expire = () => this.abandon(new MotionGenTimeoutError("connect", timeout, this.url.host));
    this.cancelTimer = startTimeLimit(timeout, expire);
  }

  /** Note that the server's hello came: the attempt to connect has no time limit any more. */
  markGreeted(): void {
    this.cancelTimer();
    this.wasGreeted = true;
  }

  /** Note that the connection is ready for requests. */
  markOpen(): void {
    this.attempts = 0;
    this.enter("open");
  }

  /** Send data; return whether there is a socket that takes it. */
  send(data: string | ArrayBuffer): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(data);
    return true;
  }

  /** Drop the socket without waiting for its close, which takes long on a dead network. */
  abandon(error: MotionGenError): void {
    const socket = this.socket;
    if (!socket) return;
    this.handleDrop(error, ABANDONED);
    socket.close(ABANDONED);
  }

  /** Disconnect for good. */
  close(reason: string): void {
    const socket = this.socket;
    this.stop(reason);
    socket?.close(1000);
  }

  private handleDrop(error: MotionGenError, code: number): void {
    this.cancelTimer();
    [this.socket, this.lastError] = [null, error];
    this.handlers.onDrop(error);
    if (this.state === "closed") return;
    const { reconnect, patient, backoff } = this.options;
    if (code === POLICY_VIOLATION || !reconnect || !(this.wasGreeted || patient)) return this.stop(error.message);
    // Half of the pause is random, so that clients of a server that restarts do not all come at once.
    const pause = Math.min(backoff[1], backoff[0] * 2 ** this.attempts++) * (0.5 + 0.5 * Math.random());
    this.enter("waiting");
    const timer = setTimeout(() => this.dial(), pause);
    this.cancelTimer = () => clearTimeout(timer);
  }

  private stop(reason: string): void {
    this.cancelTimer();
    this.enter("closed");
    this.handlers.onClosed(reason);
  }

  private enter(state: State): void {
    if (this.state === state) return;
    this.state = state;
    this.handlers.onState(state);
  }
}
