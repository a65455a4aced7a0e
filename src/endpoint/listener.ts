/**
 * Listening.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import { Connection } from "../connection/connection.ts";
import type { ConnectionEvent } from "../connection/events.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import type { PendingSession } from "../handshake/types.ts";
import { parseAddress } from "../transport/address.ts";
import type {
  DatagramTransport,
  TransportConnection,
  TransportListener,
} from "../transport/transport.ts";
import type { DatagramSocket } from "../transport/udp/datagram_socket.ts";
import { decide } from "./admission.ts";
import { chooseTransport, runtimeSetup } from "./connect.ts";
import { publish } from "./diagnostics.ts";
import { Driver } from "./driver.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "./event_reader.ts";
import type { ListenerEvents, ListenerStats } from "./listener_events.ts";
import { listenerParameters, type ListenerParts, listenerParts } from "./listener_parts.ts";
import {
  type ListenOptions,
  maxMessageBytes,
  pairKeyOf,
  pathOptions,
  positive,
  seedKeyList,
  sessionBase,
} from "./options.ts";
import { Peer } from "./peer.ts";
import type { WaitOptions } from "./stt_stream.ts";
import { type ListenerOptions, TypedEvents } from "./typed_events.ts";
import type { UdpChannel } from "./udp_channel.ts";
import { StatelessReset } from "./stateless_reset.ts";
import { UdpListener } from "./udp_listener.ts";
import { WaitingPeers } from "./waiting_peers.ts";

const DEFAULT_MAX_SESSIONS = 1024;
/** Of the oldest strangers. */
const MAX_STRANGERS_LOOKED_AT = 64;
/** How often half-open handshakes are swept while there are any. */
const SWEEP_MS = 1000;

export type { ListenerEvents, ListenerStats };

/** Accepts sessions. Iterate it, or listen to its `peer` event. */
export class Listener implements AsyncIterable<Peer>, AsyncDisposable {
  /** This node's identity, 32 bytes: what dialling peers pin with `expect`. */
  readonly nodeId: Uint8Array;
  /** Resolves when the listener and all of its sessions have ended. */
  readonly closed: Promise<void>;
  readonly #parts: ListenerParts;
  readonly #waiting: WaitingPeers = new WaitingPeers();
  readonly #handshaking: Set<Driver> = new Set();
  readonly #events: TypedEvents<ListenerEvents> = new TypedEvents();
  #transport: TransportListener | undefined;
  #datagrams: UdpListener | undefined;
  #closing: Promise<void> | undefined;
  #resolveClosed: () => void = () => undefined;
  #sweep: ReturnType<typeof setTimeout> | undefined;
  #accepted = 0;
  #rejected = 0;

  /** Use {@link listen}. */
  constructor(parts: ListenerParts) {
    this.#parts = parts;
    this.nodeId = parts.setup.staticKey.publicKey.slice();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  /** The bound address with its real port. */
  get address(): string {
    return this.#transport?.address ?? "";
  }

  /** Called once by {@link listen}. */
  bind(transport: TransportListener): void {
    this.#transport = transport;
  }

  /** A new transport connection. */
  onConnection(transport: TransportConnection): void {
    if (this.#closing !== undefined) {
      transport.abort();
      return;
    }
    const { acceptor, setup, halfOpen } = this.#parts;
    if (this.#handshaking.size >= halfOpen) this.#dropOldestStranger();
    this.#correctClock();
    const connection = Connection.answer({
      ...sessionBase(setup, "responder", transport),
      acceptor,
      from: { host: transport.remoteHost, port: 0 },
      handshakeTimeout: setup.handshakeTimeout,
      acceptTimeout: setup.acceptTimeout,
    }, setup.clock.now());
    this.#run(connection, transport);
  }

  /**
   * Whoever means it is through in two round trips; refusing the newest would let a silent crowd shut the door. First go
   * those who were refused and do not leave, then those who have shown nothing.
   */
  #dropOldestStranger(): void {
    let oldest: Driver | undefined;
    let looked = 0;
    let silent: Driver | undefined;
    for (const driver of this.#handshaking) {
      const { state, answered } = driver.connection;
      if (state === "closed") return this.#drop(driver);
      if (state !== "handshaking") continue;
      oldest ??= driver;
      if (!answered) silent ??= driver;
      // It must not cost a walk over all.
      if (++looked === MAX_STRANGERS_LOOKED_AT) break;
    }
    const given = silent ?? oldest;
    if (given !== undefined) this.#drop(given);
  }

  #drop(driver: Driver): void {
    this.#handshaking.delete(driver);
    driver.transport.abort();
  }

