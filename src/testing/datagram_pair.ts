/**
 * Two connections joined by a bad network in virtual time.
 *
 * @module
 */
import { parseFrameHeader } from "../codec/frame.ts";
import { FrameHeader } from "../codec/frame.ts";
import {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
  transportParameters,
} from "../connection/config.ts";
import { Connection } from "../connection/connection.ts";
import {
  type CongestionControlName,
  DEFAULT_CONGESTION,
} from "../connection/congestion/controller.ts";
import type { ConnectionEvent } from "../connection/events.ts";
import type { PathOptions } from "../connection/session_core.ts";
import { FRAME_HANDSHAKE, FRAME_MAX_BODY } from "../constants.ts";
import { type SeedKeys, seedKeys, staticKey } from "../crypto/key_schedule.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";
import { Acceptor } from "../handshake/acceptor.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { KeyLog } from "../session/key_log.ts";
import { FakeClock } from "./fake_clock.ts";
import { Prng } from "./prng.ts";
import { seededProvider } from "./seeded_provider.ts";
import { type TrafficSecrets, TrafficTap } from "./traffic_tap.ts";
import {
  type LinkAddress,
  type LinkDatagram,
  type Side,
  SimulatedLink,
  type SimulatedLinkOptions,
} from "./simulated_link.ts";

/** Datagrams, events and looks at the clock of one `run`, after which something loops. */
const MAX_STEPS = 1_000_000;

/** Ten repeats of HELLO: a thousand seeds of 20 % loss each way establish. */
const HANDSHAKE_MS = 600_000;

/** Options of {@link DatagramPair}. */
export interface DatagramPairOptions {
  /** Seed of every chance. Default 1. */
  readonly seed?: number;
  /** The network between the two. */
  readonly link?: SimulatedLinkOptions;
  /** Options of both connections. */
  readonly options?: ConnectionOptions;
  /** What is different at the answering one. */
  readonly acceptOptions?: ConnectionOptions;
  /** Default: the connection's own. */
  readonly congestion?: CongestionControlName;
  /** Datagram size that both vouch for. */
  readonly pathMtu?: number;
  /** Bytes of the receive buffers that both sides take themselves to have. Default: unlimited. */
  readonly receiveBuffer?: number;
  /** An end is still reached at addresses that it had before the link was told to `rebind` it. Default false. */
  readonly oldAddresses?: boolean;
  /** The machine wakes only at multiples of this: timers are late and datagrams come in heaps. Default: at once. */
  readonly tickMs?: number;
  /** Frames that a socket takes per millisecond; the rest waits in the connection. Default: any number. */
  readonly socketFrames?: number;
  /** Cryptography; its randomness is replaced by the seed's. Default `node:crypto`. */
  readonly provider?: CryptoProvider;
  /** Who hears what each side does. Default: nobody. */
  readonly tracers?: Partial<Record<Side, Tracer>>;
  /** A clock for what the side that dials measures of itself. Default: nothing is measured. */
  readonly profile?: () => number;
  /** Gets the keys of the side that dials. Default: nobody. */
  readonly keyLog?: KeyLog;
}

/** The dialling side `a`, the answering side `b`, and the network. */
export class DatagramPair {
  /** Virtual time. */
  readonly clock: FakeClock = new FakeClock();
  /** The network. */
  readonly link: SimulatedLink;
  /** The dialling connection. */
  readonly a: Connection;
  /** The answering connection, once AUTH_PROOF has verified. */
  b: Connection | undefined;
  /** Called for every event; without it they are dropped. */
  onEvent: ((side: Side, event: ConnectionEvent) => void) | undefined;
  /** When `until` of a run wants to be asked although nothing happens on the network. */
  wakeAtMs: number = Infinity;
  /** Datagrams, events and looks at the clock so far. */
  steps: number = 0;
  /** Most events that a connection had waiting. */
  mostEvents: number = 0;
  readonly #acceptor: Acceptor;
  readonly #limits: Record<Side, ConnectionLimits>;
  readonly #options: DatagramPairOptions;
  readonly #provider: CryptoProvider;
  readonly #tap: TrafficTap;
  readonly #keys: SeedKeys;
  readonly #out: { readonly frame: Uint8Array; readonly to: LinkAddress }[] = [];
  /** Frames that each socket took at `#socketMs`. */
  readonly #taken: Record<Side, number> = { a: 0, b: 0 };
  #socketMs = 0;
  /** A socket refused a frame. */
  #full = false;
  readonly #header: FrameHeader = new FrameHeader();

