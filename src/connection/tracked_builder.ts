/**
 * Packets over a path that loses some: what recovery, congestion control and path MTU let go, and what it held (SPEC 10).
 *
 * @module
 */
import type { SessionRecord } from "../codec/records.ts";
import { RESET_TRIGGER_BYTES } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";
import type { Protection } from "../session/protection.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import type { StreamRecord } from "../streams/types.ts";
import { datagramBody, type PacketBuilder } from "./packet_builder.ts";
import type { PingSet } from "./ping_set.ts";
import type { ConnectionTrace } from "./tracing.ts";
import type { SentPacket } from "./recovery/sent_packet.ts";
import { type PacketFates, Transmission, type TransmissionConfig } from "./transmission.ts";

/** From this probe timeout on the last probe is large enough for a stateless reset. */
const RESETTABLE_PTO = 2;

/** What a tracked builder works with. */
export interface TrackedBuilderParts {
  readonly provider: CryptoProvider;
  readonly protection: Protection;
  readonly builder: PacketBuilder;
  readonly streams: StreamSet;
  readonly pings: PingSet;
  /** Largest frame body the peer takes. */
  readonly maxFrame: number;
  readonly trace: ConnectionTrace | undefined;
}

/** Builds the packets of one session over UDP and remembers them until their fate is known. */
export class TrackedBuilder implements PacketFates {
  readonly transmission: Transmission;
  readonly #parts: TrackedBuilderParts;

  constructor(config: TransmissionConfig, parts: TrackedBuilderParts) {
    this.#parts = parts;
    this.transmission = new Transmission(config, this, parts.trace);
    const { transmission } = this;
    parts.streams.followLoss(() => transmission.lossRate);
    this.#fitPath();
  }

  /**
   * The next packet.
   *
   * @param early FINAL has not come yet: the path is not probed for its size.
   * @param budget Bytes that the frame may have, apart from the size of packets.
   * @param holdBulk Data waits (SPEC 10.6).
   * @param behind Bytes that stand before the frame in its datagram.
   * @throws {SttError} `PROTOCOL` when the peer acknowledges nothing any more.
   */
  build(
    nowMs: number,
    early: boolean,
    budget: number,
    holdBulk: boolean,
    behind: number,
  ): Uint8Array | undefined {
    const { builder, protection, pings, provider } = this.#parts;
    const path = this.transmission;
    if (path.stalled) {
      throw new SttError("PROTOCOL", "cannot send frame: the peer acknowledges nothing any more");
    }
    this.#fitPath();
    const open = path.open(nowMs);
    if (!open && !path.acks.due) {
      if (builder.hasWork) path.blocked();
      else path.idle();
      return undefined;
    }
    const free = open && !early && behind === 0 && budget === Infinity &&
      !protection.rotationPending;
    if (free && path.probes === 1 && path.ptoCount >= RESETTABLE_PTO) {
      // SPEC 7.7: a peer that lost the session answers no smaller packet.
      return this.#padded(RESET_TRIGGER_BYTES, nowMs, false);
    }
    if (path.probes > 0 && !builder.hasWork) this.#probe();
    if (free && !holdBulk) {
      const size = path.nextMtuProbe(nowMs);
      if (size !== undefined) return this.#padded(size, nowMs, true);
    }
    const work = open && builder.hasWork;
    const ack = path.acks.due || (work && path.acks.pending) ? path.acks.take(nowMs) : undefined;
    if (ack !== undefined && !work && open && path.acks.pingDue) {
      pings.request(provider.randomBytes(8));
    }
    const limits = {
      ack,
      control: open,
      data: open && !holdBulk && !protection.holdsData(nowMs),
      budget: behind === 0 ? budget : Math.min(budget, path.packetSize - behind),
    };
    let frame = builder.build(nowMs, limits);
    if (frame === undefined && path.probes > 0) {
      // What waits may not go now (SPEC 7, a datagram too large for the path); a probe must.
      this.#probe();
      frame = builder.build(nowMs, limits);
    }
    if (frame === undefined) {
      if (open) path.idle();
      return undefined;
    }
    this.#track(frame.length + behind, nowMs, false, builder.ackEliciting);
    return frame;
  }

