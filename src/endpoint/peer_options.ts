/**
 * Options of the calls of a peer.
 *
 * @module
 */
import type { DeliveryTarget, StreamMode } from "./stream_mode.ts";
import type { WaitOptions } from "./stream_options.ts";

/** Options of {@link Peer.openStream}. */
export interface OpenStreamOptions extends WaitOptions {
  /** Default "bytes". */
  readonly mode?: StreamMode;
  /** 0 to 1000, default 500. */
  readonly priority?: number;
  /** Mode "weighted": how likely what this side writes is to arrive. Default "entropy". */
  readonly target?: DeliveryTarget;
}

/** Options of {@link Peer.acceptStream}. */
export interface AcceptStreamOptions extends WaitOptions {
  /** Which of the streams that the peer opens. Default "bytes". */
  readonly mode?: "bytes" | "weighted";
}

/** Options of {@link Peer.close}. */
export interface CloseOptions {
  /** 0 for an orderly close (default), 0x100 and above for the application's codes. */
  readonly code?: number;
  /** At most 256 bytes of UTF-8. */
  readonly reason?: string;
}
