import { test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "./connect.ts";
import { bytes, freshAddress, text, until } from "./joined_for_test.ts";
import { Peer } from "./peer.ts";
import { generateSeed } from "./seeds.ts";
import { type ReceivedPacket, SttNode, type SttNodeOptions } from "./stt_node.ts";

async function nodes(
  count: number,
  options: Partial<SttNodeOptions>,
  run: (nodes: SttNode[], addresses: string[], seed: Uint8Array) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const all = Array.from(
    { length: count },
    () => new SttNode({ seed, address: freshAddress(), ...options }),
  );
  const addresses: string[] = [];
  for (const node of all) addresses.push(await node.start());
  try {
    await run(all, addresses, seed);
  } finally {
    for (const node of all) await node.stop();
  }
}

async function take(node: SttNode, count: number): Promise<ReceivedPacket[]> {
  const packets: ReceivedPacket[] = [];
  for await (const packet of node.receive()) {
    packets.push(packet);
    if (packets.length === count) break;
  }
  return packets;
}

test("three nodes send to all and to one", () =>
  nodes(3, {}, async ([a, b, c], addresses) => {
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    await a.connect(addresses[1] as string);
    await a.connect(addresses[2] as string);
    await b.connect(addresses[2] as string);
    await until(() => [a, b, c].every((node) => node.peers.length === 2));
    const outcomes = await a.sendToAll(bytes("to all"));
    assert.deepEqual(outcomes.map(({ sent }) => sent), [true, true]);
    for (const node of [b, c]) {
      const [packet] = await take(node, 1);
      assert.equal(text(packet?.data ?? null), "to all");
      assert.deepEqual(packet?.peer.nodeId, a.nodeId);
      assert.equal(packet?.sessionId, packet?.peer.info.sessionId);
    }
    const cId = c.stats().nodeId;
    const [one, unknown] = await b.sendTo([cId, "00"], bytes("to one"));
    assert.equal(one?.sent, true);
    assert.equal(unknown?.sent, false);
    assert.equal(unknown?.error?.code, "CLOSED");
    assert.equal(text((await take(c, 1))[0]?.data ?? null), "to one");
    const stats = a.stats();
    assert.equal(stats.running, true);
    assert.equal(stats.sessions.length, 2);
    assert.ok(stats.sessions.every((session) => session.state === "established"));
    assert.equal(stats.listener?.sessions, 0);
  }));

test("starting twice is an error, a stopped node starts again under its identity", () =>
  nodes(1, {}, async ([node]) => {
    assert.ok(node !== undefined);
    const id = node.stats().nodeId;
    await assert.rejects(node.start(), { code: "CONFIG" });
    await node.stop();
    await node.stop();
    assert.equal(node.stats().running, false);
    await node.start();
    assert.equal(node.stats().nodeId, id);
  }));

test("stopping while it starts or dials leaves nothing behind", async () => {
  const seed = generateSeed();
  const address = freshAddress();
  const node = new SttNode({ seed, address });
  const starting = node.start();
  const stopping = node.stop();
  await assert.rejects(starting, { code: "CLOSED" });
  await stopping;
  assert.equal(node.stats().running, false);
  const other = new SttNode({ seed, address });
  await other.start();
  await other.stop();
});

test("receive ends when the node stops, after all that had arrived", () =>
  nodes(2, {}, async ([a, b], addresses) => {
    assert.ok(a !== undefined && b !== undefined);
    await a.connect(addresses[1] as string);
    for (let i = 0; i < 100; i++) await a.sendToAll(bytes(`message ${i}`));
    await a.stop();
    await until(() => b.peers.length === 0);
    const stopped = b.stop();
    const got: string[] = [];
    for await (const { data } of b.receive()) got.push(text(data));
    await stopped;
    assert.equal(got.length, 100);
    assert.equal(got[99], "message 99");
    for await (const _ of b.receive()) assert.fail("nothing is left");
  }));

test("what nobody receives of sessions that ended does not pile up", () =>
  nodes(1, { handshakeRate: Infinity }, async ([node], [address], seed) => {
    assert.ok(node !== undefined && address !== undefined);
    const first = await connect(address, { seed });
    for (let count = 0; count < 64; count++) await first.send(bytes("first"));
    await first.close();
    for (let count = 0; count < 70; count++) {
      const peer = await connect(address, { seed });
      await peer.send(bytes(`${count}`));
      await peer.close();
    }
    await until(() => node.peers.length === 0);
    await node.stop();
    const received: string[] = [];
    for await (const { data } of node.receive()) received.push(text(data));
    // 64 are in the queue; of the sessions that wait for room in it the last 64 are left.
    const kept = Array.from({ length: 64 }, (_, index) => `${index + 6}`);
    assert.equal(received.length, 128);
    assert.deepEqual(received.slice(64), kept);
  }));

test("receive follows its signal and loses nothing", () =>
  nodes(2, {}, async ([a, b], addresses) => {
    assert.ok(a !== undefined && b !== undefined);
    await a.connect(addresses[1] as string);
    const reason = new Error("enough");
    const controller = new AbortController();
    const waiting = b.receive({ signal: controller.signal }).next();
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    await a.sendToAll(bytes("kept"));
    assert.equal(text((await take(b, 1))[0]?.data ?? null), "kept");
  }));

test("without single two dials are two sessions; messages are sent once; one takes over", () =>
  nodes(2, {}, async ([a, b], addresses) => {
    assert.ok(a !== undefined && b !== undefined);
    const first = await a.connect(addresses[1] as string);
    const second = await a.connect(addresses[1] as string);
    await until(() => b.stats().listener?.sessions === 2);
    assert.equal((await a.sendToAll(bytes("once"))).length, 1);
    await second.close();
    const [again] = await a.sendTo([first.id], bytes("by the first"));
    assert.equal(again?.sent, true);
    assert.deepEqual((await take(b, 2)).map(({ data }) => text(data)), ["once", "by the first"]);
  }));

test("single: whoever dials first or at once, one session survives, dialled by the lower nodeId", async () => {
  for (let round = 0; round < 8; round++) {
    await nodes(2, { single: true }, async ([a, b], addresses) => {
      assert.ok(a !== undefined && b !== undefined);
      const order: Promise<Peer>[] = round % 2 === 0
        ? [a.connect(addresses[1] as string), b.connect(addresses[0] as string)]
        : [a.connect(addresses[1] as string).then(() => b.connect(addresses[0] as string))];
      const peers = await Promise.all(order);
      const open = () =>
        [a, b].map((node) =>
          node.stats().sessions.filter((session) => session.state === "established")
        );
      await until(() => {
        const [ofA = [], ofB = []] = open();
        return ofA.length === 1 && ofB.length === 1 && ofA[0]?.sessionId === ofB[0]?.sessionId;
      });
      const aIsLower = a.stats().nodeId < b.stats().nodeId;
      assert.equal(a.peers[0]?.info.role, aIsLower ? "initiator" : "responder");
      assert.ok(peers.every((peer) => peer instanceof Peer));
      await a.sendToAll(bytes("x"));
      await b.sendToAll(bytes("y"));
      assert.equal(text((await take(b, 1))[0]?.data ?? null), "x");
      assert.equal(text((await take(a, 1))[0]?.data ?? null), "y");
    });
  }
});

test("a node that only dials", async () => {
  await nodes(1, {}, async ([listener], addresses, seed) => {
    const node = new SttNode({ seed });
    const peer = await node.connect(addresses[0] as string);
    await until(() => listener?.peers.length === 1);
    await listener?.sendToAll(bytes("hello"));
    assert.equal(text((await take(node, 1))[0]?.data ?? null), "hello");
    assert.equal(node.peers[0], peer);
    await node[Symbol.asyncDispose]();
    assert.equal(node.peers.length, 0);
  });
});
