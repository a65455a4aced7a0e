import assert from "node:assert/strict";
import { test } from "node:test";
import { quantile } from "../observe/histogram.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { pair } from "../testing/pair.ts";
import { statsSince } from "../telemetry/stats_since.ts";

test("without a clock nothing is measured", () => {
  assert.equal(pair().establish().a.stats().profile, undefined);
});

test("round trips, waits, sealing and opening are counted, in the clock that was given", () => {
  let now = 0;
  // Each look at the clock takes an eighth of a millisecond.
  const run = new DatagramPair({ link: { delayMs: 30 }, profile: () => now += 0.125 });
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const id = run.a.streams.open(0) as number;
  const before = run.a.stats();
  run.a.streams.write(id, new Uint8Array(1000));
  // Nothing leaves before the owner asks.
  now += 40;
  run.run(() => false, 500);
  const after = run.a.stats();
  const { profile } = after;
  assert.ok(profile !== undefined);
  assert.equal(profile.sendLatency.count, 1);
  const waited = quantile(profile.sendLatency, 0.5) as number;
  assert.ok(Math.abs(waited - 40) < 40 / 16 + 0.5, `${waited}`);
  const sealed = after.framesSent - 2;
  assert.equal(profile.seal.count, sealed, "all frames but HELLO and AUTH_PROOF");
  assert.equal(profile.seal.sum, sealed * 0.125);
  assert.equal(profile.open.count, after.framesReceived - 2);
  assert.equal(profile.rtt.count, after.rtt.samples);
  assert.ok(Math.abs((quantile(profile.rtt, 0.5) as number) - 60) <= 60 / 16);
  const change = statsSince(before, after);
  assert.equal(change.streams.bytesSent, 1000);
  assert.equal(change.framesSent, after.framesSent - before.framesSent);
  assert.equal(change.profile?.seal.count, profile.seal.count - (before.profile?.seal.count ?? 0));
  assert.equal(change.rtt.smoothed, after.rtt.smoothed);
  assert.equal(change.path?.packetsLost, 0);
});

test("a write whose stream is reset does not end the sampling of waits", () => {
  let now = 0;
  const run = pair({ profile: () => now }).establish();
  const [first, second] = [run.a.streams.open(0) as number, run.a.streams.open(0) as number];
  run.a.streams.write(first, new Uint8Array(10));
  run.a.streams.reset(first, 1);
  run.settle();
  const write = (): void => {
    run.a.streams.write(second, new Uint8Array(10));
    run.settle();
  };
  write();
  assert.equal(run.a.stats().profile?.sendLatency.count, 0);
  now += 10_000;
  write();
  assert.equal(run.a.stats().profile?.sendLatency.count, 1);
});

test("reasons of refusals are counted apart between snapshots", () => {
  const run = new DatagramPair({});
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const noise = (): void => run.a.receive(new Uint8Array(40), run.clock.nowMs, "10.0.0.2", 1);
  noise();
  const before = run.a.stats();
  assert.deepEqual(statsSince(before, run.a.stats()).rejected, {});
  noise();
  assert.deepEqual(Object.values(statsSince(before, run.a.stats()).rejected), [1]);
});
