/**
 * The client that web pages import: characters of a motiongen server, over one websocket. No dependencies.
 *
 *     const client = await MotionGenClient.connect("ws://127.0.0.1:8787/ws");
 *     const character = await client.open({ prompt: "a person walks forward" });
 *     await character.prompt("a person waves");
 *     requestAnimationFrame(function draw() {
 *       const pose = character.sample(); // interpolated to this very moment
 *       requestAnimationFrame(draw);
 *     });
 */

import { type Beginning, type Line, RemoteCharacter } from "./character.js";
import { ServerClock } from "./clock.js";
import { Emitter } from "./emitter.js";
import { decodeFrame, type Format, type Frame, frameFromJson, type Hello, type StreamEvent, SUBPROTOCOL } from "./wire.js";

export { type Audio, decodeAudio, encodeAudio, toS16 } from "./audio.js";
export { type Answer, type Beginning, type CharacterEvents, RemoteCharacter } from "./character.js";
export { Playback, type Pose } from "./playback.js";
export { ServerClock } from "./clock.js";
export { Song } from "./song.js";
export { decodeFrame, encodeFrame, type Format, type Frame, type Hello, type StreamEvent, WireError } from "./wire.js";

/** What went wrong: `code` is the server's (see PROTOCOL.md), or "disconnected" or "refused". */
export class MotionGenError extends Error {
  override readonly name = "MotionGenError";
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Where a connection stands. */
export type State = "idle" | "connecting" | "open" | "waiting" | "closed";

/** How a client behaves. */
export interface ClientOptions {
  /** Token of the server, if it wants one. */
  token?: string;
  /** How frames travel; f32 when left out. */
  format?: Format;
  /** Connect again after a drop, and go on where the stream was (the default). */
  reconnect?: boolean;
  /** Keep trying when the very first connection fails, too. */
  patient?: boolean;
  /** Shortest and longest wait before a new attempt, milliseconds. */
  backoff?: [number, number];
}

/** What a client tells of. */
export interface ClientEvents {
  state: State;
  hello: Hello;
  /** A character that this client owns is on the server: newly opened, resumed, or opened again. */
  character: RemoteCharacter;
  /** An error that belongs to no request. */
  error: MotionGenError;
}

interface Pending {
  resolve: (reply: Record<string, unknown>) => void;
  reject: (error: MotionGenError) => void;
}

const PING_EVERY = 2000;
/** A connection on which nothing came for so long is given up, milliseconds. */
const SILENCE = 7000;
const FIRST_PINGS = [0, 100, 200, 400, 800];
/** A close that a new attempt would not change: this client broke a rule. */
const POLICY = 1008;

/** A connection to a motiongen server, which outlives drops. */
export class MotionGenClient extends Emitter<ClientEvents> implements Line {
  /** The server's first message; null before it came. */
  hello: Hello | null = null;
  state: State = "idle";
  readonly clock = new ServerClock();
  /** Characters by their number on this connection. */
  readonly characters = new Map<number, RemoteCharacter>();
  private readonly url: URL;
  private readonly options: Required<Omit<ClientOptions, "token">>;
  private socket: WebSocket | null = null;
  private readonly pending = new Map<number, Pending>();
  private beginnings = new WeakMap<RemoteCharacter, Beginning>();
  private session = "";
  private heard = 0;
  private count = 0;
  private attempts = 0;
  private timers: ReturnType<typeof setTimeout>[] = [];
  private resuming = false;

  /** For a server's socket, such as "ws://127.0.0.1:8787/ws"; `connect` connects. */
  constructor(url: string | URL, options: ClientOptions = {}) {
    super();
    this.url = new URL(url);
    this.url.protocol = this.url.protocol.replace("http", "ws");
    if (options.token) this.url.searchParams.set("token", options.token);
    const { token: _, ...others } = options;
    this.options = { format: "f32", reconnect: true, patient: false, backoff: [250, 8000], ...others };
  }

  /** Return a client that is connected. */
  static async connect(url: string | URL, options: ClientOptions = {}): Promise<MotionGenClient> {
    const client = new MotionGenClient(url, options);
    await client.connect();
    return client;
  }

