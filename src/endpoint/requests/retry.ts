/**
 * Asking again. Only what its asker calls idempotent is asked twice: the first request may have been acted upon although
 * its answer never came.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { checkPolicy, delayOf } from "../reconnect_policy.ts";
import { classifyFailure } from "./failures.ts";

/** How idempotent requests are asked again. All times are milliseconds. */
export interface RetryPolicy {
  /** Requests in all, 1 and above. Default 3. */
  readonly attempts?: number;
  /** Pause behind the first failure, 0 and above. Default 50. */
  readonly initialDelay?: number;
  /** The pause grows by this factor, 1 and above. Default 2. */
  readonly factor?: number;
  /** Longest pause. Default 1000. */
  readonly maxDelay?: number;
  /** Part of the pause that is left to chance, 0 to 1. Default 0.5. */
  readonly jitter?: number;
  /** Whether to ask again after an error. Default: when its class is `transient`. */
  readonly retry?: (error: SttError) => boolean;
}

/** A policy with its defaults. */
export interface Retries {
  readonly attempts: number;
  /** Whether an error, the `failed`th, is worth another request. */
  again(error: unknown, failed: number): error is SttError;
  /** Milliseconds behind the `failed`th failure. */
  delay(failed: number): number;
}

/** @throws {SttError} CONFIG, naming the option and its range. `random` gives 0 to below 1. */
export function retriesOf(policy: RetryPolicy, random: () => number = chance): Retries {
  const { attempts = 3, initialDelay = 50, maxDelay = Math.max(1000, initialDelay) } = policy;
  const { retry = (error) => classifyFailure(error) === "transient" } = policy;
  if (!Number.isSafeInteger(attempts) || attempts < 1) {
    throw new SttError("CONFIG", `cannot use option attempts: ${attempts} is not 1 or above`, {
      limit: 1,
    });
  }
  const checked = checkPolicy({
    initialDelay,
    maxDelay,
    ...(policy.factor === undefined ? {} : { factor: policy.factor }),
    ...(policy.jitter === undefined ? {} : { jitter: policy.jitter }),
  });
  return {
    attempts,
    again: (error, failed): error is SttError =>
      error instanceof SttError && failed < attempts && retry(error),
    delay: (failed) => delayOf(checked, failed, random()),
  };
}

/** 0 to below 1. Of the platform, so that a browser can ask as well. */
export function chance(): number {
  const [word = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return word / 2 ** 32;
}
