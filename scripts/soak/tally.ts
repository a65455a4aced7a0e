/**
 * What a soak counts.
 *
 * @module
 */
import { SttError } from "../../src/errors.ts";

/** How a session ends; after anything but `close` both sides may be in the middle of a transfer. */
export type Ending =
  | "close" // the dialler closes in order, with nothing under way
  | "abort" // the dialler gives up in the middle of a transfer
  | "restart" // the listener closes and listens again on the same port
  | "crash"; // UDP: the listener is gone without a word and comes back with the same nodeSeed

/**
 * Error codes that an ending explains, on either side. A dialler that has all may close before the listener's `end` has
 * resolved. UDP may lose the word of an end: then the listener that comes back
 * says RESET_BY_PEER. While it is gone nothing lets the keys rotate, which SPEC 7.4 bears for four times `rotateTime`.
 */
const EXPLAINED: Record<Ending, readonly string[]> = {
  close: ["CLOSED"],
  abort: ["CLOSED", "TRUNCATED", "IDLE_TIMEOUT"],
  restart: ["CLOSED", "TRUNCATED", "RESET_BY_PEER"],
  crash: ["CLOSED", "RESET_BY_PEER", "AEAD_LIMIT"],
};

/** After the process stood still for longer than sessions bear, they end; see {@link Tally.error}. */
const EXPLAINED_BY_SUSPENSION: readonly string[] = [
  "CLOSED",
  "TRUNCATED",
  "IDLE_TIMEOUT",
  "AEAD_LIMIT",
  "RESET_BY_PEER",
  "HANDSHAKE_TIMEOUT",
];

/** Bytes that arrived are not those that were sent. No ending explains that. */
export class Corruption extends Error {}

/** Counters of one transport. */
export class Tally {
  sessions = 0;
  transfers = 0;
  /** Stream and message bytes that were compared with what was sent. */
  verifiedBytes = 0;
  messages = 0;
  datagramsSent = 0;
  datagramsVerified = 0;
  rotations = 0;
  rebinds = 0;
  migrations = 0;
  readonly endings: Record<Ending, number> = { close: 0, abort: 0, restart: 0, crash: 0 };
  /** `ending CODE` to how often. */
  readonly explained: Map<string, number> = new Map();
  /** The first of them; the run has failed. */
  readonly unexplained: string[] = [];
  unexplainedCount = 0;
  /** The most that the listener held at a sample. */
  mostSessions = 0;
  mostHandshaking = 0;

  /**
   * Sorts an error into what the ending under way explains and what nothing does. `suspended`: this process was kept from
   * running a moment ago, which is not the sessions' fault; it is counted apart.
   */
  error(error: unknown, ending: Ending | undefined, suspended = false): void {
    if (suspended && error instanceof SttError && EXPLAINED_BY_SUSPENSION.includes(error.code)) {
      const key = `suspension ${error.code}`;
      this.explained.set(key, (this.explained.get(key) ?? 0) + 1);
      return;
    }
    if (error instanceof SttError && ending !== undefined) {
      if (EXPLAINED[ending].includes(error.code)) {
        const key = `${ending} ${error.code}`;
        this.explained.set(key, (this.explained.get(key) ?? 0) + 1);
        return;
      }
    }
    this.unexplainedCount++;
    if (this.unexplained.length >= 20) return;
    const code = error instanceof SttError ? `${error.code}: ` : "";
    const text = error instanceof Error ? error.message : String(error);
    this.unexplained.push(`${code}${text}${ending === undefined ? "" : ` (during ${ending})`}`);
  }
}
