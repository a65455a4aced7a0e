/**
 * Which packets arrived, which are lost, and when to ask (RFC 9002, section 6; SPEC 10).
 *
 * @module
 */
import type { AckRecord } from "../../codec/records.ts";
import type { SttError } from "../../errors.ts";
import type { RttEstimator } from "./rtt.ts";
import type { SentPacket } from "./sent_packet.ts";

/** Options of {@link LossRecovery}. */
export interface LossRecoveryConfig {
  /** Fed with samples and asked for deadlines. */
  readonly rtt: RttEstimator;
  /** What the peer may wait with an ACK, in ms. */
  readonly maxAckDelayMs: number;
}

/** What an ACK changed. The object and its arrays are reused by the next call. */
export interface AckOutcome {
  /** Acknowledged for the first time and not declared lost before, ascending. */
  readonly acked: SentPacket[];
  /** Declared lost, ascending; path MTU probes are not among them. */
  readonly lost: SentPacket[];
  /** Path MTU probes declared lost: no business of congestion control. */
  readonly lostProbes: SentPacket[];
  /** The RTT estimate took a sample. */
  rttSampled: boolean;
  /** Packets acknowledged now that had been declared lost. */
  spurious: number;
  /** The ACK broke a rule: close with this. Nothing was changed. */
  error: SttError | undefined;
  /** Losses span so long that the window should start over (RFC 9002, 7.6). */
  persistentCongestion: boolean;
}

/** What a deadline changed. The object and its arrays are reused by the next call. */
export interface TimeoutOutcome {
  /** Declared lost, ascending; path MTU probes are not among them. */
  readonly lost: SentPacket[];
  /** Path MTU probes declared lost. */
  readonly lostProbes: SentPacket[];
  /** Ack-eliciting packets to send now whatever the window says: 0 to 2. */
  probes: number;
  /** As in {@link AckOutcome}. */
  persistentCongestion: boolean;
}

/** The signatures; the body follows. */
export interface LossRecoveryShape {
  readonly bytesInFlight: number;
  readonly ptoCount: number;
  readonly largestAcked: number;
  readonly hasInFlight: boolean;
  onSent(packet: SentPacket): void;
  onAck(record: AckRecord, nowMs: number): AckOutcome;
  nextTimeout(): number | undefined;
  onTimeout(nowMs: number): TimeoutOutcome;
  discardAll(): void;
}
