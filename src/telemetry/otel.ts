/**
 * Sessions as spans and metrics of OpenTelemetry. This module imports nothing of it: you pass its API in, so that there is
 * one copy of it, and none for those who do not use it.
 *
 * @module
 */
import type { TraceEvent } from "../observe/trace_event.ts";
import type { SessionStart, Tracer, TracerFactory } from "../observe/tracer.ts";

export type { SessionStart, Tracer, TracerFactory } from "../observe/tracer.ts";
export type * from "../observe/trace_event.ts";

/** Values of attributes. */
export type OtelValue = string | number | boolean;

/** Attributes of spans and measurements. */
export type OtelAttributes = Record<string, OtelValue>;

/** What is used of a span. */
export interface OtelSpan {
  /** Adds attributes. */
  setAttributes(attributes: OtelAttributes): unknown;
  /** Says how it went: 2 is an error. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Notes a moment. */
  addEvent(name: string, attributes: OtelAttributes, time: number): unknown;
  /** Ends it. */
  end(time: number): void;
}

/** What is used of a counter. */
export interface OtelCounter {
  /** Counts. */
  add(value: number, attributes: OtelAttributes): void;
}

/** What is used of a histogram. */
export interface OtelHistogram {
  /** Takes a value. */
  record(value: number, attributes: OtelAttributes): void;
}

/**
 * What is used of `@opentelemetry/api`: pass the module itself (`import * as api from "@opentelemetry/api"`). Contexts and
 * spans go back to it as they came from it.
 */
export interface OtelApi {
  /** Spans. */
  readonly trace: {
    getTracer(name: string): {
      startSpan(
        name: string,
        options: { kind: number; startTime: number; attributes: OtelAttributes },
        context: unknown,
      ): OtelSpan;
    };
    setSpan(context: unknown, span: unknown): unknown;
  };
  /** Contexts. */
  readonly context: { active(): unknown };
  /** Metrics. */
  readonly metrics: {
    getMeter(name: string): {
      createCounter(name: string, options: { description: string; unit: string }): OtelCounter;
      createHistogram(name: string, options: { description: string; unit: string }): OtelHistogram;
      createUpDownCounter(
        name: string,
        options: { description: string; unit: string },
      ): OtelCounter;
    };
  };
}

const SCOPE = "@seigr/stt";
const KIND_SERVER = 1;
const KIND_CLIENT = 2;
const STATUS_ERROR = 2;
/** Streams with a span of their own at once; a session may have far more. */
const MAX_STREAM_SPANS = 1000;

interface Instruments {
  readonly sessions: OtelCounter;
  readonly bytes: OtelCounter;
  readonly frames: OtelCounter;
  readonly lost: OtelCounter;
  readonly refused: OtelCounter;
  readonly rtt: OtelHistogram;
  readonly handshake: OtelHistogram;
  readonly duration: OtelHistogram;
}

function instruments(api: OtelApi): Instruments {
  const meter = api.metrics.getMeter(SCOPE);
  const counter = (name: string, description: string, unit: string): OtelCounter =>
    meter.createCounter(name, { description, unit });
  const histogram = (name: string, description: string): OtelHistogram =>
    meter.createHistogram(name, { description, unit: "s" });
  return {
    sessions: meter.createUpDownCounter("stt.sessions", {
      description: "Sessions that stand",
      unit: "{session}",
    }),
    bytes: counter("stt.io", "Bytes of whole frames", "By"),
    frames: counter("stt.frames", "Frames", "{frame}"),
    lost: counter("stt.packets.lost", "Packets declared lost", "{packet}"),
    refused: counter("stt.frames.refused", "Frames refused", "{frame}"),
    rtt: histogram("stt.rtt", "Round trips"),
    handshake: histogram("stt.handshake.duration", "From the start until the session stands"),
    duration: histogram("stt.session.duration", "From established to closed"),
  };
}

/**
 * Makes spans and metrics of sessions. The spans are `stt.session` from start to end, in it `stt.handshake` and, for each
 * stream, `stt.stream`; their parent is the span that is active when the session starts. Attributes name the peer by its
 * public identity and address, and never hold keys or content.
 *
 * @param api The module `@opentelemetry/api`, 1.x.
 * @returns what the option `tracer` of `connect` and `listen` takes.
 */
export function otelTracer(api: OtelApi): TracerFactory {
  const tools = instruments(api);
  return (start) => new OtelSession(api, tools, start);
}

class OtelSession implements Tracer {
  readonly enabled = true;
  readonly #tools: Instruments;
  readonly #start: SessionStart;
  readonly #labels: OtelAttributes;
  readonly #session: OtelSpan;
  readonly #spanIn: (name: string, attributes: OtelAttributes, time: number) => OtelSpan;
  #handshake: OtelSpan | undefined;
  readonly #streams: Map<number, OtelSpan> = new Map();
  #establishedMs: number | undefined;

