/**
 * The parts of a connection that exist once keys do: protection, packet builder and rotation.
 *
 * @module
 */
import type { FrameHeader } from "../codec/frame.ts";
import type { SessionRecord } from "../codec/records.ts";
import {
  DEFAULT_ACK_DELAY_MS,
  RELIABLE_FRAME_BYTES,
  STREAM_ID_MAX,
  SUITE_AES_256_GCM,
  SUITE_CHACHA20_POLY1305,
} from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import type { RotationCause } from "../observe/trace_event.ts";
import { epochKeyLog, type KeyLog } from "../session/key_log.ts";
import { Protection, type ProtectionConfig } from "../session/protection.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import { checkCode, encodeReason } from "./closing.ts";
import type { ConnectionLimits } from "./config.ts";
import { type OutgoingFrame, PacketBuilder } from "./packet_builder.ts";
import type { PingSet } from "./ping_set.ts";
import type { PathAddress } from "./recovery/path.ts";
import { type Profile, TimedProtection } from "./profile.ts";
import type { Counters } from "./stats.ts";
import type { ConnectionTrace } from "./tracing.ts";
import { TrackedBuilder } from "./tracked_builder.ts";
import type { Transmission, TransmissionConfig } from "./transmission.ts";

const PATH_TOKEN_BYTES = 8;

/** PATH_CHALLENGE or PATH_RESPONSE. */
export interface PathRecord {
  readonly type: "pathChallenge" | "pathResponse";
  readonly token: Uint8Array;
}

/** What the owner knows of an unreliable path. */
export interface PathOptions
  extends Pick<TransmissionConfig, "congestion" | "loopback" | "pathMtu"> {
  /** Bytes of the socket's receive buffer, which limit the receive window on short paths. Default: they do not. */
  readonly receiveBuffer?: number;
  /** Where the handshake took place. Without it `receive` needs no addresses, and nothing migrates. */
  readonly remote?: PathAddress;
  /** False: nothing proves yet that the peer receives at `remote`, so that it gets three times what came from there. Default true. */
  readonly validated?: boolean;
  /** Bytes that came from `remote` before, for that limit. Default 0. */
  readonly received?: number;
}

/** What a core is made of. */
export interface SessionCoreConfig {
  readonly provider: CryptoProvider;
  readonly session: HandshakeSession;
  readonly limits: ConnectionLimits;
  readonly streams: StreamSet;
  readonly pings: PingSet;
  readonly nowMs: number;
  /** Set where packets can be lost. */
  readonly path?: PathOptions | undefined;
  readonly trace?: ConnectionTrace | undefined;
  readonly keyLog?: KeyLog | undefined;
  readonly profile?: Profile | undefined;
}

/** An authenticated session's keys and frames. */
export class SessionCore {
  readonly peerMaxDatagram: number;
  readonly #provider: CryptoProvider;
  readonly #session: HandshakeSession;
  readonly #protection: Protection;
  readonly #builder: PacketBuilder;
  readonly #pings: PingSet;
  /** Bytes of frames that may go out before FINAL: the peer's initial credit (SPEC 6.3). */
  #earlyBudget: number;
  #reportedSendEpoch = 0;
  #reportedDatagramSize: number;
  #rotationPingEpoch = -1;
  /** When the rotation was looked at last. */
  #lookedMs = -Infinity;
  #wiped = false;
  /** Where packets can be lost. */
  readonly #tracked: TrackedBuilder | undefined;

