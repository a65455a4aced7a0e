import { LinkDirection, type LinkStats } from "./link_direction.ts";
import { type LinkOptions, type LinkRules, linkRules } from "./link_options.ts";
import { Prng } from "./prng.ts";

export type { LinkStats } from "./link_direction.ts";
export type { BurstLoss, LinkOptions } from "./link_options.ts";

/** The two ends of a link or pipe. */
export type Side = "a" | "b";

/** Address of an end, as a socket would report it. */
export interface LinkAddress {
  /** Any name; the default ends have IP addresses. */
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
}

/** A datagram that arrived. */
export interface LinkDatagram {
  /** Bytes of its own: the receiver may keep and change them. */
  readonly data: Uint8Array;
  /** Where it was sent from, at the time of sending. */
  readonly from: LinkAddress;
}

/** Options of {@link SimulatedLink}. What `aToB` and `bToA` set overrides the common options for that direction. */
export interface SimulatedLinkOptions extends LinkOptions {
  /** Seed of all chances. Default 1. */
  readonly seed?: number;
  /** What is different on the way from `a` to `b`. */
  readonly aToB?: LinkOptions;
  /** What is different on the way from `b` to `a`. */
  readonly bToA?: LinkOptions;
}

interface Flight {
  data: Uint8Array;
  from: LinkAddress;
  to: LinkAddress | undefined;
}

/**
 * A datagram link in virtual time with everything a bad network does, repeatable by its seed. It has no timers: the
 * caller asks `nextArrival()`, moves its clock and takes what has arrived.
 *
 * @example
 * ```ts
 * import { FakeClock, SimulatedLink } from "@seigr/stt/testing";
 * const clock = new FakeClock();
 * const link = new SimulatedLink({ seed: 3, delayMs: 25, loss: 0.5 });
 * for (let i = 0; i < 10; i++) link.send("a", new Uint8Array([i]), clock.nowMs);
 * const arrived: number[] = [];
 * for (let at = link.nextArrival(); at !== undefined; at = link.nextArrival()) {
 *   clock.advanceTo(at);
 *   const datagram = link.receive("b", clock.nowMs);
 *   if (datagram !== undefined) arrived.push(datagram.data[0]!);
 * }
 * console.log(clock.nowMs, arrived.length + link.stats("a").lost); // 25 10
 * ```
 */
export class SimulatedLink {
  readonly #addresses: Record<Side, LinkAddress> = {
    a: { host: "10.0.0.1", port: 40_001 },
    b: { host: "10.0.0.2", port: 40_002 },
  };
  readonly #from: Record<Side, LinkDirection<Flight>>;

  /**
   * Makes a link with nothing on its way.
   *
   * @throws {SttError} CONFIG for a rate outside 0 to 1, or a negative time or size.
   */
  constructor(options: SimulatedLinkOptions = {}) {
    const { seed = 1, aToB = {}, bToA = {}, ...common } = options;
    const prng = new Prng(seed);
    this.#from = {
      a: new LinkDirection(linkRules({ ...common, ...aToB }), prng.fork()),
      b: new LinkDirection(linkRules({ ...common, ...bToA }), prng.fork()),
    };
  }

  /** Present address of an end. */
  address(side: Side): LinkAddress {
    return this.#addresses[side];
  }

  /**
   * Gives an end another address, as a NAT does that forgot its mapping or a phone that changes network: later
   * datagrams come from there, and what is on its way to the old address is lost.
   */
  rebind(side: Side, address: LinkAddress): void {
    this.#addresses[side] = { ...address };
  }

  /** The rules of the direction from `side`, defaults filled in; `change` takes them back. */
  rules(side: Side): LinkRules {
    return this.#from[side].rules;
  }

  /** Changes the rules of the direction from `side`; unnamed ones stay. Holds for what is sent from now on. */
  change(side: Side, options: LinkOptions): void {
    const direction = this.#from[side];
    const old: LinkRules = direction.rules;
    direction.rules = linkRules({ ...old, ...options });
  }

  /**
   * Sends a datagram from `side`; the bytes are copied. With `to`, it arrives only while the other end has that
   * address; without, wherever the other end is.
   */
  send(side: Side, data: Uint8Array, nowMs: number, to?: LinkAddress): void {
    const flight = { data: data.slice(), from: this.#addresses[side], to };
    this.#from[side].send(flight, nowMs);
  }

  /** The next datagram that has arrived at `side`, or undefined. Call until undefined. */
  receive(side: Side, nowMs: number): LinkDatagram | undefined {
    const here = this.#addresses[side];
    const flight = this.#from[other(side)].receive(
      nowMs,
      ({ to }) => to === undefined || (to.host === here.host && to.port === here.port),
    );
    return flight === undefined ? undefined : { data: flight.data, from: flight.from };
  }

  /** When the next datagram arrives at `side`, or at either end; undefined when nothing is on its way. */
  nextArrival(side?: Side): number | undefined {
    if (side !== undefined) return this.#from[other(side)].nextMs;
    const a = this.#from.a.nextMs;
    const b = this.#from.b.nextMs;
    return a === undefined ? b : b === undefined ? a : Math.min(a, b);
  }

  /** What the direction from `side` did so far; live numbers. */
  stats(side: Side): Readonly<LinkStats> {
    return this.#from[side].stats;
  }
}

function other(side: Side): Side {
  return side === "a" ? "b" : "a";
}
