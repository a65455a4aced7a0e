/**
 * Options that several commands share, and what they mean for `connect` and `listen`.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { fileError } from "../endpoint/files/file_error.ts";
import { readSeedFile } from "../endpoint/seed_file.ts";
import type { EndpointOptions } from "../endpoint/options.ts";
import type { CongestionControlName } from "../connection/congestion/controller.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./exit_codes.ts";
import { OBSERVE_OPTIONS, observeOptions } from "./observing.ts";

/** Seconds without a sign of life after which a session is given up. */
export const DEFAULT_TIMEOUT_S = 30;
const DEFAULT_HANDSHAKE_S = 10;
/** A signal must end the process within two seconds: what a dead peer does not take is not waited for longer. */
const CLOSE_FLUSH_MS = 500;
/** A file is read as fast as it comes: a window of a fast and long path from the start, not after its first round trips. */
const STREAM_WINDOW = 1_048_576;
const SESSION_WINDOW = 4_194_304;

const CONGESTION: readonly CongestionControlName[] = ["cubic", "bbr", "newreno"];

export const GENERAL_OPTIONS: readonly OptionSpec[] = [
  { name: "json", help: "one JSON object per line instead of text" },
  { name: "quiet", short: "q", help: "results, warnings and errors only" },
  { name: "config", value: "FILE", help: "configuration file in place of the usual one" },
  { name: "help", short: "h", help: "show this help" },
];

export const SESSION_OPTIONS: readonly OptionSpec[] = [
  {
    name: "seed-file",
    value: "FILE",
    multiple: true,
    help: "file with the shared seed (listen: several, one for each)",
  },
  {
    name: "node-seed-file",
    value: "FILE",
    help: "file with this node's own seed: a lasting node id",
  },
  { name: "app", value: "NAME", help: "application name; both sides' must match" },
  {
    name: "timeout",
    value: "SECONDS",
    help: `give up on a peer that is silent for so long (default ${DEFAULT_TIMEOUT_S}; dial 10)`,
  },
  { name: "native", help: "the runtime's own WebSocket (trusted networks only)" },
  ...OBSERVE_OPTIONS,
  {
    name: "congestion",
    value: "NAME",
    choices: CONGESTION,
    help: `udp: what sets the speed of sending: ${CONGESTION.join(", ")}`,
  },
];

export const DIAL_OPTIONS: readonly OptionSpec[] = [
  { name: "expect", value: "HEX", help: "the node id that the listener must have" },
  { name: "ca", value: "FILE", help: "certificates (PEM) that wss: trusts besides the system's" },
];

export const LISTEN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "expect",
    value: "HEX",
    multiple: true,
    help: "a node id to take; all others are refused",
  },
  { name: "cert", value: "FILE", help: "certificate chain (PEM) for wss:" },
  { name: "key", value: "FILE", help: "private key (PEM) for wss:" },
];

/** For commands that dial or listen. */
export const EITHER_OPTIONS: readonly OptionSpec[] = [
  ...LISTEN_OPTIONS,
  ...DIAL_OPTIONS.filter(({ name }) => LISTEN_OPTIONS.every((other) => other.name !== name)),
];

/** What `connect` and `listen` have in common. `defaultApp` holds when `--app` is absent. */
export async function endpointOptions(
  args: Arguments,
  context: CommandContext,
  defaultApp: string,
): Promise<EndpointOptions & { readonly timeoutMs: number }> {
  const timeout = args.number("timeout", 0.1, 86_400);
  const idleMs = Math.round((timeout ?? DEFAULT_TIMEOUT_S) * 1000);
  const nodeSeedFile = args.text("node-seed-file");
  const congestion = congestionOf(args);
  return {
    app: args.text("app") ?? defaultApp,
    handshakeTimeout: Math.round((timeout ?? DEFAULT_HANDSHAKE_S) * 1000),
    maxIdle: idleMs,
    keepAlive: Math.max(20, Math.floor(idleMs / 3)),
    closeFlush: CLOSE_FLUSH_MS,
    maxStreamData: STREAM_WINDOW,
    maxData: SESSION_WINDOW,
    timeoutMs: idleMs,
    ...observeOptions(args, context),
    ...(congestion === undefined ? {} : { congestion }),
    ...(nodeSeedFile === undefined ? {} : { nodeSeed: await seedOf(nodeSeedFile, context) }),
  };
}

function congestionOf(args: Arguments): CongestionControlName | undefined {
  const text = args.text("congestion");
  const name = CONGESTION.find((known) => known === text);
  if (text === undefined || name !== undefined) return name;
  throw new UsageError(
    `--congestion takes one of ${CONGESTION.join(", ")}, not ${JSON.stringify(text.slice(0, 64))}`,
  );
}

/** A seed from a file; others who may read it are worth a warning. */
export async function seedOf(path: string, context: CommandContext): Promise<Uint8Array> {
  const { seed, looseMode } = await readSeedFile(path);
  if (looseMode) {
    const text = `seed file ${JSON.stringify(path)} can be read by others: chmod 600 it`;
    context.report.warning("warning", { message: text }, `warning: ${text}`);
  }
  return seed;
}

/** A PEM file named by an option. */
export async function pemOf(args: Arguments, name: string): Promise<string | undefined> {
  const path = args.text(name);
  if (path === undefined) return undefined;
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw fileError("read", path, cause);
  }
}
