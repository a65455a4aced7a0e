/**
 * Rows of floods as a Markdown table.
 *
 * @module
 */
import type { Row } from "./measure.ts";

const COLUMNS = [
  "flood",
  "sent",
  "per second",
  "most handshakes",
  "most sessions",
  "heap in the flood",
  "heap kept",
  "clients",
  "slowest client (median)",
  "loop blocked (on the clock)",
  "what the listener dropped",
];

export const HEADER: string = `${line(COLUMNS)}\n${line(COLUMNS.map(() => "---"))}`;

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

function mib(value: number): string {
  return `${value > 0 ? "+" : ""}${value.toFixed(1)} MiB`;
}

/** One row. */
export function rowText(row: Row): string {
  const drops = Object.entries(row.drops).map(([reason, count]) => `${count} ${reason}`);
  return line([
    row.name,
    `${row.sent} ${row.unit}`,
    (row.sent / row.seconds).toFixed(0),
    String(row.mostHandshaking),
    String(row.mostSessions),
    mib(row.peakMiB),
    mib(row.keptMiB),
    row.failedClients.length === 0
      ? String(row.clients)
      : `${row.clients} of ${row.clients + row.failedClients.length}`,
    `${row.connectMs.toFixed(0)} ms (${row.medianMs.toFixed(0)})`,
    `${row.loopMs.toFixed(0)} ms (${row.loopWallMs.toFixed(0)})`,
    drops.length === 0 ? "" : drops.join(", "),
  ]);
}