  /** Connect; resolves with the server's hello. Rejects when the first attempt fails, unless the client is patient. */
  connect(): Promise<Hello> {
    return new Promise((resolve, reject) => {
      const ends = [
        this.on("hello", (hello) => (done(), resolve(hello))),
        this.on("state", (state) => {
          if (state === "closed") (done(), reject(new MotionGenError("refused", `no server answered at ${this.url.host}`)));
        }),
      ];
      const done = () => ends.forEach((end) => end());
      this.dial();
    });
  }

  /** Hang up for good. */
  close(): void {
    this.stop("closed by this page");
    this.socket?.close(1000);
  }

  /** Give this connection up; another one takes its place. */
  drop(): void {
    const socket = this.socket;
    if (!socket) return;
    this.dropped(4000, "the connection fell silent"); // a close that nobody answers would take its time
    socket.close(4000);
  }

  /** Try again now rather than when the wait is over. */
  retry(): void {
    if (this.state === "waiting") this.dial();
  }

  /** Open a character; it stands idle unless a prompt is given. */
  async open(beginning: Beginning = {}): Promise<RemoteCharacter> {
    const reply = await this.request({ type: "open", format: this.options.format, ...beginning });
    return this.seat(reply["character"] as number, reply["key"] as string, false, beginning);
  }

  /** Watch the character with that key, whoever opened it. */
  async watch(key: string): Promise<RemoteCharacter> {
    const reply = await this.request({ type: "watch", format: this.options.format, key });
    return this.seat(reply["character"] as number, key, true, {});
  }

  /** Send any message of PROTOCOL.md and return its answer; rejects with a MotionGenError. */
  request(message: Record<string, unknown>): Promise<Record<string, unknown>> {
    if (this.resuming) return Promise.reject(disconnected());
    return this.ask(message);
  }

  /** Send a binary message; return whether there is a connection. */
  send(data: ArrayBuffer): boolean {
    if (this.resuming || this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(data);
    return true;
  }

  /** Return the server's time at a local time of `performance.now()`, milliseconds. */
  serverTime(now: number = performance.now()): number {
    return this.clock.at(now);
  }

  private ask(message: Record<string, unknown>): Promise<Record<string, unknown>> {
    const socket = this.socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(disconnected());
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      socket.send(JSON.stringify({ ...message, id }));
    });
  }

  private enter(state: State): void {
    if (this.state === state) return;
    this.state = state;
    this.emit("state", state);
  }

  private dial(): void {
    this.clearTimers();
    this.enter("connecting");
    const socket = new WebSocket(this.url, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    socket.onmessage = ({ data }) => this.socket === socket && this.receive(data);
    socket.onclose = ({ code, reason }) => this.socket === socket && this.dropped(code, reason);
  }

  private dropped(code: number, reason: string): void {
    this.clearTimers();
    this.socket = null;
    this.failAll(new MotionGenError("disconnected", reason || "the connection was lost"));
    for (const character of this.characters.values()) character.interrupt();
    const hopeless = code === POLICY || !this.options.reconnect || (!this.hello && !this.options.patient);
    if (this.state === "closed") return;
    if (hopeless) {
      this.stop(reason || "the connection was lost");
      return;
    }
    const [shortest, longest] = this.options.backoff;
    // Half of the wait is drawn, so that a server that comes back is not met by all at once.
    const wait = Math.min(longest, shortest * 2 ** this.attempts++) * (0.5 + 0.5 * Math.random());
    this.enter("waiting");
    this.timers.push(setTimeout(() => this.dial(), wait));
  }

  private stop(why: string): void {
    this.clearTimers();
    this.enter("closed");
    for (const character of this.characters.values()) character.ended(why);
    this.characters.clear();
  }

  private failAll(error: MotionGenError): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }

