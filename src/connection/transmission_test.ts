import { test } from "node:test";
import assert from "node:assert/strict";
import type { CongestionControlName } from "./congestion/controller.ts";
import type { SentPacket } from "./recovery/sent_packet.ts";
import { Transmission } from "./transmission.ts";

/** A sender that always has packets of 1200 bytes to send. */
class Sender {
  readonly acked: SentPacket[] = [];
  readonly path: Transmission;
  next = 0;

  constructor(congestion: CongestionControlName) {
    this.path = new Transmission({
      ackDelay: 25,
      ackEvery: 2,
      peerAckDelay: 25,
      congestion,
      loopback: false,
      peerMaxUdp: 1452,
      peerMaxData: 1_048_576,
    }, { acked: (packet) => void this.acked.push(packet), lost: () => undefined });
  }

  /** Sends what window and pacer let go, and says how many packets that were. */
  fill(nowMs: number): number {
    const first = this.next;
    while (this.path.open(nowMs)) {
      this.path.onSent({
        sequence: this.next++,
        sentMs: nowMs,
        size: 1200,
        ackEliciting: true,
        inFlight: true,
        epoch: 0,
        mtuProbe: false,
        content: { chunks: [], records: [], ackLargest: -1 },
      });
    }
    this.path.blocked();
    return this.next - first;
  }

  ack(low: number, high: number, nowMs: number): void {
    this.path.onAck({ type: "ack", largest: high, delayUs: 0, ranges: [[low, high]] }, nowMs);
  }

  /** When the pacer lets the next packet go. */
  due(nowMs: number): number {
    return this.path.nextTimeout(nowMs) ?? assert.fail();
  }
}

/** The first packet that a sender sends `lateMs` after the pacer allowed it. */
function sentLate(lateMs: number): SentPacket {
  const sender = new Sender("bbr");
  assert.equal(sender.fill(0), 10);
  sender.ack(0, 9, 50);
  assert.ok(sender.fill(50) > 0);
  const due = sender.due(50);
  assert.ok(due > 50 && due < 60, "the pacer, not the window, holds packets back");
  const first = sender.next;
  assert.ok(sender.fill(due + lateMs) > 0);
  sender.ack(first, first, due + lateMs + 50);
  return sender.acked.at(-1) ?? assert.fail();
}

test("a sender that is later than the pacer allows is the bottleneck itself", () => {
  assert.equal(sentLate(1).appLimited, false);
  assert.equal(sentLate(30).appLimited, true);
});

test("a sender that waited for the window is not late", () => {
  const sender = new Sender("newreno");
  const { path } = sender;
  assert.equal(sender.fill(0), 10);
  sender.ack(0, 9, 50);
  let nowMs = 50;
  for (sender.fill(nowMs); path.stats().bytesInFlight < 16 * 1200; sender.fill(nowMs)) {
    nowMs = sender.due(nowMs);
  }
  assert.ok(sender.due(nowMs) < nowMs + 5, "the pacer holds packets back");
  // Three packets are lost: the window is smaller than what is on its way.
  sender.ack(13, 13, nowMs + 2);
  assert.ok(path.stats().bytesInFlight + 1200 > path.stats().window);
  assert.equal(sender.fill(nowMs + 2), 0);
  const last = sender.next - 1;
  sender.ack(14, last, nowMs + 40);
  assert.ok(sender.fill(nowMs + 40) > 0);
  sender.ack(last + 1, last + 1, nowMs + 90);
  assert.equal(sender.acked.at(-1)?.sequence, last + 1);
  assert.equal(sender.acked.at(-1)?.appLimited, false);
});