  constructor(api: OtelApi, tools: Instruments, start: SessionStart) {
    const tracer = api.trace.getTracer(SCOPE);
    const { role, localAddress, remoteAddress, unixMs } = start;
    const kind = role === "initiator" ? KIND_CLIENT : KIND_SERVER;
    this.#tools = tools;
    this.#start = start;
    const transport = remoteAddress.slice(0, remoteAddress.indexOf(":"));
    this.#labels = { "stt.role": role, "stt.transport": transport };
    const parent = api.context.active();
    this.#session = tracer.startSpan("stt.session", {
      kind,
      startTime: unixMs,
      attributes: { ...this.#labels, "stt.local": localAddress, "stt.remote": remoteAddress },
    }, parent);
    const inside = api.trace.setSpan(parent, this.#session);
    this.#spanIn = (name, attributes, startTime) =>
      tracer.startSpan(name, { kind, startTime, attributes }, inside);
    this.#handshake = this.#spanIn("stt.handshake", {}, unixMs);
  }

  trace(event: TraceEvent, nowMs: number): void {
    const time = this.#start.unixMs + nowMs - this.#start.nowMs;
    switch (event.type) {
      case "handshake":
        return this.#onHandshake(event, time);
      case "frame-sent":
        return this.#onFrame("transmit", event.bytes);
      case "frame-received":
        return this.#onFrame("receive", event.bytes);
      case "frame-dropped":
        return this.#tools.refused.add(1, { ...this.#labels, "stt.reason": event.reason });
      case "packet-lost":
        return this.#tools.lost.add(1, this.#labels);
      case "metrics":
        return this.#tools.rtt.record(event.latestMs / 1000, this.#labels);
      case "rotation": {
        const { direction, epoch, cause } = event;
        this.#session.addEvent("rotation", { direction, epoch, cause }, time);
        return;
      }
      case "migrated": {
        const at = ({ host, port }: typeof event.to): string => `${host}:${port}`;
        this.#session.addEvent("migrated", { from: at(event.from), to: at(event.to) }, time);
        return;
      }
      case "stream":
        return this.#onStream(event, time);
      case "session-closed":
        return this.#onClosed(event, time);
    }
  }

  #onFrame(direction: string, bytes: number): void {
    const labels = { ...this.#labels, "network.io.direction": direction };
    this.#tools.bytes.add(bytes, labels);
    this.#tools.frames.add(1, labels);
  }

  #onHandshake(event: Extract<TraceEvent, { type: "handshake" }>, time: number): void {
    const { step, sessionId, suite, peerId } = event;
    if (step === "authenticated") {
      this.#session.setAttributes({
        "stt.session.id": sessionId ?? "",
        "stt.suite": suite ?? 0,
        "stt.peer.id": peerId ?? "",
      });
    }
    if (step !== "established") {
      this.#handshake?.addEvent(step, {}, time);
      return;
    }
    this.#establishedMs = time;
    this.#handshake?.end(time);
    this.#handshake = undefined;
    this.#tools.sessions.add(1, this.#labels);
    this.#tools.handshake.record((time - this.#start.unixMs) / 1000, this.#labels);
  }

  #onStream(event: Extract<TraceEvent, { type: "stream" }>, time: number): void {
    const { streamId, step, remote, kind, code } = event;
    if (step === "opened") {
      if (this.#streams.size >= MAX_STREAM_SPANS) return;
      const attributes = { "stt.stream.id": streamId, "stt.remote": remote, "stt.kind": kind ?? 0 };
      this.#streams.set(streamId, this.#spanIn("stt.stream", attributes, time));
      return;
    }
    const span = this.#streams.get(streamId);
    if (span === undefined) return;
    span.addEvent(step, code === undefined ? {} : { code }, time);
    if (step === "reset-received") span.setStatus({ code: STATUS_ERROR, message: "reset" });
    if (step !== "closed") return;
    this.#streams.delete(streamId);
    span.end(time);
  }

  #onClosed({ code, remote }: { code: string; remote: boolean }, time: number): void {
    const status = { code: STATUS_ERROR, message: code };
    if (this.#handshake !== undefined) {
      this.#handshake.setStatus(status);
      this.#handshake.end(time);
    }
    for (const span of this.#streams.values()) span.end(time);
    this.#streams.clear();
    this.#session.setAttributes({ "stt.close.code": code, "stt.close.remote": remote });
    if (code !== "NONE") this.#session.setStatus(status);
    this.#session.end(time);
    if (this.#establishedMs === undefined) return;
    this.#tools.sessions.add(-1, this.#labels);
    this.#tools.duration.record((time - this.#establishedMs) / 1000, this.#labels);
  }
}
