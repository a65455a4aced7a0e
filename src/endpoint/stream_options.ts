/**
 * What is said to a stream when it is read, written or waited for.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import type { StreamSet } from "../streams/stream_set.ts";

/** What a stream needs of its session. */
export interface StreamHost {
  /** The session's streams. */
  readonly streams: StreamSet;
  /** Call after any command. */
  schedule(): void;
  /** The same once the application has had its turn, as more is likely to follow. */
  scheduleAfterTurn(): void;
  /** Set once the session has ended. */
  readonly closeError: SttError | undefined;
}

/** Options of a wait. */
export interface WaitOptions {
  /** Ends the wait with the signal's reason; nothing is lost. */
  readonly signal?: AbortSignal;
}

/** Options of {@link SttStream.read}. */
export interface ReadOptions extends WaitOptions {
  /** Most bytes to return on a `bytes` stream; the rest stays for the next read. Default: what has arrived in one piece. */
  readonly maxBytes?: number;
}

/** Options of {@link SttStream.write}. */
export interface WriteOptions extends WaitOptions {
  /** Give the array away instead of having it copied: it must never change afterwards. Default false. */
  readonly own?: boolean;
}