  /** UDP: takes the socket of all peers. Call it in the turn in which it was opened. */
  bindDatagrams(socket: DatagramSocket): void {
    const { acceptor, acceptorConfig, options, setup } = this.#parts;
    const { clock } = setup;
    acceptorConfig.parameters = listenerParameters(setup, options, socket.receiveBuffer);
    this.#datagrams = new UdpListener(socket, setup.handshakeTimeout, {
      now: () => clock.now(),
      handshake: (frame, host, port, nowMs) => {
        this.#correctClock();
        const result = acceptor.receive(frame, { host, port, reliable: false }, nowMs);
        if (acceptor.nextTimeout() !== undefined) this.#armSweep();
        return result;
      },
      session: (pending, channel, rttMs) => this.#onSession(pending, channel, rttMs),
      ended: (pending) => acceptor.release(pending),
      reset: setup.resetTokens &&
        new StatelessReset(setup.provider, setup.resetTokens, options.resetRate),
      error: (error) => this.onError(error),
    });
    this.#transport = this.#datagrams;
  }

  /** Whether a new session must not get this id. */
  isTaken(sessionId: Uint8Array): boolean {
    return this.#datagrams?.isTaken(sessionId) === true;
  }

  #onSession(pending: PendingSession, channel: UdpChannel, rttMs: number | undefined): void {
    const { acceptor, setup } = this.#parts;
    const connection = Connection.accepted({
      ...sessionBase(setup, "responder", channel),
      acceptor,
      pending,
      path: pathOptions(setup, channel),
      acceptTimeout: setup.acceptTimeout,
      ...(rttMs === undefined ? {} : { rttMs }),
    }, setup.clock.now());
    this.#run(connection, channel);
  }

  #correctClock(): void {
    const { acceptorConfig, setup } = this.#parts;
    acceptorConfig.unixOffsetMs = setup.clock.unix() - setup.clock.now();
  }

  #run(connection: Connection, transport: TransportConnection): void {
    const { setup } = this.#parts;
    let peer: Peer | undefined;
    const onEvent = (event: ConnectionEvent): void => {
      if (event.type === "identified") decide(driver, this.#parts, (error) => this.onError(error));
      if (event.type === "established") {
        peer = this.#established(driver);
      }
      peer?.dispatch(event);
      if (event.type === "established" && peer !== undefined) this.#announce(peer, connection);
      if (event.type !== "closed") return;
      if (peer === undefined) this.#reject(transport.remoteAddress, event.facts.error);
      else this.#waiting.ended(peer);
    };
    const driver = new Driver(connection, transport, setup.clock, onEvent, setup.answerPoll);
    this.#handshaking.add(driver);
    void driver.ended.then(() => {
      this.#handshaking.delete(driver);
      this.#parts.sessions.delete(driver);
    });
    this.#armSweep();
    driver.start();
  }

  /** An error of the listening socket. */
  onError(error: SttError): void {
    this.#events.emit("error", error);
  }

  #established(driver: Driver): Peer | undefined {
    const { session } = driver.connection;
    if (session === undefined) return undefined;
    this.#handshaking.delete(driver);
    this.#parts.sessions.add(driver);
    this.#accepted++;
    return new Peer(driver, session);
  }

  #announce(peer: Peer, { session }: Connection): void {
    if (session !== undefined && this.#parts.options.resumption?.claim(peer, session)) return;
    this.#waiting.add(peer);
    this.#events.emit("peer", peer);
  }

  #reject(remoteAddress: string, cause: SttError | undefined): void {
    this.#rejected++;
    const error = cause ?? new SttError("CLOSED", "the peer closed during the handshake");
    publish("stt:rejected", () => ({ remoteAddress, error }));
    this.#events.emit("rejected", { remoteAddress, error });
  }

  /** The next peer, or null once the listener is closed. */
  nextPeer(options: WaitOptions = {}): Promise<Peer | null> {
    return this.#waiting.next(options.signal);
  }

  /** Peers until the listener closes; leaving the loop does not close it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Peer, void, void> {
    for (;;) {
      const peer = await this.nextPeer();
      if (peer === null) return;
      yield peer;
    }
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof ListenerEvents>(
    name: Name,
    listener: (detail: ListenerEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof ListenerEvents = keyof ListenerEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<ListenerEvents, Name>> {
    return this.#events.events(names, options);
  }

  /** Counters. */
  stats(): ListenerStats {
    return {
      address: this.address,
      nodeId: toHex(this.nodeId),
      sessions: this.#parts.sessions.size,
      handshaking: Math.max(this.#handshaking.size, this.#parts.acceptor.halfOpenCount),
      accepted: this.#accepted,
      rejected: this.#rejected,
      resets: this.#datagrams?.resets ?? 0,
      drops: Object.fromEntries([
        ...this.#parts.acceptor.drops,
        ...this.#datagrams?.drops ?? [],
      ]),
    };
  }

  /** Stops accepting and closes all sessions in order. Resolves when every socket is closed. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { setup, seedKeys, sessions } = this.#parts;
    this.#waiting.end();
    const drivers = [...this.#handshaking, ...sessions];
    for (const driver of drivers) {
      driver.connection.close(setup.clock.now());
      driver.schedule();
    }
    await Promise.all([this.#transport?.close(), ...drivers.map((driver) => driver.ended)]);
    clearTimeout(this.#sweep);
    this.#parts.acceptor.destroy();
    for (const keys of seedKeys) keys.wipe();
    setup.staticKey.destroy();
    setup.resetTokens?.wipe();
    const { pairKey } = this.#parts.acceptorConfig;
    if (pairKey instanceof Uint8Array) wipe(pairKey);
    this.#events.close();
    this.#resolveClosed();
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Half-open handshakes of vanished peers expire; without any there is no timer. */
  #armSweep(): void {
    if (this.#sweep !== undefined) return;
    this.#sweep = setTimeout(() => {
      this.#sweep = undefined;
      const { acceptor, setup } = this.#parts;
      acceptor.onTimeout(setup.clock.now());
      this.#datagrams?.onTimeout(setup.clock.now());
      if (this.#handshaking.size > 0 || acceptor.nextTimeout() !== undefined) this.#armSweep();
    }, SWEEP_MS);
  }
}

