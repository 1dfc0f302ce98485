/** The client against a real websocket server: errors, frames, audio and lost connections. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { MotionGenClient, type MotionGenError } from "../src/client/client.js";
import { FIXTURE_FRAME, type Handler, type Message, send, sendOk, startServer, until } from "../test-support/server.js";

async function openCharacter(context: TestContext, handle: Handler) {
  const server = await startServer(context, (message, socket, connection) => {
    if (message["type"] === "open") sendOk(message, socket);
    else handle(message, socket, connection);
  });
  const client = new MotionGenClient(server.url, { timeout: 20_000 });
  context.after(() => client.close());
  await client.connect();
  return { server, client, character: await client.open({ seed: 7 }) };
}

function refuse(message: Message, code: string, text: string): Message {
  return { type: "error", id: message["id"], code, message: text };
}

for (const code of ["internal", "a_later_code"]) {
  test(`the error code "${code}" rejects the request and leaves the character alive`, async (context) => {
    const { server, client, character } = await openCharacter(context, (message, socket) => {
      if (message["type"] === "prompt") send(socket, refuse(message, code, "prompt: it failed"));
      else sendOk(message, socket);
    });
    await assert.rejects(character.prompt("a person walks"), { name: "MotionGenError", code, message: "prompt: it failed" });
    server.sockets[0]!.send(FIXTURE_FRAME.bytes);
    await until(() => character.latest !== null);
    assert.equal(character.latest!.seq, FIXTURE_FRAME.seq);
    assert.equal((await character.hold()).number, 1);
    assert.deepEqual([client.state, character.isClosed], ["open", false]);
  });
}

test("an error that belongs to no request is an event of the client", async (context) => {
  const { server, client, character } = await openCharacter(context, sendOk);
  const errors: MotionGenError[] = [];
  client.on("error", (error) => errors.push(error));
  send(server.sockets[0]!, { type: "error", code: "internal", message: "a step failed" });
  await until(() => errors.length === 1);
  assert.deepEqual([errors[0]!.code, errors[0]!.message, character.isClosed], ["internal", "a step failed", false]);
});

test("frames of the fixtures reach their character, and frames of others reach none", async (context) => {
  const { server, character } = await openCharacter(context, sendOk);
  const other = Buffer.from(FIXTURE_FRAME.bytes);
  other.writeUInt16LE(FIXTURE_FRAME.character + 1, 4);
  let count = 0;
  character.on("frame", () => count++);
  for (const bytes of [other, FIXTURE_FRAME.bytes]) server.sockets[0]!.send(bytes);
  await until(() => count > 0);
  assert.deepEqual([count, character.latest!.seq], [1, FIXTURE_FRAME.seq]);
});

test("audio is sent as the bytes of the fixtures", async (context) => {
  const fixtures = readFileSync(new URL("../../../fixtures/audio.json", import.meta.url), "utf8");
  const { hex, audio } = JSON.parse(fixtures).audio[0];
  const { server, character } = await openCharacter(context, sendOk);
  character.number = audio.character;
  assert.equal(character.sendAudio(Int16Array.from(audio.samples), audio.sample_rate, audio.first), true);
  await until(() => server.audio.length === 1);
  assert.equal(server.audio[0]!.toString("hex"), hex);
});

test("closing the client rejects what is unanswered", async (context) => {
  const { client, character } = await openCharacter(context, () => {});
  const held = assert.rejects(character.hold(), { code: "disconnected" });
  client.close();
  await held;
  await assert.rejects(character.hold(), { code: "disconnected" });
  assert.equal(character.isClosed, true);
});

test("a server that has lost the session gets the character again, with its last prompt", async (context) => {
  const { server, client, character } = await openCharacter(context, (message, socket) => {
    if (message["type"] === "resume") send(socket, refuse(message, "gone", "the session is over"));
    else sendOk(message, socket);
  });
  await character.prompt("a person bows");
  let reopened = 0;
  character.on("reborn", () => reopened++);
  server.sockets[0]!.terminate();
  await until(() => client.state === "waiting");
  client.retry();
  await until(() => client.state === "open");
  const { id: _, ...opened } = server.messages.at(-1)!;
  assert.deepEqual(opened, { type: "open", format: "f32", seed: 7, prompt: "a person bows" });
  assert.deepEqual([reopened, character.isClosed], [1, false]);
  assert.deepEqual(server.targets, ["/ws", "/ws?at=sess"]); // who comes back says where its characters live
});

test("without a server, connecting is refused", async () => {
  await assert.rejects(MotionGenClient.connect("ws://127.0.0.1:1/ws"), { code: "refused", message: /no server answered at 127.0.0.1:1/ });
});

test("names of earlier versions still work", async (context) => {
  const { server, character } = await openCharacter(context, sendOk);
  await character.prompt("a person bows");
  assert.equal(character.told, "a person bows");
  assert.equal((await character.say("turn", { angle: 1 })).number, 1);
  assert.equal(character.hear(Int16Array.of(1), 8000, 0), true);
  await until(() => server.audio.length === 1);
});
