import { test } from "node:test";
import assert from "node:assert/strict";
import { connect } from "../connect.ts";
import { bytes, freshAddress, joined, pattern, text, until } from "../joined_for_test.ts";
import { listen } from "../listener.ts";
import type { Peer } from "../peer.ts";
import { Endpoints } from "../requests/endpoints.ts";
import { generateSeed } from "../seeds.ts";
import { publish, subscribe, type SubscriptionReader } from "./subscribe.ts";
import { TOPIC_ENDPOINTS, Topics, type TopicsOptions } from "./topics.ts";
import { encodeMessage } from "./wire.ts";

const SMALL = {
  maxData: 20_000,
  maxStreamData: 20_000,
  maxSessionWindow: 20_000,
  maxStreamWindow: 20_000,
  sendBuffer: 20_000,
  closeFlush: 0,
};

async function hub(
  count: number,
  options: TopicsOptions,
  run: (topics: Topics, clients: readonly Peer[], endpoints: Endpoints) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const listener = await listen(freshAddress(), { seed, ...SMALL });
  const endpoints = new Endpoints();
  const topics = new Topics(options);
  topics.register(endpoints);
  listener.on("peer", (peer) => void endpoints.serve(peer));
  const clients: Peer[] = [];
  try {
    for (let i = 0; i < count; i++) {
      clients.push(await connect(listener.address, { seed, ...SMALL }));
    }
    await run(topics, clients, endpoints);
  } finally {
    for (const client of clients) client.abort();
    await listener.close();
  }
}

async function next(reader: SubscriptionReader): Promise<string> {
  const message = await reader.next();
  assert.ok(message !== null);
  return `${message.topic}=${text(message.data)}`;
}

test("subscribers get what their filters match, once, and nothing else", () =>
  hub(3, {}, async (topics, [a, b, c]) => {
    assert.ok(a !== undefined && b !== undefined && c !== undefined);
    const warm = await subscribe(a, ["sensors/+/temperature"]);
    const all = await subscribe(b, ["sensors/#", "sensors/7/+"]);
    const own = await subscribe(c, ["other"]);
    const data = bytes("21");
    const outcomes = await topics.publish("sensors/7/temperature", data);
    data.fill(0);
    assert.equal(outcomes.length, 2);
    assert.ok(outcomes.every(({ sent, dropped }) => sent && dropped === 0));
    assert.deepEqual(await topics.publish("nobody/listens", bytes("x")), []);
    await topics.publish("sensors", bytes("all of them"));
    await topics.publish("other", bytes("o"));
    assert.equal(await next(warm), "sensors/7/temperature=21");
    assert.equal(await next(all), "sensors/7/temperature=21");
    assert.equal(await next(all), "sensors=all of them");
    assert.equal(await next(own), "other=o");
    await assert.rejects(topics.publish("a/#", bytes("")), { code: "CONFIG" });
    await assert.rejects(topics.publish("a", "x" as unknown as Uint8Array), { code: "CONFIG" });
  }));

test("leaving the loop ends the subscription at the hub, and so do cancel, signals and sessions", () =>
  hub(2, {}, async (topics, [a, b], endpoints) => {
    assert.ok(a !== undefined && b !== undefined);
    const events: string[] = [];
    topics.on("subscribe", ({ filters }) => events.push(`+${filters.join()}`));
    topics.on("unsubscribe", ({ filters }) => events.push(`-${filters.join()}`));
    const controller = new AbortController();
    const reason = new Error("enough");
    const left = await subscribe(a, ["left"]);
    const cancelled = await subscribe(a, ["cancelled"]);
    const aborted = await subscribe(a, ["aborted"], { signal: controller.signal });
    const gone = await subscribe(b, ["gone", "b"]);
    await topics.publish("left", bytes("x"));
    for await (const { topic } of left) {
      assert.equal(topic, "left");
      break;
    }
    await until(() => events.includes("-left"));
    cancelled.cancel();
    await until(() => events.includes("-cancelled"));
    controller.abort(reason);
    await assert.rejects(aborted.next(), (error) => error === reason);
    await until(() => events.includes("-aborted"));
    b.abort();
    await until(() => events.includes("-gone,b"));
    await assert.rejects(gone.next(), { code: "CLOSED" });
    assert.deepEqual(events.slice(0, 4), ["+left", "+cancelled", "+aborted", "+gone,b"]);
    assert.deepEqual(topics.stats(), []);
    await until(() => endpoints.stats().running === 0);
  }));

test("a subscriber that does not read loses the oldest messages, and is told how many", () =>
  hub(2, { maxQueued: 4 }, async (topics, [fast, slow]) => {
    assert.ok(fast !== undefined && slow !== undefined);
    const told: string[] = [];
    topics.on("slow", () => told.push("slow"));
    topics.on("drained", () => told.push("drained"));
    let dropped = 0;
    topics.on("dropped", ({ count }) => dropped += count);
    const quick = await subscribe(fast, ["#"]);
    const late = await subscribe(slow, ["#"]);
    for (let i = 0; i < 40; i++) {
      await topics.publish("t", pattern(5000, i));
      assert.deepEqual((await quick.next())?.data, pattern(5000, i));
    }
    assert.ok(dropped > 20, `${dropped} were dropped`);
    assert.ok(topics.stats().some(({ queued }) => queued === 4));
    let missed = 0;
    for (let got = 0; got + missed < 40; got++) {
      const message = await late.next();
      missed += message?.dropped ?? 0;
      // What came before the gap and behind it is in order: the place says how many are missing.
      assert.deepEqual(message?.data, pattern(5000, got + missed));
    }
    assert.equal(missed, dropped);
    await until(() => told.length === 2);
    assert.deepEqual(told, ["slow", "drained"]);
  }));