  /** A packet of these records, whatever window and pacer say. */
  buildRecords(records: readonly SessionRecord[], nowMs: number): Uint8Array {
    const { builder } = this.#parts;
    const frame = builder.buildRecords(records);
    this.#track(frame.length, nowMs, false, builder.ackEliciting);
    return frame;
  }

  /** The same for a record that may go to another address, where a loss says nothing about this path. */
  buildElsewhere(record: SessionRecord, nowMs: number): Uint8Array {
    const frame = this.#parts.builder.buildRecords([record]);
    this.#track(frame.length, nowMs, false, false);
    return frame;
  }

  nextTimeout(lookedMs: number): number {
    const { transmission } = this;
    return Math.min(
      transmission.nextTimeout(lookedMs) ?? Infinity,
      this.#parts.pings.retryAt(transmission.ptoMs) ?? Infinity,
    );
  }

  onTimeout(nowMs: number): void {
    const { transmission } = this;
    const { pings, provider } = this.#parts;
    transmission.onTimeout(nowMs);
    const retryAt = pings.retryAt(transmission.ptoMs);
    if (retryAt !== undefined && retryAt <= nowMs) pings.retry(provider.randomBytes(8));
  }

  #track(size: number, nowMs: number, mtuProbe: boolean, ackEliciting: boolean): void {
    const { builder, protection } = this.#parts;
    this.transmission.onSent({
      sequence: protection.lastSequence,
      sentMs: nowMs,
      size,
      ackEliciting,
      inFlight: ackEliciting,
      epoch: protection.sendEpoch,
      mtuProbe,
      content: builder.content,
    });
  }

  /** Nothing new waits, but the peer must be made to acknowledge: what is longest on its way goes again. */
  #probe(): void {
    const { builder, pings, provider, streams } = this.#parts;
    const oldest = this.transmission.oldestInFlight;
    if (oldest !== undefined) {
      for (const chunk of oldest.content.chunks) streams.onProbe(chunk);
      this.#recordsLost(oldest);
    }
    if (!builder.hasWork) pings.request(provider.randomBytes(8));
  }

  #padded(size: number, nowMs: number, mtuProbe: boolean): Uint8Array {
    const { builder, provider } = this.#parts;
    const frame = builder.buildPadded(size, provider.randomBytes(8));
    this.#track(frame.length, nowMs, mtuProbe, true);
    return frame;
  }

  acked(packet: SentPacket): void {
    const { streams } = this.#parts;
    for (const chunk of packet.content.chunks) streams.onAcked(chunk);
    for (const record of packet.content.records) {
      if (isStreamRecord(record)) streams.onControlAcked(record);
    }
  }

  lost(packet: SentPacket): void {
    for (const chunk of packet.content.chunks) this.#parts.streams.onLost(chunk);
    this.#recordsLost(packet);
  }

  #recordsLost(packet: SentPacket): void {
    const { streams, builder, protection } = this.#parts;
    for (const record of packet.content.records) {
      if (isStreamRecord(record)) streams.onControlLost(record);
      // An older epoch's KEY_ROTATION would be a breach, and every frame of an epoch announces it (SPEC 7).
      else if (record.type === "keyRotation" && record.epoch === protection.sendEpoch) {
        builder.control.push(record);
      }
    }
  }

  /** Packets are as large as the path takes: magic and length do not count into the body. */
  #fitPath(): void {
    const { builder, protection, maxFrame } = this.#parts;
    const path = this.transmission;
    builder.bulkFrame = Math.min(maxFrame, datagramBody(path.packetSize));
    builder.datagramFrame = Math.min(maxFrame, datagramBody(path.mtu.current));
    protection.ptoMs = path.ptoMs;
  }
}

function isStreamRecord(record: SessionRecord): record is StreamRecord {
  switch (record.type) {
    case "flowCredit":
    case "streamsLimit":
    case "streamReset":
    case "streamStop":
    case "streamGap":
    case "blocked":
      return true;
    default:
      return false;
  }
}
