/**
 * How a side is started in each runtime.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { buildForNode, NODE_BUILD } from "./node_build.ts";

/** Where a side runs. */
export type Runtime = "node" | "deno";

/** How to start a side. */
export interface StartOptions {
  /** Deno: allow `Deno.listenDatagram` and QUIC. */
  readonly unstableNet: boolean;
  /** Packages of bench/peers are wanted: Deno takes them from there, without the settings of this repository. */
  readonly packages: boolean;
  /** Folder for a processor profile of each side. */
  readonly cpuProfile: string | undefined;
}

const SIDE = new URL("side.ts", import.meta.url);

/** Whether a file or folder is there. */
export function exists(file: URL): boolean {
  try {
    Deno.statSync(file);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The Node to run: STT_NODE, else the one of bench/peers/package.json when it is installed, else the one on the path. */
export function nodeProgram(): string {
  const named = Deno.env.get("STT_NODE");
  if (named !== undefined) return named;
  const installed = new URL("node_modules/node/bin/node", import.meta.url);
  return exists(installed) ? fileURLToPath(installed) : "node";
}

/** Program and arguments of a side, before those of the side itself. */
export function sideCommand(runtime: Runtime, options: StartOptions): [string, string[]] {
  const profile = options.cpuProfile === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${options.cpuProfile}`];
  if (runtime === "node") {
    const script = fileURLToPath(new URL("bench/peers/side.js", NODE_BUILD));
    return [nodeProgram(), [...profile, script]];
  }
  return [Deno.execPath(), [
    "run",
    "-A",
    "--no-check",
    ...(options.packages ? ["--no-config", "--no-lock", "--node-modules-dir=manual"] : []),
    ...(options.unstableNet ? ["--unstable-net"] : []),
    ...profile,
    fileURLToPath(SIDE),
  ]];
}

/** What has to be done once before sides are started. */
export function prepare(runtimes: readonly Runtime[]): void {
  if (runtimes.includes("node")) buildForNode();
}

/** `node 24.1.0`, `deno 2.9.6`. */
export function runtimeVersion(runtime: Runtime): string {
  if (runtime === "deno") return `deno ${Deno.version.deno}`;
  const { stdout } = new Deno.Command(nodeProgram(), { args: ["--version"] }).outputSync();
  return `node ${new TextDecoder().decode(stdout).trim().replace(/^v/, "")}`;
}
