/**
 * Several sessions to choose from: dials, watches and shares them among requests.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { type Clock, MAX_TIMER_MS, systemClock } from "../clock.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "../event_reader.ts";
import type { Peer } from "../peer.ts";
import { isTransient } from "../reconnect_policy.ts";
import { chance } from "../requests/retry.ts";
import type { WaitOptions } from "../stream_options.ts";
import { type ListenerOptions, TypedEvents } from "../typed_events.ts";
import { Waiters } from "../waiters.ts";
import { type Lease, type LeaseSource, verdictOf } from "./lease.ts";
import { type PoolLimits, poolLimits, type PoolOptions } from "./options.ts";
import { type BreakerState, PoolPolicy, type TargetState } from "./policy.ts";
import { PoolEndpoint } from "./pool_endpoint.ts";

/** Dials an address; give it a `connect`, with this signal. */
export type PoolDial = (address: string, signal: AbortSignal) => Promise<Peer>;

/** Counters of one target. */
export interface TargetStats extends TargetState {
  /** The addresses of the target, in the order in which they are tried. */
  readonly addresses: readonly string[];
  /** Requests that went to it, ever. */
  readonly requests: number;
  /** Of those, how many ended in a way that counts against it, ever. */
  readonly ill: number;
}

/** Events of a {@link SessionPool}. `address` is the first one of the target. */
export interface SessionPoolEvents {
  /** A session is open. */
  readonly up: { readonly address: string; readonly peer: Peer };
  /** A session has ended, was given up for its silence, or could not be opened. */
  readonly down: { readonly address: string; readonly error: SttError };
  /** The breaker of a target has changed. */
  readonly breaker: { readonly address: string; readonly state: BreakerState };
}

/** For tests. */
export interface PoolParts {
  /** Time source. Timers are the runtime's. */
  readonly clock: Pick<Clock, "now">;
  /** 0 to below 1. */
  readonly random: () => number;
}

interface Target {
  readonly addresses: readonly string[];
  peer: Peer | undefined;
  /** Told when the session is given up; those of former sessions are gone. */
  losses: Set<(error: SttError) => void>;
  breaker: BreakerState;
  requests: number;
  ill: number;
}

/**
 * Sessions with several targets that answer the same requests. Each is dialled again when it is lost, watched with PINGs,
 * and left alone for a growing pause when it fails.
 *
 * @example
 * ```ts
 * import { connect, Endpoints, generateSeed, listen, SessionPool } from "@seigr/stt";
 * const seed = generateSeed();
 * const endpoints = new Endpoints();
 * endpoints.register("time", () => new TextEncoder().encode("12:00"));
 * const listeners = [
 *   await listen("mem:pool-example-1", { seed }),
 *   await listen("mem:pool-example-2", { seed }),
 * ];
 * for (const listener of listeners) listener.on("peer", (peer) => void endpoints.serve(peer));
 *
 * const pool = new SessionPool(
 *   ["mem:pool-example-1", "mem:pool-example-2"],
 *   (address, signal) => connect(address, { seed, signal }),
 * );
 * const time = pool.endpoint("time");
 * console.log((await time.request(new Uint8Array(), { idempotent: true })).length); // 5
 * await listeners[0]!.close(); // the other one answers
 * console.log((await time.request(new Uint8Array(), { idempotent: true })).length); // 5
 * await pool.close();
 * await listeners[1]!.close();
 * ```
 */
export class SessionPool implements AsyncDisposable, LeaseSource {
  readonly #dial: PoolDial;
  readonly #limits: PoolLimits;
  readonly #policy: PoolPolicy;
  readonly #clock: Pick<Clock, "now">;
  readonly #targets: readonly Target[];
  readonly #events: TypedEvents<SessionPoolEvents> = new TypedEvents();
  readonly #changed: Waiters = new Waiters();
  readonly #closing: AbortController = new AbortController();
  readonly #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastError: SttError | undefined;
  #work: Set<Promise<void>> = new Set();

