/**
 * Which targets of a pool are dialled, asked and left alone, and when. Pure: the time and the randomness are arguments.
 *
 * After every call, carry out what `nextCommand` gives until it gives nothing, and call `onTimeout` at `nextTimeout`.
 *
 * @module
 */
import { delayOf } from "../reconnect_policy.ts";
import type { PoolLimits } from "./options.ts";

/**
 * Circuit breaker of a target. `closed`: it is asked. `open`: it is left alone until its pause is over. `half-open`: a dial
 * or one request finds out whether it is well again. `failed`: dialling it again would fail again.
 */
export type BreakerState = "closed" | "open" | "half-open" | "failed";

/** What the driver has to do. */
export interface PoolCommand {
  /** `dial`: open a session. `ping`: send a PING. `drop`: forget the session, it does not answer. */
  readonly type: "dial" | "ping" | "drop";
  /** Index of the target. */
  readonly target: number;
}

/** How a request ended, as far as its target's health goes. `neutral`: its asker gave it up. */
export type RequestVerdict = "well" | "ill" | "neutral";

/** What is known of one target. */
export interface TargetState {
  /** See {@link BreakerState}. */
  readonly breaker: BreakerState;
  /** Whether it has one. */
  readonly session: "none" | "dialling" | "up";
  /** Requests under way. */
  readonly load: number;
  /** Smoothed, of PINGs; undefined before the first answer. */
  readonly rttMs: number | undefined;
  /** Failures in a row that its pauses grew by. */
  readonly failures: number;
}

interface Target {
  breaker: BreakerState;
  session: "none" | "dialling" | "up";
  load: number;
  rttMs: number | undefined;
  failures: number;
  /** Requests that failed in a row. */
  ill: number;
  /** End of the pause. */
  until: number;
  since: number;
  pingAt: number;
  pingSentAt: number | undefined;
}

/** The state machine of a pool. */
export class PoolPolicy {
  readonly #limits: PoolLimits;
  readonly #random: () => number;
  readonly #targets: Target[];
  readonly #commands: PoolCommand[] = [];
  /** The target behind the one that was chosen last. */
  #turn = 0;

