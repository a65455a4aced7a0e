/**
 * The programs that the lab runs: `stt` on either runtime, and the kernel's TCP.
 *
 * @module
 */
import { exists, filesUnder, ROOT, ROOT_PATH } from "../source_files.ts";

/** What runs `stt`. */
export type Runtime = "deno" | "node";

/** Program and arguments of `stt`. Deno gets the socket that is fast there. */
export function sttCommand(runtime: Runtime, args: readonly string[]): string[] {
  if (runtime === "node") return ["node", `${ROOT_PATH}npm/src/cli/bin.js`, ...args];
  const options = ["--unstable-net", "--frozen", "--quiet", "--no-check", "-A"];
  return [Deno.execPath(), "run", ...options, `${ROOT_PATH}src/cli/bin.ts`, ...args];
}

function newest(paths: readonly string[]): number {
  return Math.max(
    ...paths.map((path) => Deno.statSync(new URL(path, ROOT)).mtime?.getTime() ?? 0),
  );
}

/** Builds npm/ if it is absent or older than the sources. */
export async function buildForNode(): Promise<void> {
  const bin = "npm/src/cli/bin.js";
  const sources = filesUnder("src", [".ts"]).filter((path) => !path.endsWith("_test.ts"));
  if (exists(bin) && newest([bin]) > newest(sources)) return;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "scripts/build_npm.ts"],
    cwd: ROOT_PATH,
    stdout: "null",
  }).output();
  if (!success) throw new Error("npm/ does not build: deno task npm says why");
}

/** What `program --version` says first, or undefined if there is no such program. */
export async function versionOf(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await new Deno.Command(program, { args: ["--version"] }).output();
    return new TextDecoder().decode(stdout).split("\n")[0] ?? "";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The kernel's congestion controls for TCP. */
export async function tcpControls(): Promise<string[]> {
  const text = await Deno.readTextFile("/proc/sys/net/ipv4/tcp_available_congestion_control");
  return text.trim().split(/\s+/);
}
