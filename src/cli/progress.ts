/**
 * How far a transfer is, as text: a bar for terminals, a line now and then for everything else.
 *
 * @module
 */
import { clip, formatBytes, formatDuration, formatRate, printable, textWidth } from "./text.ts";

/** A moment of a transfer. */
export interface ProgressState {
  readonly name: string;
  readonly bytes: number;
  readonly size: number | null;
  /** Bytes that were there when it began. Default 0. */
  readonly resumed?: number;
  /** Milliseconds since it began. */
  readonly elapsedMs: number;
}

const MIN_BAR = 10;
const MAX_BAR = 40;

function percentOf(bytes: number, size: number): number {
  return size === 0 ? 100 : Math.min(100, Math.floor(bytes / size * 100));
}

function remaining({ bytes, size, resumed = 0, elapsedMs }: ProgressState): string {
  if (size === null || bytes <= resumed || bytes >= size) return "";
  return `ETA ${formatDuration((size - bytes) / ((bytes - resumed) / elapsedMs))}`;
}

/** One line of at most `columns` columns, without control characters. */
export function progressBar(state: ProgressState, columns: number): string {
  const { bytes, size, resumed = 0, elapsedMs } = state;
  const rate = formatRate(bytes - resumed, elapsedMs).padStart(10);
  const name = printable(state.name);
  if (size === null) {
    const facts = `  ${formatBytes(bytes).padStart(8)}  ${rate}`;
    return clip(clip(name, Math.max(8, columns - facts.length)) + facts, columns);
  }
  const percent = percentOf(bytes, size);
  const facts = `${String(percent).padStart(4)}%  ${formatBytes(bytes).padStart(8)}  ${rate}  ${
    remaining(state)
  }`.trimEnd();
  const room = columns - facts.length - 1;
  if (room < MIN_BAR + 6) return clip(`${clip(name, Math.max(0, room))} ${facts}`, columns);
  const bar = Math.max(MIN_BAR, Math.min(MAX_BAR, room - textWidth(name) - 3));
  const shown = clip(name, room - bar - 3);
  const filled = Math.round(bar * percent / 100);
  return `${shown} [${"#".repeat(filled)}${"-".repeat(bar - filled)}]${facts}`;
}

/** The same for logs: `report.pdf: 45%, 12.3 MB of 27.1 MB, 8.2 MB/s`. */
export function progressLine(state: ProgressState): string {
  const { bytes, size, resumed = 0, elapsedMs } = state;
  const rate = formatRate(bytes - resumed, elapsedMs);
  const name = printable(state.name);
  if (size === null) return `${name}: ${formatBytes(bytes)}, ${rate}`;
  return `${name}: ${percentOf(bytes, size)}%, ${formatBytes(bytes)} of ${
    formatBytes(size)
  }, ${rate}`;
}
