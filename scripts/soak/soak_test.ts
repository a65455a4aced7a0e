import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { test } from "node:test";
import { connect } from "../../src/endpoint/connect.ts";
import { listen } from "../../src/endpoint/listener.ts";
import { generateSeed } from "../../src/endpoint/seeds.ts";
import { SttError } from "../../src/errors.ts";
import { Prng } from "../../src/testing/prng.ts";
import { parseArguments } from "./arguments.ts";
import { Relay } from "./relay.ts";
import { Corruption, Tally } from "./tally.ts";
import { answer, checkNote, note, transfer } from "./transfer.ts";
import { type Findings, judge, MOST_GROWTH, type Sample, trend, warmUpMs } from "./verdict.ts";

test("soak: arguments", () => {
  assert.deepEqual(parseArguments(["--minutes", "0.5"]), {
    minutes: 0.5,
    seed: 1,
    rate: 60_000,
    json: false,
  });
  const all = parseArguments(["--minutes", "30", "--seed", "7", "--rate", "5", "--json"]);
  assert.deepEqual(all, { minutes: 30, seed: 7, rate: 5, json: true });
  assert.equal(parseArguments(["--help"]), undefined);
  const wrong = [[], ["--minutes"], ["--minutes", "0"], ["--minutes", "x"], ["--seed", "1"], [
    "--minutes",
    "1",
    "more",
  ]];
  for (const bad of wrong) assert.throws(() => parseArguments(bad), Error, bad.join(" "));
});

const MINUTE = 60_000;

/** A sample every ten seconds. */
function samples(minutes: number, heap: (atMs: number) => number): Sample[] {
  return Array.from({ length: minutes * 6 }, (_, index) => {
    const atMs = index * 10_000;
    return { atMs, heap: heap(atMs), rss: 0, handles: 20 };
  });
}

const GOOD: Findings = {
  trend: undefined,
  handlesBefore: 20,
  handlesAfter: 20,
  unexplained: 0,
  transfers: 1,
  mostSessions: 1,
  mostHandshaking: 1,
  missing: [],
};

test("soak: what grows before the end of warm-up, and what peaks, is no trend", () => {
  const prng = new Prng(3);
  const level = samples(
    30,
    (atMs) =>
      Math.min(atMs, warmUpMs(30 * MINUTE)) * 20 + (prng.chance(0.1) ? 9e6 : 0) +
      prng.integer(0, 200_000),
  );
  const found = trend(level, 30 * MINUTE);
  assert.ok(found !== undefined && Math.abs(found.growth) < 100_000, JSON.stringify(found));
  assert.deepEqual(judge({ ...GOOD, trend: found }), []);
});

test("soak: a heap that grows by more than the limit fails", () => {
  const prng = new Prng(4);
  const perMs = 2 * MOST_GROWTH / (24 * MINUTE);
  const leaking = samples(30, (atMs) => 1e7 + atMs * perMs + prng.integer(0, 200_000));
  const reasons = judge({ ...GOOD, trend: trend(leaking, 30 * MINUTE) });
  assert.match(reasons.join(), /^the heap grew by 2\d{6} bytes in 23\.8 minutes/);
});

test("soak: a short run has no trend", () => {
  assert.equal(trend(samples(2, (atMs) => atMs * 1e6), 2 * MINUTE), undefined);
  assert.equal(trend([], 1000), undefined);
});

test("soak: each of the other findings fails the run by itself", () => {
  const bad: Partial<Findings>[] = [
    { handlesAfter: 21 },
    { unexplained: 1 },
    { transfers: 0 },
    { mostSessions: 3 },
    { mostHandshaking: 3 },
    { missing: ["no migration over udp"] },
  ];
  for (const finding of bad) assert.equal(judge({ ...GOOD, ...finding }).length, 1);
  assert.deepEqual(judge({ ...GOOD, handlesBefore: undefined, handlesAfter: undefined }), []);
});

test("soak: errors are explained only by the ending that is under way", () => {
  const tally = new Tally();
  tally.error(new SttError("CLOSED", "x"), "abort");
  tally.error(new SttError("RESET_BY_PEER", "x"), "crash");
  assert.deepEqual([...tally.explained], [["abort CLOSED", 1], ["crash RESET_BY_PEER", 1]]);
  assert.equal(tally.unexplainedCount, 0);
  tally.error(new SttError("CLOSED", "x"), undefined);
  tally.error(new SttError("TRUNCATED", "x"), "close");
  tally.error(new SttError("CRYPTO", "x"), "abort");
  tally.error(new Corruption("x"), "abort");
  assert.equal(tally.unexplainedCount, 4);
  tally.error(new SttError("IDLE_TIMEOUT", "x"), undefined, true);
  assert.equal(tally.unexplainedCount, 4);
  tally.error(new Corruption("x"), undefined, true);
  tally.error(new SttError("CRYPTO", "x"), undefined, true);
  assert.equal(tally.unexplainedCount, 6);
});

test("soak: a byte that is not the one that was sent is found, and so is a missing one", async () => {
  const seed = generateSeed();
  const listener = await listen("mem:soak-transfer", { seed });
  const client = await connect(listener.address, { seed });
  const server = await listener.nextPeer() ?? assert.fail();
  const tally = new Tally();
  const [served] = await Promise.all([
    server.acceptStream().then((stream) => answer(stream!, tally)).then(() => true),
    transfer(client, 5, 100_000, tally),
  ]);
  assert.ok(served);
  assert.deepEqual([tally.transfers, tally.verifiedBytes], [1, 200_000]);
  const good = [0, 0, 0, 5, 0, 0, 0, 9, ...new Prng(5).bytes(9)];
  const wrong = good.map((byte, index) => index === 12 ? byte ^ 1 : byte);
  for (const bytes of [wrong, good.slice(0, -1), [...good, 0], good.slice(0, 7)]) {
    const stream = await client.openStream();
    await stream.write(Uint8Array.from(bytes));
    await stream.end();
    await assert.rejects(answer((await server.acceptStream())!, tally), Corruption);
  }
  const message = note(9, 100);
  assert.equal(checkNote(message), 9);
  message[50]! ^= 1;
  assert.throws(() => checkNote(message), Corruption);
  await client.close();
  await listener.close();
});

test("soak: the relay carries both ways, changes its port, loses, and can be cut", async () => {
  const server = createSocket("udp4");
  const ports: number[] = [];
  server.on("message", (bytes, { port }) => {
    ports.push(port);
    server.send(bytes, port, "127.0.0.1");
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", () => resolve()));
  const relay = new Relay(server.address().port, new Prng(1), {
    loss: 0,
    repeat: 0,
    delayMs: [0, 1],
  });
  await relay.start();
  const client = createSocket("udp4");
  const port = Number(new URL(relay.address.replace("udp", "http")).port);
  const exchange = (): Promise<void> =>
    new Promise((resolve) => {
      client.once("message", () => resolve());
      client.send(Uint8Array.of(1), port, "127.0.0.1");
    });
  await exchange();
  await relay.rebind();
  await exchange();
  assert.notEqual(ports[0], ports[1]);
  assert.deepEqual(relay.counts, { passed: 4, lost: 0, repeated: 0, cut: 0 });
  relay.isCut = true;
  await new Promise<void>((resolve) =>
    client.send(Uint8Array.of(1), port, "127.0.0.1", () => resolve())
  );
  while (relay.counts.cut === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(ports.length, 2);
  await relay.close();
  client.close();
  server.close();
});
