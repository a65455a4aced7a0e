/**
 * `stt send`.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { declineFile, FILE_REFUSALS, FILES_APP } from "../../endpoint/files/mod.ts";
import type { Peer } from "../../endpoint/peer.ts";
import { type ReconnectEvent, reconnecting } from "../../endpoint/reconnecting.ts";
import { SttError } from "../../errors.ts";
import type { Command, CommandContext } from "../command.ts";
import { Dialler } from "../dial.ts";
import { EXIT_FILE, EXIT_OK, exitCodeOf, UsageError } from "../exit_codes.ts";
import { hintOf } from "../hints.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import {
  SENDING_OPTIONS,
  sendingOf,
  type SendingOptions,
  sendOne,
  unreadable,
} from "../sending.ts";
import { formatDuration } from "../text.ts";

const CANCEL_PAUSE_MS = 500;

export const send: Command = {
  name: "send",
  usage: "send FILE|DIR|-... ADDR",
  summary: "send files and folders to a listener",
  details: [
    "A file counts as sent when the receiver has verified its SHA-256 and keeps it.",
    "A folder goes with everything in it except links and what --exclude names.",
    "`-` sends standard input, under the name given by --name (default `stdin`).",
  ],
  positionals: ["file", "address"],
  examples: [
    {
      line: "send report.pdf ws://192.0.2.1:9000/ --seed-file net.seed",
      what: "one file",
    },
    {
      line: "send project udp://192.0.2.1:9000 --seed-file net.seed --exclude .git/",
      what: "a folder with all but what is excluded",
    },
    {
      line: "send - tcp://192.0.2.1:9000 --seed-file net.seed --name backup.tar",
      what: "standard input: tar c folder | stt send - …",
    },
  ],
  options: [
    { name: "name", value: "NAME", help: "name for the receiver (one file or folder only)" },
    {
      name: "retry",
      value: "N",
      help: "dial again up to N times in a row; files go on where they stopped (default 0)",
    },
    ...SENDING_OPTIONS,
    { name: "resume", help: "leave out what the receiver has already (default)" },
    { name: "no-resume", help: "send everything, whatever the receiver has" },
    ...SESSION_OPTIONS,
    ...DIAL_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const paths = args.positionals.slice(0, -1);
    const address = args.positionals.at(-1);
    if (address === undefined || paths.length === 0) {
      throw new UsageError("send needs a file or folder and an address", "send");
    }
    const name = args.text("name");
    if (name !== undefined && paths.length > 1) {
      throw new UsageError("--name is for one file or folder only", "send");
    }
    const stdinTaken = paths.includes("-");
    if (paths.filter((path) => path === "-").length > 1) {
      throw new UsageError("standard input can be sent once", "send");
    }
    const retries = args.integer("retry", 0, 1_000_000) ?? 0;
    if (stdinTaken && retries > 0) {
      throw new UsageError("standard input cannot be sent again: no --retry with -", "send");
    }
    const how = sendingOf(args, name);
    const found = await readable(paths, context);
    if (found.length === 0) return EXIT_FILE;
    try {
      const dialler = await Dialler.prepare(address, args, context, FILES_APP, stdinTaken);
      try {
        return await new Sending(found, how, retries, context, found.length < paths.length)
          .run(dialler);
      } finally {
        dialler.close();
      }
    } finally {
      if (stdinTaken) context.io.stdin.release();
    }
  },
};

/** Those that are there; of the others it is told before anything is asked or dialled for them. */
async function readable(
  paths: readonly string[],
  { report }: CommandContext,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const error = await unreadable(path);
    if (error === undefined) found.push(path);
    else report.failure(error.code, error.message, EXIT_FILE);
  }
  return found;
}

/** The files of one run, over one session or, where one broke, several. */
class Sending {
  readonly #paths: readonly string[];
  readonly #how: SendingOptions;
  readonly #context: CommandContext;
  readonly #retries: number;
  #next = 0;
  #exit: number;
  /** Of the session under way, whose first file may have been offered with the last message of the dial. */
  #session: { readonly dialled: DialEnd; readonly outcome: Promise<void> } | undefined;

  constructor(
    paths: readonly string[],
    how: SendingOptions,
    retries: number,
    context: CommandContext,
    incomplete: boolean,
  ) {
    this.#exit = incomplete ? EXIT_FILE : EXIT_OK;
    this.#paths = paths;
    this.#how = how;
    this.#retries = retries;
    this.#context = context;
  }

  async run(dialler: Dialler): Promise<number> {
    const { io, signal } = this.#context;
    const sessions = reconnecting((signal) => this.#dial(dialler, signal), {
      maxAttempts: this.#retries + 1,
      signal,
      clock: io,
      onEvent: (event) => this.#tell(event),
    });
    for await (const peer of sessions) {
      void declineAll(peer);
      const session = this.#session ?? this.#begin(peer);
      session.dialled.succeed(io.now());
      try {
        await session.outcome;
        await peer.close();
        return this.#exit;
      } catch (error) {
        await peer.close();
        // The loop tells what ended the session, or dials again.
        const { error: lost, remote } = await peer.closed;
        if (!(error instanceof SttError) || lost === undefined && !remote) throw error;
      }
    }
    return this.#exit;
  }

  async #dial(dialler: Dialler, signal: AbortSignal): Promise<Peer> {
    this.#session = undefined;
    const early = (peer: Peer): void => void (this.#session = this.#begin(peer));
    const first = await opensAtOnce(this.#paths[this.#next]) ? early : undefined;
    return (await dialler.dial(signal, first)).peer;
  }

  #begin(peer: Peer): { readonly dialled: DialEnd; readonly outcome: Promise<void> } {
    const dialled = new DialEnd();
    const outcome = this.#sendAll(peer, dialled);
    // A dial that fails says why.
    outcome.catch(() => undefined);
    return { dialled, outcome };
  }

  /** One file after the other, as `cp` does: one that fails does not stop the others. Rejects when the session is over. */
  async #sendAll(peer: Peer, dialled: DialEnd): Promise<void> {
    for (; this.#next < this.#paths.length; this.#next++) {
      try {
        const path = this.#paths[this.#next] as string;
        this.#exit = await sendOne(peer, path, this.#how, this.#context, dialled) || this.#exit;
      } catch (error) {
        if (peer.stats().state === "handshaking") await dialled.done;
        if (this.#retries > 0 && cancelledThere(error)) await endOrPause(peer);
        const sessionOver = error instanceof SttError && peer.stats().state !== "established";
        if (!(error instanceof SttError) || sessionOver) throw error;
        this.#exit = exitCodeOf(error);
        this.#context.report.failure(error.code, error.message, this.#exit, hintOf(error));
      }
    }
  }

  #tell(event: ReconnectEvent): void {
    if (event.type !== "wait") return;
    const { error: { code, message }, delay: ms, attempt } = event;
    this.#context.report.warning(
      "retry",
      { code, message, attempt, delay: Math.round(ms) },
      `${message}; dialling again in ${formatDuration(ms)}`,
    );
  }
}

/** A receiver that is being stopped cancels its files first, and ends its sessions at once behind that. */
function cancelledThere(error: unknown): boolean {
  return error instanceof SttError && error.remote && error.wire === FILE_REFUSALS.cancelled.wire;
}

async function endOrPause(peer: Peer): Promise<void> {
  const stop = new AbortController();
  const pause = delay(CANCEL_PAUSE_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  await Promise.race([peer.closed, pause]);
  stop.abort();
}

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
class DialEnd {
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