  private clearTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers = [];
  }

  private receive(data: string | ArrayBuffer): void {
    const now = (this.heard = performance.now());
    if (typeof data !== "string") {
      this.deliver(decodeFrame(data), now);
      return;
    }
    const message = JSON.parse(data) as Record<string, unknown>;
    switch (message["type"]) {
      case "frame":
        return this.deliver(frameFromJson(message), now);
      case "event":
        return this.happened(message as unknown as StreamEvent);
      case "hello":
        return void this.greeted(message as unknown as Hello, now);
      case "ok":
      case "pong":
      case "error":
        return this.answered(message);
    }
  }

  private answered(message: Record<string, unknown>): void {
    const pending = this.pending.get(message["id"] as number);
    this.pending.delete(message["id"] as number);
    if (message["type"] !== "error") {
      pending?.resolve(message);
      return;
    }
    const error = new MotionGenError(String(message["code"]), String(message["message"]));
    if (pending) pending.reject(error);
    else this.emit("error", error);
  }

  private deliver(frame: Frame, now: number): void {
    this.characters.get(frame.character)?.receive(frame, now); // the last frames of one that was closed find nobody
  }

  private happened(event: StreamEvent): void {
    const character = this.characters.get(event.character);
    character?.happened(event);
    if (event.event !== "closed" || !character) return;
    this.characters.delete(event.character);
    character.ended(event.text ?? "closed by the server");
  }

  private seat(number: number, key: string, isReadOnly: boolean, beginning: Beginning): RemoteCharacter {
    const character = new RemoteCharacter(this, number, key, isReadOnly, this.hello?.fps ?? 30);
    this.beginnings.set(character, beginning);
    this.place(character);
    return character;
  }

  private place(character: RemoteCharacter): void {
    const number = character.number;
    this.characters.set(number, character);
    character.on("closed", () => this.characters.get(number) === character && this.characters.delete(number));
    this.emit("character", character);
  }

  private async greeted(hello: Hello, now: number): Promise<void> {
    const socket = this.socket;
    this.hello = hello;
    this.attempts = 0;
    this.resuming = true;
    if (!this.characters.size || !(await this.resumed())) {
      this.clock.reset(); // it may be another server's
      this.clock.guess(hello.time / 1000, now);
      await this.openAgain();
    }
    this.resuming = false;
    if (this.socket !== socket || this.state === "closed") return;
    this.session = hello.session;
    this.enter("open");
    this.emit("hello", hello);
    for (const wait of FIRST_PINGS) this.timers.push(setTimeout(() => void this.ping(), wait));
    this.pingOn();
  }

  /** Go on with the characters of the last connection; return whether the server still had them. */
  private async resumed(): Promise<boolean> {
    const last: Record<string, number> = {};
    for (const { number, latest } of this.characters.values()) last[number] = latest?.seq ?? -1;
    try {
      await this.ask({ type: "resume", session: this.session, last });
    } catch {
      return false;
    }
    for (const character of this.characters.values()) this.emit("character", character);
    return true;
  }

  /** Open the characters that the server has forgotten anew, each with its last prompt. */
  private async openAgain(): Promise<void> {
    const lost = [...this.characters.values()];
    this.characters.clear();
    for (const character of lost) {
      const beginning = { ...this.beginnings.get(character), ...(character.told && { prompt: character.told }) };
      try {
        if (character.isReadOnly) throw new MotionGenError("gone", "the character that was watched is gone");
        const reply = await this.ask({ type: "open", format: this.options.format, ...beginning });
        character.reborn(reply["character"] as number, reply["key"] as string);
        this.place(character);
      } catch (error) {
        if ((error as MotionGenError).code === "disconnected") this.characters.set(character.number, character);
        else character.ended((error as Error).message);
      }
    }
  }

  private pingOn(): void {
    this.timers.push(
      setTimeout(() => {
        if (performance.now() - this.heard > SILENCE) return this.drop(); // the network went, and nobody said so
        void this.ping();
        this.pingOn();
      }, PING_EVERY),
    );
  }

  private async ping(): Promise<void> {
    const asked = performance.now();
    try {
      const pong = await this.request({ type: "ping", time: asked });
      this.clock.pong(asked, (pong["server_time"] as number) / 1000, performance.now());
    } catch {
      // The connection went while it waited, or the server found it too fast; the next one tells.
    }
  }
}

function disconnected(): MotionGenError {
  return new MotionGenError("disconnected", "there is no connection now; wait for state open");
}
