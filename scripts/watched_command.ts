/**
 * Runs a test command so that a test which hangs or eats memory fails the run instead of holding up the machine.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";

/** Limits of {@link runWatched}. */
export interface Watch {
  /** Longest time without any output, in milliseconds. */
  readonly silenceMs: number;
  /** Most memory of the process itself, in bytes; watched on Linux. */
  readonly memoryBytes: number;
}

/** What a test run may take: type checking is the longest silence, and needs the most memory. */
export const TEST_WATCH: Watch = { silenceMs: 300_000, memoryBytes: 4 * 2 ** 30 };

/** How a watched command ended. */
export interface WatchedExit {
  /** Exit code; 1 when a signal or the watch ended it. */
  readonly code: number;
  /** What the watch saw when it ended the command. */
  readonly stopped: string | undefined;
}

function residentBytes(pid: number): number {
  if (process.platform !== "linux") return 0;
  try {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(match?.[1] ?? 0) * 1024;
  } catch (error) {
    // The process has just ended: it has no memory then.
    if ((error as { code?: string }).code === "ENOENT") return 0;
    throw error;
  }
}

/** Runs `program` with its output passed through; ends it and all it started when it passes a limit. */
export function runWatched(
  program: string,
  args: readonly string[],
  cwd: string,
  watch: Watch = TEST_WATCH,
): Promise<WatchedExit> {
  return new Promise((resolve, reject) => {
    // A group of its own, so that what the tests started ends with them.
    const detached = process.platform !== "win32";
    const child = spawn(program, args, { cwd, detached, stdio: ["ignore", "pipe", "pipe"] });
    let lastOutput = performance.now();
    let lastLine = "";
    let stopped: string | undefined;

    function stop(why: string): void {
      if (stopped !== undefined || child.pid === undefined) return;
      stopped = why;
      if (detached) process.kill(-child.pid, "SIGKILL");
      else child.kill();
    }
    const interrupt = (): void => stop("interrupted");
    const timer = setInterval(() => {
      const bytes = child.pid === undefined ? 0 : residentBytes(child.pid);
      if (bytes > watch.memoryBytes) {
        stop(`${Math.round(bytes / 2 ** 20)} MiB of memory, after: ${lastLine}`);
      } else if (performance.now() - lastOutput > watch.silenceMs) {
        stop(`no output for ${watch.silenceMs / 1000} s, after: ${lastLine}`);
      }
    }, Math.min(1000, watch.silenceMs));
    for (
      const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]] as const
    ) {
      from.on("data", (chunk: Uint8Array) => {
        lastOutput = performance.now();
        const lines = new TextDecoder().decode(chunk).split("\n").filter((line) => line !== "");
        lastLine = lines.at(-1) ?? lastLine;
        to.write(chunk);
      });
    }
    function clear(): void {
      clearInterval(timer);
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
    }
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", interrupt);
    child.on("error", (error) => {
      clear();
      reject(error);
    });
    child.on("close", (code) => {
      clear();
      resolve({ code: stopped === undefined ? code ?? 1 : 1, stopped });
    });
  });
}
