/**
 * A named endpoint that several targets have.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { checkBytes } from "../bytes.ts";
import { MAX_TIMER_MS } from "../clock.ts";
import { type ExchangePlan, Replies } from "../requests/exchange.ts";
import type { Items } from "../requests/items.ts";
import {
  type ExchangeOptions,
  exchangePlan,
  onlyItem,
  type RequestOptions,
} from "../requests/remote_endpoint.ts";
import { type Retries, retriesOf } from "../requests/retry.ts";
import { pause } from "../wait.ts";
import { nameFault } from "../requests/wire.ts";
import { type Lease, type LeaseSource, verdictOf } from "./lease.ts";

/** An endpoint of whichever target of a pool is chosen for each request. */
export class PoolEndpoint {
  /** Its name at the targets. */
  readonly name: string;
  readonly #pool: LeaseSource;

  /** Use `pool.endpoint(name)`. @throws {SttError} CONFIG for a name that no endpoint can have. */
  constructor(pool: LeaseSource, name: string) {
    const fault = nameFault(name);
    if (fault !== undefined) throw new SttError("CONFIG", `cannot name endpoint: ${fault}`);
    this.#pool = pool;
    this.name = name;
  }

  /**
   * As {@link RemoteEndpoint.request}. An idempotent request that fails in a transient way goes to another target at once,
   * or, when all were tried, to any after a pause; by default once to each, and three times in all at least. Waits while
   * no target can take it, within `timeout`.
   *
   * @throws {SttError} as {@link RemoteEndpoint.request} and {@link SessionPool.lease}.
   */
  async request(body: Uint8Array, options: RequestOptions = {}): Promise<Uint8Array> {
    checkBytes(body, `request ${JSON.stringify(this.name)}`);
    const plan = exchangePlan(this.name, options);
    const retries = this.#retries(options.idempotent ?? false);
    const deadline = new Deadline(plan);
    const tried = new Set<number>();
    try {
      for (let failed = 0;;) {
        const lease = await this.#pool.lease(tried, { signal: deadline.signal });
        try {
          const replies = new Replies(lease.peer, [body], deadline.plan());
          lease.onLost((error) => replies.cancel(error));
          const reply = await onlyItem(replies, this.name);
          lease.end("well");
          return reply;
        } catch (error) {
          lease.end(verdictOf(error));
          tried.add(lease.target);
          if (retries?.again(error, ++failed) !== true) throw error;
          if (tried.size >= this.#pool.targetCount) {
            const delay = retries.delay(failed);
            // A pause beyond the deadline would only turn this error into another one, later.
            if (delay >= deadline.left) throw error;
            tried.clear();
            await pause(delay, deadline.signal);
          }
        }
      }
    } finally {
      deadline.clear();
    }
  }

  /**
   * As {@link RemoteEndpoint.exchange}, with one target for all of it; resolves when one is chosen.
   *
   * @throws {SttError} as {@link SessionPool.lease}; `CONFIG`. What goes wrong later is thrown where the replies are read.
   */
  async exchange(items: Items, options: ExchangeOptions = {}): Promise<Replies> {
    const plan = exchangePlan(this.name, options);
    const deadline = new Deadline(plan);
    let lease: Lease;
    try {
      lease = await this.#pool.lease(undefined, { signal: deadline.signal });
    } finally {
      deadline.clear();
    }
    const onEnd = (error: unknown): void =>
      lease.end(error === undefined ? "well" : verdictOf(error));
    const replies = new Replies(lease.peer, items, { ...deadline.plan(), onEnd });
    lease.onLost((error) => replies.cancel(error));
    return replies;
  }

  #retries(idempotent: NonNullable<RequestOptions["idempotent"]>): Retries | undefined {
    if (idempotent === false) return undefined;
    const policy = idempotent === true ? {} : idempotent;
    return retriesOf({ attempts: Math.max(3, this.#pool.targetCount), ...policy });
  }
}

/** The time that a request has for choosing a target, asking it, and asking others. */
class Deadline {
  readonly #plan: ExchangePlan;
  readonly #end: number;
  readonly #over: AbortController = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(plan: ExchangePlan) {
    const { name, timeout, signal } = plan;
    this.#plan = plan;
    this.#end = timeout === 0 ? Infinity : performance.now() + timeout;
    if (signal?.aborted === true) this.#over.abort(signal.reason);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (timeout === 0) return;
    this.#timer = setTimeout(() => {
      const what = `cannot request ${JSON.stringify(name)}: ${timeout} ms are over`;
      this.#over.abort(new SttError("DEADLINE", what));
    }, Math.min(timeout, MAX_TIMER_MS));
  }

  readonly #onAbort = (): void => this.#over.abort(this.#plan.signal?.reason);

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  get left(): number {
    return this.#end - performance.now();
  }

  /** For one target: with the time that is left. */
  plan(): ExchangePlan {
    return this.#end === Infinity ? this.#plan : { ...this.#plan, timeout: Math.max(1, this.left) };
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#plan.signal?.removeEventListener("abort", this.#onAbort);
  }
}