/**
 * Listens on an address for peers that know the seed.
 *
 * Addresses: `ws://host:port/path`, `wss://host:port/path` (with `transport: { cert, key }`), `tcp://host:port`,
 * `udp://host:port`, `mem:name`; port 0 takes a free one.
 *
 * @throws {SttError} `ADDRESS`, `CONFIG`, `SEED`; `TRANSPORT` when the address cannot be bound.
 *
 * @example
 * ```ts
 * import { generateSeed, listen } from "@seigr/stt";
 * const listener = await listen("ws://127.0.0.1:0/", { seed: generateSeed() });
 * console.log(listener.address.startsWith("ws://127.0.0.1:")); // true
 * await listener.close();
 * ```
 */
export async function listen(address: string, options: ListenOptions): Promise<Listener> {
  options.signal?.throwIfAborted();
  const inputs = [...(options.seed === undefined ? [] : [options.seed]), ...options.seeds ?? []];
  const transport = chooseTransport(address, options.transports);
  const maxSessions = positive("maxSessions", options.maxSessions, DEFAULT_MAX_SESSIONS);
  const setup = runtimeSetup(options, inputs);
  const secrets = [() => setup.staticKey.destroy(), () => setup.resetTokens?.wipe()];
  try {
    const seedKeys = seedKeyList(setup.provider, inputs);
    secrets.push(...seedKeys.map((keys) => () => keys.wipe()));
    const pairKey = pairKeyOf(options.pairKey, (error) => listener.onError(error));
    if (pairKey instanceof Uint8Array) secrets.push(() => wipe(pairKey));
    const listener: Listener = new Listener(listenerParts({
      options,
      setup,
      seedKeys,
      pairKey,
      maxSessions,
      datagrams: "open" in transport,
      isTaken: (sessionId) => listener.isTaken(sessionId),
    }));
    if ("open" in transport) {
      listener.bindDatagrams(await bindDatagrams(transport, address, options.signal));
      await closeOnAbort(listener, options.signal);
      return listener;
    }
    listener.bind(
      await transport.listen(
        address,
        (connection) => listener.onConnection(connection),
        {
          maxMessageBytes: maxMessageBytes(setup.limits),
          ...options.transport,
          ...(options.signal === undefined ? {} : { signal: options.signal }),
        },
        (error) => listener.onError(error),
      ),
    );
    await closeOnAbort(listener, options.signal);
    return listener;
  } catch (error) {
    for (const wipeSecret of secrets) wipeSecret();
    throw error;
  }
}

function bindDatagrams(
  transport: DatagramTransport,
  address: string,
  signal: AbortSignal | undefined,
): Promise<DatagramSocket> {
  const { host, port } = parseAddress(address);
  return transport.open({ host, port, ...(signal === undefined ? {} : { signal }) });
}

async function closeOnAbort(listener: Listener, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return;
  const onAbort = (): void => void listener.close();
  signal.addEventListener("abort", onAbort, { once: true });
  void listener.closed.then(() => signal.removeEventListener("abort", onAbort));
  if (!signal.aborted) return;
  await listener.close();
  signal.throwIfAborted();
}
