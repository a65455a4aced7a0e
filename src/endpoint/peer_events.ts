/**
 * What a session tells the application without being asked.
 *
 * @module
 */
import type { CloseFacts } from "../connection/events.ts";
import type { StreamMode } from "./stream_mode.ts";

/** Events of a {@link Peer}. */
export interface PeerEvents {
  /** New keys are in use in one direction. */
  readonly rekey: { readonly direction: "send" | "receive"; readonly epoch: number };
  /** `peer.maxDatagramSize` changed, as it does over UDP while the path's packet size is found out. */
  readonly "datagram-size": { readonly maxDatagramSize: number };
  /** UDP: the peer answered at another address and was followed there. Both are in address form. */
  readonly migrated: { readonly from: string; readonly to: string };
  /** The peer reported an error that changes nothing (ERROR record). */
  readonly "peer-error": {
    readonly stream: number;
    readonly code: number;
    readonly reason: string;
  };
  /** The peer opened a stream of any mode. */
  readonly stream: { readonly id: number; readonly mode: StreamMode };
  /** A stream of either side is done in both directions. */
  readonly "stream-closed": { readonly id: number };
  /** The session has ended; the last event. */
  readonly close: CloseFacts;
}
