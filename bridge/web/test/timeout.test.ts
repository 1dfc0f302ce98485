/** Time limits of the client, against a real websocket server that leaves requests unanswered. */

import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { MotionGenClient, MotionGenError, MotionGenTimeoutError, type RemoteCharacter } from "../src/client/client.js";
import { startTimeLimit } from "../src/client/timeout.js";
import { type Handler, send, sendOk, sleep, startServer, type TestServer, until } from "../test-support/server.js";

/** Milliseconds: long enough for a busy machine to connect and open a character. */
const LIMIT = 1000;

/** A server that answers `open` only, apart from what `handle` does; a client with a short limit; a character. */
async function openCharacter(context: TestContext, handle: Handler = () => {}, timeout = LIMIT) {
  const server = await startServer(context, (message, socket, connection) => {
    if (message["type"] === "open") sendOk(message, socket);
    else handle(message, socket, connection);
  });
  const client = await connect(context, server, timeout);
  return { server, client, character: await client.open() };
}

async function connect(context: TestContext, server: TestServer, timeout: number): Promise<MotionGenClient> {
  const client = new MotionGenClient(server.url, { timeout });
  context.after(() => client.close());
  await client.connect();
  return client;
}

/** Assert that a promise rejects with the error of a time limit that was kept. */
async function assertTimeout(promise: Promise<unknown>, request: string, limit = LIMIT): Promise<void> {
  const start = performance.now();
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof MotionGenTimeoutError && error instanceof MotionGenError, String(error));
    assert.deepEqual([error.code, error.request, error.milliseconds], ["timeout", request, limit]);
    assert.match(error.message, new RegExp(`^${request}: no answer from 127.0.0.1:\\d+ within ${limit / 1000} s; try again`));
    return true;
  });
  assert.ok(performance.now() - start > limit - 5 && performance.now() - start < limit + 5000);
}

const VERBS: Record<string, (character: RemoteCharacter) => Promise<unknown>> = {
  prompt: (character) => character.prompt("a person walks"),
  hold: (character) => character.hold(),
  loop: (character) => character.loop(),
  finish: (character) => character.finish(2),
  pose: (character) => character.pose(),
  turn: (character) => character.turn(1),
  goto: (character) => character.goto(1, 2),
  path: (character) => character.path([[1, 2]]),
  avoid: (character) => character.avoid([]),
  reach: (character) => character.reach("left", null),
  look: (character) => character.look(null),
  steer: (character) => character.steer([0, 1]),
  seed: (character) => character.seed(3),
  strength: (character) => character.strength(4),
  style: (character) => character.style(null),
  music: (character) => character.music(),
  music_end: (character) => character.endMusic(),
  close: (character) => character.close(),
};

test("verbs without an answer reject after the time limit", async (context) => {
  const { server, character } = await openCharacter(context);
  await Promise.all(Object.entries(VERBS).map(([verb, request]) => assertTimeout(request(character), verb)));
  assert.deepEqual(server.messages.slice(1).map(({ type }) => type), Object.keys(VERBS));
});

test("open, watch and any other message without an answer reject after the time limit", async (context) => {
  const server = await startServer(context, () => {});
  const client = await connect(context, server, LIMIT);
  const requests = { open: client.open(), watch: client.watch("key"), later: client.request({ type: "later" }) };
  await Promise.all(Object.entries(requests).map(([type, request]) => assertTimeout(request, type)));
});

test("the time limit is ten seconds where none is given", async (context) => {
  const server = await startServer(context, () => {});
  const client = await MotionGenClient.connect(server.url);
  context.after(() => client.close());
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const rejected = assert.rejects(client.open(), { milliseconds: 10_000, message: /within 10 s/ });
  context.mock.timers.tick(10_000);
  await rejected;
});

test("a late answer, or error, is ignored, and later requests work", async (context) => {
  let isSlow = true;
  const { client, character } = await openCharacter(context, (message, socket) => {
    const late = message["type"] === "hold" ? { type: "ok", number: 1, seq: 0 } : { type: "error", code: "not_now", message: "late" };
    setTimeout(() => send(socket, { ...late, id: message["id"] }), isSlow ? 2 * LIMIT : 0);
  });
  const errors: MotionGenError[] = [];
  client.on("error", (error) => errors.push(error));
  await Promise.all([assertTimeout(character.hold(), "hold"), assertTimeout(character.loop(), "loop")]);
  await sleep(2 * LIMIT);
  isSlow = false;
  assert.deepEqual(errors, []);
  assert.equal((await character.hold()).number, 1);
});

test("a character whose open was answered too late is closed on the server", async (context) => {
  const server = await startServer(context, (message, socket) => {
    if (message["type"] === "open") setTimeout(() => sendOk(message, socket), 2 * LIMIT);
  });
  const client = await connect(context, server, LIMIT);
  await assertTimeout(client.open(), "open");
  await until(() => server.messages.length === 2);
  assert.deepEqual([server.messages[1]!["type"], server.messages[1]!["character"]], ["close", 3]);
  assert.equal(client.characters.size, 0);
});

