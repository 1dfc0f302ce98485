/** Pings on one connection: they measure the server's clock and find out that the connection is dead. */

import type { ServerClock } from "./clock.js";
import type { Message } from "./requests.js";

const PING_INTERVAL = 2000;
/** A connection on which nothing came for this long is given up, milliseconds. */
const SILENCE_LIMIT = 7000;
/** Delays of the first pings, milliseconds: several at once give a good estimate of the clock early. */
const FIRST_PINGS = [0, 100, 200, 400, 800];

/** Sends pings while it runs. */
export class Keepalive {
  private firstPings: ReturnType<typeof setTimeout>[] = [];
  private interval: ReturnType<typeof setInterval> | undefined;
  private lastMessage = 0;
  private checksSinceMessage = 0;

  /**
   * @param clock estimate of the server's clock that pings improve.
   * @param request sends a message and returns its answer.
   * @param onSilence called once when nothing came for seven seconds.
   */
  constructor(
    private readonly clock: ServerClock,
    private readonly request: (message: Message) => Promise<Message>,
    private readonly onSilence: () => void,
  ) {}

  /** Start on a new connection. */
  start(): void {
    this.stop();
    this.noteMessage();
    this.firstPings = FIRST_PINGS.map((delay) => setTimeout(() => void this.ping(), delay));
    this.interval = setInterval(() => this.check(), PING_INTERVAL);
  }

  /** Stop: the connection is over. */
  stop(): void {
    for (const timer of this.firstPings) clearTimeout(timer);
    clearInterval(this.interval);
  }

  /** Note that a message came now. */
  noteMessage(now: number = performance.now()): void {
    [this.lastMessage, this.checksSinceMessage] = [now, 0];
  }

  private check(): void {
    this.checksSinceMessage += 1;
    // At the first check after the page was frozen, messages that have arrived are still to be handled.
    const isSilent = this.checksSinceMessage > 1 && performance.now() - this.lastMessage > SILENCE_LIMIT;
    if (!isSilent) return void this.ping();
    this.stop();
    this.onSilence();
  }

  private async ping(): Promise<void> {
    const sentAt = performance.now();
    try {
      const pong = await this.request({ type: "ping", time: sentAt });
      this.clock.pong(sentAt, (pong["server_time"] as number) / 1000, performance.now());
    } catch {
      // The connection dropped, the server found the client too fast, or no answer came: the next ping counts.
    }
  }
}
