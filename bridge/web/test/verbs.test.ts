/** Messages of verbs that drive a character: those of bridge/fixtures/verbs.json, which every client sends alike. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { RemoteCharacter } from "../src/client/character.js";
import type { Message } from "../src/client/requests.js";

// From .test/test/, where this file is run.
const fixtures = JSON.parse(readFileSync(new URL("../../../fixtures/verbs.json", import.meta.url), "utf8")) as {
  verbs: Message[];
};

test("verbs are sent as the fixtures have them", async () => {
  const sent: Message[] = [];
  const transport = {
    request: async (message: Message) => {
      sent.push(message);
      return { number: 1, seq: 0 } as unknown as Message;
    },
    send: () => true,
    serverTime: (now: number) => now,
  };
  const character = new RemoteCharacter(transport, 3, "", false, 30);
  await character.steer([0.5, 1.25]);
  await character.steer([0, -0.75], { facing: 1.5, frame: "character" });
  await character.goto(1.5, -2);
  await character.goto(1.5, -2, { heading: 0.5, seconds: 4 });
  await character.path([[0, 1], [1.5, 2]], { heading: -1, speed: 1.25 });
  await character.avoid([
    { center: [0, 2], radius: 0.5 },
    { center: [1, 2], size: [0.5, 1], turn: 0.25 },
  ]);
  await character.avoid([]);
  await character.reach("left", [0.25, 1.5, 0.5]);
  await character.reach("right", null);
  await character.look([0, 1.5, 2], "character");
  await character.look(null);
  await character.pose({ root: [0, 1, 0.5], at: 1.5 });
  assert.deepEqual(sent, fixtures.verbs);
});
