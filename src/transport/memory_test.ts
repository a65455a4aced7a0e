import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers";
import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { defaultMemoryNetwork, MemoryNetwork, memoryPair } from "./memory.ts";
import { CollectingSink, pattern } from "./sink_for_test.ts";
import type { TransportConnection } from "./transport.ts";

test("a pair carries bytes both ways, never inside of send", async () => {
  const [a, b] = memoryPair();
  const sinks = [new CollectingSink(), new CollectingSink()];
  a.start(sinks[0]!);
  b.start(sinks[1]!);
  const bytes = pattern(10, 1);
  a.send(bytes);
  b.send(pattern(20, 2));
  assert.equal(sinks[1]!.bytes, 0);
  assert.equal(a.queuedBytes, 10);
  await Promise.all([sinks[0]!.received(20), sinks[1]!.received(10)]);
  assert.equal(sinks[1]!.chunks[0], bytes);
  assert.equal(a.queuedBytes, 0);
  await Promise.all([a.close(), b.close()]);
});

test("the queue counts exactly what the other end has not taken", async () => {
  const [a, b] = memoryPair();
  const sink = new CollectingSink();
  const feedback = new CollectingSink();
  a.start(feedback);
  b.start(sink);
  b.pause();
  assert.equal(a.send(new Uint8Array(TRANSPORT_HIGH_WATER_BYTES)), true);
  assert.equal(a.send(new Uint8Array(1)), false);
  assert.equal(a.queuedBytes, TRANSPORT_HIGH_WATER_BYTES + 1);
  const drained = new Promise<void>((resolve) => {
    feedback.onDrain = resolve;
  });
  b.resume();
  await drained;
  assert.equal(a.queuedBytes, 0);
  assert.equal(feedback.drains, 1);
  a.abort();
});

test("two ends that answer each other for ever do not starve timers", async () => {
  const [a, b] = memoryPair();
  let rounds = 0;
  let running = true;
  const bounce = (end: TransportConnection) => ({
    data: (bytes: Uint8Array): void => {
      rounds++;
      if (running) end.send(bytes);
    },
    drain: (): void => {},
    end: (): void => {},
  });
  a.start(bounce(a));
  b.start(bounce(b));
  a.send(new Uint8Array(1));
  await new Promise((resolve) => setTimeout(resolve, 5));
  running = false;
  assert.ok(rounds > 100);
  a.abort();
  await b.close();
});

test("networks keep their names apart; the default one is shared", async () => {
  const network = new MemoryNetwork();
  const own = await network.listen("mem:apart", () => {});
  const shared = await defaultMemoryNetwork.listen("mem:apart", () => {});
  assert.equal(own.address, "mem:apart");
  await own.close();
  await assert.rejects(
    network.dial("mem:apart"),
    (error) =>
      error instanceof SttError &&
      error.message === "cannot connect to mem:apart: nobody listens there",
  );
  await shared.close();
});

test("every dialler has a name of its own for limits by address", async () => {
  const hosts: string[] = [];
  const network = new MemoryNetwork();
  const listener = await network.listen("mem:x", (connection) => hosts.push(connection.remoteHost));
  const a = await network.dial("mem:x");
  const b = await network.dial("mem:x");
  assert.notEqual(hosts[0], hosts[1]);
  assert.equal(a.remoteHost, "mem:x");
  a.abort();
  b.abort();
  await listener.close();
});

test("an aborted peer drops what was queued", async () => {
  const [a, b] = memoryPair();
  const sink = new CollectingSink();
  b.start(sink);
  b.pause();
  a.send(new Uint8Array(100));
  a.abort();
  await sink.ended;
  assert.equal(sink.bytes, 0);
  assert.equal(sink.error?.code, "TRANSPORT");
  assert.equal(b.queuedBytes, 0);
});
