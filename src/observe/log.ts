/**
 * Traces as lines of a log: levels, one sentence, and the facts behind it.
 *
 * @module
 */
import type { TraceEvent } from "./trace_event.ts";
import type { SessionStart, Tracer, TracerFactory } from "./tracer.ts";

/** From the rarest to the most frequent. */
export type LogLevel = "error" | "warn" | "info" | "debug" | "trace";

/** One entry of a log. It holds no secrets: no keys, no content, no words of the application. */
export interface LogEntry {
  /** How much it matters. */
  readonly level: LogLevel;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** What happened, for people. */
  readonly message: string;
  /** Hex, once the peer is authenticated. */
  readonly session: string | undefined;
  /** Where the peer is, or was when the session began. */
  readonly remoteAddress: string;
  /** What happened, for programs. */
  readonly event: TraceEvent;
}

const LEVELS: readonly LogLevel[] = ["error", "warn", "info", "debug", "trace"];

/**
 * Gives a function of yours what sessions do, as entries of a log.
 *
 * @param log Takes an entry. It should not wait.
 * @param level The most frequent that is wanted. Default "info": sessions begin and end, keys change, peers move. "debug"
 *   adds handshake messages, streams, losses and refused frames, "trace" every frame.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * import { logTracer } from "@seigr/stt/observe";
 * const seed = generateSeed();
 * const listener = await listen("mem:log-example", { seed });
 * const tracer = logTracer(({ level, message }) => console.log(level, message));
 * const peer = await connect("mem:log-example", { seed, tracer });
 * await peer.close();
 * await listener.close();
 * // info session with mem:log-example established
 * // info session with mem:log-example closed: NONE
 * ```
 */
export function logTracer(
  log: (entry: LogEntry) => void,
  level: LogLevel = "info",
): TracerFactory {
  const most = LEVELS.indexOf(level);
  return (start) => new LogTracer(start, most, log);
}

class LogTracer implements Tracer {
  readonly enabled = true;
  readonly #start: SessionStart;
  readonly #most: number;
  readonly #log: (entry: LogEntry) => void;
  #session: string | undefined;

  constructor(start: SessionStart, most: number, log: (entry: LogEntry) => void) {
    this.#start = start;
    this.#most = most;
    this.#log = log;
  }

  trace(event: TraceEvent, nowMs: number): void {
    if (event.type === "handshake") this.#session ??= event.sessionId;
    const [level, what] = wordsOf(event);
    if (LEVELS.indexOf(level) > this.#most) return;
    const { remoteAddress, unixMs, nowMs: startMs } = this.#start;
    this.#log({
      level,
      time: unixMs + nowMs - startMs,
      message: `session with ${remoteAddress} ${what}`,
      session: this.#session,
      remoteAddress,
      event,
    });
  }
}

function wordsOf(event: TraceEvent): [level: LogLevel, what: string] {
  switch (event.type) {
    case "handshake":
      return [
        event.step === "established" ? "info" : event.step === "refused" ? "warn" : "debug",
        event.step === "established" ? "established" : `handshake: ${event.step}`,
      ];
    case "session-closed": {
      const level = event.code === "NONE" ? "info" : event.code === "INTERNAL" ? "error" : "warn";
      return [level, `closed${event.remote ? " by the peer" : ""}: ${event.code}`];
    }
    case "rotation":
      return ["info", `has ${event.direction} keys of epoch ${event.epoch} (${event.cause})`];
    case "migrated": {
      const { from, to } = event;
      return ["info", `moved from ${from.host}:${from.port} to ${to.host}:${to.port}`];
    }
    case "frame-dropped":
      return ["debug", `dropped ${event.bytes} bytes: ${event.detail}`];
    case "packet-lost":
      return ["debug", `lost packet ${event.sequence}`];
    case "stream":
      return ["debug", `stream ${event.streamId} ${event.step}`];
    case "congestion-state":
      return ["debug", `congestion control is in ${event.to}`];
    case "packet-size":
      return ["debug", `sends packets of ${event.to} bytes`];
    case "metrics":
      return ["trace", `round trip ${event.latestMs.toFixed(3)} ms`];
    case "packets-acked":
      return ["trace", `${event.sequences.length} packets acknowledged`];
    case "frame-sent":
      return ["trace", `sent frame ${event.sequence} of ${event.bytes} bytes`];
    case "frame-received":
      return ["trace", `received frame ${event.sequence} of ${event.bytes} bytes`];
  }
}
