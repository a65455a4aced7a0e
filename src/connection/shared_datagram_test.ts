import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeFrame } from "../codec/frame.ts";
import { FRAME_HANDSHAKE } from "../constants.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import type { Side } from "../testing/simulated_link.ts";

test("udp: AUTH_PROOF and FINAL take a frame of the session along", () => {
  const pair = new DatagramPair({ link: { delayMs: 20 } });
  const frames: Record<Side, number[][]> = { a: [], b: [] };
  pair.onEvent = (side, event) => {
    if (side !== "a" || event.type !== "early") return;
    const id = pair.a.streams.open(0) ?? assert.fail();
    pair.a.streams.write(id, new Uint8Array(3000));
  };
  const send = pair.link.send.bind(pair.link);
  pair.link.send = (side, data, nowMs, to) => {
    const types: number[] = [];
    for (let at = 0; at < data.length;) {
      const { frame, size } = decodeFrame(data, { offset: at });
      types.push(frame.type);
      at += size;
    }
    assert.ok(types.length === 1 || data.length <= 1200);
    frames[side].push(types);
    send(side, data, nowMs, to);
  };
  assert.ok(pair.run(() => pair.a.state === "established" && pair.b?.state === "established"));
  pair.run(() => false, 1000);
  // HELLO alone, AUTH_PROOF with data, data that did not fit.
  assert.deepEqual(frames.a[0], [FRAME_HANDSHAKE]);
  assert.equal(frames.a[1]![0], FRAME_HANDSHAKE);
  assert.equal(frames.a[1]!.length, 2);
  assert.equal(frames.a[2]!.length, 1);
  // RESPONSE alone, FINAL with the PING that follows it.
  assert.deepEqual(frames.b[0], [FRAME_HANDSHAKE]);
  assert.equal(frames.b[1]![0], FRAME_HANDSHAKE);
  assert.equal(frames.b[1]!.length, 2);
  const handshakes = (side: Side): number =>
    frames[side].filter((types) => types.includes(FRAME_HANDSHAKE)).length;
  assert.deepEqual([handshakes("a"), handshakes("b")], [2, 2]);
});
