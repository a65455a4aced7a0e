/**
 * When a dial is tried again, and after how long. Pure: the randomness is an argument.
 *
 * @module
 */
import { type ErrorCode, SttError } from "../errors.ts";

/** How `reconnecting` paces its dials; every part has a default. All times are milliseconds. */
export interface ReconnectPolicy {
  /** Pause behind the first failure, 0 or above. Default 500. */
  readonly initialDelay?: number;
  /** The pause grows by this factor with each further failure, 1 or above. Default 2. */
  readonly factor?: number;
  /** Longest pause, `initialDelay` or above. Default 30000. */
  readonly maxDelay?: number;
  /** Part of the pause that is left to chance, 0 to 1, so that many diallers do not come at once. Default 0.5. */
  readonly jitter?: number;
  /** Dials in a row without a stable session, 1 or above; the last error is thrown. Default Infinity. */
  readonly maxAttempts?: number;
  /** A session that lasted as long was stable: the count and the pauses begin anew. 0 or above. Default 10000. */
  readonly stableAfter?: number;
  /** Whether to go on after an error. Default {@link isTransient}. */
  readonly retry?: (error: SttError) => boolean;
}

/** Errors that another dial with the same options would meet again, or that somebody decided on. */
const FATAL: readonly ErrorCode[] = [
  "CONFIG",
  "SEED",
  "ADDRESS",
  "UNSUPPORTED",
  "REFUSED",
  "PEER_IDENTITY",
  "SELF",
  "DUPLICATE",
  "SUITE",
  "VERSION",
  "TRANSPORT_PARAMETER",
  "INTERNAL",
];

/**
 * Whether another dial may succeed: not after a refusal, a peer that is not the expected one, or wrong options. A wrong
 * seed looks like a network that loses everything (`HANDSHAKE_TIMEOUT`), so it counts as transient.
 *
 * @example
 * ```ts
 * import { isTransient, SttError } from "@seigr/stt";
 * console.log(isTransient(new SttError("IDLE_TIMEOUT", "silence"))); // true
 * console.log(isTransient(new SttError("PEER_IDENTITY", "another node"))); // false
 * ```
 */
export function isTransient(error: SttError): boolean {
  return !FATAL.includes(error.code);
}

/** A policy with its defaults. */
export type CheckedPolicy = Required<ReconnectPolicy>;

/** @throws {SttError} CONFIG, naming the option and its range. */
export function checkPolicy(policy: ReconnectPolicy): CheckedPolicy {
  const { retry = isTransient } = policy;
  const number = (name: Exclude<keyof ReconnectPolicy, "retry">, fallback: number, min: number) => {
    const value = policy[name] ?? fallback;
    if (value >= min) return value;
    throw new SttError("CONFIG", `cannot use option ${name}: ${value} is not ${min} or above`, {
      limit: min,
    });
  };
  const initialDelay = number("initialDelay", 500, 0);
  const checked: CheckedPolicy = {
    initialDelay,
    factor: number("factor", 2, 1),
    maxDelay: number("maxDelay", Math.max(30_000, initialDelay), initialDelay),
    jitter: number("jitter", 0.5, 0),
    maxAttempts: number("maxAttempts", Infinity, 1),
    stableAfter: number("stableAfter", 10_000, 0),
    retry,
  };
  if (checked.jitter > 1) {
    throw new SttError("CONFIG", `cannot use option jitter: ${checked.jitter} is above 1`, {
      limit: 1,
    });
  }
  return checked;
}

/**
 * The pause behind the `failures`th failure in a row (1 and above): initialDelay · factor^(failures - 1), at most maxDelay,
 * less a random part of up to `jitter` of it.
 *
 * @param random 0 to below 1.
 */
export function delayOf(policy: CheckedPolicy, failures: number, random: number): number {
  const { initialDelay, factor, maxDelay, jitter } = policy;
  // Overflows to Infinity, which maxDelay bounds; 0 times Infinity would be no number.
  const grown = initialDelay === 0 ? 0 : initialDelay * factor ** (failures - 1);
  return Math.min(grown, maxDelay) * (1 - jitter * random);
}
