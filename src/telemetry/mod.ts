/**
 * Looking into sessions: traces, qlog, key logs, metrics. Everything here is off unless it is asked for.
 *
 * @module
 */
export type { ErrorCode, SttError } from "../errors.ts";
export type * from "../observe/trace_event.ts";
// What statistics refer to.
export type {
  ConnectionStats,
  ProfileStats,
  RttStats,
  StreamStats,
  TransmissionStats,
  WeightedClass,
  WeightedStats,
} from "../connection/mod.ts";
export type { DiagnosticMessages } from "../endpoint/diagnostics.ts";
export type { ListenerStats } from "../endpoint/listener.ts";
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
export {
  type KeyLogFile,
  keyLogFile,
  type QlogFile,
  qlogFile,
  type TraceFileOptions,
} from "./files.ts";
export { combineTracers } from "../observe/combined.ts";
export { type LogEntry, type LogLevel, logTracer } from "../observe/log.ts";
export {
  expositionText,
  type MetricFamily,
  type MetricLabels,
  type MetricSample,
} from "../observe/exposition.ts";
export {
  type ListenerMetrics,
  type MetricSources,
  PROMETHEUS_CONTENT_TYPE,
  prometheusText,
  type SessionMetrics,
} from "./prometheus.ts";
