/**
 * One datagram socket and the sessions of all its peers.
 *
 * @module
 */
import { FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import {
  EARLY_BYTES,
  EARLY_DATAGRAMS,
  FRAME_HANDSHAKE,
  FRAME_MAX_BODY,
  MAGIC_0,
  MAGIC_1,
  TOMBSTONE_MS,
} from "../constants.ts";
import type { SttError } from "../errors.ts";
import { decodeMessage } from "../handshake/messages.ts";
import type { AcceptorResult, PendingSession } from "../handshake/types.ts";
import { formatAddress } from "../transport/address.ts";
import type { DatagramTarget, TransportListener } from "../transport/transport.ts";
import type { DatagramSink, DatagramSocket } from "../transport/udp/datagram_socket.ts";
import { ExpiringIds } from "./expiring_ids.ts";
import type { StatelessReset } from "./stateless_reset.ts";
import { sessionIdOf, sessionIdWord, SessionTable } from "./session_table.ts";
import { type ChannelOwner, UdpChannel } from "./udp_channel.ts";

/** SPEC 7: nothing shorter is a frame of a session, nor a handshake message. */
const SHORTEST_BYTES = 34;

/** Why a datagram was dropped before any session saw it. */
export type UdpDrop =
  | "malformed" // no frame at its start
  | "session" // a protected frame of a session that is not here
  | "tombstone" // of one that ended within the last 10 s
  | "early" // more than SPEC 6.3 lets wait for AUTH_PROOF
  | "trailing" // what followed a handshake message was not a frame of its session
  | "closing" // a handshake that came while the listener closes
  | "full"; // an answer that the socket had no room for

/** What a router asks of its listener. */
export interface UdpHost {
  now(): number;
  /** A HANDSHAKE frame of anybody. */
  handshake(frame: Uint8Array, host: string, port: number, nowMs: number): AcceptorResult;
  /** AUTH_PROOF verified: runs the session over the channel from now on. */
  session(pending: PendingSession, channel: UdpChannel, rttMs: number | undefined): void;
  /** The session is over. */
  ended(pending: PendingSession): void;
  /** Answers packets of sessions that are not here; absent where the node has no lasting seed. */
  readonly reset?: StatelessReset | undefined;
  error(error: SttError): void;
}

/** A datagram that came before its AUTH_PROOF. */
interface Early {
  readonly bytes: Uint8Array;
  readonly host: string;
  readonly port: number;
}

/** A handshake between RESPONSE and AUTH_PROOF. */
interface HalfOpen {
  /** When RESPONSE went out; undefined once it went twice, because an answer to either says nothing of the path. */
  respondedMs: number | undefined;
  /** Where RESPONSE went; undefined once it went to two addresses, either of which may have got the answer. */
  respondedTo: DatagramTarget | undefined;
  readonly early: Early[];
  earlyBytes: number;
}

interface Session {
  readonly high: number;
  readonly low: number;
  readonly pending: PendingSession;
}

/** Routes the datagrams of one socket: handshakes to the acceptor, packets to their sessions. */
export class UdpListener implements TransportListener, ChannelOwner, DatagramSink {
  readonly socket: DatagramSocket;
  readonly address: string;
  /** Datagrams dropped, by reason. */
  readonly drops: Map<UdpDrop, number> = new Map();
  /** Stateless resets sent. */
  resets = 0;
  readonly #host: UdpHost;
  readonly #header: FrameHeader = new FrameHeader();
  readonly #channels: SessionTable<UdpChannel> = new SessionTable();
  readonly #sessions: Map<UdpChannel, Session> = new Map();
  readonly #halfOpen: ExpiringIds<HalfOpen>;
  readonly #tombstones: ExpiringIds<true> = new ExpiringIds(TOMBSTONE_MS);
  readonly #blocked: Set<UdpChannel> = new Set();
  #batch: UdpChannel[] = [];
  #error: SttError | undefined;
  #closing: Promise<void> | undefined;
  #onEmpty: (() => void) | undefined;

  /** Begins to receive at once: construct it in the turn in which the socket was opened. */
  constructor(socket: DatagramSocket, handshakeTimeoutMs: number, host: UdpHost) {
    this.socket = socket;
    this.#host = host;
    this.#halfOpen = new ExpiringIds(handshakeTimeoutMs);
    this.address = formatAddress({
      scheme: "udp",
      host: socket.localHost,
      port: socket.localPort,
    });
    socket.start(this);
  }

  /** True for ids that a new session must not get: those here, and those that ended within the last 10 s. */
  isTaken(sessionId: Uint8Array): boolean {
    const high = sessionIdWord(sessionId, 0);
    const low = sessionIdWord(sessionId, 4);
    return this.#channels.get(high, low) !== undefined ||
      this.#tombstones.get(high, low, this.#host.now()) !== undefined;
  }

  /** Forgets what is over. */
  onTimeout(nowMs: number): void {
    this.#halfOpen.expire(nowMs);
    this.#tombstones.expire(nowMs);
  }

  /** Takes no more handshakes; the socket closes when its sessions have ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#sessions.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    await this.socket.close();
  }

  // ---- the socket's reports ----

  datagram(bytes: Uint8Array, host: string, port: number): void {
    const header = this.#header;
    if (!this.#parse(bytes)) return this.#drop("malformed");
    if (header.type === FRAME_HANDSHAKE) this.#onHandshake(bytes, header.end, host, port);
    else this.#onPacket(bytes, header.sessionIdHigh, header.sessionIdLow, host, port);
  }

  batchEnd(): void {
    const batch = this.#batch;
    this.#batch = [];
    for (const channel of batch) channel.batchEnd();
  }

  /** In turns: a channel that fills the socket again stands behind those that wait. */
  drain(): void {
    for (const channel of this.#blocked) {
      if (this.socket.full) return;
      this.#blocked.delete(channel);
      channel.drain();
    }
  }

  error(error: SttError): void {
    this.#error = error;
    this.#host.error(error);
  }

  closed(): void {
    for (const channel of [...this.#sessions.keys()]) channel.end(this.#error);
  }

  // ---- the channels' reports ----

  blocked(channel: UdpChannel): void {
    this.#blocked.add(channel);
  }

  released(channel: UdpChannel): Promise<void> {
    this.#blocked.delete(channel);
    const session = this.#sessions.get(channel);
    if (session === undefined) return Promise.resolve();
    const { high, low, pending } = session;
    this.#sessions.delete(channel);
    this.#channels.delete(high, low);
    this.#tombstones.add(high, low, true, this.#host.now());
    this.#host.ended(pending);
    if (this.#sessions.size === 0) this.#onEmpty?.();
    return Promise.resolve();
  }

  // ---- routing ----

  #drop(reason: UdpDrop): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  #parse(bytes: Uint8Array): boolean {
    // Most noise ends here, without the cost of an exception.
    if (bytes.length < SHORTEST_BYTES || bytes[0] !== MAGIC_0 || bytes[1] !== MAGIC_1) return false;
    try {
      parseFrameHeader(bytes, 0, bytes.length, FRAME_MAX_BODY, this.#header);
      return true;
    } catch {
      return false;
    }
  }

  #onPacket(bytes: Uint8Array, high: number, low: number, host: string, port: number): void {
    const channel = this.#channels.get(high, low);
    if (channel !== undefined) return this.#deliver(channel, bytes, host, port);
    const nowMs = this.#host.now();
    const halfOpen = this.#halfOpen.get(high, low, nowMs);
    if (halfOpen !== undefined) return this.#hold(halfOpen, { bytes, host, port });
    if (this.#tombstones.get(high, low, nowMs) !== undefined) return this.#drop("tombstone");
    this.#drop("session");
    this.#reset(host, port, nowMs);
  }

  /** SPEC 7.7: the peer of a session that this node lost should not wait for its idle timeout. */
  #reset(host: string, port: number, nowMs: number): void {
    const { reset } = this.#host;
    if (reset === undefined || this.socket.full) return;
    const { sessionIdHigh, sessionIdLow, end } = this.#header;
    const answer = reset.answer(sessionIdOf(sessionIdHigh, sessionIdLow), end, host, nowMs);
    if (answer === undefined) return;
    this.resets++;
    this.socket.send(answer, host, port);
  }

  #deliver(channel: UdpChannel, bytes: Uint8Array, host: string, port: number): void {
    if (!channel.inBatch) {
      channel.inBatch = true;
      this.#batch.push(channel);
    }
    channel.deliver(bytes, host, port);
  }

  /** SPEC 6.3: what comes before its AUTH_PROOF waits, within limits. */
  #hold(halfOpen: HalfOpen, datagram: Early): void {
    const { early } = halfOpen;
    const earlyBytes = halfOpen.earlyBytes + datagram.bytes.length;
    if (early.length >= EARLY_DATAGRAMS || earlyBytes > EARLY_BYTES) return this.#drop("early");
    early.push(datagram);
    halfOpen.earlyBytes = earlyBytes;
  }

  #onHandshake(bytes: Uint8Array, end: number, host: string, port: number): void {
    if (this.#closing !== undefined) return this.#drop("closing");
    const nowMs = this.#host.now();
    const frame = bytes.subarray(0, end);
    const result = this.#host.handshake(frame, host, port, nowMs);
    if (result.kind === "send") {
      if (result.halfOpen !== undefined) this.#noteResponse(result.halfOpen, host, port, nowMs);
      if (this.socket.full) this.#drop("full");
      else this.socket.send(result.frame, host, port);
    }
    if (result.kind === "session") this.#open(result.pending, end, host, port, nowMs);
    if (end === bytes.length) return;
    const proved = result.kind === "session" ? result.pending.session.sessionId : provedBy(frame);
    this.#behindProof(proved, bytes.subarray(end), host, port);
  }

  #noteResponse(sessionId: Uint8Array, host: string, port: number, nowMs: number): void {
    const high = sessionIdWord(sessionId, 0);
    const low = sessionIdWord(sessionId, 4);
    const known = this.#halfOpen.get(high, low, nowMs);
    if (known === undefined) {
      const respondedTo = { host, port };
      const halfOpen = { respondedMs: nowMs, respondedTo, early: [], earlyBytes: 0 };
      this.#halfOpen.add(high, low, halfOpen, nowMs);
      return;
    }
    known.respondedMs = undefined;
    if (!isAt(known.respondedTo, host, port)) known.respondedTo = undefined;
  }

  #open(pending: PendingSession, bytes: number, host: string, port: number, nowMs: number): void {
    const { sessionId } = pending.session;
    const high = sessionIdWord(sessionId, 0);
    const low = sessionIdWord(sessionId, 4);
    const halfOpen = this.#halfOpen.delete(high, low);
    // AUTH_PROOF answers a RESPONSE, and so shows where that one arrived.
    const validated = isAt(halfOpen?.respondedTo, host, port);
    const channel = new UdpChannel(this, { host, port }, validated, bytes);
    this.#channels.set(high, low, channel);
    this.#sessions.set(channel, { high, low, pending });
    const sent = halfOpen?.respondedMs;
    this.#host.session(pending, channel, sent === undefined ? undefined : nowMs - sent);
    for (const early of halfOpen?.early ?? []) {
      this.#deliver(channel, early.bytes, early.host, early.port);
    }
  }

  /** SPEC 4: behind AUTH_PROOF there may be one protected frame, of that session. */
  #behindProof(
    sessionId: Uint8Array | undefined,
    rest: Uint8Array,
    host: string,
    port: number,
  ): void {
    if (sessionId !== undefined && this.#parse(rest)) {
      const { type, sessionIdHigh, sessionIdLow } = this.#header;
      const same = sessionIdHigh === sessionIdWord(sessionId, 0) &&
        sessionIdLow === sessionIdWord(sessionId, 4);
      if (same && type !== FRAME_HANDSHAKE) {
        this.#onPacket(rest, sessionIdHigh, sessionIdLow, host, port);
        return;
      }
    }
    this.#drop("trailing");
  }
}

/** The session of an AUTH_PROOF that opened none, a repeat most likely; undefined for other messages. */
function provedBy(frame: Uint8Array): Uint8Array | undefined {
  const message = decodeMessage(frame);
  return message.type === "AUTH_PROOF" ? message.sessionId : undefined;
}

function isAt(address: DatagramTarget | undefined, host: string, port: number): boolean {
  return address !== undefined && address.host === host && address.port === port;
}
