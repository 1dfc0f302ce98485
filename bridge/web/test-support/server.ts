/** A websocket server on this machine whose answers each test writes, by PROTOCOL.md. It shares no code with the client. */

import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { WebSocket, WebSocketServer } from "ws";

// The client uses the browser's class; Node 20 has none.
Object.assign(globalThis, { WebSocket });

/** A message of either side. */
export type Message = Record<string, unknown>;

/** Answers a message of a client; `connection` counts from 0. */
export type Handler = (message: Message, socket: WebSocket, connection: number) => void;

/** A running server, and what it received. */
export interface TestServer {
  url: string;
  /** Text messages, without pings. */
  messages: Message[];
  /** Binary messages. */
  audio: Buffer[];
  sockets: WebSocket[];
  /** Paths and queries of the connections. */
  targets: string[];
}

const HELLO = {
  type: "hello", version: 1, server: "test", fps: 30, time: 0, resume_seconds: 30,
  verbs: ["prompt", "then", "hold"], formats: ["f32"], limits: { message_bytes: 16384 },
};

/** Frames of bridge/fixtures/frames.json in f32, as bytes; all are of character 3. From .test/test-support/, where this runs. */
export const FIXTURE_FRAME = (() => {
  const fixtures = readFileSync(new URL("../../../fixtures/frames.json", import.meta.url), "utf8");
  const { hex, frame } = JSON.parse(fixtures).frames[0] as { hex: string; frame: { character: number; seq: number } };
  return { bytes: Buffer.from(hex, "hex"), ...frame };
})();

/** Start a server that says hello, answers pings, and leaves the rest to `handle`; it ends with the test. */
export async function startServer(context: TestContext, handle: Handler, hello: Message | null = HELLO): Promise<TestServer> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "motiongen.v1" });
  const running: TestServer = { url: "", messages: [], audio: [], sockets: [], targets: [] };
  server.on("connection", (socket, request) => {
    running.targets.push(request.url ?? "");
    const connection = running.sockets.push(socket) - 1;
    if (hello) send(socket, { ...hello, session: `session ${connection}` });
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) return void running.audio.push(data);
      const message = JSON.parse(data.toString()) as Message;
      if (message["type"] === "ping") return send(socket, { type: "pong", id: message["id"], server_time: 0 });
      running.messages.push(message);
      handle(message, socket, connection);
    });
  });
  await new Promise((resolve) => server.once("listening", resolve));
  running.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
  context.after(() => {
    for (const socket of running.sockets) socket.terminate();
    server.close();
  });
  return running;
}

/** Send a text message to a client. */
export function send(socket: WebSocket, message: Message): void {
  socket.send(JSON.stringify(message));
}

/** Answer a message with `ok`: `open` with the fixtures' character, verbs with a number and a frame. */
export function sendOk(message: Message, socket: WebSocket): void {
  const opened = { character: FIXTURE_FRAME.character, key: "key" };
  const answer = message["type"] === "open" || message["type"] === "watch" ? opened : { number: 1, seq: 0 };
  send(socket, { type: "ok", id: message["id"], ...answer });
}

/** Wait until something is true. */
export async function until(isTrue: () => boolean): Promise<void> {
  for (let waited = 0; !isTrue(); waited += 5) {
    if (waited > 30_000) throw new Error(`waited 30 s for ${isTrue}`);
    await sleep(5);
  }
}

/** Wait, milliseconds. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
