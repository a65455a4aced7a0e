import { test } from "node:test";
import assert from "node:assert/strict";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { connectionLimits, receiveBurst, transportParameters } from "./config.ts";

const BUFFER = 212_992;
const BYTES = 4_000_000;

/** Sends over one stream that is read and one that is not; returns the most bytes that were on their way. */
function mostOnTheWay(delayMs: number): number {
  const pair = new DatagramPair({ receiveBuffer: BUFFER, link: { delayMs } });
  assert.ok(pair.run(() => pair.b?.state === "established"));
  const { a } = pair;
  const b = pair.b ?? assert.fail();
  const unread = a.streams.open(0) ?? assert.fail();
  a.streams.write(unread, new Uint8Array(1_000_000));
  const id = a.streams.open(0) ?? assert.fail();
  a.streams.write(id, new Uint8Array(BYTES));
  a.streams.finish(id);
  let most = 0;
  let got = 0;
  const ended = pair.run(() => {
    most = Math.max(most, a.streams.stats().bytesSent - b.streams.stats().bytesReceived);
    for (let chunk; b.streams.has(id) && (chunk = b.streams.read(id)) !== undefined;) {
      if (chunk === null) return true;
      got += chunk.length;
    }
    return false;
  });
  assert.ok(ended, `${got} of ${BYTES} bytes came`);
  assert.equal(got, BYTES);
  return most;
}

test("on a short path no more is on its way than the receive buffer holds", () => {
  const most = mostOnTheWay(0.2);
  assert.ok(most <= receiveBurst(BUFFER), `${most}`);
  // Most of the room is used: the limit is what holds the sender, and it moves before it is reached.
  assert.ok(most > receiveBurst(BUFFER) / 2, `${most}`);
});

test("a long path is not held to the receive buffer", () => {
  const most = mostOnTheWay(25);
  assert.ok(most > 2 * receiveBurst(BUFFER), `${most}`);
});

test("the handshake promises no more than the receive buffer holds", () => {
  const limits = connectionLimits({});
  assert.equal(transportParameters(limits).maxData, limits.maxData);
  assert.equal(transportParameters(limits, BUFFER).maxData, 93_184);
  assert.equal(transportParameters(limits, 8_388_608).maxData, limits.maxData);
  assert.equal(transportParameters(limits, 0).maxData, 32_768, "a session still moves");
  assert.equal(transportParameters(connectionLimits({ maxData: 1000 }), BUFFER).maxData, 1000);
});

test("streams that nobody reads narrow the session's window for the others, and do not stop them", () => {
  const limits = { maxData: 65_536, maxStreamData: 16_384 };
  const fixed = { ...limits, maxSessionWindow: 65_536, maxStreamWindow: 16_384 };
  // Of the window of four streams all but half of one lies unread.
  const pair = new DatagramPair({ acceptOptions: fixed, link: { delayMs: 5 } });
  assert.ok(pair.run(() => pair.b?.state === "established"));
  const { a } = pair;
  const b = pair.b ?? assert.fail();
  const open = (bytes: number): number => {
    const id = a.streams.open(0) ?? assert.fail();
    a.streams.write(id, new Uint8Array(bytes));
    return id;
  };
  for (const bytes of [16_384, 16_384, 16_384, 8192]) open(bytes);
  assert.ok(pair.run(() => b.streams.stats().bytesReceived === 57_344));
  const id = open(100_000);
  let got = 0;
  const read = pair.run(() => {
    for (let chunk; b.streams.has(id) && (chunk = b.streams.read(id)) != null;) got += chunk.length;
    return got === 100_000;
  });
  assert.ok(read, `${got} of 100000 bytes came`);
});
