/**
 * One reduction of the window per round trip, however many losses it takes to notice.
 *
 * @module
 */

import type { SentPacket } from "../recovery/sent_packet.ts";

/** The recovery period of RFC 9002, 7.3.2, kept in sequences so that equal clock values do no harm. */
export class RecoveryPeriod {
  #start = -1;
  #end = -1;
  #over = true;
  /** Packets of this period that count as lost; Infinity when nothing can refute that any more. */
  #lost = 0;

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
    let begun = false;
    for (const packet of lost) {
      if (packet.mtuProbe) continue;
      if (!begun && !this.covers(packet)) {
        begun = true;
        this.#start = this.#end;
        this.#end = largestSent;
        this.#over = false;
        this.#lost = 0;
      }
      if (packet.sequence > this.#start) this.#lost++;
    }
    return begun;
  }

  /** Persistent congestion: no late acknowledgement takes that back. */
  confirm(): void {
    this.#lost = Infinity;
  }

  /**
   * Packets that had been declared lost were acknowledged. True when that refutes the last loss of this period: the
   * reduction is to be undone (RFC 9438, 4.9), and the period is over.
   *
   * @param sequences Theirs.
   */
  isRefuted(sequences: readonly number[]): boolean {
    let found = false;
    for (const sequence of sequences) {
      if (sequence <= this.#start || sequence > this.#end) continue;
      this.#lost--;
      found = true;
    }
    if (!found || this.#lost > 0) return false;
    this.#end = this.#start;
    this.#over = true;
    return true;
  }

  /** A packet sent after the reduction was acknowledged. */
  finish(): void {
    this.#over = true;
  }
}
