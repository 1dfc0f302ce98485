/** The timeline: what is sent when, against a real websocket server. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { encodeFrame, MotionGenClient } from "../src/client/client.js";
import { Timeline } from "../src/timeline.js";
import { type Message, send, sendOk, startServer, until } from "../test-support/server.js";

/** A timeline whose server answers `then` only when told to, and shows frames when told to. */
async function build(context: TestContext) {
  const waiting: (() => void)[] = [];
  let verbs = 0;
  const server = await startServer(context, (message, socket) => {
    if (message["type"] === "open") return sendOk(message, socket);
    const answer = () => send(socket, { type: "ok", id: message["id"], number: ++verbs, seq: 100 * verbs });
    if (message["type"] === "then") waiting.push(answer);
    else answer();
  });
  const client = await MotionGenClient.connect(server.url, { timeout: 20_000 });
  context.after(() => client.close());
  const remote = await client.open();
  const started: string[] = [];
  const errors: unknown[] = [];
  const changes: boolean[][] = [];
  const timeline: Timeline = new Timeline(remote, 30, {
    onStart: (text) => started.push(text),
    onEnd: () => started.push("(end)"),
    onChange: () => changes.push(timeline.queue.map(({ isSent }) => isSent)),
    onError: (error) => errors.push(error),
  });
  const show = (seq: number) => {
    const [root, rotations] = [new Float32Array(3), new Float32Array([0, 0, 0, 1])];
    const frame = { character: remote.number, seq, obeys: 0, time: 33333 * seq, contacts: 0, gap: false, root, rotations };
    server.sockets[0]!.send(Buffer.from(encodeFrame(frame)));
  };
  const said = () => server.messages.slice(1).map((message: Message) => [message["type"], message["text"]].filter((part) => part).join(" "));
  return { remote, timeline, started, errors, changes, waiting, show, said };
}

test("what has no time is sent ahead, one at a time, and the rest can be removed", async (context) => {
  const { timeline, waiting, started, said } = await build(context);
  for (const text of ["walk", "bow", "wave"]) timeline.add(text, null);
  await until(() => waiting.length === 1);
  assert.deepEqual(said(), ["then walk"]);
  timeline.remove(timeline.queue[0]!); // the server has it
  timeline.remove(timeline.queue[1]!);
  assert.deepEqual(timeline.queue.map(({ text }) => text), ["walk", "wave"]);
  waiting[0]!();
  await until(() => waiting.length === 2);
  assert.deepEqual([started, said()], [["walk"], ["then walk", "then wave"]]);
});

test("a prompt has its seconds, then the next one comes, and then nothing", async (context) => {
  const { remote, timeline, started, show, said } = await build(context);
  timeline.begin(await remote.prompt("walk"), 2); // frames 100 to 159
  timeline.add("bow", 1);
  show(159);
  await until(() => remote.latest?.seq === 159);
  assert.deepEqual(said(), ["prompt walk"]);
  show(160);
  await until(() => started.length === 1); // from frame 200 on
  show(229);
  show(230);
  await until(() => started.length === 2);
  assert.deepEqual([said(), started, timeline.isTimed], [["prompt walk", "prompt bow", "hold"], ["bow", "(end)"], false]);
});

test("what is said in between forgets all, and the answer of before changes nothing", async (context) => {
  const { remote, timeline, started, errors, waiting, show, said } = await build(context);
  timeline.add("walk", 3);
  await until(() => waiting.length === 1);
  timeline.add("bow", null);
  const forgotten = timeline.clear();
  assert.deepEqual(forgotten.map(({ text }) => text), ["walk", "bow"]);
  waiting[0]!();
  await remote.hold();
  show(1000);
  await until(() => remote.latest?.seq === 1000);
  assert.deepEqual([timeline.queue, started, errors, said()], [[], [], [], ["then walk", "hold"]]);
});

test("what was not sent yet is moved, and what was sent stays first", async (context) => {
  const { timeline, waiting, said } = await build(context);
  const order = () => timeline.queue.map(({ text }) => text);
  for (const text of ["walk", "bow", "wave", "jump"]) timeline.add(text, null);
  await until(() => waiting.length === 1);
  const [walk, bow, , jump] = timeline.queue;
  timeline.move(walk!, 2); // the server has it
  assert.deepEqual(order(), ["walk", "bow", "wave", "jump"]);
  timeline.move(jump!, -5);
  assert.deepEqual(order(), ["walk", "jump", "bow", "wave"]);
  timeline.move(bow!, 99);
  assert.deepEqual(order(), ["walk", "jump", "wave", "bow"]);
  timeline.remove(bow!);
  timeline.move(bow!, 1); // it is gone
  assert.deepEqual(order(), ["walk", "jump", "wave"]);
  waiting[0]!();
  await until(() => waiting.length === 2);
  assert.deepEqual(said(), ["then walk", "then jump"]);
});

test("those who show it hear of a prompt that was sent", async (context) => {
  const { timeline, changes, waiting } = await build(context);
  timeline.add("walk", null);
  await until(() => waiting.length === 1);
  assert.deepEqual(changes.at(-1), [true]);
});
