/**
 * Dialling again when a dial fails or its session ends.
 *
 * @module
 */
import type { CloseFacts } from "../connection/events.ts";
import { SttError } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { Peer } from "./peer.ts";
import {
  type CheckedPolicy,
  checkPolicy,
  delayOf,
  type ReconnectPolicy,
} from "./reconnect_policy.ts";
import { pause, withSignal } from "./wait.ts";

/** What `reconnecting` tells while it works. `attempt` counts the dials since the last stable session, from 1 on. */
export type ReconnectEvent =
  /** A dial begins. */
  | { readonly type: "dial"; readonly attempt: number }
  /** The session is open and is the next one of the loop. */
  | { readonly type: "open"; readonly attempt: number }
  /** The session has ended, and not because this side closed it. */
  | { readonly type: "lost"; readonly error: SttError; readonly lastedMs: number }
  /** The dial failed or the session was lost; the next dial begins after `delay` ms. */
  | {
    readonly type: "wait";
    readonly attempt: number;
    readonly delay: number;
    readonly error: SttError;
  };

/** Options of {@link reconnecting}. */
export interface ReconnectOptions extends ReconnectPolicy {
  /** Ends dialling, pauses, and the loop, with its reason. A session that stands is not touched. */
  readonly signal?: AbortSignal;
  /** Hears of every dial, session and pause. An exception of it ends the loop. */
  readonly onEvent?: (event: ReconnectEvent) => void;
  /** Time source; tests replace it. */
  readonly clock?: Pick<Clock, "now">;
  /** 0 to below 1; tests replace it. */
  readonly random?: () => number;
  /** Resolves after `ms`, rejects with the signal's reason; tests replace it. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Sessions with one peer, one after the other: dials, yields the session, waits for its end, pauses, and dials again.
 *
 * Each session is yielded once it is open; the next dial begins when it has ended and the body of the loop is done with
 * it. The loop ends when this side closed the session (`peer.close()`), or when it is left: `break` dials no more and
 * leaves the session open. What was under way in a session that broke is lost with it; files go on where they stopped
 * (`resume` of `receiveFiles`).
 *
 * @param dial Called for each attempt; give it a `connect`, or `SttNode.connect`, with this signal.
 * @throws {SttError} the error that `retry` says no to, or the last one of `maxAttempts`; `CONFIG`. Whatever else `dial`
 *   throws; the signal's reason.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen, reconnecting } from "@seigr/stt";
 *
 * const seed = generateSeed();
 * let listener = await listen("mem:reconnecting-example", { seed });
 * const stop = new AbortController();
 * let sessions = 0;
 * const dial = (signal: AbortSignal) => connect("mem:reconnecting-example", { seed, signal });
 * for await (const peer of reconnecting(dial, { initialDelay: 10, signal: stop.signal })) {
 *   console.log(++sessions); // 1, then 2
 *   if (sessions === 2) {
 *     await peer.close(); // closed here: the loop ends
 *     continue;
 *   }
 *   await listener.close(); // the peer goes away, and comes back
 *   listener = await listen("mem:reconnecting-example", { seed });
 * }
 * await listener.close();
 * ```
 */
export async function* reconnecting<Session extends Pick<Peer, "closed"> = Peer>(
  dial: (signal: AbortSignal) => Promise<Session>,
  options: ReconnectOptions = {},
): AsyncGenerator<Session, void, void> {
  const policy = checkPolicy(options);
  const { signal = new AbortController().signal, clock = systemClock } = options;
  const { onEvent = () => undefined } = options;
  const { random = chance, sleep = pause } = options;
  let attempt = 0;
  for (;;) {
    signal.throwIfAborted();
    onEvent({ type: "dial", attempt: ++attempt });
    let error: SttError;
    const outcome = await dialOnce(dial, signal);
    if ("session" in outcome) {
      const { session } = outcome;
      const since = clock.now();
      onEvent({ type: "open", attempt });
      yield session;
      const facts = await withSignal(session.closed, signal);
      const lost = lossOf(facts);
      if (lost === undefined) return;
      error = lost;
      const lastedMs = clock.now() - since;
      onEvent({ type: "lost", error, lastedMs });
      if (lastedMs >= policy.stableAfter) attempt = 0;
    } else {
      error = outcome.error;
    }
    if (!mayRetry(policy, error, attempt)) throw error;
    const delay = delayOf(policy, Math.max(1, attempt), random());
    onEvent({ type: "wait", attempt, delay, error });
    await sleep(delay, signal);
  }
}

function chance(): number {
  const [number = 0] = globalThis.crypto.getRandomValues(new Uint32Array(1));
  return number / 4_294_967_296;
}

function mayRetry(policy: CheckedPolicy, error: SttError, attempt: number): boolean {
  return attempt < policy.maxAttempts && policy.retry(error);
}

async function dialOnce<Session>(
  dial: (signal: AbortSignal) => Promise<Session>,
  signal: AbortSignal,
): Promise<{ readonly session: Session } | { readonly error: SttError }> {
  try {
    return { session: await dial(signal) };
  } catch (error) {
    signal.throwIfAborted();
    // Anything else is the application's own, of a hook or a transport.
    if (!(error instanceof SttError)) throw error;
    return { error };
  }
}

/** Why a session was lost; undefined when this side closed it. */
function lossOf({ error, remote }: CloseFacts): SttError | undefined {
  if (remote) {
    return error ?? new SttError("CLOSED", "the session was closed by the peer", { remote });
  }
  return error?.code === "APPLICATION" ? undefined : error;
}
