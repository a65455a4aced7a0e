/**
 * What a connection sends next, by its state: handshake messages, frames of the session, SESSION_CLOSE.
 *
 * @module
 */
import type { StreamSet } from "../streams/stream_set.ts";
import { asSttError } from "./closing.ts";
import type { EventQueue } from "./event_queue.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Route } from "./route.ts";
import type { SessionCore } from "./session_core.ts";
import type { Counters } from "./stats.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** What a frame sender works with. */
export interface FrameSenderParts {
  readonly lifecycle: Lifecycle;
  readonly streams: StreamSet;
  readonly events: EventQueue;
  readonly counters: Counters;
  /** UDP alone. */
  readonly route: Route | undefined;
  readonly trace: ConnectionTrace | undefined;
}

/** Builds the frames of one connection, one per call. */
export class FrameSender {
  readonly #parts: FrameSenderParts;

  constructor(parts: FrameSenderParts) {
    this.#parts = parts;
  }

  /** The next frame; on UDP one datagram, for `route.target`. */
  next(nowMs: number): Uint8Array | undefined {
    const { lifecycle, route } = this.#parts;
    if (lifecycle.state === "closed") return undefined;
    if (route === undefined) return this.#nextFrame(lifecycle, nowMs);
    const frame = this.#probe(lifecycle, route, nowMs) ?? this.#toRemote(lifecycle, route, nowMs);
    if (frame !== undefined) route.onSent(frame.length);
    return frame;
  }

  /** SPEC 10.6: PATH records go out alone, so that they may go elsewhere. */
  #probe(lifecycle: Lifecycle, route: Route, nowMs: number): Uint8Array | undefined {
    const { core, state } = lifecycle;
    if (core === undefined || state === "deciding" || state === "closing") return undefined;
    // SPEC 7.4.4: the first frame of an epoch announces it, and is one that the peer is sure to look for.
    return core.announcesEpoch ? undefined : route.probe(core, nowMs);
  }

  #toRemote(lifecycle: Lifecycle, route: Route, nowMs: number): Uint8Array | undefined {
    route.target = route.remote;
    return this.#nextFrame(lifecycle, nowMs);
  }

  #nextFrame(lifecycle: Lifecycle, nowMs: number): Uint8Array | undefined {
    const { core } = lifecycle;
    const message = lifecycle.state === "closing" ? undefined : lifecycle.handshake.transmit(nowMs);
    if (message !== undefined) this.#parts.trace?.handshakeFrame("sent", message);
    if (core === undefined || lifecycle.state === "deciding") return message;
    if (message !== undefined) return this.#withFrame(lifecycle, core, message, nowMs);
    if (lifecycle.state !== "closing") {
      const frame = this.#sessionFrame(lifecycle, core, nowMs, 0);
      if (frame !== undefined) return frame;
    }
    return this.#closingFrame(lifecycle, core, nowMs);
  }

  /** SPEC 4.2: AUTH_PROOF and FINAL share their datagram with a frame of the session, if there is one that fits. */
  #withFrame(
    lifecycle: Lifecycle,
    core: SessionCore,
    message: Uint8Array,
    nowMs: number,
  ): Uint8Array {
    if (this.#parts.route === undefined) return message;
    const frame = this.#sessionFrame(lifecycle, core, nowMs, message.length);
    if (frame === undefined) return message;
    const datagram = new Uint8Array(message.length + frame.length);
    datagram.set(message);
    datagram.set(frame, message.length);
    core.recycle(frame);
    this.#parts.counters.framesSent++;
    return datagram;
  }

  /** `behind`: bytes that stand before the frame in its datagram. */
  #sessionFrame(
    lifecycle: Lifecycle,
    core: SessionCore,
    nowMs: number,
    behind: number,
  ): Uint8Array | undefined {
    const { streams, route } = this.#parts;
    // The acknowledgement that is owed goes with SESSION_CLOSE.
    if (lifecycle.state === "flushing" && core.idle && streams.isIdle()) {
      lifecycle.sendClose(nowMs);
      return undefined;
    }
    const early = lifecycle.state === "handshaking";
    try {
      const frame = route === undefined
        ? core.build(nowMs, early)
        : core.build(nowMs, early, route.allowance - behind, route.holdBulk, behind);
      this.#reportChanges(core);
      if (frame === undefined && lifecycle.state === "flushing") {
        if (streams.isIdle() && !core.holdsWork) lifecycle.sendClose(nowMs);
      }
      return frame;
    } catch (error) {
      lifecycle.fail(asSttError(error), nowMs);
      return undefined;
    }
  }

  #reportChanges(core: SessionCore): void {
    const { events, trace } = this.#parts;
    const epoch = core.takeNewSendEpoch();
    if (epoch !== undefined) {
      trace?.emit({ type: "rotation", direction: "send", epoch, cause: core.rotationCause });
      events.push({ type: "rekey", direction: "send", epoch });
    }
    const maxDatagramSize = core.takeNewDatagramSize();
    if (maxDatagramSize !== undefined) events.push({ type: "datagram-size", maxDatagramSize });
  }

  #closingFrame(lifecycle: Lifecycle, core: SessionCore, nowMs: number): Uint8Array | undefined {
    const { ending } = lifecycle;
    const close = ending.take();
    const words = close ?? ending.takeRepeat();
    if (words === undefined) return undefined;
    const frame = core.closeFrame(words.code, words.reason, nowMs);
    if (close !== undefined) lifecycle.closeSent(nowMs);
    // SPEC 6.4.8: a SESSION_CLOSE may be larger than what an address that proved nothing has earned.
    return frame.length > (this.#parts.route?.allowance ?? Infinity) ? undefined : frame;
  }
}
