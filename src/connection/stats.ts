/**
 * Counters of one connection.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import type { StreamStats } from "../streams/types.ts";
import type { Inbound } from "./inbound.ts";
import type { RttStats } from "./ping_set.ts";
import type { ProfileStats } from "./profile.ts";
import type { SessionCore } from "./session_core.ts";
import type { ConnectionTrace } from "./tracing.ts";
import type { TransmissionStats } from "./transmission.ts";

/** A snapshot of a connection's counters. Bytes are those of whole frames. */
export interface ConnectionStats {
  /** See `ConnectionState`. */
  readonly state: string;
  /** Hex, once the peer is authenticated. */
  readonly sessionId: string | undefined;
  /** 1 or 2, once the peer is authenticated. */
  readonly suite: number | undefined;
  /** Bytes sent. */
  readonly bytesSent: number;
  /** Bytes that arrived. */
  readonly bytesReceived: number;
  /** Frames sent, HANDSHAKE frames included. */
  readonly framesSent: number;
  /** Frames that arrived, HANDSHAKE frames included. */
  readonly framesReceived: number;
  /** Milliseconds, from the handshake, PINGs and, on UDP, acknowledgements. */
  readonly rtt: RttStats;
  /** Key epoch of what is sent. */
  readonly sendEpoch: number;
  /** Key epoch of what arrives. */
  readonly recvEpoch: number;
  /** UDP: the path; undefined on reliable transports and before keys exist. */
  readonly path: TransmissionStats | undefined;
  /** UDP: times the peer was followed to another address. */
  readonly migrations: number;
  /** Counters of the streams. */
  readonly streams: StreamStats;
  /** DATA and custom frames handed to `sendDatagram` and `sendFrame`. */
  readonly datagramsSent: number;
  /** DATA and DATAGRAM payloads and custom frames that arrived. */
  readonly datagramsReceived: number;
  /** Datagrams and custom frames forgotten because a queue was full. */
  readonly datagramsDropped: number;
  /** Frames refused, by reason. */
  readonly rejected: Readonly<Record<string, number>>;
  /** How long things took, with the option `profile`. */
  readonly profile: ProfileStats | undefined;
}

/** Where a snapshot takes its facts from. */
export interface StatsParts {
  readonly state: string;
  readonly session: HandshakeSession | undefined;
  readonly core: SessionCore | undefined;
  readonly rtt: RttStats;
  readonly streams: StreamStats;
  readonly inbound: Inbound;
  readonly migrations: number;
  readonly profile: ProfileStats | undefined;
}

/** The counters that change while a connection runs. */
export class Counters {
  bytesSent = 0;
  bytesReceived = 0;
  framesSent = 0;
  framesReceived = 0;
  datagramsSent = 0;
  datagramsReceived = 0;
  readonly #trace: ConnectionTrace | undefined;
  /** From the first refusal on. */
  #rejected: Map<string, number> | undefined;

  constructor(trace?: ConnectionTrace) {
    this.#trace = trace;
  }

  /** The counters together with what the parts of a connection count. */
  snapshot(parts: StatsParts): ConnectionStats {
    const { session, core, inbound, streams } = parts;
    return {
      state: parts.state,
      sessionId: session === undefined ? undefined : toHex(session.sessionId),
      suite: session?.suite,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      framesSent: this.framesSent,
      framesReceived: this.framesReceived,
      rtt: parts.rtt,
      sendEpoch: core?.sendEpoch ?? 0,
      recvEpoch: Math.max(0, core?.recvEpoch ?? 0),
      path: core?.transmission?.stats(),
      migrations: parts.migrations,
      streams,
      datagramsSent: this.datagramsSent,
      datagramsReceived: inbound.received,
      datagramsDropped: inbound.datagrams.dropped + inbound.customFrames.dropped +
        (core?.framesDropped ?? 0),
      rejected: Object.fromEntries(this.#rejected ?? []),
      profile: parts.profile,
    };
  }

  /** `bytes`: of the frame that was refused, where they are known. */
  reject(reason: string, bytes: number = 0): void {
    this.#trace?.dropped(reason, bytes);
    this.#rejected ??= new Map();
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
  }
}
