import { SttError } from "../errors.ts";
import { LinkDirection, type LinkStats } from "./link_direction.ts";
import { type LinkOptions, type LinkRules, linkRules } from "./link_options.ts";
import { Prng } from "./prng.ts";

export type { LinkStats } from "./link_direction.ts";
export type { BurstLoss, LinkOptions, LinkRules } from "./link_options.ts";

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
 * A datagram link in virtual time with everything a bad network does, repeatable by its seed: delay and jitter, random
 * and bursty loss, reordering, duplication, bit flips, a rate with a queue in front of it, an MTU, and NATs that give
 * an end another address. It has no timers: the caller asks `nextArrival()`, moves its clock and takes what has arrived.
 *
 * A datagram meets the rules in this order: loss is decided, then what exceeds the MTU or finds the queue full is
 * dropped; the rest takes its time on the link, lost or not; what is not lost may be damaged, doubled and held back.
 *
 * @example
 * ```ts
 * import { FakeClock, SimulatedLink } from "@seigr/stt/testing";
 * const clock = new FakeClock();
 * const link = new SimulatedLink({
 *   seed: 3,
 *   delayMs: 25,
 *   jitterMs: 5,
 *   loss: 0.01,
 *   burst: { share: 0.04, meanLength: 3 },
 *   reorder: 0.05,
 *   duplicate: 0.01,
 *   corrupt: 0.001,
 *   bytesPerSecond: 1_250_000,
 *   queueBytes: 64_000,
 *   mtu: 1500,
 *   bToA: { bytesPerSecond: 125_000 }, // the way back is slower
 * });
 * for (let i = 0; i < 50; i++) link.send("a", new Uint8Array(1200), clock.nowMs);
 * let arrived = 0;
 * for (let at = link.nextArrival("b"); at !== undefined; at = link.nextArrival("b")) {
 *   clock.advanceTo(at);
 *   while (link.receive("b", clock.nowMs) !== undefined) arrived++;
 * }
 * const { sent, lost, duplicated } = link.stats("a");
 * console.log(arrived === sent - lost + duplicated); // true
 *
 * // A NAT forgets its mapping: the peer sees another source address, and the old one is dead.
 * const old = link.address("a");
 * link.change("a", { loss: 0, burst: { share: 0, meanLength: 1 } });
 * link.rebind("a", { host: old.host, port: 50_000 });
 * link.send("a", new Uint8Array([1]), clock.nowMs);
 * clock.advance(100);
 * console.log(link.receive("b", clock.nowMs)?.from.port); // 50000
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
   * @throws {SttError} CONFIG naming the option that does not exist or is outside of its range.
   */
  constructor(options: SimulatedLinkOptions = {}) {
    const { seed = 1, aToB = {}, bToA = {}, ...common } = options;
    if (!Number.isSafeInteger(seed)) {
      throw new SttError("CONFIG", `cannot simulate link: seed ${seed} is not an integer`);
    }
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
   *
   * @throws {SttError} CONFIG for an address without a host or with a port outside 0 to 65535.
   */
  rebind(side: Side, address: LinkAddress): void {
    const { host, port } = address;
    if (
      typeof host !== "string" || host === "" || !(port >= 0 && port <= 65_535 && port % 1 === 0)
    ) {
      throw new SttError("CONFIG", `cannot rebind ${side}: ${host}:${port} is no address`);
    }
    this.#addresses[side] = { ...address };
  }

  /** The rules of the direction from `side`, defaults filled in; `change` takes them back. */
  rules(side: Side): LinkRules {
    return this.#from[side].rules;
  }

  /**
   * Changes the rules of the direction from `side`; unnamed ones stay. Holds for what is sent from now on.
   *
   * @throws {SttError} CONFIG as the constructor.
   */
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
