import { test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "./connect.ts";
import { bytes, freshAddress, joined, NETS, pattern, readAll, until } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";
import type { Peer } from "./peer.ts";

for (const net of NETS) {
  test(
    `${net.name}: closing a listener closes its sessions in order`,
    net.skip ? { skip: net.skip } : {},
    () =>
      joined({ net }, async ({ listener, client, server }) => {
        const down = await server.openStream();
        await down.write(pattern(100_000));
        void down.end();
        const closing = listener.close();
        assert.equal(listener.close(), closing, "closing twice is one close");
        const incoming = await client.acceptStream() ?? assert.fail();
        assert.deepEqual(await readAll(incoming), pattern(100_000));
        await closing;
        await listener.closed;
        const facts = await client.closed;
        assert.deepEqual([facts.code, facts.remote], [0, true]);
        assert.equal(listener.stats().sessions, 0);
        assert.equal(await listener.nextPeer(), null);
      }),
  );
}

test("the address is free again, and dialling a closed listener fails", async () => {
  const seed = generateSeed();
  for (const address of [freshAddress(), "tcp://127.0.0.1:0", "ws://127.0.0.1:0/"]) {
    const first = await listen(address, { seed });
    await assert.rejects(listen(first.address, { seed }), { code: "TRANSPORT" });
    await first.close();
    await assert.rejects(connect(first.address, { seed }), { code: "TRANSPORT" });
    const second = await listen(first.address, { seed });
    assert.equal(second.address, first.address);
    await second.close();
  }
});

test("peers come by iterator and by event, each once", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed, handshakeRate: Infinity });
  const byEvent: Peer[] = [];
  const remove = listener.on("peer", (peer) => void byEvent.push(peer));
  const dials: Promise<Peer>[] = [];
  for (let i = 0; i < 5; i++) dials.push(connect(listener.address, { seed }));
  const byIterator: Peer[] = [];
  for await (const peer of listener) {
    byIterator.push(peer);
    if (byIterator.length === 5) break;
  }
  const clients = await Promise.all(dials);
  assert.deepEqual(byIterator, byEvent);
  assert.equal(new Set(byIterator.map((peer) => peer.info.sessionId)).size, 5);
  remove();
  const last = await connect(listener.address, { seed });
  assert.equal(byEvent.length, 5, "leaving the loop does not close the listener");
  assert.equal(listener.stats().sessions, 6);
  for (const client of [...clients, last]) await client.close();
  await until(() => listener.stats().sessions === 0);
  await listener[Symbol.asyncDispose]();
  for await (const _ of listener) assert.fail("all were taken or closed");
});

test("a loop over a listener ends when it closes", async () => {
  const listener = await listen(freshAddress(), { seed: generateSeed() });
  const waiting = [listener.nextPeer(), listener.nextPeer()];
  await listener.close();
  assert.deepEqual(await Promise.all(waiting), [null, null]);
});

test("a peer that left something to read is handed out, one that left nothing is not", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed });
  const silent = await connect(listener.address, { seed });
  await silent.close();
  const talker = await connect(listener.address, { seed });
  await talker.send(bytes("last words"));
  await talker.close();
  await until(() => listener.stats().sessions === 0);
  const peer = await listener.nextPeer() ?? assert.fail();
  assert.equal(peer.info.sessionId, talker.info.sessionId);
  assert.deepEqual((await peer.nextMessage())?.data, bytes("last words"));
  assert.equal(await peer.nextMessage(), null);
  await listener.close();
});

test("closing while handshakes are under way and hooks decide leaves nothing", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed, accept: () => new Promise(() => {}) });
  const dials = [1, 2, 3].map(() => connect(listener.address, { seed }));
  const outcomes = Promise.allSettled(dials);
  await until(() => listener.stats().handshaking === 3);
  await listener.close();
  for (const outcome of await outcomes) assert.equal(outcome.status, "rejected");
  assert.deepEqual([listener.stats().handshaking, listener.stats().sessions], [0, 0]);
});

test("strangers by the dozen are counted and cost the others nothing", async () => {
  const seed = generateSeed();
  const listener = await listen("tcp://127.0.0.1:0", { seed, handshakeRate: Infinity });
  const wrong = await Promise.allSettled(
    Array.from({ length: 12 }, () => connect(listener.address, { seed: generateSeed() })),
  );
  for (const dial of wrong) {
    assert.equal(dial.status === "rejected" && dial.reason.code, "HANDSHAKE_TIMEOUT");
  }
  const client = await connect(listener.address, { seed });
  assert.equal(listener.stats().rejected, 12);
  assert.equal(listener.stats().accepted, 1);
  await client.close();
  await listener.close();
});