  constructor(config: SessionCoreConfig) {
    const { session, limits, provider } = config;
    const { secrets, peer, role } = session;
    if (session.suite !== SUITE_CHACHA20_POLY1305 && session.suite !== SUITE_AES_256_GCM) {
      throw new SttError("INTERNAL", `no protection for suite ${session.suite}`);
    }
    this.#provider = provider;
    this.#session = session;
    this.#pings = config.pings;
    this.peerMaxDatagram = peer.parameters.maxDatagram;
    this.#earlyBudget = peer.parameters.maxData;
    const initiator = role === "initiator";
    const { profile } = config;
    const keys: ProtectionConfig = {
      provider,
      suite: session.suite,
      sessionId: session.sessionId,
      sendSecret: initiator ? secrets.i2r : secrets.r2i,
      recvSecret: initiator ? secrets.r2i : secrets.i2r,
      reliable: config.path === undefined,
      limits: { bytes: limits.rotateBytes, ms: limits.rotateTime, packets: limits.rotatePackets },
      nowMs: config.nowMs,
      sendKeyLog: epochKeyLog(config.keyLog, session, initiator ? "i2r" : "r2i"),
      recvKeyLog: epochKeyLog(config.keyLog, session, initiator ? "r2i" : "i2r"),
    };
    this.#protection = profile === undefined
      ? new Protection(keys)
      : new TimedProtection(keys, profile);
    secrets.wipeTraffic();
    this.#builder = new PacketBuilder({
      protection: this.#protection,
      streams: config.streams,
      pings: config.pings,
      maxFrame: peer.parameters.maxFrame,
      bulkFrame: Math.min(peer.parameters.maxFrame, RELIABLE_FRAME_BYTES),
      packed: limits.packed,
      tracked: config.path !== undefined,
      trace: config.trace,
    });
    if (config.path !== undefined) {
      this.#tracked = new TrackedBuilder({
        ackDelay: DEFAULT_ACK_DELAY_MS,
        ackEvery: peer.parameters.ackEvery,
        peerAckDelay: peer.parameters.ackDelay,
        peerMaxUdp: peer.parameters.maxUdp,
        peerMaxData: peer.parameters.maxData,
        ...config.path,
      }, {
        provider,
        protection: this.#protection,
        builder: this.#builder,
        streams: config.streams,
        pings: config.pings,
        maxFrame: peer.parameters.maxFrame,
        trace: config.trace,
      });
    }
    this.#reportedDatagramSize = this.maxDatagramSize;
  }

  /** Sending over an unreliable path; undefined where the transport does it all. */
  get transmission(): Transmission | undefined {
    return this.#tracked?.transmission;
  }

  get sendEpoch(): number {
    return this.#protection.sendEpoch;
  }

  get recvEpoch(): number {
    return this.#protection.recvEpoch;
  }

  /** Why the sending side moved to its epoch. */
  get rotationCause(): RotationCause {
    return this.#protection.rotationCause;
  }

  /** Epoch of the frame opened last. */
  get openedEpoch(): number {
    return this.#protection.lastEpoch;
  }

  /** Frames forgotten because the queue was full. */
  get framesDropped(): number {
    return this.#builder.frames.dropped;
  }

  /** SPEC 6.2: what the peer takes, and what one frame holds. */
  get maxDatagramSize(): number {
    return Math.max(0, Math.min(this.peerMaxDatagram, this.#builder.largestPayload));
  }

  /**
   * Decrypts a frame.
   *
   * @throws {SttError} with the code that the session must close with.
   */
  open(
    frame: Uint8Array,
    header: FrameHeader,
    nowMs: number,
    counters: Counters,
  ): Uint8Array | undefined {
    const limit = this.#protection.peerEpochLimit;
    const payload = this.#protection.open(frame, header, nowMs);
    if (payload !== undefined) {
      const { lastEpoch } = this.#protection;
      if (lastEpoch <= limit) return payload;
      // SPEC 7: else a peer could make this side derive keys with every frame.
      throw new SttError(
        "KEY_ROTATION_ERROR",
        `cannot open frame: epoch ${lastEpoch} began before a frame of ours of epoch ${
          lastEpoch - 1
        }`,
      );
    }
    counters.reject(`frame_${this.#protection.lastFailure ?? "crypto"}`, frame.length);
    // SPEC 7: on UDP anybody can send anything; what does not verify is dropped.
    if (this.transmission !== undefined && this.#protection.lastError === undefined) {
      return undefined;
    }
    throw this.#protection.lastError ??
      new SttError("CRYPTO", "cannot open frame: it does not verify");
  }

  onPeerRotation(epoch: number): void {
    const error = this.#protection.onPeerRotation(epoch);
    if (error !== undefined) throw error;
  }

  requestRotation(): void {
    this.#protection.requestRotation();
  }

  /**
   * The next frame. `early`: FINAL has not come yet, only the initial credit may be used. UDP: `room` is how large the
   * frame may be, apart from the size of packets; `holdBulk` keeps data back; `behind` bytes precede it in its datagram.
   *
   * @throws {SttError} AEAD_LIMIT when a key cannot be replaced.
   */
  build(
    nowMs: number,
    early: boolean,
    room: number = Infinity,
    holdBulk: boolean = false,
    behind: number = 0,
  ): Uint8Array | undefined {
    const protection = this.#protection;
    this.#lookedMs = nowMs;
    const error = protection.beforeSend(nowMs);
    if (error !== undefined) throw error;
    if (protection.rotationBlocked(nowMs) && this.#rotationPingEpoch !== protection.sendEpoch) {
      // The peer has sent nothing in this epoch; its PONG is the sign of life that a rotation waits for (SPEC 7).
      this.#rotationPingEpoch = protection.sendEpoch;
      this.#pings.request(this.#provider.randomBytes(8));
    }
    if (this.#tracked !== undefined) {
      const budget = early ? Math.min(this.#earlyBudget, room) : room;
      const frame = this.#tracked.build(nowMs, early, budget, holdBulk, behind);
      if (early && frame !== undefined) this.#earlyBudget -= frame.length;
      return frame;
    }
    if (protection.holdsData(nowMs)) return this.#builder.build(nowMs, { data: false });
    if (!early) return this.#builder.build(nowMs);
    const frame = this.#builder.build(nowMs, { budget: this.#earlyBudget });
    if (frame !== undefined) this.#earlyBudget -= frame.length;
    return frame;
  }

  /** A frame was opened and acted upon. */
  onFrame(sequence: number, ackEliciting: boolean, urgent: boolean, nowMs: number): void {
    this.transmission?.onReceived(sequence, ackEliciting, urgent, nowMs);
  }

  /** The epoch frames are sent in, when it changed since the last call. */
  takeNewSendEpoch(): number | undefined {
    const epoch = this.#protection.sendEpoch;
    if (epoch === this.#reportedSendEpoch) return undefined;
    this.#reportedSendEpoch = epoch;
    return epoch;
  }

  /** {@link SessionCore.maxDatagramSize}, when it changed since the last call. */
  takeNewDatagramSize(): number | undefined {
    const size = this.maxDatagramSize;
    if (size === this.#reportedDatagramSize) return undefined;
    this.#reportedDatagramSize = size;
    return size;
  }

  /** SESSION_CLOSE, behind a KEY_ROTATION and an ACK where they are owed: what arrived must not seem lost at the end. */
  closeFrame(code: number, reason: string, nowMs: number): Uint8Array {
    const close = { type: "sessionClose", code, reason: encodeReason(reason) } as const;
    const { rotationPending, sendEpoch } = this.#protection;
    const records: SessionRecord[] = [];
    if (rotationPending) records.push({ type: "keyRotation", epoch: sendEpoch });
    const acks = this.transmission?.acks;
    const ack = acks?.pending === true ? acks.take(nowMs) : undefined;
    if (ack !== undefined) records.push(ack);
    records.push(close);
    return this.#tracked?.buildRecords(records, nowMs) ?? this.#builder.buildRecords(records);
  }

  /** UDP: size of a frame with a PATH record. */
  get pathFrameBytes(): number {
    return this.#builder.recordFrameBytes(1 + PATH_TOKEN_BYTES);
  }

  /** The next frame is the first of its epoch. */
  get announcesEpoch(): boolean {
    return this.#protection.rotationPending;
  }

  /** UDP: a frame with a PATH record alone. It may go to another address, where a loss says nothing about this path. */
  pathFrame(record: PathRecord, nowMs: number): Uint8Array | undefined {
    return this.#tracked?.buildElsewhere(record, nowMs);
  }

  /** See {@link PacketBuilder.recycle}. */
  recycle(frame: Uint8Array): void {
    this.#builder.recycle(frame);
  }

  /** UDP: nothing waits but records. */
  get mayWait(): boolean {
    return this.#tracked !== undefined && !this.#builder.hasData;
  }

  /** UDP: nothing waits that matters once the session closes; acknowledgements, pings and pongs do not. */
  get idle(): boolean {
    return this.#tracked !== undefined && !this.#builder.hasLastWords;
  }

  /** UDP: something waits that window or pacer do not let go yet. */
  get holdsWork(): boolean {
    return this.#tracked !== undefined && this.#builder.hasWork;
  }

  /**
   * Queues a DATA or custom frame; false when the queue was full and forgot its oldest entry.
   *
   * @throws {SttError} `DATAGRAM_TOO_LARGE`, `CONFIG` (flags, stream id).
   */
  queueFrame(frame: OutgoingFrame): boolean {
    const { flags, streamId, payload } = frame;
    if (!Number.isInteger(flags) || flags < 0 || flags > 255) {
      throw new SttError("CONFIG", `cannot send frame: flags ${flags} are outside 0 to 255`);
    }
    if (!Number.isInteger(streamId) || streamId < 0 || streamId > STREAM_ID_MAX) {
      throw new SttError("CONFIG", `cannot send frame: channel ${streamId} is outside 0 to 2^32-1`);
    }
    const limit = this.maxDatagramSize;
    if (payload.length > limit || this.peerMaxDatagram === 0) {
      this.#tracked?.transmission.mtu.want();
      const text = `cannot send datagram: ${payload.length} bytes exceed ${limit}`;
      throw new SttError("DATAGRAM_TOO_LARGE", text, { limit });
    }
    return this.#builder.frames.push(frame);
  }

  pathResponse(token: Uint8Array): void {
    this.#builder.control.push({ type: "pathResponse", token });
  }

  /** @throws {SttError} `CONFIG` for a stream id or code that no record can hold. */
  reportError(stream: number, code: number, reason: string): void {
    checkCode(code);
    if (!Number.isInteger(stream) || stream < 0 || stream > STREAM_ID_MAX) {
      throw new SttError("CONFIG", `cannot report error: stream ${stream} is outside 0 to 2^32-1`);
    }
    this.#builder.control.push({ type: "error", stream, code, reason: encodeReason(reason) });
  }

  nextTimeout(): number | undefined {
    if (this.#wiped) return undefined;
    const { rotationBlockedFrom } = this.#protection;
    const look = rotationBlockedFrom !== undefined && rotationBlockedFrom > this.#lookedMs
      ? rotationBlockedFrom
      : Infinity;
    const next = Math.min(
      this.#protection.nextTimeout() ?? Infinity,
      look,
      this.#tracked?.nextTimeout(this.#lookedMs) ?? Infinity,
    );
    return next === Infinity ? undefined : next;
  }

  onTimeout(nowMs: number): void {
    this.#lookedMs = nowMs;
    if (this.#wiped) return;
    this.#protection.onTimeout(nowMs);
    this.#tracked?.onTimeout(nowMs);
  }

  /** Drops all keys. */
  wipe(): void {
    if (this.#wiped) return;
    this.#wiped = true;
    this.#protection.wipe();
    this.#session.secrets.wipe();
  }
}
