/**
 * One reduction of the window per round trip, however many losses it takes to notice.
 *
 * @module
 */

import type { SentPacket } from "../recovery/sent_packet.ts";

/** The recovery period of RFC 9002, 7.3.2, kept in sequences so that equal clock values do no harm. */
export class RecoveryPeriod {
  #end = -1;
  #over = true;

  /** True from a reduction until a packet sent after it is acknowledged. */
  get active(): boolean {
    return !this.#over;
  }

  /** True when the packet left before the last reduction: its fate says nothing about the window of now. */
  covers(packet: SentPacket): boolean {
    return packet.sequence <= this.#end;
  }

  /**
   * True when these losses call for a reduction, which starts a new period.
   *
   * @param lost Packets declared lost.
   * @param largestSent The highest sequence that has left.
   */
  begins(lost: readonly SentPacket[], largestSent: number): boolean {
    for (const packet of lost) {
      if (packet.mtuProbe || this.covers(packet)) continue;
      this.#end = largestSent;
      this.#over = false;
      return true;
    }
    return false;
  }

  /** A packet sent after the reduction was acknowledged. */
  finish(): void {
    this.#over = true;
  }
}
