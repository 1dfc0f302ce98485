/**
 * The client that web pages import: opens and controls characters of a motiongen server over one websocket.
 *
 *     const client = await MotionGenClient.connect("ws://127.0.0.1:8787/ws");
 *     const character = await client.open({ prompt: "a person walks forward" });
 *     await character.prompt("a person waves");
 *     requestAnimationFrame(function draw() {
 *       const pose = character.sample(); // interpolated to the present time
 *       requestAnimationFrame(draw);
 *     });
 *
 * It has no dependencies.
 */

import type { Beginning, RemoteCharacter, Transport } from "./character.js";
import { CharacterTable } from "./characters.js";
import { ServerClock } from "./clock.js";
import { Connection, type ConnectionHandlers, type State } from "./connection.js";
import { Emitter } from "./emitter.js";
import { disconnected, MotionGenError, MotionGenTimeoutError } from "./errors.js";
import { Keepalive } from "./keepalive.js";
import { answerDelay, errorOf, type Message, PendingRequests, type RequestOptions } from "./requests.js";
import { checkedTimeout, DEFAULT_TIMEOUT } from "./timeout.js";
import { decodeFrame, type Format, frameFromJson, type Hello, type StreamEvent } from "./wire.js";

export { type Audio, decodeAudio, encodeAudio, toS16 } from "./audio.js";
export {
  type Answer, type Arrival, type Beginning, type CharacterEvents, type Obstacle, type Point, type Reference, RemoteCharacter,
} from "./character.js";
export { MotionGenError, MotionGenTimeoutError } from "./errors.js";
export { Playback, type Pose } from "./playback.js";
export { ServerClock } from "./clock.js";
export { type State } from "./connection.js";
export { type RequestOptions } from "./requests.js";
export { Song } from "./song.js";
export { type Avatar, decodeFrame, encodeFrame, type Format, type Frame, type Hello, type Skeleton, type StreamEvent, WireError } from "./wire.js";

/** Options of a client. */
export interface ClientOptions {
  /** The server's access token, if it requires one. */
  token?: string;
  /** Format of frames on the wire; f32 when left out. */
  format?: Format;
  /** Whether to connect again after a drop and resume the stream; true when left out. */
  reconnect?: boolean;
  /** Whether to connect again after the very first attempt failed, too; false when left out. */
  patient?: boolean;
  /** Shortest and longest pause before a new attempt, milliseconds. */
  backoff?: [number, number];
  /**
   * Longest wait for the server's hello and for the answer to a request, milliseconds; 10 000 when left out.
   *
   * 0 or Infinity waits without a limit. A prompt with `at` may take `at` seconds longer; `then` has no limit, because
   * its answer comes when its turn comes.
   */
  timeout?: number;
}

/** Events of a client. */
export interface ClientEvents {
  state: State;
  hello: Hello;
  /** A character was opened, resumed or, where the server had lost it, opened again. */
  character: RemoteCharacter;
  /** The server sent an error that belongs to no request. */
  error: MotionGenError;
}

/** A connection to a motiongen server that is made again when it drops. */
export class MotionGenClient extends Emitter<ClientEvents> implements Transport {
  /** The server's first message; null before it was received. */
  hello: Hello | null = null;
  readonly clock = new ServerClock();
  private readonly url: URL;
  private readonly host: string;
  private readonly format: Format;
  private readonly timeout: number;
  private readonly connection: Connection;
  private readonly requests: PendingRequests;
  private readonly table: CharacterTable;
  private readonly keepalive: Keepalive;
  private session = "";
  /** Whether characters of the last connection are being resumed: no other request is sent meanwhile. */
  private isRestoring = false;

  /** @param server the server's websocket, such as "ws://127.0.0.1:8787/ws"; `connect` connects to it. */
  constructor(server: string | URL, options: ClientOptions = {}) {
    super();
    const { token, format = "f32", reconnect = true, patient = false, backoff = [250, 8000] } = options;
    const url = (this.url = new URL(server));
    url.protocol = url.protocol.replace("http", "ws");
    if (token) url.searchParams.set("token", token);
    this.host = url.host;
    this.format = format;
    this.timeout = checkedTimeout(options.timeout ?? DEFAULT_TIMEOUT);
    this.connection = new Connection(url, { reconnect, patient, backoff, timeout: this.timeout }, this.handlers());
    this.requests = new PendingRequests(this.host);
    this.table = new CharacterTable(this, format, (character) => this.emit("character", character));
    const onSilence = () => this.connection.abandon(disconnected("the server has sent nothing for 7 s"));
    this.keepalive = new Keepalive(this.clock, (message) => this.request(message), onSilence);
  }

  /** State of the connection. */
  get state(): State {
    return this.connection.state;
  }

  /** Characters by their number on this connection. */
  get characters(): Map<number, RemoteCharacter> {
    return this.table.byNumber;
  }

  /** Return a client that is connected. */
  static async connect(url: string | URL, options: ClientOptions = {}): Promise<MotionGenClient> {
    const client = new MotionGenClient(url, options);
    await client.connect();
    return client;
  }

