/** Keyframes: where there is room for a pose, and when it is sent, against a real websocket server. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { encodeFrame, MotionGenClient } from "../src/client/client.js";
import { Keyframes } from "../src/keyframes.js";
import { type Message, send, sendOk, startServer, until } from "../test-support/server.js";

const POSE = [[0, 0, 0, 1]];

/** Keyframes at frame 100 of a server that shows frames when told to, and answers a pose with its frame, or refuses it. */
async function build(context: TestContext, isRefusing = false) {
  let seq = 0;
  const server = await startServer(context, (message, socket) => {
    if (message["type"] === "open") return sendOk(message, socket);
    if (isRefusing) return send(socket, { type: "error", id: message["id"], code: "bad_value", message: "pose: expected unit quaternions" });
    send(socket, { type: "ok", id: message["id"], number: 1, seq: seq + Math.round(30 * (message["at"] as number)), note: "far" });
  });
  const client = await MotionGenClient.connect(server.url, { timeout: 20_000 });
  context.after(() => client.close());
  const remote = await client.open();
  const heard: string[] = [];
  const keyframes: Keyframes = new Keyframes(remote, 30, {
    onChange: () => heard.push("change"),
    onAnswer: ({ note }) => heard.push(note!),
    onError: (error) => heard.push(String(error)),
  });
  const show = async (to: number) => {
    seq = to;
    const [root, rotations] = [new Float32Array(3), new Float32Array([0, 0, 0, 1])];
    const frame = { character: remote.number, seq, obeys: 0, time: 33333 * seq, contacts: 0, gap: false, root, rotations };
    server.sockets[0]!.send(Buffer.from(encodeFrame(frame)));
    await until(() => remote.latest?.seq === seq);
  };
  const said = () => server.messages.filter(({ type }: Message) => type === "pose").map(({ at }: Message) => at);
  await show(100);
  return { keyframes, heard, show, said, times: () => keyframes.keys.map((key) => keyframes.secondsTo(key)) };
}

test("poses go where there is room, apart from each other and within ten seconds", async (context) => {
  const { keyframes, times } = await build(context);
  const added = Array.from({ length: 7 }, () => keyframes.add(POSE));
  assert.deepEqual(added, [true, true, true, true, false, false, false]);
  assert.deepEqual(times(), [3, 4.8, 6.6, 8.4]);
  const [first, second] = keyframes.keys;
  keyframes.move(second!, 2.5); // nearer to the first than poses may be
  assert.equal(keyframes.secondsTo(second!), 4.8);
  keyframes.move(first!, -3);
  assert.equal(keyframes.secondsTo(first!).toFixed(2), "1.77");
  keyframes.drop(second!);
  keyframes.move(first!, 5.1);
  assert.equal(keyframes.secondsTo(first!).toFixed(1), "4.8");
});

test("a pose is sent when its time is near, stays until it is met, and is not dropped meanwhile", async (context) => {
  const { keyframes, heard, show, said, times } = await build(context);
  keyframes.add(POSE);
  keyframes.add(POSE);
  await show(144);
  assert.deepEqual(said(), []);
  await show(145);
  await until(() => heard.includes("far"));
  assert.deepEqual(said(), [1.5]);
  const [sent] = keyframes.keys;
  keyframes.drop(sent!);
  keyframes.move(sent!, 5);
  assert.deepEqual([keyframes.keys.length, times()[0]], [2, 1.5]);
  await show(190);
  assert.deepEqual([keyframes.keys.length, said()], [1, [1.5]]);
  await show(212); // less than 1.5 s before the second, but the server still has the first
  assert.deepEqual(said(), [1.5]);
  await show(214);
  await until(() => said().length === 2);
  assert.deepEqual(said(), [1.5, 1]);
});

test("a pose that is refused is dropped, and told", async (context) => {
  const { keyframes, heard, show } = await build(context, true);
  keyframes.add(POSE);
  await show(150);
  await until(() => heard.some((text) => text.includes("expected unit quaternions")));
  assert.deepEqual(keyframes.keys, []);
});