  constructor(options: DatagramPairOptions = {}) {
    this.#options = options;
    const prng = new Prng(options.seed ?? 1);
    this.#tap = new TrafficTap(seededProvider(options.provider ?? nodeProvider(), prng));
    this.#provider = this.#tap.provider;
    this.link = new SimulatedLink({ seed: options.seed ?? 1, ...options.link });
    this.#limits = {
      a: connectionLimits(options.options ?? {}),
      b: connectionLimits({ ...options.options, ...options.acceptOptions }),
    };
    const keys = seedKeys(this.#provider, prng.bytes(32));
    this.#keys = keys;
    const common = (side: Side): {
      provider: CryptoProvider;
      staticKey: ReturnType<typeof staticKey>;
      parameters: ReturnType<typeof transportParameters>;
      suites: number[];
      timeoutMs: number;
      unixOffsetMs: number;
    } => ({
      provider: this.#provider,
      staticKey: staticKey(this.#provider, prng.bytes(32)),
      parameters: transportParameters(this.#limits[side], options.receiveBuffer),
      suites: [1, 2],
      timeoutMs: HANDSHAKE_MS,
      unixOffsetMs: this.clock.unixOffsetMs,
    });
    this.#acceptor = new Acceptor({ ...common("b"), seeds: [keys] }, this.clock.nowMs);
    this.a = Connection.dial({
      provider: this.#provider,
      limits: this.#limits.a,
      handshake: { ...common("a"), reliable: false, seedKeys: keys },
      path: this.#path(this.link.address("b")),
      tracer: options.tracers?.a,
      keyLog: options.keyLog,
      profile: options.profile,
    }, this.clock.nowMs);
  }

  /**
   * Copies of the session's traffic secrets, which the connections themselves have erased: for frames that a test seals.
   *
   * @throws {SttError} INTERNAL when there is no session yet.
   */
  get traffic(): TrafficSecrets {
    return this.#tap.newest;
  }

  /** Erases the seed's keys and what is half open; the pair is not run any more. */
  destroy(): void {
    this.#acceptor.destroy();
    this.#keys.wipe();
  }

  #path(remote: LinkAddress): PathOptions {
    const { congestion = DEFAULT_CONGESTION, pathMtu, receiveBuffer } = this.#options;
    return {
      congestion,
      loopback: false,
      remote,
      ...(pathMtu === undefined ? {} : { pathMtu }),
      ...(receiveBuffer === undefined ? {} : { receiveBuffer }),
    };
  }

  /** Undefined: wherever the other end is. */
  #reach(to: LinkAddress | undefined): LinkAddress | undefined {
    return this.#options.oldAddresses === true ? undefined : to;
  }

