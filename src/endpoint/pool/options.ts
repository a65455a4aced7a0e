/**
 * Options of a session pool.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { type CheckedPolicy, checkPolicy } from "../reconnect_policy.ts";

/** How one of several sessions is chosen. */
export type Balance = "least-loaded" | "round-robin";

/** Options of a {@link SessionPool}. All times are milliseconds. */
export interface PoolOptions {
  /** `least-loaded`: the fewest requests under way; `round-robin`: in turn. Default "least-loaded". */
  readonly balance?: Balance;
  /** A PING on each session after this time since the last answer, 1 and above. Default 500. */
  readonly pingInterval?: number;
  /** A PING without an answer for so long ends the session, 1 and above. Default 1000. */
  readonly pingTimeout?: number;
  /** Requests of a target that fail in a row before it gets no more for a while, 1 and above. Default 5. */
  readonly maxFailures?: number;
  /** Pause of a target behind its first failure, 0 and above. Default 250. */
  readonly initialDelay?: number;
  /** The pause grows by this factor with each further failure, 1 and above. Default 2. */
  readonly factor?: number;
  /** Longest pause. Default 30000. */
  readonly maxDelay?: number;
  /** Part of the pause that is left to chance, 0 to 1. Default 0.5. */
  readonly jitter?: number;
  /** A session that lasted as long, or answered a request, begins the pauses anew. Default 10000. */
  readonly stableAfter?: number;
  /** Closes the pool. */
  readonly signal?: AbortSignal;
}

/** Options with their defaults. */
export interface PoolLimits {
  readonly balance: Balance;
  readonly pingInterval: number;
  readonly pingTimeout: number;
  readonly maxFailures: number;
  readonly backOff: CheckedPolicy;
}

/** @throws {SttError} CONFIG naming the option and its range. */
export function poolLimits(options: PoolOptions): PoolLimits {
  const { balance = "least-loaded", initialDelay = 250 } = options;
  if (balance !== "least-loaded" && balance !== "round-robin") {
    throw new SttError("CONFIG", `cannot use option balance: ${balance} is unknown`);
  }
  const least = (name: "pingInterval" | "pingTimeout" | "maxFailures", fallback: number) => {
    const value = options[name] ?? fallback;
    if (value >= 1) return value;
    throw new SttError("CONFIG", `cannot use option ${name}: ${value} is not 1 or above`, {
      limit: 1,
    });
  };
  const { factor, maxDelay, jitter, stableAfter } = options;
  return {
    balance,
    pingInterval: least("pingInterval", 500),
    pingTimeout: least("pingTimeout", 1000),
    maxFailures: least("maxFailures", 5),
    backOff: checkPolicy({
      initialDelay,
      ...(factor === undefined ? {} : { factor }),
      ...(maxDelay === undefined ? {} : { maxDelay }),
      ...(jitter === undefined ? {} : { jitter }),
      ...(stableAfter === undefined ? {} : { stableAfter }),
    }),
  };
}
