import { test } from "node:test";
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { SttError } from "../../errors.ts";
import { connect } from "../connect.ts";
import { bytes, freshAddress, text, until } from "../joined_for_test.ts";
import { listen, type Listener } from "../listener.ts";
import type { Peer } from "../peer.ts";
import { Endpoints } from "../requests/endpoints.ts";
import { deferred } from "../requests/served_for_test.ts";
import { generateSeed } from "../seeds.ts";
import type { PoolOptions } from "./options.ts";
import { SessionPool } from "./pool.ts";

const EMPTY = new Uint8Array(0);
const FAST = { initialDelay: 1, maxDelay: 1 };

interface Server {
  readonly listener: Listener;
  readonly endpoints: Endpoints;
  readonly peers: Peer[];
}

async function pooled(
  count: number,
  options: PoolOptions,
  run: (pool: SessionPool, servers: readonly Server[]) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const servers: Server[] = [];
  for (let i = 0; i < count; i++) {
    const listener = await listen(freshAddress(), { seed, closeFlush: 0 });
    const endpoints = new Endpoints({ maxPerPeer: 4 });
    endpoints.register("name", () => bytes(`${i}`));
    const peers: Peer[] = [];
    listener.on("peer", (peer) => {
      peers.push(peer);
      void endpoints.serve(peer);
    });
    servers.push({ listener, endpoints, peers });
  }
  const pool = new SessionPool(
    servers.map(({ listener }) => listener.address),
    (address, signal) => connect(address, { seed, signal, closeFlush: 0 }),
    { ...FAST, ...options },
  );
  try {
    await until(() => pool.size === count);
    await run(pool, servers);
  } finally {
    await pool.close();
    for (const { listener } of servers) await listener.close();
  }
}

test("requests go in turn, or to whoever has the fewest", async () => {
  await pooled(3, { balance: "round-robin" }, async (pool) => {
    const names: string[] = [];
    for (let i = 0; i < 6; i++) names.push(text(await pool.endpoint("name").request(EMPTY)));
    assert.deepEqual(names, ["0", "1", "2", "0", "1", "2"]);
  });
  await pooled(3, {}, async (pool, servers) => {
    const gate = deferred();
    for (const { endpoints } of servers) endpoints.register("gate", () => gate.promise);
    const slow = [1, 2, 3, 4].map(() => pool.endpoint("gate").request(EMPTY));
    await until(() => pool.stats().reduce((sum, { load }) => sum + load, 0) === 4);
    assert.deepEqual(pool.stats().map(({ load }) => load), [2, 1, 1]);
    gate.resolve();
    await Promise.all(slow);
    assert.deepEqual(pool.stats().map(({ load }) => load), [0, 0, 0]);
  });
});

test("an idempotent request goes to another target at once, any other one fails", () =>
  pooled(2, { balance: "round-robin", maxFailures: 100 }, async (pool, [first, second]) => {
    assert.ok(first !== undefined && second !== undefined);
    let asked = 0;
    for (const { endpoints } of [first, second]) {
      endpoints.register("busy", () => {
        if (++asked % 2 === 1) throw new SttError("BUSY", "later");
        return bytes("done");
      });
      endpoints.register("own", () => {
        asked++;
        throw new SttError("APPLICATION", "no", { wire: 0x100 });
      });
    }
    assert.equal(text(await pool.endpoint("busy").request(EMPTY, { idempotent: true })), "done");
    assert.equal(asked, 2);
    assert.deepEqual(pool.stats().map(({ requests }) => requests), [1, 1]);
    await assert.rejects(pool.endpoint("busy").request(EMPTY), { code: "BUSY" });
    asked = 0;
    await assert.rejects(pool.endpoint("own").request(EMPTY, { idempotent: true }), {
      code: "APPLICATION",
    });
    assert.equal(asked, 1);
    const idempotent = { ...FAST, attempts: 4, retry: () => true };
    await assert.rejects(pool.endpoint("own").request(EMPTY, { idempotent }), { wire: 0x100 });
    assert.equal(asked, 5);
  }));