  /** `random` gives 0 to below 1. */
  constructor(count: number, limits: PoolLimits, random: () => number) {
    this.#limits = limits;
    this.#random = random;
    this.#targets = Array.from({ length: count }, () => ({
      breaker: "closed",
      session: "dialling",
      load: 0,
      rttMs: undefined,
      failures: 0,
      ill: 0,
      until: Infinity,
      since: 0,
      pingAt: Infinity,
      pingSentAt: undefined,
    }));
    for (let target = 0; target < count; target++) this.#commands.push({ type: "dial", target });
  }

  state(target: number): TargetState {
    const { breaker, session, load, rttMs, failures } = this.#at(target);
    return { breaker, session, load, rttMs, failures };
  }

  nextCommand(): PoolCommand | undefined {
    return this.#commands.shift();
  }

  /** When `onTimeout` is due. */
  nextTimeout(): number | undefined {
    let at = Infinity;
    for (const { breaker, session, until, pingAt, pingSentAt } of this.#targets) {
      if (breaker === "open") at = Math.min(at, until);
      if (session !== "up") continue;
      at = Math.min(at, pingSentAt === undefined ? pingAt : pingSentAt + this.#limits.pingTimeout);
    }
    return at === Infinity ? undefined : at;
  }

  onTimeout(nowMs: number): void {
    for (const [target, one] of this.#targets.entries()) {
      if (one.breaker === "open" && one.until <= nowMs) {
        one.breaker = "half-open";
        if (one.session === "none") {
          one.session = "dialling";
          this.#commands.push({ type: "dial", target });
        }
      }
      if (one.session !== "up") continue;
      const { pingSentAt } = one;
      if (pingSentAt !== undefined && pingSentAt + this.#limits.pingTimeout <= nowMs) {
        this.#commands.push({ type: "drop", target });
        this.lost(target, nowMs);
      } else if (pingSentAt === undefined && one.pingAt <= nowMs) {
        one.pingSentAt = nowMs;
        this.#commands.push({ type: "ping", target });
      }
    }
  }

  /** A dial has led to a session. The handshake is the proof that a half-open target waits for. */
  opened(target: number, nowMs: number): void {
    const one = this.#at(target);
    one.session = "up";
    one.breaker = "closed";
    one.ill = 0;
    one.since = nowMs;
    one.pingAt = nowMs + this.#limits.pingInterval;
    one.pingSentAt = undefined;
  }

  /** A dial has failed; `fatal` if it would fail again. */
  dialFailed(target: number, fatal: boolean, nowMs: number): void {
    const one = this.#at(target);
    one.session = "none";
    if (fatal) one.breaker = "failed";
    else this.#open(one, nowMs);
  }

  /** A session has ended, and not because the pool closed it. */
  lost(target: number, nowMs: number): void {
    const one = this.#at(target);
    if (one.session !== "up") return;
    one.session = "none";
    one.pingSentAt = undefined;
    if (nowMs - one.since >= this.#limits.backOff.stableAfter) one.failures = 0;
    this.#open(one, nowMs);
  }

  /** A PING was answered after `rttMs`. */
  answered(target: number, rttMs: number, nowMs: number): void {
    const one = this.#at(target);
    if (one.session !== "up") return;
    one.pingSentAt = undefined;
    one.pingAt = nowMs + this.#limits.pingInterval;
    one.rttMs = one.rttMs === undefined ? rttMs : 0.875 * one.rttMs + 0.125 * rttMs;
  }

  /** A request goes to a target that was chosen. */
  began(target: number): void {
    this.#at(target).load++;
  }

  /** Such a request has ended. */
  ended(target: number, verdict: RequestVerdict, nowMs: number): void {
    const one = this.#at(target);
    one.load--;
    if (one.session !== "up" || verdict === "neutral") return;
    if (verdict === "well") {
      one.ill = 0;
      if (one.breaker === "half-open") one.breaker = "closed";
      // What was asked before the pause says nothing about now.
      if (one.breaker === "closed") one.failures = 0;
      return;
    }
    one.ill++;
    const tried = one.breaker === "half-open";
    if (tried || (one.breaker === "closed" && one.ill >= this.#limits.maxFailures)) {
      this.#open(one, nowMs);
    }
  }

  /**
   * The target that the next request goes to, or undefined when none can take it. `tried` are left out while there are
   * others. A half-open target gets one request at a time, before all others: nothing else can close it.
   */
  choose(tried: ReadonlySet<number> = new Set()): number | undefined {
    const count = this.#targets.length;
    let best: number | undefined;
    for (let step = 0; step < count; step++) {
      const target = (this.#turn + step) % count;
      if (!this.#usable(target) || tried.has(target)) continue;
      if (best === undefined || this.#rank(target) < this.#rank(best)) best = target;
    }
    if (best === undefined) return tried.size > 0 ? this.choose() : undefined;
    this.#turn = (best + 1) % count;
    return best;
  }

  /** Whether no target will ever take a request. */
  get hopeless(): boolean {
    return this.#targets.every(({ breaker }) => breaker === "failed");
  }

  #usable(target: number): boolean {
    const { session, breaker, load } = this.#at(target);
    return session === "up" && (breaker === "closed" || (breaker === "half-open" && load === 0));
  }

  /** Lower is better; equals go in turn. */
  #rank(target: number): number {
    const { breaker, load } = this.#at(target);
    if (breaker === "half-open") return -1;
    return this.#limits.balance === "least-loaded" ? load : 0;
  }

  #open(one: Target, nowMs: number): void {
    one.breaker = "open";
    one.failures++;
    one.until = nowMs + delayOf(this.#limits.backOff, one.failures, this.#random());
  }

  #at(target: number): Target {
    return this.#targets[target] as Target;
  }
}