test("a character that the server does not close is closed here", async (context) => {
  const { client, character } = await openCharacter(context);
  await assertTimeout(character.close(), "close");
  assert.deepEqual([character.isClosed, client.characters.size], [true, 0]);
});

test("answers that the protocol defers have a later limit, or none", async (context) => {
  const { character } = await openCharacter(context, (message, socket) => {
    if (message["type"] === "then") setTimeout(() => sendOk(message, socket), 3 * LIMIT);
  });
  const queued = character.next("a person bows");
  await assertTimeout(character.prompt("a person walks", { at: 0.25 }), "prompt", LIMIT + 250);
  assert.equal((await queued).number, 1);
});

test("a limit that ran out while the page was frozen lets the messages that arrived come first", async () => {
  let [expired, cancelled] = [0, 0];
  startTimeLimit(LIMIT, () => expired++);
  const cancel = startTimeLimit(LIMIT, () => cancelled++);
  for (const end = performance.now() + LIMIT + 1200; performance.now() < end; ); // frozen
  await sleep(0);
  assert.equal(expired, 0);
  cancel(); // as an answer does
  await until(() => expired === 1);
  await sleep(LIMIT);
  assert.deepEqual([expired, cancelled], [1, 0]);
});

test("a request may have a limit of its own", async (context) => {
  const { server, character } = await openCharacter(context, () => {}, 10_000);
  await Promise.all([
    assertTimeout(character.next("a person bows", { timeout: LIMIT }), "then"),
    assertTimeout(character.submit("hold", {}, { timeout: LIMIT }), "hold"),
    assertTimeout(character.prompt("a person bows", { at: 5, timeout: LIMIT }), "prompt"),
  ]);
  const { id: _, ...sent } = server.messages.at(-1)!;
  assert.deepEqual(sent, { type: "prompt", character: 3, text: "a person bows", at: 5 });
});

for (const unlimited of [0, Infinity]) {
  test(`a limit of ${unlimited} waits for the answer`, async (context) => {
    const late: Handler = (message, socket) => setTimeout(() => sendOk(message, socket), 3 * LIMIT);
    const { character } = await openCharacter(context, late, unlimited);
    assert.equal((await character.hold()).number, 1);
  });
}

test("a limit that is no time is refused in one line", async (context) => {
  for (const timeout of [-1, NaN, "5" as unknown as number]) {
    assert.throws(() => new MotionGenClient("ws://127.0.0.1/ws", { timeout }), { message: /^timeout: expected milliseconds, 0 or more, got / });
  }
  const { client } = await openCharacter(context);
  await assert.rejects(client.request({ type: "hold" }, { timeout: -1 }), RangeError);
});

/** A TCP server that accepts connections and sends nothing. */
async function startMuteServer(context: TestContext): Promise<string> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => void sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => (sockets.forEach((socket) => socket.destroy()), server.close()));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}

test("connecting to a server that answers no handshake rejects after the time limit", async (context) => {
  const url = await startMuteServer(context);
  await assertTimeout(MotionGenClient.connect(url, { timeout: LIMIT }), "connect");
});

test("connecting to a server that sends no hello rejects after the time limit", async (context) => {
  const { url } = await startServer(context, () => {}, null);
  const client = new MotionGenClient(url, { timeout: LIMIT });
  await assertTimeout(client.connect(), "connect");
  assert.equal(client.state, "closed");
});

test("a patient client makes another attempt after one that took too long", async (context) => {
  const url = await startMuteServer(context);
  const client = new MotionGenClient(url, { timeout: LIMIT, patient: true, backoff: [5, 5] });
  context.after(() => client.close());
  const states: string[] = [];
  client.on("state", (state) => states.push(state));
  client.connect().catch(() => {}); // rejects when the test closes the client
  await until(() => states.length === 3);
  assert.deepEqual(states, ["connecting", "waiting", "connecting"]);
});

test("a resume without an answer is tried again on another connection, and keeps the character", async (context) => {
  const { server, client, character } = await openCharacter(context, (message, socket, connection) => {
    if (message["type"] !== "resume") return sendOk(message, socket);
    if (connection === 2) send(socket, { type: "ok", id: message["id"], characters: { 3: { from: 0 } } });
  });
  server.sockets[0]!.terminate();
  await until(() => client.state === "waiting");
  client.retry();
  await until(() => server.sockets.length === 2);
  await until(() => client.state === "waiting");
  client.retry();
  await until(() => client.state === "open");
  const resumes = server.messages.filter(({ type }) => type === "resume");
  assert.deepEqual(resumes.map(({ session }) => session), ["session 0", "session 0"]);
  assert.deepEqual([client.characters.get(3), character.isClosed], [character, false]);
  assert.equal((await character.hold()).number, 1);
});
