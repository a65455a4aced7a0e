import { test } from "node:test";
import assert from "node:assert/strict";
import type { SentPacket } from "./recovery/sent_packet.ts";
import { Transmission } from "./transmission.ts";

/** Fills window and pacer at 50 ms, waits for the pacer, and sends `lateMs` after it allowed: what counts the packet as? */
function sentLate(lateMs: number): SentPacket {
  const acked: SentPacket[] = [];
  const path = new Transmission({
    ackDelay: 25,
    ackEvery: 2,
    peerAckDelay: 25,
    congestion: "bbr",
    loopback: false,
    peerMaxUdp: 1452,
  }, { acked: (packet) => void acked.push(packet), lost: () => undefined });
  let sequence = 0;
  const send = (nowMs: number): void =>
    path.onSent({
      sequence: sequence++,
      sentMs: nowMs,
      size: 1200,
      ackEliciting: true,
      inFlight: true,
      epoch: 0,
      mtuProbe: false,
      content: { chunks: [], records: [], ackLargest: -1 },
    });
  const fill = (nowMs: number): number => {
    let sent = 0;
    for (; path.open(nowMs); sent++) send(nowMs);
    path.blocked();
    return sent;
  };
  assert.equal(fill(0), 10);
  path.onAck({ type: "ack", largest: 9, delayUs: 0, ranges: [[0, 9]] }, 50);
  assert.ok(fill(50) > 0);
  const due = path.nextTimeout(50) ?? assert.fail();
  assert.ok(due > 50 && due < 60, "the pacer, not the window, holds packets back");
  const first = sequence;
  assert.ok(fill(due + lateMs) > 0);
  path.onAck({ type: "ack", largest: first, delayUs: 0, ranges: [[0, first]] }, due + lateMs + 50);
  return acked.at(-1) ?? assert.fail();
}

test("a sender that is later than the pacer allows is the bottleneck itself", () => {
  assert.equal(sentLate(1).appLimited, false);
  assert.equal(sentLate(30).appLimited, true);
});
