import { test } from "node:test";
import assert from "node:assert/strict";
import { pair } from "../testing/pair.ts";
import { Forger } from "./forger_for_test.ts";

test("datagrams keep channel and bytes, empty ones too, in both modes", () => {
  for (const packed of [false, true]) {
    const run = pair({ options: { packed }, pipe: { delayMs: 3 } }).establish();
    run.a.sendDatagram(0, new Uint8Array(0));
    run.a.sendDatagram(0xffff_ffff, new Uint8Array([1, 2, 3]));
    run.settle();
    assert.deepEqual(run.b.nextDatagram(), { channel: 0, data: new Uint8Array(0) });
    assert.deepEqual(run.b.nextDatagram(), {
      channel: 0xffff_ffff,
      data: new Uint8Array([1, 2, 3]),
    });
    assert.equal(run.b.nextDatagram(), undefined);
    assert.equal(run.b.stats().datagramsReceived, 2);
  }
});

test("what is received and not taken: 256 stay, the oldest go and are counted", () => {
  const run = pair().establish();
  for (let i = 0; i < 300; i++) {
    run.a.sendDatagram(i, new Uint8Array(1));
    run.a.sendFrame(0x90, new Uint8Array(1), 0, i);
    run.settle();
  }
  assert.equal(run.b.stats().datagramsDropped, 88);
  assert.equal(run.b.stats().datagramsReceived, 600);
  assert.equal(run.b.nextDatagram()?.channel, 44);
  assert.equal(run.b.nextCustomFrame()?.streamId, 44);
  let left = 0;
  while (run.b.nextDatagram() !== undefined) left++;
  assert.equal(left, 255);
  assert.equal(run.eventsOf("b", "datagram").length, 1, "one event until it is emptied");
  run.a.sendDatagram(1, new Uint8Array(1));
  run.settle();
  assert.equal(run.eventsOf("b", "datagram").length, 2);
});

test("what is not sent: 256 wait, the oldest go and are counted", () => {
  const run = pair().establish();
  const kept: boolean[] = [];
  for (let i = 0; i < 300; i++) kept.push(run.a.sendDatagram(i, new Uint8Array(1)));
  assert.equal(kept.filter((yes) => !yes).length, 44);
  run.settle();
  assert.equal(run.a.stats().datagramsDropped, 44);
  assert.equal(run.a.stats().datagramsSent, 300);
  assert.equal(run.b.nextDatagram()?.channel, 44);
});

test("custom frames keep type, all eight flags and stream id", () => {
  const run = pair({ pipe: { delayMs: 1 } }).establish();
  run.b.sendFrame(0x80, new Uint8Array([9]), 0xff, 3);
  run.b.sendFrame(0xff, new Uint8Array(0), 0, 0);
  run.settle();
  assert.deepEqual(run.a.nextCustomFrame(), {
    frameType: 0x80,
    flags: 0xff,
    streamId: 3,
    payload: new Uint8Array([9]),
  });
  assert.equal(run.a.nextCustomFrame()?.frameType, 0xff);
  assert.equal(run.a.nextCustomFrame(), undefined);
});

test("the largest datagram goes through in any mode and frame size, one more byte does not", () => {
  for (const packed of [false, true]) {
    for (const maxFrame of [1200, 1201, 1263, 1264, 4000, 65_536]) {
      const run = pair({ options: { packed, maxFrame } }).establish();
      const size = run.a.maxDatagramSize;
      assert.ok(size <= maxFrame - 48 && size > maxFrame - 130, `${size} of ${maxFrame}`);
      run.a.sendDatagram(0xffff_ffff, new Uint8Array(size));
      run.a.sendFrame(0x80, new Uint8Array(size));
      const tooLarge = new Uint8Array(size + 1);
      assert.throws(() => run.a.sendDatagram(0, tooLarge), { code: "DATAGRAM_TOO_LARGE" });
      assert.throws(() => run.a.sendFrame(0x80, tooLarge), { code: "DATAGRAM_TOO_LARGE" });
      run.settle();
      assert.equal(run.b.state, "established", `${maxFrame}, packed ${packed}`);
      assert.equal(run.b.nextDatagram()?.data.length, size);
      assert.equal(run.b.nextCustomFrame()?.payload.length, size);
    }
  }
});

test("a peer without datagrams takes none, and says so before", () => {
  const run = pair({ answer: { maxDatagram: 0 } }).establish();
  assert.equal(run.a.maxDatagramSize, 0);
  assert.throws(() => run.a.sendDatagram(0, new Uint8Array(0)), { code: "DATAGRAM_TOO_LARGE" });
  run.b.sendDatagram(0, new Uint8Array(1));
  run.settle();
  assert.equal(run.a.nextDatagram()?.data.length, 1, "the limit is of one direction");
});

test("packed mode: every frame is CONTROL, without flags and stream ids, a multiple of 64", () => {
  const run = pair({ options: { packed: true } }).establish();
  const forger = new Forger(run, "b");
  const id = run.a.streams.open(0, 900) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(100_000));
  run.a.streams.finish(id);
  run.a.streams.open(4, 100);
  run.a.sendDatagram(5, new Uint8Array(77));
  run.a.ping();
  run.a.reportError(0, 1, "why");
  forger.take();
  run.a.close(run.clock.nowMs);
  forger.take();
  assert.equal(forger.closeCode, 0);
  assert.ok(forger.received.length > 4);
  for (const { type, flags, streamId, payload, bodyLength } of forger.received) {
    assert.deepEqual([type, flags, streamId, payload.length % 64], [2, 0, 0, 0]);
    assert.ok(bodyLength <= 32_768);
  }
});

test("a bulk stream and datagrams share the way", () => {
  const run = pair().establish();
  const forger = new Forger(run, "b");
  const id = run.a.streams.open(0) ?? assert.fail();
  run.a.streams.write(id, new Uint8Array(200_000));
  for (let i = 0; i < 10; i++) run.a.sendDatagram(0, new Uint8Array(10));
  forger.take();
  const order = forger.received.filter(({ type }) => type !== 2).map(({ type }) => type);
  assert.deepEqual(order.slice(0, 6), [1, 3, 1, 3, 1, 3]);
});