test("a target whose requests fail is left alone, and tried again by one request", () =>
  pooled(
    2,
    { maxFailures: 2, initialDelay: 40, maxDelay: 40, jitter: 0 },
    async (pool, [first]) => {
      let ill = true;
      first?.endpoints.unregister("name");
      first?.endpoints.register("name", () => {
        if (ill) throw new SttError("BUSY", "overloaded");
        return bytes("0");
      });
      const states: string[] = [];
      pool.on("breaker", ({ state }) => states.push(state));
      const ask = async (): Promise<string> =>
        text(await pool.endpoint("name").request(EMPTY, { idempotent: true }));
      while (!states.includes("open")) assert.equal(await ask(), "1");
      const { requests } = pool.stats()[0] ?? assert.fail();
      for (let i = 0; i < 5 && !states.includes("half-open"); i++) assert.equal(await ask(), "1");
      if (!states.includes("half-open")) assert.equal(pool.stats()[0]?.requests, requests);
      ill = false;
      await until(() => states.at(-1) === "half-open");
      assert.equal(await ask(), "0");
      assert.equal(states.at(-1), "closed");
    },
  ));

test("a lost session is dialled again; events tell of it", () =>
  pooled(1, {}, async (pool, [server]) => {
    const events = pool.events(["up", "down"]);
    server?.peers[0]?.abort();
    const { value: down } = await events.next();
    assert.ok(down?.name === "down" && down.detail.error.code === "CLOSED");
    const { value: up } = await events.next();
    assert.equal(up?.name, "up");
    assert.equal(text(await pool.endpoint("name").request(EMPTY)), "0");
    assert.equal(pool.targetCount, 1);
  }));

test("a target with several addresses takes the first that answers", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed });
  const tried: string[] = [];
  const pool = new SessionPool([[freshAddress(), listener.address]], (address, signal) => {
    tried.push(address);
    return connect(address, { seed, signal });
  });
  await until(() => pool.size === 1);
  assert.equal(tried.length, 2);
  await pool.close();
  await listener.close();
});

test("requests wait for a session within their time, and fail when none can ever be", async () => {
  const seed = generateSeed();
  const address = freshAddress();
  const dial = (to: string, signal: AbortSignal): Promise<Peer> => connect(to, { seed, signal });
  const pool = new SessionPool([address], dial, FAST);
  const name = pool.endpoint("name");
  await assert.rejects(name.request(EMPTY, { timeout: 20 }), { code: "DEADLINE" });
  const reason = new Error("no");
  const controller = new AbortController();
  const asking = name.request(EMPTY, { signal: controller.signal, timeout: 0 });
  controller.abort(reason);
  await assert.rejects(asking, (error) => error === reason);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  const late = name.request(EMPTY);
  const endpoints = new Endpoints();
  endpoints.register("name", () => bytes("late"));
  const listener = await listen(address, { seed });
  listener.on("peer", (peer) => void endpoints.serve(peer));
  assert.equal(text(await late), "late");
  await pool.close();
  await assert.rejects(name.request(EMPTY), { code: "CLOSED" });
  await listener.close();
  const wrong = new SessionPool(["tcp://nowhere"], dial);
  await assert.rejects(wrong.endpoint("name").request(EMPTY), { code: "ADDRESS" });
  assert.equal(wrong.stats()[0]?.breaker, "failed");
  await wrong.close();
  const odd = new SessionPool([address], () => Promise.reject(new Error("of a hook")), FAST);
  const { value } = await odd.events(["down"]).next();
  assert.equal(value?.detail.error.code, "TRANSPORT");
  await odd.close();
});

test("use and exchange count as load, and say how it went", () =>
  pooled(1, {}, async (pool, [server]) => {
    server?.endpoints.register("items", async function* (request) {
      yield* request;
      yield bytes("end");
    });
    await pool.use(async (peer) => {
      assert.equal(pool.stats()[0]?.load, 1);
      assert.ok(await peer.ping() >= 0);
    });
    const mine = new Error("mine");
    await assert.rejects(pool.use(() => Promise.reject(mine)), (error) => error === mine);
    assert.deepEqual([pool.stats()[0]?.load, pool.stats()[0]?.ill], [0, 0]);
    const replies = await pool.endpoint("items").exchange([bytes("a")]);
    assert.equal(pool.stats()[0]?.load, 1);
    const got: string[] = [];
    for await (const item of replies) got.push(text(item));
    assert.deepEqual(got, ["a", "end"]);
    assert.equal(pool.stats()[0]?.load, 0);
    const left = await pool.endpoint("items").exchange([]);
    left.cancel();
    assert.deepEqual([pool.stats()[0]?.load, pool.stats()[0]?.ill], [0, 0]);
    await assert.rejects(pool.endpoint("items").exchange([], { maxItem: -1 }), { code: "CONFIG" });
  }));

