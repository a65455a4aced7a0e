/**
 * What `stt doctor` finds.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { hintOf } from "../hints.ts";
import { isDenied } from "../exit_codes.ts";

/** How one thing stands. */
export interface Finding {
  /** `warn`: it works, and could be better. */
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do; of warnings and failures. */
  readonly advice?: string;
}

/** One thing to look at. */
export interface Check {
  readonly name: string;
  /** Undefined: there was nothing to look at. What it throws is a failure, unless the signal was aborted. */
  run(signal: AbortSignal): Promise<Finding | undefined>;
  /** Gives back what the run opened for later checks. Called at the end, also when that came early. */
  close?(): Promise<void>;
}

export function ok(message: string): Finding {
  return { status: "ok", message };
}

export function warn(message: string, advice: string): Finding {
  return { status: "warn", message, advice };
}

export function fail(message: string, advice?: string): Finding {
  return { status: "fail", message, ...(advice === undefined ? {} : { advice }) };
}

/** Runs one check; whatever it meets is a finding. */
export async function examine(
  check: Check,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  try {
    return await check.run(signal);
  } catch (error) {
    signal.throwIfAborted();
    return fail(messageOf(error), adviceFor(error));
  }
}

/** The words of an error. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Deno was started without a flag that this takes. */
export function lacksPermission(error: unknown): boolean {
  return isDenied(error) || messageOf(error).includes("run again with the --allow-");
}

function adviceFor(error: unknown): string | undefined {
  if (lacksPermission(error)) return "docs/permissions.md lists the flags that each command needs";
  if (!(error instanceof SttError)) return undefined;
  return hintOf(error) ?? ADVICE[error.code];
}

const ADVICE: Readonly<Record<string, string>> = {
  HANDSHAKE_TIMEOUT:
    "three causes look the same: nobody listens there, the seed is another one, or a firewall drops " +
    "the packets; the listener says so when it is the seed",
  IDLE_TIMEOUT: "the session stands and nothing comes back: is the listener stopped or overloaded?",
  TRANSPORT: "is the listener running, on this port? Does a firewall refuse the connection?",
  PEER_IDENTITY: "another node answers at this address: compare --expect with its `node id`",
  REFUSED: "the listener refuses this node: its --expect, --app, or --once",
  BUSY: "the listener has as many sessions as it takes; try later",
  SEED: "`stt keygen --out FILE` makes a seed; whoever shall join needs the same one",
  UNSUPPORTED: "install what is named, or use tcp: or udp: addresses",
  ADDRESS: "addresses: ws://host:port/path, wss://…, tcp://host:port, udp://host:port",
};
