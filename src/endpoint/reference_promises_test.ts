/**
 * What the reference's documents promise of endpoints, groups, events and pools, and its code does not do.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "./connect.ts";
import { Group } from "./groups/group.ts";
import { bytes, freshAddress, joined, pattern, text, until } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import type { Peer } from "./peer.ts";
import { SessionPool } from "./pool/pool.ts";
import { Endpoints } from "./requests/endpoints.ts";
import { generateSeed } from "./seeds.ts";
import { SttNode } from "./stt_node.ts";

const EMPTY = new Uint8Array(0);

test("a request and its response, with a time-out", () =>
  joined({}, async ({ client, server }) => {
    const endpoints = new Endpoints();
    void endpoints.serve(server);
    endpoints.register("echo", (request) => request.body());
    endpoints.register("silent", () => new Promise<Uint8Array>(() => undefined));
    assert.equal(text(await client.endpoint("echo").request(bytes("hello"))), "hello");
    await assert.rejects(client.endpoint("silent").request(EMPTY, { timeout: 10 }), {
      code: "DEADLINE",
    });
  }));

test("both sides have endpoints, and a handler may ask back while it answers", () =>
  joined({}, async ({ client, server }) => {
    const [here, there] = [new Endpoints(), new Endpoints()];
    void here.serve(client);
    void there.serve(server);
    here.register("name", () => bytes("client"));
    there.register("greet", async ({ peer }) => {
      return bytes(`hello ${text(await peer.endpoint("name").request(EMPTY))}`);
    });
    const greetings = await Promise.all(
      Array.from({ length: 20 }, () => client.endpoint("greet").request(EMPTY)),
    );
    assert.ok(greetings.every((greeting) => text(greeting) === "hello client"));
  }));

test("fan-out: the same question to many peers, an outcome for each, and none waits for another", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed });
  const sensors: Peer[] = [];
  for (const name of ["a", "b", "mute"]) {
    const sensor = await connect(listener.address, { seed });
    const endpoints = new Endpoints();
    if (name !== "mute") endpoints.register("read", () => bytes(name));
    void endpoints.serve(sensor);
    sensors.push(sensor);
  }
  const peers: Peer[] = [];
  for (const _ of sensors) peers.push(await listener.nextPeer() ?? assert.fail());
  const outcomes = await Promise.allSettled(
    peers.map((peer) => peer.endpoint("read").request(EMPTY)),
  );
  assert.deepEqual(
    outcomes.map((one) => one.status === "fulfilled" ? text(one.value) : one.reason.code).sort(),
    ["NO_ENDPOINT", "a", "b"],
  );
  for (const sensor of sensors) await sensor.close();
  await listener.close();
});

test("broadcast and group send: each peer gets each message once, and the sender an outcome", async () => {
  const seed = generateSeed();
  const nodes = [1, 2, 3].map(() => new SttNode({ seed, address: freshAddress() }));
  const [hub, a, b] = nodes as [SttNode, SttNode, SttNode];
  const group = new Group();
  group.follow(hub);
  for (const node of nodes) await node.start();
  await hub.connect(a.stats().listener?.address ?? "");
  await b.connect(hub.stats().listener?.address ?? "");
  await until(() => group.ids.length === 2);
  const all = await group.sendToAll(bytes("to all"));
  const one = await group.sendTo([a.stats().nodeId, "unknown"], bytes("to a"));
  assert.deepEqual([...all, ...one].map(({ sent }) => sent), [true, true, true, false]);
  await group.drained();
  await hub.stop();
  await until(() => a.peers.length + b.peers.length === 0);
  await Promise.all([a.stop(), b.stop()]);
  const received = async (node: SttNode): Promise<string[]> => {
    const texts: string[] = [];
    for await (const { data } of node.receive()) texts.push(text(data));
    return texts;
  };
  assert.deepEqual(await received(a), ["to all", "to a"]);
  assert.deepEqual(await received(b), ["to all"]);
});

test("an allow-list of peers, for one endpoint", async () => {
  const nodeSeed = generateSeed();
  const allowed = new Set<string>();
  await joined({ dial: { nodeSeed } }, async ({ client, server }) => {
    const endpoints = new Endpoints();
    endpoints.register("admin", () => EMPTY, { accept: ({ id }) => allowed.has(id) });
    void endpoints.serve(server);
    await assert.rejects(client.endpoint("admin").request(EMPTY), { code: "REFUSED" });
    allowed.add(server.id);
    assert.equal((await client.endpoint("admin").request(EMPTY)).length, 0);
  });
});

test("video, sound and chat at once, each with its own size of pieces and its own pace", () =>
  joined({}, async ({ client, server }) => {
    const endpoints = new Endpoints();
    void endpoints.serve(server);
    const sizes: Record<string, number[]> = { video: [], sound: [], chat: [] };
    for (const name of Object.keys(sizes)) {
      endpoints.register(name, async (request) => {
        for await (const item of request) sizes[name]?.push(item.length);
      });
    }
    async function* pieces(size: number, count: number): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < count; i++) yield pattern(size, i);
    }
    await Promise.all([
      client.endpoint("video").exchange(pieces(60_000, 20), { priority: 300 }).next(),
      client.endpoint("sound").exchange(pieces(960, 100), { priority: 900 }).next(),
      client.endpoint("chat").exchange([bytes("hi")]).next(),
    ]);
    assert.deepEqual(sizes, {
      video: Array(20).fill(60_000),
      sound: Array(100).fill(960),
      chat: [2],
    });
  }));

test("counters of events, and health of endpoints by their own requests", () =>
  joined({}, async ({ client, server }) => {
    const endpoints = new Endpoints();
    const counts: Record<string, number> = {};
    endpoints.on("request", ({ endpoint, code = "well" }) => {
      counts[`${endpoint} ${code}`] = (counts[`${endpoint} ${code}`] ?? 0) + 1;
    });
    endpoints.register("health", () => bytes("ok"));
    void endpoints.serve(server);
    for (let i = 0; i < 3; i++) {
      assert.equal(text(await client.endpoint("health").request(EMPTY)), "ok");
    }
    await assert.rejects(client.endpoint("other").request(EMPTY), { code: "NO_ENDPOINT" });
    await until(() => Object.keys(counts).length === 2);
    assert.deepEqual(counts, { "health well": 3, "other NO_ENDPOINT": 1 });
  }));

test("a pool of sessions by address", async () => {
  const seed = generateSeed();
  const listeners = [
    await listen(freshAddress(), { seed }),
    await listen(freshAddress(), { seed }),
  ];
  const endpoints = new Endpoints();
  endpoints.register("echo", (request) => request.body());
  for (const listener of listeners) listener.on("peer", (peer) => void endpoints.serve(peer));
  const addresses = listeners.map(({ address }) => address);
  const pool = new SessionPool(addresses, (to, signal) => connect(to, { seed, signal }));
  await until(() => pool.size === 2);
  assert.deepEqual(pool.stats().map(({ addresses: [address] }) => address), addresses);
  assert.equal(text(await pool.endpoint("echo").request(bytes("x"))), "x");
  await pool.close();
  for (const listener of listeners) await listener.close();
});
