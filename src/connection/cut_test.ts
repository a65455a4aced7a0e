import { test } from "node:test";
import assert from "node:assert/strict";
import type { ConnectionPair } from "../testing/connection_pair.ts";
import { pair, type PairOptions } from "../testing/pair.ts";

const CHUNK = 7;

/** A session that carries a little data both ways and closes in order. */
function conversation(options: PairOptions): ConnectionPair {
  const run = pair({ ...options, pipe: { delayMs: 2, chunking: CHUNK, ...options.pipe } });
  run.onEvent = (side, event) => {
    const connection = run[side];
    if (event.type === "established" && side === "a") {
      const id = connection.streams.open(0);
      if (id !== undefined) {
        connection.streams.write(id, new Uint8Array(100));
        connection.streams.finish(id);
      }
    } else if (event.type === "stream") {
      connection.close(run.clock.nowMs, 0, "got it");
    }
  };
  run.runUntil(() => run.a.finished && run.b.finished);
  return run;
}

function codes(run: ConnectionPair): (string | undefined)[] {
  return [run.a, run.b].map((side) => side.closeFacts?.error?.code);
}

test("cut after any number of bytes from the dialler, both sides end with their error", () => {
  const whole = conversation({});
  assert.deepEqual(codes(whole), [undefined, undefined]);
  const { bytesReceived } = whole.b.stats();
  const seen = new Set<string>();
  for (let cutAfter = 1; cutAfter < bytesReceived; cutAfter += 5) {
    const run = conversation({ pipe: { aToB: { cutAfter } } });
    const [a, b] = codes(run);
    seen.add(`${a} ${b}`);
    assert.ok(a === "HANDSHAKE_TIMEOUT" || a === "TRUNCATED" || a === undefined, a);
    assert.ok(b === "HANDSHAKE_TIMEOUT" || b === "TRUNCATED" || b === undefined, b);
    assert.equal(run.acceptor.halfOpenCount, 0, `a half-open handshake stays, cut at ${cutAfter}`);
    if (a === undefined) assert.equal(run.a.closeFacts?.reason, "got it");
  }
  assert.ok(seen.has("HANDSHAKE_TIMEOUT HANDSHAKE_TIMEOUT"), [...seen].join());
  assert.ok(seen.has("TRUNCATED TRUNCATED"), [...seen].join());
});

test("cut after any number of bytes from the listener, both sides end with their error", () => {
  const { bytesReceived } = conversation({}).a.stats();
  const seen = new Set<string>();
  for (let cutAfter = 1; cutAfter < bytesReceived; cutAfter += 5) {
    const run = conversation({ pipe: { bToA: { cutAfter } } });
    const [a, b] = codes(run);
    seen.add(`${a} ${b}`);
    assert.ok(a === "HANDSHAKE_TIMEOUT" || a === "TRUNCATED", a);
    assert.equal(run.acceptor.halfOpenCount, 0);
  }
  assert.ok(seen.has("HANDSHAKE_TIMEOUT HANDSHAKE_TIMEOUT"), [...seen].join());
  assert.ok(seen.has("HANDSHAKE_TIMEOUT TRUNCATED"), [...seen].join());
  assert.ok([...seen].some((pair) => pair.startsWith("TRUNCATED ")), [...seen].join());
});

test("silence at any point of the handshake ends in HANDSHAKE_TIMEOUT after 10 s", () => {
  for (const late of [{ aToB: { delayMs: 99_999 } }, { bToA: { delayMs: 99_999 } }]) {
    const run = pair({ pipe: { delayMs: 1, ...late } });
    run.runUntil(() => run.a.finished && run.b.finished, 30_000);
    assert.deepEqual(codes(run), ["HANDSHAKE_TIMEOUT", "HANDSHAKE_TIMEOUT"]);
    assert.ok(run.clock.nowMs >= 10_000 && run.clock.nowMs <= 11_000);
    assert.equal(run.acceptor.halfOpenCount, 0);
  }
});

test("a transport that ends early means something else to either side", () => {
  const run = pair();
  run.a.transportEnded();
  run.b.transportEnded();
  assert.deepEqual(codes(run), ["HANDSHAKE_TIMEOUT", "HANDSHAKE_TIMEOUT"]);
  assert.match(run.a.closeFacts?.error?.message ?? "", /wrong seed, a listener that is busy/);
  const message = run.b.closeFacts?.error?.message ?? "";
  assert.match(message, /the dialler went/);
  assert.doesNotMatch(message, /listener|wrong seed/);
});

test("a wrong seed is silence from the listener and one clear error at the dialler", () => {
  const run = pair({ listenerSeeds: [new Uint8Array(32).fill(9)] });
  run.runUntil(() => run.a.finished && run.b.finished);
  assert.equal(run.b.stats().bytesSent, 0);
  assert.deepEqual(run.b.stats().rejected, { seed_id: 1 });
  assert.equal(run.a.closeFacts?.error?.code, "HANDSHAKE_TIMEOUT");
  assert.match(run.a.closeFacts?.error?.message ?? "", /wrong seed/);
  assert.equal(run.clock.nowMs, 0, "at once, not after the timeout");
});

test("strangers that send anything but a handshake get nothing and cost one connection", () => {
  const strangers = [
    new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
    new Uint8Array([0x53, 0x54, 0x80, 0x80, 0x80, 0x80]),
    new Uint8Array([0x53, 0x54, 0x05, 1, 2, 3, 4, 5]),
    // A body of 4097 bytes is above what strangers may send.
    new Uint8Array([0x53, 0x54, 0x81, 0x20, 5]),
  ];
  for (const bytes of strangers) {
    const { b, clock } = pair();
    b.receive(bytes, clock.nowMs);
    assert.equal(b.finished, true);
    assert.equal(b.transmit(clock.nowMs), undefined);
    assert.ok(b.closeFacts?.error !== undefined);
    assert.equal(Object.values(b.stats().rejected).reduce((sum, count) => sum + count, 0), 1);
  }
});
