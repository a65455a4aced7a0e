import type { Connection } from "../connection/connection.ts";
import type { ConnectionEvent, PeerFacts } from "../connection/events.ts";
import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { Acceptor } from "../handshake/acceptor.ts";
import type { FakeClock } from "./fake_clock.ts";
import type { Side } from "./simulated_link.ts";
import type { SimulatedPipe } from "./simulated_pipe.ts";
import type { TrafficSecrets, TrafficTap } from "./traffic_tap.ts";

/** What a {@link ConnectionPair} is made of; `pair()` makes one. */
export interface ConnectionPairParts {
  /** Time of everything in the pair. */
  readonly clock: FakeClock;
  /** What `b` answers handshakes with. */
  readonly acceptor: Acceptor;
  /** Holds on to the traffic secrets. */
  readonly tap: TrafficTap;
  /** What carries the bytes. */
  readonly pipe: SimulatedPipe;
  /** The pipe keeps the boundaries of messages, as WebSocket does. */
  readonly messages: boolean;
  /** The connection that dials. */
  readonly a: Connection;
  /** The connection that answers. */
  readonly b: Connection;
  /** The accept hook of `b`; undefined leaves the answer to the caller. */
  readonly accept: ((peer: PeerFacts) => boolean | undefined) | undefined;
}

const SIDES: readonly Side[] = ["a", "b"];

/** Steps without the clock moving, after which something loops. */
const MAX_STEPS = 1_000_000;

/**
 * Two connections, the pipe between them and the loop that drives both in virtual time. Use a connection's commands
 * freely between runs; the loop does what an owner must do after them.
 */
export class ConnectionPair {
  /** Time of everything in the pair; the runs move it. */
  readonly clock: FakeClock;
  /** What `b` answers handshakes with. */
  readonly acceptor: Acceptor;
  /** What carries the bytes. */
  readonly pipe: SimulatedPipe;
  /** The connection that dials. */
  readonly a: Connection;
  /** The connection that answers. */
  readonly b: Connection;
  /** Every event so far, oldest first. Take from it as you like. */
  readonly events: Record<Side, ConnectionEvent[]> = { a: [], b: [] };
  /** Called for every event, inside of the run. */
  onEvent: ((side: Side, event: ConnectionEvent) => void) | undefined;
  readonly #tap: TrafficTap;
  readonly #messages: boolean;
  readonly #accept: ConnectionPairParts["accept"];
  readonly #ended: Record<Side, boolean> = { a: false, b: false };

  /** Takes the parts over; nothing runs yet. */
  constructor(parts: ConnectionPairParts) {
    this.clock = parts.clock;
    this.acceptor = parts.acceptor;
    this.pipe = parts.pipe;
    this.a = parts.a;
    this.b = parts.b;
    this.#tap = parts.tap;
    this.#messages = parts.messages;
    this.#accept = parts.accept;
  }

  /**
   * Copies of the session's traffic secrets, which the connections themselves have erased: for frames that a test seals.
   *
   * @throws {SttError} INTERNAL when there is no session yet.
   */
  get traffic(): TrafficSecrets {
    return this.#tap.newest;
  }

  /**
   * Runs until nothing is on its way and nothing waits to be sent. Timers fire only if they are due before the last
   * byte arrives: an idle timeout does not.
   */
  settle(): this {
    for (;;) {
      this.#drain();
      const next = this.#nextMove();
      if (next === undefined) return this;
      const timer = this.#nextTimer();
      this.#advance(timer === undefined ? next : Math.min(next, timer));
    }
  }

