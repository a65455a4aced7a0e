/**
 * Looking into sessions: traces, qlog, key logs, metrics. Everything here is off unless it is asked for.
 *
 * @module
 */
export type { ErrorCode, SttError } from "../errors.ts";
export type * from "../observe/trace_event.ts";
export {
  noTracer,
  type SessionStart,
  TraceBuffer,
  type Tracer,
  type TracerFactory,
} from "../observe/tracer.ts";
export {
  Histogram,
  histogramSince,
  type HistogramSnapshot,
  quantile,
} from "../observe/histogram.ts";
export { type QlogOptions, qlogTracer } from "../observe/qlog.ts";
export { type KeyLog, type KeyLogEntry, keyLogLine, parseKeyLogLine } from "../session/key_log.ts";
export { statsSince } from "./stats_since.ts";
export { type KeyLogFile, keyLogFile, type QlogFile, qlogFile } from "./files.ts";
