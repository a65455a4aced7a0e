/**
 * Traces as qlog: JSON text sequences (RFC 7464) that viewers of QUIC traces open.
 *
 * @module
 */
import { qlogEvent } from "./qlog_events.ts";
import type { TraceEvent } from "./trace_event.ts";
import type { SessionStart, Tracer, TracerFactory } from "./tracer.ts";

/** RFC 7464: every record begins with this and ends with a line feed. */
const RECORD_SEPARATOR = "\x1e";

/** Options of {@link qlogTracer}. */
export interface QlogOptions {
  /** What viewers show as the name of the trace. Default "STT". */
  readonly title?: string;
}

/**
 * Writes sessions as one qlog file of the version 0.3 (draft-ietf-quic-qlog-main-schema-02 and its events), the one that
 * viewers read today: records of `<RS>JSON<LF>`, the header first. Sessions are told apart by `group_id`. Times are
 * milliseconds since the first session started. No keys and no content are written, but addresses and identities are.
 *
 * @param write Takes each record; it must not throw and should not wait.
 * @returns what the option `tracer` of `connect` and `listen` takes.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * import { qlogTracer } from "@seigr/stt/observe";
 * const seed = generateSeed();
 * const listener = await listen("mem:qlog-example", { seed });
 * const records: string[] = [];
 * const tracer = qlogTracer((record) => records.push(record));
 * const peer = await connect("mem:qlog-example", { seed, tracer });
 * await peer.close();
 * await listener.close();
 * const [header, ...events] = records.map((record) => JSON.parse(record.slice(1)));
 * console.log(header.qlog_format); // "JSON-SEQ"
 * console.log(events.some(({ name }) => name === "connectivity:connection_closed")); // true
 * ```
 */
export function qlogTracer(
  write: (record: string) => void,
  options: QlogOptions = {},
): TracerFactory {
  let first: SessionStart | undefined;
  let sessions = 0;
  const put = (value: unknown): void => write(`${RECORD_SEPARATOR}${JSON.stringify(value)}\n`);
  return (start) => {
    if (first === undefined) {
      first = start;
      put(headerOf(start, options.title ?? "STT"));
    }
    return new QlogSession(start, first.nowMs, String(++sessions), put);
  };
}

function headerOf({ role, unixMs }: SessionStart, title: string): unknown {
  return {
    qlog_version: "0.3",
    qlog_format: "JSON-SEQ",
    title,
    trace: {
      title,
      vantage_point: { name: "stt", type: role === "initiator" ? "client" : "server" },
      common_fields: { time_format: "relative", reference_time: unixMs, protocol_type: ["STT"] },
    },
  };
}

/** Writes the events of one session. */
class QlogSession implements Tracer {
  readonly enabled = true;
  readonly #role: "initiator" | "responder";
  readonly #zeroMs: number;
  readonly #group: string;
  readonly #put: (value: unknown) => void;
  #sent = 0;
  #received = 0;

  constructor(
    start: SessionStart,
    zeroMs: number,
    group: string,
    put: (value: unknown) => void,
  ) {
    this.#role = start.role;
    this.#zeroMs = zeroMs;
    this.#group = group;
    this.#put = put;
    const { localAddress, remoteAddress, role, nowMs } = start;
    const data = { stt_local: localAddress, stt_remote: remoteAddress, stt_role: role };
    this.#write("connectivity:connection_started", data, nowMs);
  }

  trace(event: TraceEvent, nowMs: number): void {
    let before = 0;
    if (event.type === "frame-sent" && event.epoch === undefined) before = this.#sent++;
    if (event.type === "frame-received" && event.epoch === undefined) before = this.#received++;
    const { name, data } = qlogEvent(event, this.#role, before);
    this.#write(name, data, nowMs);
  }

  #write(name: string, data: unknown, nowMs: number): void {
    // Microseconds are as fine as any clock here; more digits are noise.
    const time = Math.round((nowMs - this.#zeroMs) * 1000) / 1000;
    this.#put({ time, name, group_id: this.#group, data });
  }
}
