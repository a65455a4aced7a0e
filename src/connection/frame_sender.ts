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

/** What a frame sender works with. */
export interface FrameSenderParts {
  readonly lifecycle: Lifecycle;
  readonly streams: StreamSet;
  readonly events: EventQueue;
  /** UDP alone. */
  readonly route: Route | undefined;
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
    if (lifecycle.state !== "closing") {
      const message = lifecycle.handshake.transmit(nowMs);
      if (message !== undefined) return message;
    }
    const { core } = lifecycle;
    if (core === undefined || lifecycle.state === "deciding") return undefined;
    if (lifecycle.state !== "closing") {
      const frame = this.#sessionFrame(lifecycle, core, nowMs);
      if (frame !== undefined) return frame;
    }
    return this.#closingFrame(lifecycle, core, nowMs);
  }

  #sessionFrame(
    lifecycle: Lifecycle,
    core: SessionCore,
    nowMs: number,
  ): Uint8Array | undefined {
    const { streams, route } = this.#parts;
    const early = lifecycle.state === "handshaking";
    try {
      const frame = route === undefined
        ? core.build(nowMs, early)
        : core.build(nowMs, early, route.allowance, route.holdBulk);
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
    const { events } = this.#parts;
    const epoch = core.takeNewSendEpoch();
    if (epoch !== undefined) events.push({ type: "rekey", direction: "send", epoch });
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
