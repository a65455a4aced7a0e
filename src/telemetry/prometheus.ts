/**
 * Counters of sessions and listeners for Prometheus.
 *
 * @module
 */
import type { ConnectionStats } from "../connection/stats.ts";
import type { ListenerStats } from "../endpoint/listener.ts";
import { SttError } from "../errors.ts";
import {
  expositionText,
  type MetricFamily,
  type MetricLabels,
  type MetricSample,
} from "../observe/exposition.ts";
import type { HistogramSnapshot } from "../observe/histogram.ts";
import { LISTENER_METRICS, SESSION_HISTOGRAMS, SESSION_METRICS } from "./metric_table.ts";

/** The `Content-Type` of {@link prometheusText}. */
export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A session to tell of. */
export interface SessionMetrics {
  /** As `peer.stats()` gives them. */
  readonly stats: ConnectionStats;
  /**
   * What tells it from others. Default: `{ session: "<session id>" }`. Sessions with the same labels are one series:
   * counters and sizes are added, of round trips the longest counts.
   */
  readonly labels?: MetricLabels;
}

/** A listener to tell of. */
export interface ListenerMetrics {
  /** As `listener.stats()` gives them. */
  readonly stats: ListenerStats;
  /** Default: `{ listener: "<address>" }`. */
  readonly labels?: MetricLabels;
}

/** What {@link prometheusText} tells of. */
export interface MetricSources {
  /** Default: none. */
  readonly sessions?: Iterable<SessionMetrics>;
  /** Default: none. */
  readonly listeners?: Iterable<ListenerMetrics>;
}

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

function checked(labels: MetricLabels): MetricLabels {
  for (const name of Object.keys(labels)) {
    if (LABEL.test(name) && !name.startsWith("__") && name !== "le" && name !== "reason") continue;
    throw new SttError("CONFIG", `cannot use label ${JSON.stringify(name)}: not a free label name`);
  }
  return labels;
}

/** Series by their labels, in the order in which they came. */
class Series {
  readonly #samples: Map<string, MetricSample> = new Map();

  add(labels: MetricLabels, value: number, merge: "sum" | "max", suffix?: string): void {
    const key = JSON.stringify([suffix, Object.entries(labels).sort()]);
    const old = this.#samples.get(key)?.value;
    const merged = old === undefined ? value : merge === "sum" ? old + value : Math.max(old, value);
    const sample = { labels, value: merged };
    this.#samples.set(key, suffix === undefined ? sample : { ...sample, suffix });
  }

  addHistogram(labels: MetricLabels, histogram: HistogramSnapshot, powers: [number, number]): void {
    const [lowest, highest] = powers;
    for (let power = lowest; power <= highest; power++) {
      // Buckets of the histogram end at every power of two.
      const limit = 2 ** power;
      const below = histogram.buckets.reduce(
        (n, [, end, count]) => end <= limit ? n + count : n,
        0,
      );
      this.add({ ...labels, le: String(limit / 1000) }, below, "sum", "_bucket");
    }
    this.add({ ...labels, le: "+Inf" }, histogram.count, "sum", "_bucket");
    this.add(labels, histogram.sum / 1000, "sum", "_sum");
    this.add(labels, histogram.count, "sum", "_count");
  }

  list(): MetricSample[] {
    return [...this.#samples.values()];
  }
}

/**
 * The text that a `/metrics` page shows: names begin with `stt_`, times are seconds. Distributions are there for sessions
 * with the option `profile`.
 *
 * @throws {SttError} `CONFIG` for a label that Prometheus does not take, or that this function uses itself.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * import { prometheusText } from "@seigr/stt/observe";
 * const seed = generateSeed();
 * const listener = await listen("mem:metrics-example", { seed });
 * const peer = await connect("mem:metrics-example", { seed });
 * const text = prometheusText({
 *   sessions: [{ stats: peer.stats(), labels: { peer: "a" } }],
 *   listeners: [{ stats: listener.stats() }],
 * });
 * console.log(text.includes('stt_sessions{peer="a"} 1')); // true
 * await peer.close();
 * await listener.close();
 * ```
 */
export function prometheusText(sources: MetricSources): string {
  const sessions = [...sources.sessions ?? []].map(({ stats, labels }) => ({
    stats,
    labels: checked(labels ?? { session: stats.sessionId ?? "" }),
  }));
  const listeners = [...sources.listeners ?? []].map(({ stats, labels }) => ({
    stats,
    labels: checked(labels ?? { listener: stats.address }),
  }));
  const families: MetricFamily[] = [];
  const put = (name: string, help: string, type: MetricFamily["type"], series: Series): void => {
    families.push({ name: `stt_${name}`, help, type, samples: series.list() });
  };
  for (const { name, help, type, merge = "sum", of } of SESSION_METRICS) {
    const series = new Series();
    for (const { stats, labels } of sessions) {
      const value = of(stats);
      if (value !== undefined) series.add(labels, value, merge);
    }
    put(name, help, type, series);
  }
  const rejected = new Series();
  for (const { stats, labels } of sessions) {
    for (const [reason, count] of Object.entries(stats.rejected)) {
      rejected.add({ ...labels, reason }, count, "sum");
    }
  }
  put("frames_rejected_total", "Frames refused, by reason.", "counter", rejected);
  for (const { name, help, of, powers } of SESSION_HISTOGRAMS) {
    const series = new Series();
    for (const { stats, labels } of sessions) {
      if (stats.profile !== undefined) series.addHistogram(labels, of(stats.profile), powers);
    }
    put(name, help, "histogram", series);
  }
  for (const { name, help, type, of } of LISTENER_METRICS) {
    const series = new Series();
    for (const { stats, labels } of listeners) series.add(labels, of(stats), "sum");
    put(name, help, type, series);
  }
  const drops = new Series();
  for (const { stats, labels } of listeners) {
    for (const [reason, count] of Object.entries(stats.drops)) {
      drops.add({ ...labels, reason }, count, "sum");
    }
  }
  put("listener_drops_total", "Frames of strangers dropped, by reason.", "counter", drops);
  return expositionText(families);
}
