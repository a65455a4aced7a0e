/**
 * How large a datagram may be (SPEC 10, RFC 8899 as the guide).
 *
 * @module
 */
import type { SentPacket } from "./sent_packet.ts";

/** Every path carries this much UDP payload. */
export const BASE_MTU = 1200;
/** The largest size probed on a path that nobody vouches for: neither runtime can forbid fragmentation. */
export const INTERNET_MTU = 1452;
/** The size probed on loopback whatever the peer holds: a receive buffer of the system's default has room for twelve. */
export const LOOPBACK_MTU = 16_384;
/** What UDP over IPv4 carries at most. */
const LARGEST_MTU = 65_507;
/** Larger ones on loopback only for a peer whose credit, and so its receive buffer, holds this many. */
const PACKETS_PER_CREDIT = 2;
const STEPS: readonly number[] = [
  ...[1280, 1392, INTERNET_MTU, 4096, 8192],
  ...[LOOPBACK_MTU, 32_768, LARGEST_MTU],
];
/** Probes of one size before it counts as too large: one may be lost to anything. */
const PROBES_PER_SIZE = 3;
/** How long a size that failed is left alone. */
const RETRY_MS = 600_000;
/** Probe timeouts that lose nothing but large packets. */
const BLACK_HOLE_PTOS = 3;
/** A packet of this share of the size shows that larger ones would be filled. */
const FULL_SHARE = 3 / 4;
/** From this probe timeout on, probes are small, so that a black hole for large packets answers. */
const SMALL_PROBE_PTO = 2;

/** Options of {@link PathMtu}. */
export interface PathMtuConfig {
  /** The peer is on this machine. */
  readonly loopback: boolean;
  /** The size the application vouches for, in UDP payload bytes. */
  readonly pathMtu?: number;
  /** The peer's max_udp. */
  readonly peerMaxUdp: number;
  /** The peer's max_data. Default: unknown, and small. */
  readonly peerMaxData?: number;
}

/** The fewer datagrams, the less they cost; but some must fit into the receive buffer at once. */
function loopbackMtu(peerMaxData = 0): number {
  const room = Math.floor(peerMaxData / PACKETS_PER_CREDIT);
  return Math.min(LARGEST_MTU, Math.max(LOOPBACK_MTU, room));
}

/**
 * The packet size of a path: starts at 1200 and grows by probes, once somebody has a use for it: a session of small
 * packets would pay 16 KiB for nothing.
 */
export class PathMtu {
  readonly #limit: number;
  /** Where the limit is vouched for, it is probed before the steps below it. */
  readonly #limitFirst: boolean;
  #current = BASE_MTU;
  #wanted = false;
  /** The size that failed last: only smaller ones are probed. */
  #failed = Infinity;
  #retryMs: number | undefined;
  #inFlight = 0;
  #probeSize = 0;
  #attempts = 0;
  /** Probe timeouts since a large packet arrived or a small one was lost. */
  #ptos = 0;

  constructor(config: PathMtuConfig) {
    const wish = config.pathMtu ??
      (config.loopback ? loopbackMtu(config.peerMaxData) : INTERNET_MTU);
    this.#limit = Math.max(BASE_MTU, Math.min(wish, config.peerMaxUdp));
    this.#limitFirst = config.loopback || config.pathMtu !== undefined;
  }

  /** UDP payload bytes a packet may have now. */
  get current(): number {
    return this.#current;
  }

  /** The largest size that will ever be probed. */
  get limit(): number {
    return this.#limit;
  }

  /** What a packet may have while `ptoCount` probe timeouts passed without an answer. */
  sizeAfter(ptoCount: number): number {
    return ptoCount >= SMALL_PROBE_PTO ? BASE_MTU : this.#current;
  }

  /** Larger packets would be of use. */
  want(): void {
    this.#wanted = true;
  }

