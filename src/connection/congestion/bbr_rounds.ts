/**
 * Round trips counted in packets.
 *
 * @module
 */

/** A round ends when a packet is acknowledged that was sent after it began. */
export class BbrRounds {
  /** The highest sequence that has left. */
  largestSent: number = -1;
  /** The highest sequence acknowledged. */
  largestAcked: number = -1;
  /** True when the last ACK began a round. */
  started: boolean = false;
  #end = -1;
  #before = -1;
  #filledBy = -1;

  /** True when the window was full at some time of this or the previous round. */
  get windowFilled(): boolean {
    return this.#filledBy > this.#before;
  }

  /**
   * A packet leaves.
   *
   * @param sequence Its sequence.
   * @param full Whether no other packet fits into the window behind it.
   */
  onSent(sequence: number, full: boolean): void {
    this.largestSent = sequence;
    if (full) this.#filledBy = sequence;
  }

  /** An ACK has been taken into `largestAcked`. */
  onAck(): void {
    this.started = this.largestAcked > this.#end;
    if (this.started) this.restart();
  }

  /** A round begins now, whatever became of the last one. */
  restart(): void {
    this.#before = this.#end;
    this.#end = this.largestSent;
  }
}