  /**
   * Runs until `until` says so, nothing is left to happen, or `limitMs` of virtual time have passed.
   *
   * @throws {SttError} INTERNAL when it is busy without end.
   */
  run(until: () => boolean, limitMs = 600_000): boolean {
    const end = this.clock.nowMs + limitMs;
    const lastStep = this.steps + MAX_STEPS;
    for (;;) {
      this.#turn(lastStep);
      if (until()) return true;
      // What `until` caused may be what it waits for.
      if (this.#turn(lastStep)) continue;
      const timer = Math.min(
        this.a.nextTimeout() ?? Infinity,
        this.b?.nextTimeout() ?? Infinity,
        this.#acceptor.nextTimeout() ?? Infinity,
      );
      const drained = this.#full ? this.#socketMs + 1 : Infinity;
      const next = Math.min(
        this.link.nextArrival() ?? Infinity,
        // What is due and finds the socket full is due for as long as that lasts.
        this.#full ? Math.max(timer, drained) : timer,
        this.wakeAtMs,
        drained,
      );
      if (next === Infinity || next > end) return until();
      this.#advance(next);
      this.#deliver();
      const { nowMs } = this.clock;
      if ((this.#acceptor.nextTimeout() ?? Infinity) <= nowMs) this.#acceptor.onTimeout(nowMs);
      for (const connection of [this.a, this.b]) {
        const due = connection?.nextTimeout();
        if (due !== undefined && due <= this.clock.nowMs) connection?.onTimeout(this.clock.nowMs);
      }
    }
  }

  /** The owner's rule: events are taken and frames sent until there are none. False when there were none. */
  #turn(lastStep: number): boolean {
    const now = this.clock.nowMs;
    const first = this.steps;
    for (const { frame, to } of this.#out.splice(0)) this.link.send("b", frame, now, to);
    for (let before = -1; before !== this.steps;) {
      before = this.steps;
      for (const side of ["a", "b"] as const) {
        const connection = side === "a" ? this.a : this.b;
        if (connection === undefined) continue;
        this.#events(side, connection);
        this.#transmit(side, connection, now);
      }
      if (this.steps > lastStep) {
        throw new SttError(
          "INTERNAL",
          `cannot run on: a is ${this.a.state}, b is ${this.b?.state}, busy without end at ${now} ms`,
        );
      }
    }
    return this.steps++ > first;
  }

  #transmit(side: Side, connection: Connection, now: number): void {
    const { socketFrames = Infinity } = this.#options;
    while (this.#taken[side] < socketFrames) {
      const frame = connection.transmit(now);
      if (frame === undefined) return;
      this.#taken[side]++;
      this.steps++;
      this.link.send(side, frame, now, this.#reach(connection.target));
      connection.recycle(frame);
    }
    this.#full = true;
  }

  #advance(next: number): void {
    const { clock } = this;
    const { tickMs = 0 } = this.#options;
    const at = tickMs === 0 ? next : Math.ceil(next / tickMs) * tickMs;
    if (at > clock.nowMs) clock.advanceTo(at);
    if (clock.nowMs < this.#socketMs + 1) return;
    this.#socketMs = clock.nowMs;
    this.#full = false;
    this.#taken.a = 0;
    this.#taken.b = 0;
  }

  #events(side: Side, connection: Connection): void {
    let count = 0;
    for (let event = connection.nextEvent(); event !== undefined; event = connection.nextEvent()) {
      count++;
      if (event.type === "identified") connection.accept(this.clock.nowMs);
      this.onEvent?.(side, event);
    }
    this.steps += count;
    if (count > this.mostEvents) this.mostEvents = count;
  }

  #deliver(): void {
    const now = this.clock.nowMs;
    for (const side of ["a", "b"] as const) {
      let any = false;
      for (
        let datagram = this.link.receive(side, now);
        datagram !== undefined;
        datagram = this.link.receive(side, now)
      ) {
        any = true;
        const { data, from } = datagram;
        if (side === "a") this.a.receive(data, now, from.host, from.port);
        else this.#toListener(datagram, now);
      }
      if (any) (side === "a" ? this.a : this.b)?.endOfBatch(now);
    }
  }

  #toListener({ data, from }: LinkDatagram, now: number): void {
    try {
      parseFrameHeader(data, 0, data.length, FRAME_MAX_BODY, this.#header);
    } catch {
      return;
    }
    if (this.#header.type !== FRAME_HANDSHAKE) {
      this.b?.receive(data, now, from.host, from.port);
      return;
    }
    const { end } = this.#header;
    const source = { ...from, reliable: false };
    const result = this.#acceptor.receive(data.subarray(0, end), source, now);
    if (result.kind === "send") this.#out.push({ frame: result.frame, to: from });
    if (result.kind === "session") {
      this.b = Connection.accepted({
        provider: this.#provider,
        limits: this.#limits.b,
        acceptor: this.#acceptor,
        pending: result.pending,
        path: this.#path(from),
        tracer: this.#options.tracers?.b,
      }, now);
    }
    // SPEC 4: behind AUTH_PROOF comes a frame of its session.
    if (end < data.length) this.b?.receive(data.subarray(end), now, from.host, from.port);
  }
}
