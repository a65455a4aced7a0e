/**
 * From what a connection does to what its tracer is told. Nothing here runs, and nothing is built, without a tracer.
 *
 * @module
 */
import { FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { toHex } from "../codec/hex.ts";
import { FRAME_HANDSHAKE, FRAME_MAX_BODY } from "../constants.ts";
import type { SttError } from "../errors.ts";
import { decodeMessage } from "../handshake/messages.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import type { HandshakeEvent, MetricsEvent, TraceEvent } from "../observe/trace_event.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { StreamEvent } from "../streams/types.ts";
import type { CloseFacts } from "./events.ts";
import type { RttStats } from "./ping_set.ts";
import type { SentPacket } from "./recovery/sent_packet.ts";
import { dropReason, recordsOf } from "./trace_facts.ts";
import type { TransmissionStats } from "./transmission.ts";

/** What is known of a round trip, in ms. */
interface RoundTrips {
  readonly latest: number;
  readonly smoothed: number;
  readonly min: number;
  readonly variance: number;
}

/** Tells the tracer of one connection. Its owner sets `nowMs` at every call from outside that names the time. */
export class ConnectionTrace {
  nowMs: number;
  readonly #tracer: Tracer;
  readonly #parity: number;
  readonly #header: FrameHeader = new FrameHeader();
  #metrics: MetricsEvent | undefined;
  #phase = "";
  #packetSize = 0;
  #closed = false;
  #broken = false;

  constructor(tracer: Tracer, role: "initiator" | "responder", nowMs: number) {
    this.#tracer = tracer;
    this.#parity = role === "initiator" ? 1 : 0;
    this.nowMs = nowMs;
  }

  /** False: nothing need be built. */
  get enabled(): boolean {
    return !this.#broken && this.#tracer.enabled;
  }

  /** One event, at the present time. A tracer that throws is not asked again: a session must not end with its observer. */
  emit(event: TraceEvent): void {
    if (!this.enabled) return;
    try {
      this.#tracer.trace(event, this.nowMs);
    } catch {
      this.#broken = true;
    }
  }

  // ---- frames ----

  /** A HANDSHAKE frame in one direction; `frame` may hold more behind it. */
  handshakeFrame(direction: "sent" | "received", frame: Uint8Array): void {
    if (!this.enabled) return;
    try {
      const end = parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, this.#header);
      const { type } = decodeMessage(frame.subarray(0, end));
      // What is no message is told as dropped by whoever refuses it.
      if (type === "refused") return;
      const name = type.toLowerCase().replace("_", "-");
      this.emit({
        type: direction === "sent" ? "frame-sent" : "frame-received",
        frameType: FRAME_HANDSHAKE,
        flags: 0,
        streamId: 0,
        sequence: 0,
        epoch: undefined,
        bytes: end,
        records: [],
      });
      this.emit({ type: "handshake", step: `${name}-${direction}` as HandshakeEvent["step"] });
    } catch {
      // Nor is what is no frame.
      return;
    }
  }

  /** A frame was built. `payload`: a copy of what was sealed. */
  frameSent(
    frame: Uint8Array,
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    sequence: number,
    epoch: number,
  ): void {
    if (!this.enabled) return;
    this.#frame("frame-sent", frame.length, type, flags, streamId, payload, sequence, epoch);
  }

  /** A frame verified. */
  frameReceived(
    frame: Uint8Array,
    type: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    sequence: number,
    epoch: number,
  ): void {
    if (!this.enabled) return;
    this.#frame("frame-received", frame.length, type, flags, streamId, payload, sequence, epoch);
  }

  #frame(
    event: "frame-sent" | "frame-received",
    bytes: number,
    frameType: number,
    flags: number,
    streamId: number,
    payload: Uint8Array,
    sequence: number,
    epoch: number,
  ): void {
    const records = recordsOf(frameType, flags, streamId, payload);
    this.emit({ type: event, frameType, flags, streamId, sequence, epoch, bytes, records });
  }

  /** Something was refused; `word` is what the counters call it. */
  dropped(word: string, bytes: number): void {
    if (!this.enabled) return;
    this.emit({ type: "frame-dropped", reason: dropReason(word), bytes, detail: word });
  }

  // ---- the session ----

  authenticated({ sessionId, suite, peer }: HandshakeSession): void {
    if (!this.enabled) return;
    this.emit({
      type: "handshake",
      step: "authenticated",
      sessionId: toHex(sessionId),
      suite,
      peerId: toHex(peer.nodeId),
    });
  }

  step(step: HandshakeEvent["step"], session?: HandshakeSession): void {
    if (!this.enabled) return;
    if (session === undefined) return this.emit({ type: "handshake", step });
    const { sessionId, suite } = session;
    this.emit({ type: "handshake", step, sessionId: toHex(sessionId), suite });
  }

  /** The first facts count. */
  closed(facts: CloseFacts): void {
    if (this.#closed) return;
    this.#closed = true;
    const error: SttError | undefined = facts.error;
    this.emit({
      type: "session-closed",
      code: error?.code ?? "NONE",
      wire: facts.code,
      remote: facts.remote,
    });
  }

  // ---- streams ----

  streamOpened(streamId: number, kind: number): void {
    this.emit({ type: "stream", step: "opened", streamId, remote: false, kind });
  }

  streamEvent(event: StreamEvent): void {
    if (!this.enabled || event.type === "streams") return;
    const streamId = event.id;
    const remote = (streamId & 1) !== this.#parity;
    switch (event.type) {
      case "opened":
        return this.emit({ type: "stream", step: "opened", streamId, remote, kind: event.kind });
      case "reset":
        return this.emit({
          type: "stream",
          step: "reset-received",
          streamId,
          remote,
          code: event.code,
        });
      case "stopped":
        return this.emit({
          type: "stream",
          step: "stop-received",
          streamId,
          remote,
          code: event.code,
        });
      case "finished":
        return this.emit({ type: "stream", step: "send-finished", streamId, remote });
      case "closed":
        return this.emit({ type: "stream", step: "closed", streamId, remote });
    }
  }

  // ---- the path ----

  acked(packets: readonly SentPacket[]): void {
    if (packets.length === 0 || !this.enabled) return;
    this.emit({ type: "packets-acked", sequences: packets.map(({ sequence }) => sequence) });
  }

  lost(packets: readonly SentPacket[]): void {
    if (!this.enabled) return;
    for (const { sequence, epoch, size: bytes, mtuProbe } of packets) {
      this.emit({ type: "packet-lost", sequence, epoch, bytes, mtuProbe });
    }
  }

  /** A reliable transport: round trips of PINGs are all that is known. */
  pinged({ latest, smoothed, min }: RttStats): void {
    if (latest === undefined || smoothed === undefined || min === undefined) return;
    this.#tell({ type: "metrics", latestMs: latest, smoothedMs: smoothed, minMs: min });
  }

  /** UDP: after an acknowledgement, a loss or a path change. */
  path(rtt: RoundTrips, ptoCount: number, stats: TransmissionStats): void {
    if (!this.enabled) return;
    const { congestion, state, window, bytesInFlight, pacingRate, packetSize } = stats;
    this.#tell({
      type: "metrics",
      latestMs: rtt.latest,
      smoothedMs: rtt.smoothed,
      minMs: rtt.min === Infinity ? rtt.latest : rtt.min,
      varianceMs: rtt.variance,
      ptoCount,
      window,
      bytesInFlight,
      ...(pacingRate === undefined ? {} : { pacingRate }),
    });
    if (state !== this.#phase) {
      this.emit({ type: "congestion-state", controller: congestion, from: this.#phase, to: state });
      this.#phase = state;
    }
    if (packetSize !== this.#packetSize) {
      this.emit({ type: "packet-size", from: this.#packetSize, to: packetSize });
      this.#packetSize = packetSize;
    }
  }

  #tell(next: MetricsEvent): void {
    const last = this.#metrics;
    const same = last !== undefined && last.latestMs === next.latestMs &&
      last.smoothedMs === next.smoothedMs && last.window === next.window &&
      last.bytesInFlight === next.bytesInFlight && last.ptoCount === next.ptoCount &&
      last.pacingRate === next.pacingRate;
    if (same) return;
    this.#metrics = next;
    this.emit(next);
  }
}
