import { SttError } from "../errors.ts";
import { DEFAULT_DIAL_TIMEOUT_MS } from "./limits.ts";
import type { DialOptions } from "./transport.ts";
import { transportError } from "./transport_error.ts";

/** Starts opening; calls exactly one of `done` and `fail` later; returns what undoes it. */
export type Opening<T> = (done: (value: T) => void, fail: (cause: unknown) => void) => () => void;

/**
 * One dial under a time limit and an AbortSignal.
 *
 * An abort rejects with the signal's reason as it is, like the platform's own calls; everything else is a TRANSPORT
 * error whose message starts with `cannot connect to ADDRESS`.
 */
export function dialAttempt<T>(
  address: string,
  options: DialOptions,
  open: Opening<T>,
): Promise<T> {
  const { signal } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS;
  const attempt = `cannot connect to ${address}`;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    let undo: (() => void) | undefined;
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      return true;
    };
    const onAbort = (): void => {
      if (!settle()) return;
      undo?.();
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      if (!settle()) return;
      undo?.();
      reject(
        new SttError("TRANSPORT", `${attempt}: no connection within ${timeoutMs} ms`, {
          limit: timeoutMs,
        }),
      );
    }, timeoutMs);
    signal?.addEventListener("abort", onAbort);
    try {
      undo = open(
        (value) => {
          if (settle()) resolve(value);
        },
        (cause) => {
          if (settle()) reject(transportError(attempt, cause));
        },
      );
    } catch (cause) {
      if (settle()) reject(transportError(attempt, cause));
    }
  });
}