  /** A packet that is no probe was sent: one that is nearly full wants larger ones. */
  onSent(size: number): void {
    if (size >= this.#current * FULL_SHARE) this.#wanted = true;
  }

  /**
   * Size of the probe to send now (PING and PADDING); undefined while one is on its way, nothing is left to try or
   * nobody wants it.
   */
  nextProbe(nowMs: number): number | undefined {
    if (this.#retryMs !== undefined && nowMs >= this.#retryMs) {
      this.#retryMs = undefined;
      this.#failed = Infinity;
    }
    if (this.#inFlight > 0 || !this.#wanted) return undefined;
    return this.#candidate();
  }

  /** A probe of this size was handed to the socket. */
  onProbeSent(size: number): void {
    if (size !== this.#probeSize) {
      this.#probeSize = size;
      this.#attempts = 0;
    }
    this.#inFlight = size;
    this.#attempts++;
  }

  /** The probe arrived: packets may be this large from now on. */
  onProbeAcked(size: number): void {
    if (size === this.#inFlight) this.#inFlight = 0;
    // The answer to a probe of before a reset or a black hole says nothing about now.
    if (size !== this.#probeSize) return;
    this.#probeSize = 0;
    if (size > this.#current) this.#current = size;
  }

  /** The probe was declared lost: tried again, three times in all. */
  onProbeLost(size: number, nowMs: number): void {
    if (size === this.#inFlight) this.#inFlight = 0;
    if (size === this.#probeSize && this.#attempts >= PROBES_PER_SIZE) this.#fail(size, nowMs);
  }

  /** The operating system refused a datagram for its size. Returns true when packets got smaller. */
  onRefused(size: number, nowMs: number): boolean {
    if (size === this.#inFlight) this.#inFlight = 0;
    if (size <= BASE_MTU) return false;
    this.#fail(size, nowMs);
    if (size > this.#current) return false;
    this.#current = BASE_MTU;
    return true;
  }

  /** A probe timeout passed. */
  onPto(): void {
    this.#ptos++;
  }

  /** Packets that an ACK named. */
  onAcked(packets: readonly SentPacket[]): void {
    if (this.#ptos === 0) return;
    for (const packet of packets) {
      if (packet.size > BASE_MTU) this.#ptos = 0;
    }
  }

  /**
   * Packets declared lost, without MTU probes; given after `onAcked` of the same ACK. Returns true when it is a black
   * hole: only packets above 1200 bytes got lost over three probe timeouts. Then the size is 1200 for ten minutes.
   */
  onLost(packets: readonly SentPacket[], nowMs: number): boolean {
    if (this.#ptos === 0 || packets.length === 0) return false;
    for (const packet of packets) {
      if (packet.inFlight && packet.size <= BASE_MTU) {
        this.#ptos = 0;
        return false;
      }
    }
    if (this.#ptos < BLACK_HOLE_PTOS || this.#current === BASE_MTU) return false;
    this.#current = BASE_MTU;
    this.#ptos = 0;
    this.#inFlight = 0;
    this.#fail(BASE_MTU + 1, nowMs);
    return true;
  }

  /** The path is another one: starts over at 1200. */
  reset(): void {
    this.#current = BASE_MTU;
    this.#wanted = false;
    this.#failed = Infinity;
    this.#retryMs = undefined;
    this.#inFlight = 0;
    this.#probeSize = 0;
    this.#attempts = 0;
    this.#ptos = 0;
  }

  /** When a size that failed may be tried again. */
  nextTimeout(): number | undefined {
    return this.#retryMs;
  }

  #fail(size: number, nowMs: number): void {
    this.#failed = Math.min(this.#failed, size);
    this.#probeSize = 0;
    this.#attempts = 0;
    this.#retryMs = nowMs + RETRY_MS;
  }

  #candidate(): number | undefined {
    const limit = this.#limit;
    if (limit > this.#current && limit < this.#failed && this.#limitFirst) return limit;
    for (const step of STEPS) {
      if (step > this.#current) {
        const size = Math.min(step, limit);
        return size > this.#current && size < this.#failed ? size : undefined;
      }
    }
    return limit > this.#current && limit < this.#failed ? limit : undefined;
  }
}
