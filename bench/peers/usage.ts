/**
 * What the system says about this process and about the loopback interface.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";

/** What a process has used so far. */
export interface Usage {
  /** Processor seconds, of the system included. */
  readonly cpuSeconds: number;
  /** Largest resident size so far; the size now where the system does not tell. MiB. */
  readonly peakMiB: number;
}

function systemFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (_missing) {
    // Only Linux has /proc; elsewhere the figure is left out.
    return undefined;
  }
}

/** Usage of this process. */
export function usage(): Usage {
  const { user, system } = process.cpuUsage();
  const peak = /VmHWM:\s+(\d+)/.exec(systemFile("/proc/self/status") ?? "")?.[1];
  const bytes = peak === undefined ? process.memoryUsage().rss : Number(peak) * 1024;
  return { cpuSeconds: (user + system) / 1e6, peakMiB: Math.round(bytes / 1_048_576) };
}

/** Bytes that the loopback interface has sent since the system started; undefined where the system does not tell. */
export function loopbackBytes(): number | undefined {
  const line = /^\s*lo:(.*)$/m.exec(systemFile("/proc/net/dev") ?? "")?.[1];
  return line === undefined ? undefined : Number(line.trim().split(/\s+/)[8]);
}
