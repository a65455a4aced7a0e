import { test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "../connect.ts";
import { bytes, freshAddress, pattern, text, until } from "../joined_for_test.ts";
import { listen, type Listener } from "../listener.ts";
import type { Peer } from "../peer.ts";
import { generateSeed } from "../seeds.ts";
import { SttNode } from "../stt_node.ts";
import { Group } from "./group.ts";
import type { QueueOptions } from "./send_queue.ts";

/** Windows that a few messages fill. */
const SMALL = { maxData: 20_000, maxStreamData: 20_000, sendBuffer: 20_000 };

async function grouped(
  count: number,
  options: QueueOptions,
  run: (
    group: Group,
    clients: readonly Peer[],
    listener: Listener,
    seed: Uint8Array,
  ) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed, closeFlush: 0, ...SMALL });
  const group = new Group(options);
  group.follow(listener);
  const clients: Peer[] = [];
  try {
    for (let i = 0; i < count; i++) {
      clients.push(
        await connect(listener.address, {
          seed,
          closeFlush: 0,
          ...SMALL,
          maxSessionWindow: 20_000,
          maxStreamWindow: 20_000,
        }),
      );
    }
    await until(() => group.ids.length === count);
    await run(group, clients, listener, seed);
  } finally {
    for (const client of clients) client.abort();
    await listener.close();
  }
}

/** Reads messages until `count` have come. */
async function take(peer: Peer, count: number): Promise<Uint8Array[]> {
  const got: Uint8Array[] = [];
  while (got.length < count) got.push((await peer.nextMessage())?.data ?? assert.fail("it ended"));
  return got;
}

test("a message goes to all, to some, and to all but some", () =>
  grouped(3, {}, async (group, clients) => {
    const [a = "", b = "", c = ""] = group.ids;
    const joins = group.events(["join"]);
    group.add(group.peer(a) as Peer);
    await joins.return();
    assert.equal(group.ids.length, 3);
    const message = bytes("to all");
    const outcomes = await group.sendToAll(message);
    // The array is the application's own again.
    message.fill(0);
    assert.deepEqual(outcomes.map(({ id, sent, dropped, error }) => [id, sent, dropped, error]), [
      [a, true, 0, undefined],
      [b, true, 0, undefined],
      [c, true, 0, undefined],
    ]);
    const [some, nobody] = await group.sendTo([b, "00"], bytes("to b"));
    assert.deepEqual([some?.sent, nobody?.sent, nobody?.error?.code], [true, false, "CLOSED"]);
    await group.sendToAll(bytes("to others"), { except: [b] });
    await group.drained();
    const texts = async (at: number, count: number): Promise<string[]> =>
      (await take(clients[at] as Peer, count)).map(text);
    assert.deepEqual(await texts(0, 2), ["to all", "to others"]);
    assert.deepEqual(await texts(1, 2), ["to all", "to b"]);
    assert.deepEqual(await texts(2, 2), ["to all", "to others"]);
    assert.ok(
      group.stats().every(({ queued, sent, dropped }) => queued + dropped === 0 && sent === 2),
    );
    await assert.rejects(group.sendToAll("x" as unknown as Uint8Array), { code: "CONFIG" });
  }));

test("a peer that does not read holds up nobody, and its own messages are dropped, oldest first", () =>
  grouped(2, { maxQueued: 5 }, async (group, [fast, slow]) => {
    assert.ok(fast !== undefined && slow !== undefined);
    const [, slowId = ""] = group.ids;
    const told: string[] = [];
    group.on("slow", ({ id }) => told.push(id === slowId ? "slow" : "wrong"));
    group.on(
      "drained",
      ({ id, queued }) => told.push(`${id === slowId ? "drained" : "wrong"} ${queued}`),
    );
    let dropped = 0;
    group.on("dropped", ({ id, count }) => {
      if (id === slowId) dropped += count;
      else assert.fail("the fast one lost something");
    });
    for (let i = 0; i < 60; i++) {
      const outcomes = await group.sendToAll(pattern(5000, i));
      assert.ok(outcomes.every(({ sent, queued }) => sent && queued <= 5));
      assert.deepEqual((await take(fast, 1))[0], pattern(5000, i));
    }
    const stats = group.stats().find(({ id }) => id === slowId);
    assert.equal(stats?.dropped, dropped);
    assert.ok(dropped > 30, `${dropped} were dropped`);
    assert.equal(stats?.queued, 5);
    const impatient = new AbortController();
    const drained = group.drained({ signal: impatient.signal });
    impatient.abort(new Error("not for ever"));
    await assert.rejects(drained, /not for ever/);
    const rest = await take(slow, 60 - dropped);
    assert.deepEqual(rest.at(-1), pattern(5000, 59));
    await group.drained();
    assert.deepEqual(told, ["slow", "drained 0"]);
  }));