  /**
   * Begins to dial.
   *
   * @param targets For each its address, or the addresses that lead to it, tried in turn.
   * @throws {SttError} CONFIG for no targets, or an option out of range; the signal's reason.
   */
  constructor(
    targets: readonly (string | readonly string[])[],
    dial: PoolDial,
    options: PoolOptions = {},
    parts: Partial<PoolParts> = {},
  ) {
    this.#limits = poolLimits(options);
    const lists = targets.map((one) => typeof one === "string" ? [one] : [...one]);
    if (lists.length === 0 || lists.some(({ length }) => length === 0)) {
      throw new SttError("CONFIG", "cannot make pool: it has no addresses");
    }
    const { signal } = options;
    signal?.throwIfAborted();
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#dial = dial;
    this.#clock = parts.clock ?? systemClock;
    this.#policy = new PoolPolicy(lists.length, this.#limits, parts.random ?? chance);
    this.#targets = lists.map((addresses) => ({
      addresses,
      peer: undefined,
      losses: new Set(),
      breaker: "closed",
      requests: 0,
      ill: 0,
    }));
    this.#drive();
  }

  readonly #onAbort = (): void => void this.close();

  /** How many targets have an open session. */
  get size(): number {
    return this.#targets.filter(({ peer }) => peer !== undefined).length;
  }

  /** Targets, of whatever state. */
  get targetCount(): number {
    return this.#targets.length;
  }

  /**
   * A named endpoint of whichever target is chosen for each request.
   *
   * @throws {SttError} CONFIG for a name that no endpoint can have.
   */
  endpoint(name: string): PoolEndpoint {
    return new PoolEndpoint(this, name);
  }

  /**
   * Runs `act` with a session of the pool, which counts as one request until it settles. For streams, messages, files.
   *
   * @throws Whatever `act` throws; as {@link SessionPool.lease}.
   */
  async use<Result>(
    act: (peer: Peer) => Promise<Result>,
    options: WaitOptions = {},
  ): Promise<Result> {
    const lease = await this.lease(undefined, options);
    try {
      const result = await new Promise<Result>((resolve, reject) => {
        lease.onLost(reject);
        act(lease.peer).then(resolve, reject);
      });
      lease.end("well");
      return result;
    } catch (error) {
      lease.end(verdictOf(error));
      throw error;
    }
  }

  /**
   * Chooses a session, and waits while none can take a request. `tried` are left out while there are others. Call `end`.
   *
   * @throws {SttError} CLOSED once the pool is closed; the error of the last dial when no target can ever be reached; the
   *   signal's reason.
   */
  async lease(tried?: ReadonlySet<number>, options: WaitOptions = {}): Promise<Lease> {
    for (;;) {
      options.signal?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      const target = this.#policy.choose(tried);
      if (target !== undefined) return this.#leaseOf(target);
      if (this.#policy.hopeless && this.#lastError !== undefined) throw this.#lastError;
      await this.#changed.wait(options.signal);
    }
  }

  /** Counters of the targets, in their order. */
  stats(): TargetStats[] {
    return this.#targets.map(({ addresses, requests, ill }, target) => ({
      addresses,
      ...this.#policy.state(target),
      requests,
      ill,
    }));
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof SessionPoolEvents>(
    name: Name,
    listener: (detail: SessionPoolEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof SessionPoolEvents = keyof SessionPoolEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<SessionPoolEvents, Name>> {
    return this.#events.events(names, options);
  }

  /** Closes all sessions and dials no more. Requests under way fail. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(new SttError("CLOSED", "the pool is closed"));
      this.#signal?.removeEventListener("abort", this.#onAbort);
      clearTimeout(this.#timer);
      this.#changed.wake();
    }
    const peers = this.#targets.map(({ peer }) => peer);
    await Promise.all([...this.#work, ...peers.map((peer) => peer?.close())]);
    this.#events.close();
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #leaseOf(target: number): Lease {
    const one = this.#at(target);
    const peer = one.peer as Peer;
    this.#policy.began(target);
    one.requests++;
    const { losses } = one;
    let open = true;
    let lost: ((error: SttError) => void) | undefined;
    return {
      target,
      peer,
      onLost: (listener) => {
        if (open) losses.add(lost = listener);
      },
      end: (verdict) => {
        if (!open) return;
        open = false;
        if (lost !== undefined) losses.delete(lost);
        if (verdict === "ill") one.ill++;
        // What a session of before did says nothing about the one of now.
        this.#policy.ended(target, one.peer === peer ? verdict : "neutral", this.#clock.now());
        this.#drive();
      },
    };
  }

  /** After anything has happened. */
  #drive(): void {
    if (this.#closing.signal.aborted) return;
    for (
      let command = this.#policy.nextCommand();
      command !== undefined;
      command = this.#policy.nextCommand()
    ) {
      const { type, target } = command;
      if (type === "dial") this.#track(this.#open(target));
      else if (type === "ping") void this.#ping(target);
      else this.#drop(target);
    }
    for (const [target, one] of this.#targets.entries()) {
      const { breaker: state } = this.#policy.state(target);
      if (state === one.breaker) continue;
      one.breaker = state;
      this.#events.emit("breaker", { address: this.#address(target), state });
    }
    this.#changed.wake();
    clearTimeout(this.#timer);
    const at = this.#policy.nextTimeout();
    if (at === undefined) return;
    this.#timer = setTimeout(() => {
      this.#policy.onTimeout(this.#clock.now());
      this.#drive();
    }, Math.min(Math.max(0, Math.ceil(at - this.#clock.now())), MAX_TIMER_MS));
  }

  #track(work: Promise<void>): void {
    this.#work.add(work);
    void work.finally(() => this.#work.delete(work));
  }

  async #open(target: number): Promise<void> {
    const { signal } = this.#closing;
    let error: SttError | undefined;
    let fatal = true;
    for (const address of this.#at(target).addresses) {
      try {
        const peer = await this.#dial(address, signal);
        if (signal.aborted) return void await peer.close();
        return this.#opened(target, peer);
      } catch (thrown) {
        if (signal.aborted) return;
        error = thrown instanceof SttError
          ? thrown
          : new SttError("TRANSPORT", `cannot dial ${address}`, { cause: thrown });
        fatal &&= !isTransient(error);
      }
    }
    this.#policy.dialFailed(target, fatal, this.#clock.now());
    this.#down(target, error as SttError);
  }

  #opened(target: number, peer: Peer): void {
    const one = this.#at(target);
    one.peer = peer;
    one.losses = new Set();
    this.#policy.opened(target, this.#clock.now());
    void peer.closed.then(({ error }) => {
      if (one.peer !== peer) return;
      one.peer = undefined;
      this.#policy.lost(target, this.#clock.now());
      this.#down(target, error ?? new SttError("CLOSED", "the session was closed"));
    });
    this.#events.emit("up", { address: this.#address(target), peer });
    this.#drive();
  }

  async #ping(target: number): Promise<void> {
    const { peer } = this.#at(target);
    // The end of the session says more than its pings.
    const rttMs = await peer?.ping().catch(() => undefined);
    if (rttMs === undefined || this.#at(target).peer !== peer) return;
    this.#policy.answered(target, rttMs, this.#clock.now());
    this.#drive();
  }

  #drop(target: number): void {
    const one = this.#at(target);
    const { peer } = one;
    one.peer = undefined;
    const { pingTimeout } = this.#limits;
    const error = new SttError("IDLE_TIMEOUT", `no answer to a PING within ${pingTimeout} ms`);
    peer?.abort();
    // The end of the session would tell them as well, but on reliable transports a second later (SPEC 9.3.2).
    for (const lost of [...one.losses]) lost(error);
    this.#down(target, error);
  }

  #down(target: number, error: SttError): void {
    if (this.#closing.signal.aborted) return;
    this.#lastError = error;
    this.#events.emit("down", { address: this.#address(target), error });
    this.#drive();
  }

  #address(target: number): string {
    return this.#at(target).addresses[0] as string;
  }

  #at(target: number): Target {
    return this.#targets[target] as Target;
  }
}
