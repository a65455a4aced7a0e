import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { connect } from "../endpoint/connect.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { SttError } from "../errors.ts";
import { quantile } from "./benching/measure.ts";
import {
  BENCH_APP,
  BENCH_BUSY,
  BENCH_MALFORMED,
  encodeBenchRequest,
  MAX_BENCH_STREAMS,
} from "./benching/wire.ts";
import { type Child, withChildren } from "./child_for_test.ts";

test("a quantile is a sample, and the extremes are those", () => {
  const samples = [5, 1, 4, 2, 3];
  assert.deepEqual([0, 0.2, 0.5, 0.99, 1].map((part) => quantile(samples, part)), [1, 1, 3, 5, 5]);
  assert.deepEqual([0, 0.5, 0.99].map((part) => quantile([7], part)), [7, 7, 7]);
  assert(Number.isNaN(quantile([], 0.5)));
});

async function addressOf(listener: Child): Promise<string> {
  return String((await listener.event("listening"))["address"]);
}

for (const scheme of ["udp", "ws"]) {
  test(`${scheme}: everything is measured, and people read it in 80 columns`, async () => {
    await withChildren(async (start) => {
      const seed = toHex(generateSeed());
      const listener = start(["listen", `${scheme}://127.0.0.1:0`, "--bench", "--json"], { seed });
      const bench = ["bench", await addressOf(listener), "-d", "0.2", "--streams", "3"];
      const few = ["--pings", "5", "--datagrams", "20"];
      const json = start([...bench, ...few, "--json"], { seed });
      assert.equal(await json.exit(), 0);
      const rtt = await json.event("round-trips");
      assert.equal(rtt["count"], 5);
      assert(Number(rtt["min"]) > 0 && Number(rtt["min"]) <= Number(rtt["median"]));
      assert(Number(rtt["median"]) <= Number(rtt["p99"]));
      for (const name of ["upload", "download"]) {
        const { bytes, ms, streams } = await json.event(name);
        assert.equal(streams, 3);
        assert(Number(bytes) > 0 && Number(ms) > 0, `${name}: ${bytes} bytes in ${ms} ms`);
      }
      const { sent, size, lostThere, lostBack } = await json.event("datagrams");
      assert.deepEqual([sent, size, lostThere, lostBack], [20, 1000, 0, 0]);
      const people = start([...bench, ...few], { seed });
      assert.equal(await people.exit(), 0);
      const lines = people.stdout.split("\n");
      assert.deepEqual(lines.map((line) => line.split(/ {2,}/)[0]), [
        "round trip",
        "upload",
        "download",
        "datagrams",
        "",
      ]);
      assert(lines.every((line) => line.length <= 80), people.stdout);
      listener.kill("SIGTERM");
      assert.equal(await listener.exit(), 143);
    });
  });
}

test("Ctrl-C tells what was measured so far, and nothing but the interruption besides", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const listener = start(["listen", "tcp://127.0.0.1:0", "--bench", "--json"], { seed });
    const address = await addressOf(listener);
    const child = start(["bench", address, "-d", "60", "--pings", "1", "--json"], { seed });
    await child.event("progress");
    child.kill("SIGINT");
    assert.equal(await child.exit(), 130);
    const { bytes } = await child.event("upload");
    assert(Number(bytes) > 0);
    const names = child.events.map(({ event }) => event).filter((name) => name !== "progress");
    assert.deepEqual(names, ["connected", "round-trips", "upload", "error"]);
    // The listener is there for the next one.
    const next = start(["bench", address, "-d", "0", "--datagrams", "0", "--json"], { seed });
    assert.equal(await next.exit(), 0);
  });
});

test("a listener without --bench refuses, and what to do is said", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const listener = start(["listen", "tcp://127.0.0.1:0", "--json"], { seed });
    const child = start(["bench", await addressOf(listener)], { seed });
    assert.equal(await child.exit(), 4);
    assert.match(child.stderr, /does the listener run with --bench\?\n$/);
  });
});

test("the service is bounded: requests that are none are reset, too many are refused", async () => {
  await withChildren(async (start) => {
    const seed = toHex(generateSeed());
    const listener = start(["listen", "tcp://127.0.0.1:0", "--bench", "--json"], { seed });
    const peer = await connect(await addressOf(listener), { seed, app: BENCH_APP });
    const codeOf = (error: unknown): number | null | undefined =>
      error instanceof SttError ? error.wire : undefined;
    for (const ms of [0, -1, 60_001]) {
      const stream = await peer.openStream();
      await stream.write(encodeBenchRequest({ mode: "source", ms }));
      await assert.rejects(stream.read(), (error) => codeOf(error) === BENCH_MALFORMED);
    }
    const sinks = await Promise.all(Array.from({ length: MAX_BENCH_STREAMS }, async () => {
      const stream = await peer.openStream();
      await stream.write(encodeBenchRequest({ mode: "sink" }));
      return stream;
    }));
    const more = await peer.openStream();
    await more.write(encodeBenchRequest({ mode: "sink" }));
    await assert.rejects(more.read(), (error) => codeOf(error) === BENCH_BUSY);
    for (const sink of sinks) await sink.end();
    for (const sink of sinks) assert(await sink.read() !== null);
    await peer.close();
    listener.kill("SIGTERM");
    assert.equal(await listener.exit(), 143);
  });
});