  /**
   * Connect, and return the server's hello.
   *
   * Rejects when the first attempt fails or takes longer than the time limit, unless the client is patient.
   */
  connect(): Promise<Hello> {
    return new Promise((resolve, reject) => {
      const unsubscribe = [
        this.on("hello", (hello) => (done(), resolve(hello))),
        this.on("state", (state) => state === "closed" && (done(), reject(this.connectError()))),
      ];
      const done = () => unsubscribe.forEach((end) => end());
      this.connection.dial();
    });
  }

  /** Disconnect for good. */
  close(): void {
    this.requests.rejectAll(disconnected("the client was closed"));
    this.connection.close("closed by this page");
  }

  /** Give this connection up and make another one. */
  drop(): void {
    this.connection.abandon(disconnected("the connection was given up"));
  }

  /** Make the next attempt to connect now instead of when the pause is over. */
  retry(): void {
    if (this.state === "waiting") this.connection.dial();
  }

  /** Open a character; it idles unless a prompt is given. */
  async open(beginning: Beginning = {}): Promise<RemoteCharacter> {
    const reply = await this.request({ type: "open", format: this.format, ...beginning });
    return this.table.create(reply, reply["key"] as string, this.hello!.fps, beginning);
  }

  /** Watch the character that has this key, opened by any client, on an avatar if one is named. */
  async watch(key: string, options: { avatar?: string } = {}): Promise<RemoteCharacter> {
    const reply = await this.request({ type: "watch", format: this.format, key, ...options });
    return this.table.create(reply, key, this.hello!.fps, null);
  }

  /**
   * Send any message of PROTOCOL.md and return its answer.
   *
   * Rejects with a MotionGenError: the server's, "disconnected", or a MotionGenTimeoutError.
   */
  request(message: Message, options: RequestOptions = {}): Promise<Message> {
    return this.isRestoring ? Promise.reject(disconnected()) : this.sendRequest(message, options);
  }

  /** Send a binary message; return whether there is a connection. */
  send(data: ArrayBuffer): boolean {
    return !this.isRestoring && this.connection.send(data);
  }

  /** Return the server's time at a local time of `performance.now()`, milliseconds. */
  serverTime(now: number = performance.now()): number {
    return this.clock.at(now);
  }

  private handlers(): ConnectionHandlers {
    return {
      onState: (state) => this.emit("state", state),
      onMessage: (data) => this.receive(data),
      onDrop: (error) => {
        this.keepalive.stop();
        this.requests.rejectAll(error);
        this.table.interruptAll();
        // Who comes back says where its characters live; who has none may come to any server.
        if (this.characters.size) this.url.searchParams.set("at", this.session.slice(0, 4));
        else this.url.searchParams.delete("at");
      },
      onClosed: (reason) => {
        this.keepalive.stop();
        this.table.closeAll(reason);
      },
    };
  }

  private connectError(): MotionGenError {
    const { lastError } = this.connection;
    if (lastError instanceof MotionGenTimeoutError) return lastError;
    return new MotionGenError("refused", `no server answered at ${this.host}`);
  }

  private async sendRequest(message: Message, options: RequestOptions = {}): Promise<Message> {
    const { timeout } = options;
    const limit = timeout === undefined ? this.timeout + answerDelay(message) : checkedTimeout(timeout);
    const id = this.requests.newId();
    if (!this.connection.send(JSON.stringify({ ...message, id }))) throw disconnected();
    return this.requests.add(id, String(message["type"]), limit);
  }

  private receive(data: string | ArrayBuffer): void {
    const now = performance.now();
    this.keepalive.noteMessage(now);
    if (typeof data !== "string") return this.table.receiveFrame(decodeFrame(data), now);
    const message = JSON.parse(data) as Message;
    switch (message["type"]) {
      case "frame":
        return this.table.receiveFrame(frameFromJson(message), now);
      case "event":
        return this.table.receiveEvent(message as unknown as StreamEvent);
      case "hello":
        return void this.receiveHello(message as unknown as Hello, now);
      case "ok":
      case "pong":
      case "error":
        return this.receiveAnswer(message);
    }
  }

  private receiveAnswer(message: Message): void {
    const unused = this.requests.settle(message);
    if (unused !== null) this.sendRequest({ type: "close", character: unused }).catch(() => {}); // the server closes it later
    if (message["type"] === "error" && message["id"] === undefined) this.emit("error", errorOf(message));
  }

  private async receiveHello(hello: Hello, now: number): Promise<void> {
    const { socket } = this.connection;
    this.connection.markGreeted();
    this.hello = hello;
    this.isRestoring = true;
    try {
      await this.restore(hello, now);
    } catch (error) {
      if (!(error instanceof MotionGenError)) throw error;
      // After a drop another attempt is being made already; here the server did not answer in time.
      if (this.connection.socket === socket) this.connection.abandon(error);
      return;
    } finally {
      this.isRestoring = false;
    }
    if (this.connection.socket !== socket || this.state === "closed") return;
    this.session = hello.session;
    this.connection.markOpen();
    this.emit("hello", hello);
    this.keepalive.start();
  }

  /** Continue the characters of the last connection, or open them again where the server has lost them. */
  private async restore(hello: Hello, now: number): Promise<void> {
    const request = (message: Message) => this.sendRequest(message);
    if (this.characters.size && (await this.table.resume(request, this.session))) return;
    this.clock.reset(); // it may be another server's
    this.clock.guess(hello.time / 1000, now);
    await this.table.reopen(request);
  }
}