test("block: the sender waits for the slowest, nothing is lost, a signal ends the wait", () =>
  grouped(2, { policy: "block", maxQueued: 2 }, async (group, [fast, slow]) => {
    assert.ok(fast !== undefined && slow !== undefined);
    let sent = 0;
    const controller = new AbortController();
    const sending = (async () => {
      for (; sent < 60; sent++) await group.sendToAll(pattern(5000, sent));
    })();
    const fastOnes = take(fast, 60);
    await until(() => group.stats().some(({ queued }) => queued === 3));
    assert.ok(sent < 60);
    const reason = new Error("not for ever");
    const waiting = group.sendTo(group.ids, bytes("x"), { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(waiting, (error) => error === reason);
    const all = await take(slow, 60);
    await sending;
    assert.deepEqual(all.at(-1), pattern(5000, 59));
    await fastOnes;
  }));

test("disconnect: the slow peer loses its session, and the others go on", () =>
  grouped(2, { policy: "disconnect", maxQueued: 3 }, async (group, [fast, slow]) => {
    assert.ok(fast !== undefined && slow !== undefined);
    const [fastId, slowId] = group.ids;
    const left: unknown[] = [];
    group.on("leave", ({ peer, error }) => left.push([peer.id, error?.code]));
    let refused: string | undefined;
    for (let i = 0; i < 60 && refused === undefined; i++) {
      for (const { id, sent, error } of await group.sendToAll(pattern(5000, i))) {
        if (!sent) refused = `${id} ${error?.code}`;
      }
      await take(fast, 1);
    }
    assert.equal(refused, `${slowId} BUSY`);
    assert.deepEqual(left, [[slowId, "BUSY"]]);
    assert.deepEqual(group.ids, [fastId]);
    assert.equal((await slow.closed).error?.code, "BUSY");
    await group.sendToAll(bytes("still here"));
    assert.equal(text((await take(fast, 1))[0] ?? null), "still here");
  }));

test("members leave with their session, or when they are removed; the same node joins anew", async () => {
  const nodeSeed = generateSeed();
  await grouped(1, {}, async (group, [client], listener, seed) => {
    const events: string[] = [];
    group.on("join", ({ id }) => events.push(`join ${id.slice(0, 4)}`));
    group.on(
      "leave",
      ({ peer, error }) => events.push(`leave ${peer.id.slice(0, 4)} ${error?.code}`),
    );
    const [id = ""] = group.ids;
    assert.equal(group.remove(id), true);
    assert.equal(group.remove(id), false);
    assert.deepEqual(await group.sendToAll(bytes("x")), []);
    const first = await connect(listener.address, { seed, nodeSeed });
    await until(() => group.ids.length === 1);
    const [twin = ""] = group.ids;
    const before = group.peer(twin);
    const second = await connect(listener.address, { seed, nodeSeed });
    await until(() => group.peer(twin) !== before);
    await group.sendToAll(bytes("to the new one"));
    assert.equal(text((await take(second, 1))[0] ?? null), "to the new one");
    await first.close();
    assert.deepEqual(group.ids, [twin]);
    await second.close();
    await until(() => group.ids.length === 0);
    const name = twin.slice(0, 4);
    assert.deepEqual(events.map((event) => event.replace(id.slice(0, 4), "client")), [
      "leave client undefined",
      `join ${name}`,
      `leave ${name} undefined`,
      `join ${name}`,
      `leave ${name} undefined`,
    ]);
    assert.equal((await client?.ping() ?? -1) >= 0, true);
  });
});

test("a group follows a node, whoever dialled, until its signal says no", async () => {
  const seed = generateSeed();
  const a = new SttNode({ seed, address: freshAddress() });
  const b = new SttNode({ seed, address: freshAddress() });
  const group = new Group();
  const stop = new AbortController();
  group.follow(a, { signal: stop.signal });
  const address = await a.start();
  const other = await b.start();
  await b.connect(address);
  await until(() => group.ids.length === 1);
  const c = new SttNode({ seed, address: freshAddress() });
  const third = await c.start();
  await a.connect(third);
  assert.equal(group.ids.length, 2);
  await group.sendToAll(bytes("hello"));
  for (const node of [b, c]) {
    for await (const { data } of node.receive()) {
      assert.equal(text(data), "hello");
      break;
    }
  }
  stop.abort();
  const d = await connect(address, { seed });
  await until(() => a.peers.length === 3);
  assert.equal(group.ids.length, 2);
  assert.ok(other.startsWith("mem:"));
  await d.close();
  for (const node of [a, b, c]) await node.stop();
  assert.equal(group.ids.length, 0);
});
