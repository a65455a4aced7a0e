/**
 * What a congestion controller is to the connection, and the constants all of them share.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";

/** Packets of the first window (SPEC 10.4). */
export const INITIAL_WINDOW_PACKETS = 10;
/** Packets below which no loss pushes a window: two keep the acknowledgements coming. */
export const MINIMUM_WINDOW_PACKETS = 2;
/** Round trips below this are not paced: no timer is as fine as the gaps would be (SPEC 10.4). */
export const PACING_MIN_RTT_MS = 2;

/** Names that `controllerFor` knows. */
export type CongestionControlName = "cubic" | "newreno" | "bbr";

/** What carries most on clean, lossy and shared paths alike (SPEC 10.11). */
export const DEFAULT_CONGESTION: CongestionControlName = "bbr";

/**
 * Decides how many bytes may be in flight and how fast they leave. One per path.
 *
 * Order of calls for one ACK: the delivery-rate estimator, `onLost` with what the ACK revealed as
 * lost, then `onAcked` with what it acknowledged. Packets that are not in flight (bare ACKs) are
 * never passed; MTU probes may be, and their loss is no sign of congestion (RFC 8899).
 */
export interface CongestionController {
  /** The algorithm, as the application names it. */
  readonly name: CongestionControlName;
  /** Bytes that may be in flight. */
  readonly window: number;
  /** Bytes per millisecond; undefined: send as the window allows. */
  readonly pacingRate: number | undefined;
  /**
   * A packet leaves.
   *
   * @param packet With the state of the delivery-rate estimator filled in.
   * @param bytesInFlight Bytes in flight, this packet included.
   * @param nowMs Monotonic milliseconds.
   */
  onSent(packet: SentPacket, bytesInFlight: number, nowMs: number): void;
  /**
   * An ACK acknowledged packets.
   *
   * @param acked Every packet newly acknowledged, in any order.
   * @param sample The delivery rate, when the ACK gave one.
   * @param rtt The estimator, already updated with this ACK.
   * @param bytesInFlight Bytes in flight after acknowledged and lost ones have been taken out.
   * @param nowMs Monotonic milliseconds.
   */
  onAcked(
    acked: readonly SentPacket[],
    sample: RateSample | undefined,
    rtt: RttEstimator,
    bytesInFlight: number,
    nowMs: number,
  ): void;
  /**
   * Packets were declared lost.
   *
   * @param lost Every packet newly declared lost.
   * @param persistent True when they make persistent congestion (RFC 9002, 7.6).
   * @param bytesInFlight Bytes in flight after they have been taken out.
   * @param nowMs Monotonic milliseconds.
   */
  onLost(
    lost: readonly SentPacket[],
    persistent: boolean,
    bytesInFlight: number,
    nowMs: number,
  ): void;
  /**
   * Packets declared lost were acknowledged after all; call before `onLost` of the same ACK. When all that a reduction
   * was made for have been, it is undone.
   *
   * @param sequences Their sequences.
   */
  onSpuriousLoss(sequences: readonly number[]): void;
  /** The UDP payload of a full packet changed. */
  onMtu(bytes: number): void;
  /** Sending starts again after a time with nothing in flight; call before `onSent`. */
  onIdleRestart(nowMs: number): void;
  /** The phase, for statistics. */
  state(): string;
}
