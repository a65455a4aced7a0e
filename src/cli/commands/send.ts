/**
 * `stt send`.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { toHex } from "../../codec/hex.ts";
import {
  declineFile,
  FILES_APP,
  sendFile,
  type SendFileOptions,
} from "../../endpoint/files/mod.ts";
import type { Peer } from "../../endpoint/peer.ts";
import { SttError } from "../../errors.ts";
import type { Command, CommandContext } from "../command.ts";
import { dial } from "../dial.ts";
import { EXIT_OK, exitCodeOf, UsageError } from "../exit_codes.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { formatBytes, formatDuration, formatRate, printable } from "../text.ts";

const STDIN_NAME = "stdin";

export const send: Command = {
  name: "send",
  usage: "send FILE|-... ADDR",
  summary: "send files to a listener",
  details: [
    "A file counts as sent when the receiver has verified its SHA-256 and keeps it.",
    "`-` sends standard input, under the name given by --name (default `stdin`).",
  ],
  options: [
    { name: "name", value: "NAME", help: "name for the receiver (one file only)" },
    ...SESSION_OPTIONS,
    ...DIAL_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const paths = args.positionals.slice(0, -1);
    const address = args.positionals.at(-1);
    if (address === undefined || paths.length === 0) {
      throw new UsageError("send needs a file and an address", "send");
    }
    const name = args.text("name");
    if (name !== undefined && paths.length > 1) {
      throw new UsageError("--name is for one file only", "send");
    }
    const stdinTaken = paths.includes("-");
    if (paths.filter((path) => path === "-").length > 1) {
      throw new UsageError("standard input can be sent once", "send");
    }
    try {
      const dialled = new Dialled();
      let sending: Promise<number> | undefined;
      const early = (peer: Peer): void => {
        sending = sendAll(peer, paths, name, context, dialled);
        // A dial that fails says why.
        sending.catch(() => undefined);
      };
      const hooks = await opensAtOnce(paths[0]) ? { stdinTaken, early } : { stdinTaken };
      const { peer } = await dial(address, args, context, FILES_APP, hooks);
      dialled.succeed(context.io.now());
      void declineAll(peer);
      const exit = await (sending ?? sendAll(peer, paths, name, context, dialled));
      await peer.close();
      return exit;
    } finally {
      if (stdinTaken) context.io.stdin.release();
    }
  },
};

/** False for named pipes: to open one waits for its writer, and could not be given up when the dial fails. */
async function opensAtOnce(path: string | undefined): Promise<boolean> {
  if (path === undefined || path === "-") return true;
  try {
    return !(await stat(path)).isFIFO();
  } catch {
    // Whoever opens it says what is wrong with it.
    return true;
  }
}

/** The first file is offered with the last message of the dial; what came of either is told after the dial. */
class Dialled {
  /** When the session stood; 0 before. */
  atMs = 0;
  readonly done: Promise<void>;
  #succeed: () => void = () => undefined;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#succeed = resolve;
    });
  }

  succeed(nowMs: number): void {
    this.atMs = nowMs;
    this.#succeed();
  }
}

/** This side sends; whoever opens a stream towards it is told so. */
async function declineAll(peer: Peer): Promise<void> {
  try {
    for await (const stream of peer.streams()) declineFile(stream);
  } catch (error) {
    // The end of the session is the sender's to report.
    if (!(error instanceof SttError)) throw error;
  }
}

/** One file after the other, as `cp` does: one that fails does not stop the others. */
async function sendAll(
  peer: Peer,
  paths: readonly string[],
  name: string | undefined,
  context: CommandContext,
  dialled: Dialled,
): Promise<number> {
  let exit = EXIT_OK;
  for (const path of paths) {
    try {
      await sendOne(peer, path, name, context, dialled);
    } catch (error) {
      if (peer.stats().state === "handshaking") await dialled.done;
      const sessionOver = error instanceof SttError && peer.stats().state !== "established";
      if (!(error instanceof SttError) || sessionOver) {
        await peer.close();
        throw error;
      }
      exit = exitCodeOf(error);
      context.report.failure(error.code, error.message, exit);
    }
  }
  return exit;
}

/** Sends one file and says so. Its time runs from its offer, or from the end of the dial where that came later. */
export async function sendOne(
  peer: Peer,
  path: string,
  name: string | undefined,
  { io, report, signal }: CommandContext,
  dialled?: { readonly atMs: number },
): Promise<void> {
  const what: SendFileOptions = path === "-"
    ? { source: io.stdin.bytes(), name: name ?? STDIN_NAME }
    : { path, ...(name === undefined ? {} : { name }) };
  const started = io.now();
  const sent = await sendFile(peer, { ...what, signal, onProgress: report.progress() });
  const ms = io.now() - Math.max(started, dialled?.atMs ?? 0);
  const sha256 = toHex(sent.sha256);
  report.event(
    "sent",
    { name: sent.name, bytes: sent.bytes, sha256, ms, mbPerSecond: sent.bytes / ms / 1000 },
    `sent ${printable(sent.name)}: ${formatBytes(sent.bytes)} in ${formatDuration(ms)}, ` +
      `${formatRate(sent.bytes, ms)}\nsha256 ${sha256}`,
  );
}
