/** Avatars: what the fixture tells, by the client and on nodes of three.js. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Object3D, Quaternion, Vector3 } from "three";
import { type Avatar, decodeFrame, MotionGenClient } from "../src/client/client.js";
import { AvatarRig } from "../src/figures/avatar-rig.js";
import { send, startServer, until } from "../test-support/server.js";

const fixture = JSON.parse(readFileSync(new URL("../../../fixtures/avatars.json", import.meta.url), "utf8")) as {
  answer: { avatar: Avatar };
  frame: string;
  positions: Record<string, number[]>;
  rotations: Record<string, number[]>;
};
const { avatar } = fixture.answer;
const bytes = Buffer.from(fixture.frame, "hex");

/** A model of the avatar, in centimetres, under a node that is turned. */
function buildModel(): { object: Object3D; nodes: Map<string, Object3D> } {
  const [object, armature] = [new Object3D(), new Object3D()];
  armature.scale.setScalar(0.01);
  armature.rotation.set(-Math.PI / 2, 0, 0.3);
  object.add(armature);
  const nodes = new Map<string, Object3D>();
  const { names, parents, offsets, rest } = avatar.skeleton;
  for (const [j, name] of names.entries()) {
    const node = new Object3D();
    node.position.fromArray(offsets[j]!).multiplyScalar(100);
    node.quaternion.fromArray(rest[j]!);
    (parents[j]! < 0 ? armature : nodes.get(names[parents[j]!]!)!).add(node);
    nodes.set(name, node);
  }
  return { object, nodes };
}

test("a frame puts the nodes of a model where the fixture says, also one in centimetres that is turned", () => {
  const { object, nodes } = buildModel();
  new AvatarRig(avatar, object, nodes).apply(decodeFrame(new Uint8Array(bytes).buffer));
  object.updateMatrixWorld(true);
  for (const name of avatar.skeleton.names) {
    const at = nodes.get(name)!.getWorldPosition(new Vector3());
    assert.ok(at.distanceTo(new Vector3(...(fixture.positions[name] as [number, number, number]))) < 1e-5, name);
    const turn = nodes.get(name)!.getWorldQuaternion(new Quaternion());
    assert.ok(turn.angleTo(new Quaternion(...(fixture.rotations[name] as [number, number, number, number]))) < 1e-3, name);
  }
});

test("a model that lacks a node is refused by name", () => {
  const { object, nodes } = buildModel();
  nodes.delete("J_Spine");
  assert.throws(() => new AvatarRig(avatar, object, nodes), /hero: no node J_Spine in its file/);
});

test("the client asks for an avatar, knows its skeleton, and asks again after the server lost it", async (context) => {
  const server = await startServer(context, (message, socket) => {
    if (message["type"] === "resume") send(socket, { type: "error", id: message["id"], code: "gone", message: "over" });
    else send(socket, { ...fixture.answer, id: message["id"], character: message["type"] === "watch" ? 4 : 3 });
  });
  const client = await MotionGenClient.connect(server.url, { timeout: 20_000 });
  context.after(() => client.close());
  const character = await client.open({ avatar: "hero" });
  assert.deepEqual(character.avatar, avatar);
  server.sockets[0]!.send(bytes);
  await until(() => character.latest !== null);
  assert.equal(character.latest!.rotations.length, 4 * avatar.skeleton.names.length);
  assert.deepEqual((await client.watch("key", { avatar: "hero" })).avatar, avatar);
  server.sockets[0]!.terminate();
  await until(() => client.state === "waiting");
  client.retry();
  await until(() => client.state === "open");
  const asked = server.messages.filter(({ type }) => type === "open").map(({ avatar }) => avatar);
  assert.deepEqual(asked, ["hero", "hero"]);
});
