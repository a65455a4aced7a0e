/**
 * A UDP listener as the endpoint runs it, without sockets and in virtual time: the router of datagrams, the acceptor, the
 * stateless resets, and sessions that are driven as their owner would.
 *
 * @module
 */
import {
  connectionLimits,
  type ConnectionOptions,
  transportParameters,
} from "../../src/connection/config.ts";
import { DEFAULT_CONGESTION } from "../../src/connection/congestion/controller.ts";
import { Connection } from "../../src/connection/connection.ts";
import { seedKeys, staticKey } from "../../src/crypto/key_schedule.ts";
import { nodeProvider } from "../../src/crypto/node_provider.ts";
import type { CryptoProvider } from "../../src/crypto/provider.ts";
import { ResetTokens } from "../../src/crypto/reset_tokens.ts";
import { StatelessReset } from "../../src/endpoint/stateless_reset.ts";
import type { UdpChannel } from "../../src/endpoint/udp_channel.ts";
import { UdpListener } from "../../src/endpoint/udp_listener.ts";
import { Acceptor } from "../../src/handshake/acceptor.ts";
import type { PendingSession } from "../../src/handshake/types.ts";
import { FakeClock } from "../../src/testing/fake_clock.ts";
import { Prng } from "../../src/testing/prng.ts";
import { seededProvider } from "../../src/testing/seeded_provider.ts";
import type { LinkAddress } from "../../src/testing/simulated_link.ts";
import type { DatagramSink, DatagramSocket } from "../../src/transport/udp/datagram_socket.ts";
import { Finding } from "./target.ts";

const LISTENER: LinkAddress = { host: "192.0.2.1", port: 4780 };
const HANDSHAKE_MS = 10_000;
const OPTIONS: ConnectionOptions = { maxIdle: 120_000, closeFlush: 500 };
const MAX_TURNS = 100_000;

/** One node that dials the listener. */
export class Client {
  readonly connection: Connection;
  readonly address: LinkAddress;
  /** Everything it sent. */
  readonly sent: Uint8Array[] = [];
  pongs = 0;

  constructor(connection: Connection, address: LinkAddress) {
    this.connection = connection;
    this.address = address;
  }
}

/** The listener, its clients and whatever is sent from elsewhere. */
export class LiveListener {
  readonly clock: FakeClock = new FakeClock();
  readonly listener: UdpListener;
  readonly acceptor: Acceptor;
  /** Bytes that the listener got from and sent to each address. */
  readonly counts: Map<string, { in: number; out: number }> = new Map();
  /** Sessions at the listener, ever. */
  sessions = 0;
  readonly #clients: Client[] = [];
  readonly #served: Map<Connection, UdpChannel> = new Map();
  readonly #prng: Prng;
  readonly #provider: CryptoProvider;
  readonly #seed: Uint8Array;
  readonly #toListener: { bytes: Uint8Array; from: LinkAddress }[] = [];
  #sink: DatagramSink | undefined;

