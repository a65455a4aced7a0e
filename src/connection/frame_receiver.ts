/**
 * From single frames to what they change: the handshake, or the records behind the session's protection.
 *
 * @module
 */
import type { FrameHeader } from "../codec/frame.ts";
import type { AckRecord } from "../codec/records.ts";
import { FRAME_CONTROL } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import { holdsSessionClose } from "./closing.ts";
import type { EventQueue } from "./event_queue.ts";
import { Inbound, type InboundSink } from "./inbound.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Route } from "./route.ts";
import type { Counters } from "./stats.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** Bytes of a transport as a connection takes them. */
export interface Receiver {
  /** `host`, `port`: where a datagram came from. */
  receive(bytes: Uint8Array, nowMs: number, host: string, port: number): void;
  endOfMessage(nowMs: number): void;
  endOfBatch(nowMs: number): void;
  /** The accept hook said yes: what came meanwhile is taken. */
  resume(nowMs: number): void;
  /** Forgets what is held. */
  release(): void;
}

/** What a frame receiver works with. */
export interface FrameReceiverParts {
  readonly lifecycle: Lifecycle;
  readonly streams: StreamSet;
  readonly events: EventQueue;
  readonly counters: Counters;
  readonly maxDatagram: number;
  /** UDP alone. */
  readonly route: Route | undefined;
  readonly trace: ConnectionTrace | undefined;
}

/** Takes the frames of one session, in any order that its transport allows. */
export class FrameReceiver implements InboundSink {
  readonly inbound: Inbound;
  readonly #parts: FrameReceiverParts;

  constructor(parts: FrameReceiverParts) {
    this.#parts = parts;
    this.inbound = new Inbound(parts.streams, this, parts.maxDatagram);
  }

  /** A HANDSHAKE frame, while the handshake is under way. */
  handshake(frame: Uint8Array, nowMs: number): void {
    const { lifecycle, trace } = this.#parts;
    trace?.handshakeFrame("received", frame);
    lifecycle.handshake.receive(frame, nowMs);
    lifecycle.followHandshake(nowMs);
  }

  /**
   * A protected frame. False when it did not verify, where that has no consequence.
   *
   * @throws {SttError} with the code that the session must close with.
   */
  protected(frame: Uint8Array, header: FrameHeader, nowMs: number): boolean {
    const { lifecycle, events, counters, route, trace } = this.#parts;
    const { core } = lifecycle;
    if (core === undefined) {
      throw new SttError("PROTOCOL", "cannot take frame: it is protected, but no session is open");
    }
    const { type, flags, streamId, sequence } = header;
    const epoch = core.recvEpoch;
    const payload = core.open(frame, header, nowMs, counters);
    if (payload === undefined) return false;
    trace?.frameReceived(frame, type, flags, streamId, payload, sequence, core.openedEpoch);
    lifecycle.liveness.received(nowMs);
    route?.verified();
    if (lifecycle.state === "closing") {
      if (type === FRAME_CONTROL && holdsSessionClose(payload)) lifecycle.finish();
      return true;
    }
    if (core.recvEpoch > Math.max(epoch, 0)) {
      const rotation = { direction: "receive", epoch: core.recvEpoch } as const;
      trace?.emit({ type: "rotation", ...rotation, cause: "peer" });
      events.push({ type: "rekey", ...rotation });
    }
    // A protected frame of the session that verifies is an implicit FINAL (SPEC 6.3).
    lifecycle.handshake.onSessionFrame(nowMs);
    const { inbound } = this;
    const datagrams = inbound.datagrams.size;
    const customFrames = inbound.customFrames.size;
    inbound.frame(type, flags, streamId, payload, nowMs);
    core.onFrame(sequence, inbound.ackEliciting, inbound.urgent, nowMs);
    if (inbound.streamData) lifecycle.liveness.streamData(inbound.streamEnd);
    if (route !== undefined && core.transmission !== undefined) {
      route.onFrame(sequence, inbound.probing, nowMs, core.transmission.ptoMs);
    }
    if (datagrams === 0 && inbound.datagrams.size > 0) events.push({ type: "datagram" });
    if (customFrames === 0 && inbound.customFrames.size > 0) events.push({ type: "custom-frame" });
    if (lifecycle.state === "handshaking") lifecycle.establish(nowMs);
    return true;
  }

  // ---- what records say ----

  ping(token: Uint8Array): void {
    this.#parts.lifecycle.pings.pongs.push(token);
  }

  keyRotation(epoch: number): void {
    this.#parts.lifecycle.core?.onPeerRotation(epoch);
  }

  sessionClose(code: number, reason: string, nowMs: number): void {
    this.#parts.lifecycle.onSessionClose(code, reason, nowMs);
  }

  peerError(stream: number, code: number, reason: string): void {
    this.#parts.events.push({ type: "peer-error", stream, code, reason });
  }

  pathChallenge(token: Uint8Array): void {
    const { lifecycle, route } = this.#parts;
    if (route === undefined) lifecycle.core?.pathResponse(token);
    else route.onChallenge(token);
  }

  pathResponse(token: Uint8Array, nowMs: number): void {
    const { lifecycle, route } = this.#parts;
    if (lifecycle.core !== undefined) route?.onResponse(token, lifecycle.core, nowMs);
  }

  pong(token: Uint8Array, nowMs: number): void {
    const { lifecycle, events, route } = this.#parts;
    const answers = lifecycle.pings.answer(token, nowMs);
    lifecycle.followRtt();
    if (route === undefined) this.#parts.trace?.pinged(lifecycle.pings.rtt());
    if (answers.length > 0) route?.onPong();
    for (const answer of answers) events.push({ type: "pong", ...answer });
  }

  ack(record: AckRecord, nowMs: number): void {
    const { lifecycle } = this.#parts;
    const transmission = lifecycle.core?.transmission;
    if (transmission === undefined) {
      // SPEC 10: the transport acknowledges; an ACK here names packets that nobody tracks.
      throw new SttError("PROTOCOL", "cannot take ACK: the transport is reliable");
    }
    if (transmission.onAck(record, nowMs)) lifecycle.pings.sample(transmission.rtt.latest);
    lifecycle.followRtt();
  }
}
