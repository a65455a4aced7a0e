/**
 * A session at a glance: what `stt top` draws.
 *
 * @module
 */
import type { ConnectionStats } from "../../connection/stats.ts";
import { type HistogramSnapshot, quantile } from "../../observe/histogram.ts";
import type { Style } from "../style.ts";
import { clip, formatBytes, formatDuration, formatRate, printable } from "../text.ts";

/** One look at a session. */
export interface TopView {
  readonly address: string;
  readonly peerId: string;
  readonly suite: string;
  /** Milliseconds since the session stood. */
  readonly elapsedMs: number;
  readonly stats: ConnectionStats;
  /** What happened in the last `intervalMs`. */
  readonly change: ConnectionStats;
  readonly intervalMs: number;
  /** Round trips of the last looks, oldest first, in ms. */
  readonly rtts: readonly number[];
}

const LEVELS = "▁▂▃▄▅▆▇█";
const LABEL = 9;
const CELL = 11;

/** Round trips as bars, the newest at the right; the highest one is full. */
export function sparkline(values: readonly number[], width: number): string {
  const shown = values.slice(-Math.max(0, width));
  const top = Math.max(...shown, Number.MIN_VALUE);
  return shown.map((value) => {
    const level = Math.ceil(value / top * LEVELS.length) - 1;
    return LEVELS[Math.min(Math.max(level, 0), LEVELS.length - 1)];
  }).join("");
}

/** `0.42 ms`, and below a tenth of one `3.1 µs`. */
function time(ms: number | undefined): string {
  if (ms === undefined) return "-";
  return ms < 0.1 ? `${(ms * 1000).toFixed(1)} µs` : formatDuration(ms);
}

function row(label: string, cells: readonly string[]): string {
  return label.padEnd(LABEL) + cells.map((cell) => cell.padStart(CELL)).join("");
}

function distribution(label: string, histogram: HistogramSnapshot | undefined): string {
  if (histogram === undefined || histogram.count === 0) return row(label, ["-"]);
  const { count, min, max } = histogram;
  const shares = [0.5, 0.9, 0.99].map((share) => time(quantile(histogram, share)));
  return row(label, [time(min), ...shares, time(max), String(count)]);
}

function traffic(
  label: string,
  bytes: number,
  frames: number,
  total: [bytes: number, frames: number],
  ms: number,
): string {
  const perSecond = (frames / Math.max(ms, 1) * 1000).toFixed(0);
  return row(label, [
    formatRate(bytes, ms),
    `${perSecond}/s`,
    formatBytes(total[0]),
    `${total[1]}`,
  ]);
}

function pathLine(stats: ConnectionStats): string {
  const { path } = stats;
  if (path === undefined) return "path     a reliable transport: it has its own recovery";
  const { congestion, state, window, bytesInFlight, packetSize } = path;
  return `path     ${congestion} ${state}, window ${formatBytes(window)}, in flight ${
    formatBytes(bytesInFlight)
  }, packets of ${packetSize} B`;
}

function troubles({ path, rejected, migrations, datagramsDropped }: ConnectionStats): string {
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0);
  const parts = path === undefined ? [] : [
    `${path.packetsLost} lost (${path.spuriousLosses} were not)`,
    `${path.probeTimeouts} probes`,
  ];
  parts.push(`${refused} refused`, `${datagramsDropped} dropped`, `${migrations} moves`);
  return `trouble  ${parts.join(", ")}`;
}

/** The lines, none wider than `columns`. */
export function topLines(view: TopView, columns: number, style: Style): string[] {
  const { stats, change, intervalMs, rtts } = view;
  const { profile, streams } = stats;
  const width = Math.max(20, columns);
  const seconds = Math.floor(view.elapsedMs / 1000);
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
    .map((part) => String(part).padStart(2, "0")).join(":");
  const head = (text: string): string => style("dim", clip(text, width));
  const plain = (text: string): string => clip(text, width);
  return [
    style("bold", clip(`${printable(view.address)}  ${stats.state}  ${clock}`, width)),
    plain(`peer     ${view.peerId}`),
    plain(`suite    ${view.suite}, key epochs ${stats.sendEpoch} and ${stats.recvEpoch}`),
    "",
    head(row("", ["min", "median", "90 %", "99 %", "max", "samples"])),
    plain(distribution("rtt", profile?.rtt)),
    plain(distribution("wait", profile?.sendLatency)),
    plain(distribution("seal", profile?.seal)),
    plain(distribution("open", profile?.open)),
    "",
    head(row("", ["bytes", "frames", "all bytes", "all frames"])),
    plain(
      traffic("sent", change.bytesSent, change.framesSent, [
        stats.bytesSent,
        stats.framesSent,
      ], intervalMs),
    ),
    plain(
      traffic("received", change.bytesReceived, change.framesReceived, [
        stats.bytesReceived,
        stats.framesReceived,
      ], intervalMs),
    ),
    plain(`streams  ${streams.open} open, ${streams.closed} closed`),
    plain(pathLine(stats)),
    plain(troubles(stats)),
    "",
    plain(`rtt now  ${time(rtts.at(-1))}  ${sparkline(rtts, width - 24)}`),
  ];
}

/** The same in one line, for logs. */
export function topLine({ stats, change, intervalMs, rtts }: TopView): string {
  const rtt = stats.profile?.rtt;
  const median = rtt && quantile(rtt, 0.5);
  return `rtt ${time(rtts.at(-1))} (median ${time(median)}), sent ${
    formatRate(change.bytesSent, intervalMs)
  }, received ${formatRate(change.bytesReceived, intervalMs)}, lost ${
    stats.path?.packetsLost ?? 0
  }`;
}
