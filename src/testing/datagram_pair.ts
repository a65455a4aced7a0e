/**
 * Two connections joined by a bad network in virtual time.
 *
 * @module
 */
import { parseFrameHeader } from "../codec/frame.ts";
import { FrameHeader } from "../codec/frame.ts";
import {
  connectionLimits,
  type ConnectionOptions,
  transportParameters,
} from "../connection/config.ts";
import { Connection } from "../connection/connection.ts";
import type { CongestionControlName } from "../connection/congestion/controller.ts";
import type { ConnectionEvent } from "../connection/events.ts";
import type { PathOptions } from "../connection/session_core.ts";
import { FRAME_HANDSHAKE, FRAME_MAX_BODY } from "../constants.ts";
import { seedKeys, staticKey } from "../crypto/key_schedule.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Acceptor } from "../handshake/acceptor.ts";
import { FakeClock } from "./fake_clock.ts";
import { Prng } from "./prng.ts";
import { seededProvider } from "./seeded_provider.ts";
import { type Side, SimulatedLink, type SimulatedLinkOptions } from "./simulated_link.ts";

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
  /** Default: the connection's own. */
  readonly congestion?: CongestionControlName;
  /** Datagram size that both vouch for. */
  readonly pathMtu?: number;
  /** Bytes of the receive buffers that both sides take themselves to have. Default: unlimited. */
  readonly receiveBuffer?: number;
  /** Cryptography; its randomness is replaced by the seed's. Default `node:crypto`. */
  readonly provider?: CryptoProvider;
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
  readonly #acceptor: Acceptor;
  readonly #options: DatagramPairOptions;
  readonly #provider: CryptoProvider;
  readonly #out: Uint8Array[] = [];
  readonly #header: FrameHeader = new FrameHeader();

  constructor(options: DatagramPairOptions = {}) {
    this.#options = options;
    const prng = new Prng(options.seed ?? 1);
    this.#provider = seededProvider(options.provider ?? nodeProvider(), prng);
    this.link = new SimulatedLink({ seed: options.seed ?? 1, ...options.link });
    const limits = connectionLimits(options.options ?? {});
    const keys = seedKeys(this.#provider, prng.bytes(32));
    const common = (): {
      provider: CryptoProvider;
      staticKey: ReturnType<typeof staticKey>;
      parameters: ReturnType<typeof transportParameters>;
      suites: number[];
      timeoutMs: number;
      unixOffsetMs: number;
    } => ({
      provider: this.#provider,
      staticKey: staticKey(this.#provider, prng.bytes(32)),
      parameters: transportParameters(limits, options.receiveBuffer),
      suites: [1, 2],
      timeoutMs: HANDSHAKE_MS,
      unixOffsetMs: this.clock.unixOffsetMs,
    });
    this.#acceptor = new Acceptor({ ...common(), seeds: [keys] }, this.clock.nowMs);
    this.a = Connection.dial({
      provider: this.#provider,
      limits,
      handshake: { ...common(), reliable: false, seedKeys: keys },
      path: this.#path(),
    }, this.clock.nowMs);
  }

  #path(): PathOptions {
    const { congestion = "cubic", pathMtu, receiveBuffer } = this.#options;
    return {
      congestion,
      loopback: false,
      ...(pathMtu === undefined ? {} : { pathMtu }),
      ...(receiveBuffer === undefined ? {} : { receiveBuffer }),
    };
  }

  /** Runs until `until` says so, nothing is left to happen, or `limitMs` of virtual time have passed. */
  run(until: () => boolean, limitMs = 600_000): boolean {
    const end = this.clock.nowMs + limitMs;
    for (;;) {
      this.#turn();
      if (until()) return true;
      const next = Math.min(
        this.link.nextArrival() ?? Infinity,
        this.a.nextTimeout() ?? Infinity,
        this.b?.nextTimeout() ?? Infinity,
        this.#acceptor.nextTimeout() ?? Infinity,
      );
      if (next === Infinity || next > end) return until();
      if (next > this.clock.nowMs) this.clock.advance(next - this.clock.nowMs);
      this.#deliver();
      const { nowMs } = this.clock;
      if ((this.#acceptor.nextTimeout() ?? Infinity) <= nowMs) this.#acceptor.onTimeout(nowMs);
      for (const connection of [this.a, this.b]) {
        const due = connection?.nextTimeout();
        if (due !== undefined && due <= this.clock.nowMs) connection?.onTimeout(this.clock.nowMs);
      }
    }
  }

  #turn(): void {
    const now = this.clock.nowMs;
    for (const frame of this.#out.splice(0)) this.link.send("b", frame, now);
    for (const side of ["a", "b"] as const) {
      const connection = side === "a" ? this.a : this.b;
      if (connection === undefined) continue;
      this.#events(side, connection);
      for (
        let frame = connection.transmit(now);
        frame !== undefined;
        frame = connection.transmit(now)
      ) {
        this.link.send(side, frame, now);
      }
      this.#events(side, connection);
    }
  }

  #events(side: Side, connection: Connection): void {
    for (let event = connection.nextEvent(); event !== undefined; event = connection.nextEvent()) {
      if (event.type === "identified") connection.accept(this.clock.nowMs);
      this.onEvent?.(side, event);
    }
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
        if (side === "a") this.a.receive(datagram.data, now);
        else this.#toListener(datagram.data, now);
      }
      if (any) (side === "a" ? this.a : this.b)?.endOfBatch(now);
    }
  }

  #toListener(data: Uint8Array, now: number): void {
    try {
      parseFrameHeader(data, 0, data.length, FRAME_MAX_BODY, this.#header);
    } catch {
      return;
    }
    if (this.#header.type !== FRAME_HANDSHAKE) {
      this.b?.receive(data, now);
      return;
    }
    const result = this.#acceptor.receive(
      data,
      { host: "10.0.0.1", port: 1, reliable: false },
      now,
    );
    if (result.kind === "send") this.#out.push(result.frame);
    if (result.kind === "session") {
      this.b = Connection.accepted({
        provider: this.#provider,
        limits: connectionLimits(this.#options.options ?? {}),
        acceptor: this.#acceptor,
        pending: result.pending,
        path: this.#path(),
      }, now);
    }
  }
}