  constructor(seed: number) {
    const prng = new Prng(seed);
    const provider = seededProvider(nodeProvider(), prng);
    const { clock } = this;
    const limits = connectionLimits(OPTIONS);
    this.#prng = prng;
    this.#provider = provider;
    this.#seed = prng.bytes(32);
    const tokens = new ResetTokens(provider, prng.bytes(32));
    this.acceptor = new Acceptor({
      provider,
      seeds: [seedKeys(provider, this.#seed)],
      staticKey: staticKey(provider, prng.bytes(32)),
      parameters: transportParameters(limits),
      suites: [1, 2],
      timeoutMs: HANDSHAKE_MS,
      unixOffsetMs: clock.unixOffsetMs,
      resetToken: (id) => tokens.of(id),
      sessionIdTaken: (id) => this.listener.isTaken(id),
    }, clock.nowMs);
    this.listener = new UdpListener(this.#socket(), HANDSHAKE_MS, {
      now: () => clock.nowMs,
      handshake: (frame, host, port, nowMs) =>
        this.acceptor.receive(frame, { host, port, reliable: false }, nowMs),
      session: (pending, channel, rttMs) => this.#serve(pending, channel, rttMs),
      ended: (pending) => this.acceptor.release(pending),
      reset: new StatelessReset(provider, tokens),
      error: (error) => {
        throw error;
      },
    });
  }

  /** A node that dials from `address`; `hello`: what it sends first is only noted. */
  dial(address: LinkAddress, hello: boolean = true): Client {
    const limits = connectionLimits(OPTIONS);
    const connection = Connection.dial({
      provider: this.#provider,
      limits,
      handshake: {
        provider: this.#provider,
        reliable: false,
        seedKeys: seedKeys(this.#provider, this.#seed),
        staticKey: staticKey(this.#provider, this.#prng.bytes(32)),
        parameters: transportParameters(limits),
        suites: [1, 2],
        timeoutMs: HANDSHAKE_MS,
        unixOffsetMs: this.clock.unixOffsetMs,
      },
      path: { congestion: DEFAULT_CONGESTION, loopback: false, remote: LISTENER },
    }, this.clock.nowMs);
    const client = new Client(connection, address);
    if (hello) this.#clients.push(client);
    else {
      const frame = connection.transmit(this.clock.nowMs);
      if (frame !== undefined) client.sent.push(frame);
    }
    return client;
  }

  /** A datagram from anywhere. */
  send(bytes: Uint8Array, from: LinkAddress): void {
    this.#toListener.push({ bytes: bytes.slice(), from });
    this.#settle();
  }

  /** Lets `ms` of virtual time pass, timers included. */
  wait(ms: number): void {
    const until = this.clock.nowMs + ms;
    this.run(() => false, ms);
    if (this.clock.nowMs < until) this.clock.advanceTo(until);
  }

  /** Runs until `done`; false when that was not in `limitMs`. */
  run(done: () => boolean, limitMs: number): boolean {
    const end = this.clock.nowMs + limitMs;
    for (let turns = 0; turns < MAX_TURNS; turns++) {
      this.#settle();
      if (done()) return true;
      const next = Math.min(...this.#connections().map((one) => one.nextTimeout() ?? Infinity));
      if (next > end) return false;
      this.clock.advanceTo(Math.max(this.clock.nowMs, next));
      const { nowMs } = this.clock;
      this.acceptor.onTimeout(nowMs);
      this.listener.onTimeout(nowMs);
      for (const one of this.#connections()) {
        if ((one.nextTimeout() ?? Infinity) <= nowMs) one.onTimeout(nowMs);
      }
    }
    throw new Finding("busy without end");
  }

  #connections(): Connection[] {
    return [...this.#clients.map(({ connection }) => connection), ...this.#served.keys()];
  }

  #socket(): DatagramSocket {
    return {
      localHost: LISTENER.host,
      localPort: LISTENER.port,
      family: 4,
      receiveBuffer: 1_000_000,
      full: false,
      start: (sink) => {
        this.#sink = sink;
      },
      send: (bytes, host, port) => {
        this.#count({ host, port }).out += bytes.length;
        const client = this.#clients.find(({ address }) =>
          address.host === host && address.port === port
        );
        client?.connection.receive(bytes.slice(), this.clock.nowMs, LISTENER.host, LISTENER.port);
        return true;
      },
      close: () => Promise.resolve(),
    };
  }

  #count({ host, port }: LinkAddress): { in: number; out: number } {
    const key = `${host}:${port}`;
    const count = this.counts.get(key) ?? { in: 0, out: 0 };
    this.counts.set(key, count);
    return count;
  }

  #serve(pending: PendingSession, channel: UdpChannel, rttMs: number | undefined): void {
    const { remote, receiveBuffer, validated, received } = channel;
    this.sessions++;
    const connection = Connection.accepted({
      provider: this.#provider,
      limits: connectionLimits(OPTIONS),
      acceptor: this.acceptor,
      pending,
      path: {
        congestion: DEFAULT_CONGESTION,
        loopback: false,
        receiveBuffer,
        remote,
        validated,
        received,
      },
      ...(rttMs === undefined ? {} : { rttMs }),
    }, this.clock.nowMs);
    this.#served.set(connection, channel);
    channel.start({
      data: (bytes, host, port) => connection.receive(bytes, this.clock.nowMs, host, port),
      batchEnd: () => connection.endOfBatch(this.clock.nowMs),
      written: () => undefined,
      drain: () => undefined,
      end: () => undefined,
    });
  }

  /** Everything that can be said now is said, and heard. */
  #settle(): void {
    for (let turns = 0; this.#turn(); turns++) {
      if (turns > MAX_TURNS) throw new Finding("busy without end");
    }
  }

  #turn(): boolean {
    let busy = false;
    const { nowMs } = this.clock;
    for (const client of this.#clients) {
      const { connection, address } = client;
      for (
        let event = connection.nextEvent();
        event !== undefined;
        event = connection.nextEvent()
      ) {
        busy = true;
        if (event.type === "pong") client.pongs++;
      }
      for (let frame = connection.transmit(nowMs); frame; frame = connection.transmit(nowMs)) {
        busy = true;
        client.sent.push(frame.slice());
        this.#toListener.push({ bytes: frame.slice(), from: address });
      }
      connection.endOfBatch(nowMs);
    }
    for (const [connection, channel] of this.#served) {
      busy = this.#pump(connection, channel) || busy;
    }
    for (const { bytes, from } of this.#toListener.splice(0)) {
      busy = true;
      this.#count(from).in += bytes.length;
      this.#sink?.datagram(bytes, from.host, from.port);
      this.#sink?.batchEnd();
    }
    return busy;
  }

  #pump(connection: Connection, channel: UdpChannel): boolean {
    const { nowMs } = this.clock;
    let busy = false;
    for (let event = connection.nextEvent(); event !== undefined; event = connection.nextEvent()) {
      busy = true;
      if (event.type === "identified") connection.accept(nowMs);
      if (event.type === "migrated") channel.moved(event.to);
    }
    for (let frame = connection.transmit(nowMs); frame; frame = connection.transmit(nowMs)) {
      busy = true;
      channel.send(frame, connection.target);
    }
    if (connection.finished && this.#served.delete(connection)) void channel.close();
    return busy;
  }
}
