import assert from "node:assert/strict";
import { test } from "node:test";
import { DatagramPair } from "../testing/datagram_pair.ts";
import type { Side } from "../testing/simulated_link.ts";

function established(): DatagramPair {
  const pair = new DatagramPair({ link: { delayMs: 20 } });
  const open = (): boolean => pair.a.state === "established" && pair.b?.state === "established";
  assert.ok(pair.run(open));
  pair.run(() => false, 500);
  return pair;
}

/** When `side` sends from now on, ms from now. */
function sends(pair: DatagramPair, side: Side): number[] {
  const connection = pair[side] ?? assert.fail();
  const transmit = connection.transmit.bind(connection);
  const from = pair.clock.nowMs;
  const times: number[] = [];
  connection.transmit = (nowMs) => {
    const frame = transmit(nowMs);
    if (frame !== undefined) times.push(nowMs - from);
    return frame;
  };
  return times;
}

test("udp: the closer repeats SESSION_CLOSE once per PTO, for 3 PTO, to a peer that is silent", () => {
  const pair = established();
  pair.link.change("a", { loss: 1 });
  const times = sends(pair, "a");
  pair.a.abort(pair.clock.nowMs);
  assert.ok(pair.run(() => pair.a.finished, 10_000));
  assert.equal(times.length, 3);
  const pto = times[1]!;
  assert.ok(pto > 40 && pto < 200, `${pto}`);
  assert.ok(Math.abs(times[2]! - 2 * pto) < 1);
  assert.equal(pair.b!.state, "established");
});

test("udp: the closer answers the 1st, 2nd, 4th, 8th … datagram, and none after 3 PTO", () => {
  const pair = established();
  pair.link.change("a", { loss: 1 });
  pair.a.abort(pair.clock.nowMs);
  pair.a.transmit(pair.clock.nowMs);
  const until = pair.a.nextTimeout()!;
  const answered: number[] = [];
  const frame = new Uint8Array(100);
  for (let count = 1; count <= 100; count++) {
    pair.a.receive(frame, pair.clock.nowMs);
    if (pair.a.transmit(pair.clock.nowMs) !== undefined) answered.push(count);
    assert.equal(pair.a.transmit(pair.clock.nowMs), undefined);
  }
  assert.deepEqual(answered, [1, 2, 4, 8, 16, 32, 64]);
  assert.ok(until > pair.clock.nowMs);
  assert.ok(pair.run(() => pair.a.finished, 5000));
  pair.a.receive(frame, pair.clock.nowMs);
  assert.equal(pair.a.transmit(pair.clock.nowMs), undefined);
});

test("udp: who receives SESSION_CLOSE sends one back and is silent from then on", () => {
  const pair = established();
  pair.link.change("b", { loss: 1 });
  const times = sends(pair, "b");
  pair.a.abort(pair.clock.nowMs, 0x123);
  // Its answer is lost: `a` repeats itself for 3 PTO, and hears nothing.
  assert.ok(pair.run(() => pair.a.finished, 10_000));
  assert.equal(pair.b!.finished, true);
  assert.equal(times.length, 1);
  assert.equal(pair.b!.nextTimeout(), undefined);
});