test("disconnect ends the slow subscription with BUSY, and not its session", () =>
  hub(1, { maxQueued: 2, policy: "disconnect" }, async (topics, [slow]) => {
    assert.ok(slow !== undefined);
    const late = await subscribe(slow, ["#"]);
    let code: string | undefined;
    for (let i = 0; i < 40 && code === undefined; i++) {
      const [outcome] = await topics.publish("t", pattern(5000, i));
      if (outcome?.sent === false) code = outcome.error?.code;
    }
    assert.equal(code, "BUSY");
    await assert.rejects(async () => {
      for await (const _ of late);
    }, { code: "BUSY", remote: true });
    assert.deepEqual(await topics.publish("t", bytes("x")), []);
    const again = await subscribe(slow, ["#"]);
    await topics.publish("t", bytes("x"));
    assert.equal(await next(again), "t=x");
  }));

test("peers publish to each other through the hub where that is allowed", () =>
  hub(2, {
    allowPublish: (_, topic) => topic.startsWith("chat/"),
    allowSubscribe: (_, filter) => !filter.includes("secret"),
  }, async (_, [a, b]) => {
    assert.ok(a !== undefined && b !== undefined);
    const heard = await subscribe(b, ["chat/+"]);
    const mine = await subscribe(a, ["chat/+"]);
    await publish(a, "chat/1", bytes("hello"));
    await publish(b, "chat/2", bytes("hi"));
    assert.equal(await next(heard), "chat/1=hello");
    // Nobody hears what it said itself.
    assert.equal(await next(mine), "chat/2=hi");
    await assert.rejects(publish(a, "news", bytes("x")), { code: "REFUSED", remote: true });
    await assert.rejects(subscribe(a, ["a", "secret/1"]), { code: "REFUSED", remote: true });
    await assert.rejects(publish(a, "#", bytes("x")), { code: "CONFIG" });
    await assert.rejects(subscribe(a, []), { code: "CONFIG" });
  }));

test("only true lets a peer subscribe: a promise of it is no answer", () =>
  hub(1, {
    allowSubscribe: (() => Promise.resolve(true)) as unknown as () => boolean,
  }, async (_, [a]) => {
    assert.ok(a !== undefined);
    await assert.rejects(subscribe(a, ["a"]), { code: "REFUSED", remote: true });
  }));

test("nobody publishes unless that is allowed, and a peer without a hub says so", () =>
  hub(1, {}, async (topics, [a], endpoints) => {
    assert.ok(a !== undefined);
    await assert.rejects(publish(a, "a", bytes("x")), { code: "REFUSED" });
    assert.throws(() => topics.register(endpoints), { code: "CONFIG" });
    endpoints.unregister(TOPIC_ENDPOINTS.subscribe);
    await assert.rejects(subscribe(a, ["a"]), { code: "NO_ENDPOINT" });
  }));

test("hostile hubs and subscribers: malformed items are PROTOCOL, and the session lives", () =>
  joined({}, async ({ client, server }) => {
    const endpoints = new Endpoints();
    void endpoints.serve(server);
    endpoints.register(TOPIC_ENDPOINTS.subscribe, () => [new Uint8Array(0), bytes("no value")]);
    const broken = await subscribe(client, ["a"]);
    await assert.rejects(broken.next(), { code: "PROTOCOL", remote: false });
    endpoints.unregister(TOPIC_ENDPOINTS.subscribe);
    endpoints.register(TOPIC_ENDPOINTS.subscribe, () => bytes("not empty"));
    await assert.rejects(subscribe(client, ["a"]), { code: "PROTOCOL" });
    endpoints.unregister(TOPIC_ENDPOINTS.subscribe);
    endpoints.register(TOPIC_ENDPOINTS.subscribe, () => new Promise(() => undefined));
    await assert.rejects(subscribe(client, ["a"], { timeout: 5 }), { code: "DEADLINE" });
    endpoints.unregister(TOPIC_ENDPOINTS.subscribe);
    // A hub may end a subscription in order.
    const only = encodeMessage({ topic: "a", data: bytes("x"), dropped: 0 });
    endpoints.register(TOPIC_ENDPOINTS.subscribe, () => [new Uint8Array(0), only]);
    const texts: string[] = [];
    for await (const { topic, data } of await subscribe(client, ["a"], { timeout: 0 })) {
      texts.push(`${topic}=${text(data)}`);
    }
    assert.deepEqual(texts, ["a=x"]);
    endpoints.unregister(TOPIC_ENDPOINTS.subscribe);
    const topics = new Topics();
    topics.register(endpoints)();
    assert.deepEqual(endpoints.names, []);
    topics.register(endpoints);
    const told = topics.events(["subscribe"]);
    const ask = client.endpoint(TOPIC_ENDPOINTS.subscribe);
    await assert.rejects(ask.request(bytes("no value")), { code: "PROTOCOL", remote: true });
    await assert.rejects(ask.exchange([]).next(), { code: "PROTOCOL", remote: true });
    const end = await subscribe(client, ["a"]);
    assert.deepEqual((await told.next()).value?.detail.filters, ["a"]);
    await topics.publish("a", bytes("x"));
    assert.equal(await next(end), "a=x");
  }));
