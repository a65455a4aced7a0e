/**
 * Where and how a measurement was made.
 *
 * @module
 */
import { versionOf } from "./programs.ts";

async function processor(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo");
  return /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? Deno.build.arch;
}

/** Facts to print above a table. */
export async function machineFacts(): Promise<Record<string, string>> {
  const load = Deno.loadavg().map((value) => value.toFixed(2)).join(" ");
  return {
    date: new Date().toISOString(),
    command: `deno task netlab ${Deno.args.join(" ")}`.trim(),
    machine: `${await processor()}, ${navigator.hardwareConcurrency} cores, load ${load}`,
    kernel: `Linux ${Deno.osRelease()}`,
    versions: `deno ${Deno.version.deno}, node ${await versionOf("node") ?? "none"}, ${
      await versionOf("python3") ?? "no Python"
    }`,
  };
}
