import { test } from "node:test";
import assert from "node:assert/strict";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { pair } from "../testing/pair.ts";

/** What a packet of this size holds: magic, length, header, epoch 0, tag. */
function payload(packetSize: number): number {
  return packetSize - 4 - 30 - 2 - 16;
}

test("udp: the largest datagram follows the path up and down, and each change is told", () => {
  const link = { delayMs: 10, bytesPerSecond: 2_000_000, queueBytes: 60_000, mtu: 1400 };
  const run = new DatagramPair({ seed: 2, link });
  const told: number[] = [];
  const established: number[] = [];
  run.onEvent = (side, event) => {
    if (side !== "a") return;
    if (event.type === "established") established.push(run.a.maxDatagramSize);
    if (event.type !== "datagram-size") return;
    told.push(event.maxDatagramSize);
    assert.equal(run.a.maxDatagramSize, event.maxDatagramSize);
    run.a.sendDatagram(0, new Uint8Array(event.maxDatagramSize));
    const tooLarge = new Uint8Array(event.maxDatagramSize + 1);
    assert.throws(() => run.a.sendDatagram(0, tooLarge), { code: "DATAGRAM_TOO_LARGE" });
  };
  assert.ok(run.run(() => run.b?.state === "established"));
  const b = run.b ?? assert.fail();
  const id = run.a.streams.open(0) ?? assert.fail();
  run.run(() => {
    while (run.a.streams.canWrite(id)) run.a.streams.write(id, new Uint8Array(16_384));
    while (b.streams.has(id) && b.streams.read(id)) continue;
    if (told.length === 2) {
      for (const side of ["a", "b"] as const) run.link.change(side, { mtu: 1250 });
    }
    return told.length === 3;
  });
  assert.deepEqual(established, [payload(1200)], "the first size is no change");
  assert.deepEqual(told, [payload(1280), payload(1392), payload(1200)]);
});

test("udp: a session of small packets does not probe its path; a datagram refused for its length does", () => {
  const link = { delayMs: 10, bytesPerSecond: 2_000_000, queueBytes: 60_000, mtu: 1452 };
  const run = new DatagramPair({ seed: 2, link });
  assert.ok(run.run(() => run.b?.state === "established"));
  const told: number[] = [];
  run.onEvent = (side, event) => {
    if (side === "a" && event.type === "datagram-size") told.push(event.maxDatagramSize);
  };
  let size = 800;
  const until = run.clock.nowMs + 1000;
  run.run(() => {
    if (run.a.stats().framesSent < 20) run.a.sendDatagram(0, new Uint8Array(size));
    return run.clock.nowMs > until;
  });
  assert.deepEqual(told, []);
  size = 1300;
  assert.throws(() => run.a.sendDatagram(0, new Uint8Array(size)), { code: "DATAGRAM_TOO_LARGE" });
  run.a.ping();
  assert.ok(run.run(() => told.length === 3));
  assert.deepEqual(told, [payload(1280), payload(1392), payload(1452)]);
  assert.ok(run.a.sendDatagram(0, new Uint8Array(size)));
});

test("a longer epoch number makes the largest datagram smaller, and that is told", () => {
  const run = pair().establish();
  const size = run.a.maxDatagramSize;
  for (let epoch = 1; epoch <= 128; epoch++) {
    assert.deepEqual(run.eventsOf("a", "datagram-size"), [], `epoch ${epoch - 1}`);
    run.a.rotateKeys();
    run.settle();
    run.b.ping();
    run.settle();
  }
  assert.equal(run.a.stats().sendEpoch, 128);
  const event = { type: "datagram-size", maxDatagramSize: size - 1 };
  assert.deepEqual(run.eventsOf("a", "datagram-size"), [event]);
  assert.deepEqual(run.eventsOf("b", "datagram-size"), [event]);
  assert.equal(run.a.maxDatagramSize, size - 1);
});