test("sessions are pinged; one that does not answer is given up, and what waited for it is told", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed });
  const endpoints = new Endpoints();
  let calls = 0;
  // The first answers never come.
  endpoints.register("slow", () => ++calls <= 3 ? new Promise(() => undefined) : bytes("now"));
  listener.on("peer", (peer) => void endpoints.serve(peer));
  let deaf = false;
  const pool = new SessionPool([listener.address], async (address, signal) => {
    const peer = await connect(address, { seed, signal, closeFlush: 0 });
    const ping = peer.ping.bind(peer);
    peer.ping = () => deaf ? new Promise(() => undefined) : ping();
    return peer;
  }, { ...FAST, pingInterval: 5, pingTimeout: 20 });
  await until(() => pool.stats()[0]?.rttMs !== undefined);
  const slow = pool.endpoint("slow");
  const once = slow.request(EMPTY, { timeout: 0 });
  const used = pool.use((peer) => peer.endpoint("slow").request(EMPTY, { timeout: 0 }));
  const replies = await slow.exchange([EMPTY], { timeout: 0 });
  const again = slow.request(EMPTY, { timeout: 0, idempotent: { retry: () => true, ...FAST } });
  await until(() => calls >= 3);
  deaf = true;
  const settled = Promise.allSettled([once, used, replies.next()]);
  pool.on("down", () => deaf = false, { once: true });
  for (const one of await settled) {
    assert.equal(one.status === "rejected" && one.reason.code, "IDLE_TIMEOUT");
  }
  assert.equal(text(await again), "now");
  assert.equal(pool.stats()[0]?.load, 0);
  await pool.close();
  await listener.close();
});

test("a lease ends once, and may end behind the pool; a pause needs room before the deadline", () =>
  pooled(1, { maxFailures: 100 }, async (pool, [server]) => {
    const lease = await pool.lease();
    lease.end("ill");
    lease.end("ill");
    assert.deepEqual([pool.stats()[0]?.load, pool.stats()[0]?.ill], [0, 1]);
    server?.endpoints.register("busy", () => {
      throw new SttError("BUSY", "later");
    });
    const idempotent = { initialDelay: 60_000, maxDelay: 60_000 };
    const busy = pool.endpoint("busy");
    await assert.rejects(busy.request(EMPTY, { idempotent, timeout: 5000 }), { code: "BUSY" });
    const reason = new Error("no");
    const signal = AbortSignal.abort(reason);
    await assert.rejects(busy.request(EMPTY, { signal }), (error) => error === reason);
    const late = await pool.lease();
    await pool[Symbol.asyncDispose]();
    late.end("well");
    await assert.rejects(pool.lease(), { code: "CLOSED" });
  }));

test("a dial that ends behind the pool leaves no session", async () => {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed });
  const gate = deferred();
  const dialled = deferred<Peer>();
  const pool = new SessionPool([listener.address], async (address) => {
    const peer = await connect(address, { seed });
    dialled.resolve(peer);
    await gate.promise;
    return peer;
  });
  const peer = await dialled.promise;
  const closing = pool.close();
  gate.resolve();
  await closing;
  assert.equal((await peer.closed).error, undefined);
  await listener.close();
});

test("a signal closes the pool; closing twice is harmless; wrong arguments are CONFIG", async () => {
  const controller = new AbortController();
  const dial = (): Promise<Peer> => new Promise(() => undefined);
  const dialled = (_: string, signal: AbortSignal): Promise<Peer> =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const pool = new SessionPool(["mem:x"], dialled, { signal: controller.signal });
  const asking = pool.endpoint("x").request(EMPTY);
  controller.abort();
  await assert.rejects(asking, { code: "CLOSED" });
  await pool.close();
  await pool.close();
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  assert.throws(() => new SessionPool([], dial), { code: "CONFIG" });
  assert.throws(() => new SessionPool([[]], dial), { code: "CONFIG" });
  assert.throws(() => new SessionPool(["mem:x"], dial, { maxFailures: 0 }), { code: "CONFIG" });
  assert.throws(() => new SessionPool(["mem:x"], dial, { signal: AbortSignal.abort() }));
  assert.throws(() => pool.endpoint(""), { code: "CONFIG" });
});
