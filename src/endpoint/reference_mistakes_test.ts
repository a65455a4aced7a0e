/** Mistakes of the reference's node; docs/reference_mistakes.md counts them. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { bytes, freshAddress, joined, pattern, readAll, text, until } from "./joined_for_test.ts";
import { generateSeed, seedFromPassphrase } from "./seeds.ts";
import { SttNode } from "./stt_node.ts";

for (const scheme of ["tcp", "udp"]) {
  test(`${scheme}: a node listens on the host and port that it was given`, async () => {
    const seed = generateSeed();
    const first = new SttNode({ seed, address: `${scheme}://127.0.0.1:0` });
    const address = await first.start();
    await first.stop();
    const second = new SttNode({ seed, address });
    assert.equal(await second.start(), address);
    const dialler = new SttNode({ seed });
    const peer = await dialler.connect(address);
    assert.equal(peer.info.remoteAddress, address);
    await dialler.stop();
    await second.stop();
  });
}

test("the shared seed decides who may talk, the node seed only who one is", async () => {
  const seed = generateSeed();
  const nodeSeed = generateSeed();
  const listener = new SttNode({ seed, nodeSeed, address: freshAddress() });
  const address = await listener.start();
  const friend = new SttNode({ seed, nodeSeed: generateSeed() });
  const peer = await friend.connect(address);
  assert.deepEqual(peer.nodeId, listener.nodeId);
  const [outcome] = await friend.sendToAll(bytes("hello"));
  assert.equal(outcome?.sent, true);
  for await (const packet of listener.receive()) {
    assert.equal(text(packet.data), "hello");
    break;
  }
  // The same node seed helps nobody who lacks the shared one.
  const stranger = new SttNode({ seed: generateSeed(), nodeSeed });
  await assert.rejects(stranger.connect(address), { code: "HANDSHAKE_TIMEOUT" });
  for (const node of [friend, stranger, listener]) await node.stop();
});

test("a stream of many segments needs no help: credit returns by reading, and the end ends the loop", () =>
  joined({}, async ({ client, server }) => {
    const stream = await client.openStream();
    const sending = (async () => {
      for (let i = 0; i < 300; i++) await stream.write(pattern(16_384, i));
      await stream.end();
    })();
    const incoming = await server.acceptStream();
    assert.ok(incoming !== null);
    const received = await readAll(incoming);
    await sending;
    assert.equal(received.length, 300 * 16_384);
    assert.deepEqual(received.subarray(299 * 16_384), pattern(16_384, 299));
  }));

test("both ends in one process: dialling and serving leave the event loop to others", async () => {
  const seed = generateSeed();
  const listener = new SttNode({ seed, address: "udp://127.0.0.1:0" });
  const address = await listener.start();
  const dialler = new SttNode({ seed });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await dialler.connect(address);
  await until(() => turns > 0 && listener.peers.length === 1);
  clearInterval(timer);
  await dialler.stop();
  await until(() => listener.peers.length === 0);
  assert.equal(listener.stats().sessions.length, 0, "a closed session is forgotten");
  await listener.stop();
});

test("a seed from words is the same on both sides, and short words are refused", async () => {
  const seed = await seedFromPassphrase("correct horse battery staple", "example-network");
  assert.equal(seed.length, 32);
  await assert.rejects(
    async () => await seedFromPassphrase("short", "example-network"),
    { code: "SEED" },
  );
  const listener = new SttNode({ seed, address: freshAddress() });
  const address = await listener.start();
  const again = await seedFromPassphrase("correct horse battery staple", "example-network");
  const dialler = new SttNode({ seed: again });
  assert.deepEqual((await dialler.connect(address)).nodeId, listener.nodeId);
  await dialler.stop();
  await listener.stop();
});
