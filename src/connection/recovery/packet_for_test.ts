/**
 * Packets for tests of this folder.
 *
 * @module
 */
import type { AckRecord } from "../../codec/records.ts";
import { sentPacket } from "./sent_packet.ts";
import type { PacketFields, SentPacket } from "./sent_packet.ts";

/** An ack-eliciting packet of 1200 bytes unless said otherwise. */
export function packetFor(
  sequence: number,
  sentMs: number,
  fields: Partial<PacketFields> = {},
): SentPacket {
  return sentPacket({
    sequence,
    sentMs,
    size: 1200,
    ackEliciting: true,
    inFlight: true,
    epoch: 0,
    mtuProbe: false,
    content: { chunks: [], records: [], ackLargest: -1 },
    ...fields,
  });
}

/** Ranges from the highest down. */
export function ackFor(ranges: [number, number][], delayUs: number = 0): AckRecord {
  return { type: "ack", largest: ranges[0]![1], delayUs, ranges };
}

/** Sequences of packets. */
export function sequencesOf(packets: readonly SentPacket[]): number[] {
  return packets.map((packet) => packet.sequence);
}
