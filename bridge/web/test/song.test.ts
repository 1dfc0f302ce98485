/** Tests of Song: how far ahead audio is sent, and the position that fits the shown frame. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeAudio } from "../src/client/audio.js";
import { RemoteCharacter, type Transport } from "../src/client/character.js";
import { Song } from "../src/client/song.js";
import type { Hello } from "../src/client/wire.js";

const RATE = 22050;
const hello = { fps: 30, limits: { message_bytes: 16384 }, audio: { ahead_seconds: 10 } } as unknown as Hello;

/** A dancing character over a transport that records what is sent; the server's clock is set by `show`. */
function dancer() {
  const sent: number[] = [];
  const asked: string[] = [];
  const clock = { now: 0 };
  const transport: Transport = {
    request: async (message) => (asked.push(String(message["type"])), { number: 5, seq: 0 }),
    serverTime: () => clock.now,
    send: (data) => (sent.push(decodeAudio(data).samples.length), true),
  };
  const character = new RemoteCharacter(transport, 1, "", false, 30);
  const show = (seq: number) => {
    clock.now = (seq * 1000) / 30;
    const [root, rotations] = [new Float32Array(3), new Float32Array(4)];
    character.receiveFrame({ character: 1, seq, obeys: 0, time: clock.now * 1000, contacts: 0, gap: false, root, rotations }, clock.now);
    character.sample(0);
  };
  return { character, sent, asked, show, seconds: () => sent.reduce((a, b) => a + b, 0) / RATE };
}

test("a song is sent at most as far ahead as the server allows", async () => {
  const { character, seconds, show } = dancer();
  const song = await Song.begin(character, hello, new Float32Array(60 * RATE), RATE);
  for (let seq = 0; seq < 300; seq++) show(seq);
  assert.ok(seconds() > 9 && seconds() <= 10, String(seconds()));
  character.receiveEvent({ type: "event", character: 1, event: "dances", number: 5, seq: 300, sample: 0 });
  for (let seq = 300; seq < 600; seq++) show(seq);
  assert.ok(seconds() > 18.5 && seconds() <= 20, String(seconds()));
  assert.equal(song.isOver, false);
});

test("the position is that of the shown frame, and a later event moves it", async () => {
  const { character, show } = dancer();
  const song = await Song.begin(character, hello, new Float32Array(RATE), RATE);
  for (let seq = 0; seq < 90; seq++) show(seq);
  assert.equal(song.position(), null);
  character.receiveEvent({ type: "event", character: 1, event: "dances", number: 5, seq: 60, sample: 0 });
  const shown = (character.playback.at * 30) / 1000;
  assert.ok(Math.abs(song.position()! - (shown - 60) / 30) < 1e-6);
  character.receiveEvent({ type: "event", character: 1, event: "dances", number: 5, seq: 80, sample: 0 });
  assert.ok(Math.abs(song.position()! - (shown - 80) / 30) < 1e-6);
  character.receiveEvent({ type: "event", character: 1, event: "dances", number: 4, seq: 0, sample: 0 });
  assert.ok(Math.abs(song.position()! - (shown - 80) / 30) < 1e-6, "other music");
});

test("when all is sent the song is over, and nothing more is sent", async () => {
  const { character, sent, asked, show } = dancer();
  const song = await Song.begin(character, hello, new Float32Array(RATE), RATE);
  for (let seq = 0; seq < 30; seq++) show(seq);
  assert.deepEqual([sent.length, song.isOver, asked], [3, true, ["music", "music_end"]]);
});
