/**
 * Whether the window was in the way of the sender.
 *
 * @module
 */

import type { SentPacket } from "../recovery/sent_packet.ts";

/**
 * Tells acknowledgements that prove something about the window from those of a sender that never
 * came near it: only the former may enlarge it (RFC 9002, 7.8).
 */
export class WindowUse {
  #largestSent = -1;
  #filledBy = -1;

  /** The highest sequence that has left, -1 before the first. */
  get largestSent(): number {
    return this.#largestSent;
  }

  /**
   * A packet leaves.
   *
   * @param packet The packet.
   * @param bytesInFlight Bytes in flight, the packet included.
   * @param window The window at this moment.
   * @param mtu Bytes of a full packet.
   */
  onSent(packet: SentPacket, bytesInFlight: number, window: number, mtu: number): void {
    this.#largestSent = packet.sequence;
    if (bytesInFlight + mtu > window) this.#filledBy = packet.sequence;
  }

  /**
   * True when the acknowledgement of this packet may enlarge the window: the sender had more to
   * send, or the flight that the packet was part of filled the window although the sender had
   * paused before (a request that is as long as the window, for example).
   */
  wasLimit(packet: SentPacket): boolean {
    return !packet.appLimited || packet.sequence <= this.#filledBy;
  }
}