  /** Runs for `ms` of virtual time, timers included. */
  runFor(ms: number): this {
    const until = this.clock.nowMs + ms;
    for (;;) {
      this.#drain();
      const next = Math.min(this.#nextMove() ?? Infinity, this.#nextTimer() ?? Infinity);
      if (next > until) break;
      this.#advance(next);
    }
    this.clock.advanceTo(until);
    this.#drain();
    return this;
  }

  /**
   * Runs until `done`, timers included.
   *
   * @param limitMs Virtual time after which it gives up.
   * @throws {SttError} INTERNAL when it gave up or nothing is left to happen.
   */
  runUntil(done: () => boolean, limitMs = 600_000): this {
    const until = this.clock.nowMs + limitMs;
    for (;;) {
      this.#drain();
      if (done()) return this;
      const next = Math.min(this.#nextMove() ?? Infinity, this.#nextTimer() ?? Infinity);
      if (next > until) {
        throw new SttError(
          "INTERNAL",
          `cannot run on: a is ${this.a.state}, b is ${this.b.state} at ${this.clock.nowMs} ms, and ` +
            (next === Infinity
              ? "nothing is left to happen"
              : `the limit of ${limitMs} ms is over`),
        );
      }
      this.#advance(next);
    }
  }

  /**
   * Runs until both sides are established.
   *
   * @throws {SttError} the error that a side failed with.
   */
  establish(): this {
    this.runUntil(() =>
      (this.a.state === "established" && this.b.state === "established") ||
      this.a.state === "closed" || this.b.state === "closed"
    );
    const error = this.a.closeFacts?.error ?? this.b.closeFacts?.error;
    if (error !== undefined) throw error;
    return this;
  }

  /** Events of one kind at one side, oldest first. */
  eventsOf<T extends ConnectionEvent["type"]>(
    side: Side,
    type: T,
  ): Extract<ConnectionEvent, { type: T }>[] {
    return this.events[side].filter((event): event is Extract<ConnectionEvent, { type: T }> =>
      event.type === type
    );
  }

  #advance(toMs: number): void {
    const { clock } = this;
    clock.advanceTo(Math.max(clock.nowMs, toMs));
    for (const side of SIDES) {
      const timer = this[side].nextTimeout();
      if (timer !== undefined && timer <= clock.nowMs) this[side].onTimeout(clock.nowMs);
    }
    const timer = this.acceptor.nextTimeout();
    if (timer !== undefined && timer <= clock.nowMs) this.acceptor.onTimeout(clock.nowMs);
  }

  /** When the pipe next brings something or takes something again. */
  #nextMove(): number | undefined {
    let next = Infinity;
    for (const side of SIDES) {
      const arrival = this[side].readPaused ? undefined : this.pipe.nextArrival(side);
      if (arrival !== undefined && !this.#ended[side]) next = Math.min(next, arrival);
      if (this.#full(side)) next = Math.min(next, this.clock.nowMs + 1);
    }
    return next === Infinity ? undefined : next;
  }

  #nextTimer(): number | undefined {
    const timers = [this.a.nextTimeout(), this.b.nextTimeout()].filter((t) => t !== undefined);
    return timers.length === 0 ? undefined : Math.min(...timers);
  }

  #full(side: Side): boolean {
    return this.pipe.queuedBytes(side, this.clock.nowMs) >= TRANSPORT_HIGH_WATER_BYTES;
  }

  #drain(): void {
    for (let steps = 0; this.#step("a") || this.#step("b"); steps++) {
      if (steps > MAX_STEPS) {
        throw new SttError("INTERNAL", `cannot settle: busy without end at ${this.clock.nowMs} ms`);
      }
    }
  }

  /** One piece of work at one side; false when there was none. */
  #step(side: Side): boolean {
    const connection = this[side];
    const { nowMs } = this.clock;
    const event = connection.nextEvent();
    if (event !== undefined) {
      this.#take(side, event);
      return true;
    }
    const frame = this.#full(side) ? undefined : connection.transmit(nowMs);
    if (frame !== undefined) {
      this.pipe.write(side, frame, nowMs);
      return true;
    }
    if (this.#ended[side]) return false;
    const bytes = connection.readPaused ? undefined : this.pipe.read(side, nowMs);
    if (bytes !== undefined) {
      connection.receive(bytes, nowMs);
      if (this.#messages) connection.endOfMessage(nowMs);
      return true;
    }
    if (connection.finished) {
      this.#ended[side] = true;
      this.pipe.end(side, nowMs);
      return true;
    }
    if (connection.readPaused || !this.pipe.ended(side, nowMs)) return false;
    this.#ended[side] = true;
    connection.transportEnded(this.pipe.error);
    this.pipe.end(side, nowMs);
    return true;
  }

  #take(side: Side, event: ConnectionEvent): void {
    this.events[side].push(event);
    this.onEvent?.(side, event);
    if (event.type !== "identified" || this[side].state !== "deciding") return;
    const answer = this.#accept?.(event.peer);
    if (answer === true) this[side].accept(this.clock.nowMs);
    else if (answer === false) this[side].refuse(this.clock.nowMs);
  }
}
