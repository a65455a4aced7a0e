/**
 * What is kept of a packet until it is acknowledged or lost.
 *
 * @module
 */
import type { SessionRecord } from "../../codec/records.ts";
import type { ChunkRef } from "../../streams/types.ts";

/** What a packet carried, as far as an acknowledgement or a loss has consequences for it. */
export interface PacketContent {
  /** Stream bytes. */
  readonly chunks: readonly ChunkRef[];
  /** Records; ACK and PADDING need not be listed. */
  readonly records: readonly SessionRecord[];
  /** `largest` of the ACK it carried, -1 for none. */
  readonly ackLargest: number;
}

/** One sent packet: one protected frame in one datagram. */
export interface SentPacket {
  /** Sequence of the frame. */
  readonly sequence: number;
  /** When it was handed to the socket, in ms. */
  readonly sentMs: number;
  /** UDP payload bytes. */
  readonly size: number;
  /** SPEC 10: everything but ACK, PADDING and SESSION_CLOSE asks for an acknowledgement. */
  readonly ackEliciting: boolean;
  /** Counts against the congestion window: ack-eliciting packets, and those with PADDING. */
  readonly inFlight: boolean;
  /** Key epoch it was sealed in. */
  readonly epoch: number;
  /** Path MTU probe: its loss says nothing about congestion. */
  readonly mtuProbe: boolean;
  /** What to do when it is acknowledged or lost. */
  readonly content: PacketContent;
  /** Bytes delivered on the connection when this packet was sent. */
  delivered: number;
  /** When the last of `delivered` was acknowledged, in ms. */
  deliveredMs: number;
  /** When the packet was sent that opened this packet's sampling interval, in ms. */
  firstSentMs: number;
  /** Sent while the application, not the window, was the limit. */
  appLimited: boolean;
  /** Bytes in flight right after it was sent, its own included. */
  inFlightAtSend: number;
  /** Bytes declared lost on the connection when it was sent. */
  lostAtSend: number;
}

/** What the sender knows of a packet; `DeliveryRate.onSent` fills the rest. */
export type PacketFields = Pick<
  SentPacket,
  "sequence" | "sentMs" | "size" | "ackEliciting" | "inFlight" | "epoch" | "mtuProbe" | "content"
>;

/** A packet whose rate sample state is not filled yet. One literal, so that all packets share a shape. */
export function sentPacket(fields: PacketFields): SentPacket {
  return {
    sequence: fields.sequence,
    sentMs: fields.sentMs,
    size: fields.size,
    ackEliciting: fields.ackEliciting,
    inFlight: fields.inFlight,
    epoch: fields.epoch,
    mtuProbe: fields.mtuProbe,
    content: fields.content,
    delivered: 0,
    deliveredMs: 0,
    firstSentMs: 0,
    appLimited: false,
    inFlightAtSend: 0,
    lostAtSend: 0,
  };
}
