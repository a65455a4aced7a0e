import assert from "node:assert/strict";
import type { DatagramPair } from "../../testing/datagram_pair.ts";
import { MAX_WRITE_BYTES } from "./half_for_test.ts";

/** Smallest protected frame (SPEC 7): so many packets may be in flight. */
const SMALLEST_PACKET = 34;
/** Packets that ask for no ACK are forgotten beyond this. */
const NOT_ELICITING = 1024;
/** SPEC 8: the session's window grows to here. */
const SESSION_WINDOW = 16_777_216;
/** SPEC 10: ranges that a receiver remembers. */
const ACK_RANGES = 64;
/** Events of a stream, and of the session, that may wait at once. */
const EVENTS_PER_STREAM = 6;
const EVENTS = 256;

/** What a connection may hold, by its own counters. */
export class MemoryBounds {
  check(pair: DatagramPair): void {
    let streamsOpened = 0;
    for (const connection of [pair.a, pair.b]) {
      if (connection === undefined) continue;
      const { path, streams } = connection.stats();
      streamsOpened += streams.opened;
      assert.ok(streams.recvBuffered <= SESSION_WINDOW, `${streams.recvBuffered} bytes received`);
      const sendLimit = streams.open * (SEND_BUFFER + MAX_WRITE_BYTES);
      assert.ok(streams.sendBuffered <= sendLimit, `${streams.sendBuffered} bytes to send`);
      if (path === undefined) continue;
      const most = NOT_ELICITING + 1 + path.bytesInFlight / SMALLEST_PACKET;
      assert.ok(path.packetsHeld <= most, `${path.packetsHeld} packets held, ${most} allowed`);
      assert.ok(path.ackRanges <= ACK_RANGES, `${path.ackRanges} ranges of acknowledgements`);
    }
    const events = EVENTS + EVENTS_PER_STREAM * streamsOpened;
    assert.ok(pair.mostEvents <= events, `${pair.mostEvents} events waited`);
  }
}

/** Default mark of a stream's send buffer. */
const SEND_BUFFER = 1_048_576;
