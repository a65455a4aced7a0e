/**
 * Which process holds a lock, and whether it still runs. A pid alone is not enough: the system gives it to another
 * process later.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { systemCode } from "./system_error.ts";

/** A process, as a lock file names it. */
export interface ProcessIdentity {
  /** The system's number of the process. */
  readonly pid: number;
  /** When it started: clock ticks since the boot on Linux, else Unix milliseconds. */
  readonly started: string;
  /** Which run of the system it belongs to; empty where the system does not say. */
  readonly boot: string;
}

/** This process. */
export async function thisProcess(): Promise<ProcessIdentity> {
  const ticks = await startTicks(process.pid);
  return {
    pid: process.pid,
    started: ticks ?? String(Math.round(performance.timeOrigin)),
    boot: await bootId(),
  };
}

/** Whether this very process, and not another one with its pid, runs. */
export async function isRunning({ pid, started, boot }: ProcessIdentity): Promise<boolean> {
  const now = await bootId();
  if (boot !== "" && now !== "" && boot !== now) return false;
  const ticks = await startTicks(pid);
  if (ticks !== undefined) return ticks === started;
  // Without /proc only the pid is known of other processes, so one that was given away keeps a lock.
  if (pid === process.pid) return started === String(Math.round(performance.timeOrigin));
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}

/** Field 22 of /proc/PID/stat; undefined where there is no such process or no /proc. */
async function startTicks(pid: number): Promise<string | undefined> {
  const text = await readText(`/proc/${pid}/stat`);
  // The second field is a name in parentheses, which may hold anything.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  // A zombie holds nothing any more.
  if (fields === undefined || fields[0] === "Z" || fields[0] === "X") return undefined;
  return fields[19];
}

async function bootId(): Promise<string> {
  return (await readText("/proc/sys/kernel/random/boot_id"))?.trim() ?? "";
}

async function readText(path: string): Promise<string | undefined> {
  if (process.platform !== "linux") return undefined;
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}
