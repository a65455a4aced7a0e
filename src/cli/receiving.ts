/**
 * Receiving files, for `listen` and `receive`.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { toHex } from "../codec/hex.ts";
import {
  type ReceivedFolder,
  receiveTransfers,
  type ReceiveTransfersOptions,
  type TransferOutcome,
} from "../endpoint/files/mod.ts";
import { fileError } from "../endpoint/files/file_error.ts";
import { SttError } from "../errors.ts";
import type { Peer } from "../endpoint/peer.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { EXIT_OK, exitCodeOf, UsageError } from "./exit_codes.ts";
import { formatBytes, formatDuration, formatRate, printable } from "./text.ts";

const MAX_ENTRIES = 200_000;
/** Entries of a folder that failed and have a line each. */
const MAX_TOLD = 100;

const RESUME_OPTION: OptionSpec = {
  name: "resume",
  help: "keep what came of a transfer that broke off, and go on there (default)",
};

export const RECEIVE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "out",
    short: "o",
    value: "DIR|-",
    help: "folder for what is received (default: the current one); - for standard output",
  },
  { name: "to-stdout", help: "the same as --out -: the bytes of files go to standard output" },
  { name: "overwrite", help: "replace files of the same name; fill folders that exist" },
  { name: "max-size", value: "BYTES", help: "refuse larger files and folders" },
  {
    name: "max-entries",
    value: "N",
    help: `refuse folders of more entries (default ${MAX_ENTRIES})`,
  },
  { name: "hidden", help: "take files and folders whose names begin with a dot" },
  RESUME_OPTION,
  { name: "no-resume", help: "keep nothing of transfers that broke off" },
];

/** Whether received bytes go to standard output. */
export function toStdout(args: Arguments): boolean {
  return args.text("out") === "-" || args.flag("to-stdout");
}

/** `--resume`, the default, or `--no-resume`. @throws {UsageError} */
export function resumeOf(args: Arguments): boolean {
  if (args.flag("resume") && args.flag("no-resume")) {
    throw new UsageError("--resume and --no-resume exclude each other");
  }
  return !args.flag("no-resume");
}

/** How the commands receive. */
export interface Receiving extends ReceiveTransfersOptions {
  /** Names that begin with a dot are taken. */
  readonly hidden: boolean;
}

/** What `--out`, `--overwrite`, `--hidden` and `--max-size` mean. */
export async function receiveOptions(
  args: Arguments,
  { io }: CommandContext,
): Promise<Receiving> {
  const maxBytes = args.integer("max-size", 0, Number.MAX_SAFE_INTEGER);
  const resume = resumeOf(args);
  const limits = {
    overwrite: args.flag("overwrite"),
    // What goes to standard output gets no name.
    hidden: args.flag("hidden") || toStdout(args),
    maxEntries: args.integer("max-entries", 0, 10_000_000) ?? MAX_ENTRIES,
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  if (toStdout(args)) {
    if (args.flag("to-stdout") && (args.text("out") ?? "-") !== "-") {
      throw new UsageError("--to-stdout and --out exclude each other");
    }
    return { ...limits, write: (chunk) => io.stdout.bytes(chunk) };
  }
  const directory = args.text("out") ?? ".";
  try {
    if ((await stat(directory)).isDirectory()) {
      return { ...limits, directory, resume };
    }
  } catch (cause) {
    throw fileError("use folder", directory, cause);
  }
  throw new UsageError(`--out ${JSON.stringify(directory)} is no folder`);
}

/** In a home folder programs obey such files, and the default is the folder that the command was started in. */
function checkHidden(name: string, taken: boolean): void {
  if (taken || !name.startsWith(".")) return;
  throw new SttError(
    "FILE_NAME",
    `cannot take ${
      JSON.stringify(name)
    }: it begins with a dot (the receiver can allow it: --hidden)`,
  );
}

/**
 * Receives until the session ends. Returns the exit code: 0 when every file arrived.
 *
 * @param onOffer Called for each file that is offered.
 */
export async function receiveAll(
  peer: Peer,
  { hidden, ...options }: Receiving,
  { io, report, signal }: CommandContext,
  onOffer: () => void = () => undefined,
): Promise<number> {
  let exit = EXIT_OK;
  let started = io.now();
  let progress = report.progress();
  const files = receiveTransfers(peer, {
    signal,
    ...options,
    accept: ({ name, size, mode }) => {
      onOffer();
      checkHidden(name, hidden);
      report.event(
        "receiving",
        { name, size, mode, nodeId: peer.id },
        `receiving ${printable(name)}${size === null ? "" : `, ${formatBytes(size)}`}`,
      );
      started = io.now();
      progress = report.progress();
      return true;
    },
    acceptFolder: ({ name, bytes, entries, mode }) => {
      onOffer();
      checkHidden(name, hidden);
      report.event(
        "receiving",
        { name, size: bytes, mode, entries, nodeId: peer.id },
        `receiving folder ${printable(name)}, ${countText(entries)}, ${formatBytes(bytes)}`,
      );
      started = io.now();
      progress = report.progress();
      return true;
    },
    onProgress: (state) => progress(state),
  });
  let reported: unknown;
  for (;;) {
    let step: IteratorResult<TransferOutcome, void>;
    try {
      step = await files.next();
    } catch (error) {
      // The end of the session that broke the last file was told with that file.
      if (error === reported) return exit;
      throw error;
    }
    if (step.done === true) return exit;
    const file = step.value;
    if (file.ok && file.mode === "folder") {
      exit = reportFolder(file, peer, io.now() - started, report) ?? exit;
      continue;
    }
    if (file.ok) {
      reportReceived(file, peer, io.now() - started, report);
      continue;
    }
    exit = exitCodeOf(file.error);
    reported = file.error;
    const { code, message } = file.error;
    const name = file.name ?? "a file";
    report.warning(
      "not-received",
      { name: file.name, nodeId: peer.id, code, message },
      `did not receive ${JSON.stringify(name)} from ${peer.info.remoteAddress}: ${message}`,
    );
  }
}

/** What is said of bytes that did not travel again. */
export function earlierText(resumed: number): string {
  return resumed === 0 ? "" : `, ${formatBytes(resumed)} were there already`;
}

/** `1 entry`, `12 entries`. */
export function countText(entries: number): string {
  return `${entries} ${entries === 1 ? "entry" : "entries"}`;
}

/** Says what came of a folder, in few lines whatever its sender did. Returns the exit code of what failed in it, if anything did. */
export function reportFolder(
  { name, path, mode, entries, bytes, resumed, failed }: ReceivedFolder,
  peer: Peer,
  ms: number,
  report: CommandContext["report"],
): number | undefined {
  const nodeId = peer.id;
  for (const { path: entry, error: { code, message } } of failed.slice(0, MAX_TOLD)) {
    report.warning(
      "not-received",
      { name, entry, nodeId, code, message },
      `did not receive ${JSON.stringify(`${name}/${entry}`)}: ${message}`,
    );
  }
  if (failed.length > MAX_TOLD) {
    const count = failed.length - MAX_TOLD;
    report.warning(
      "not-received-more",
      { name, nodeId, count },
      `did not receive ${count} more of ${JSON.stringify(name)}`,
    );
  }
  const fresh = bytes - resumed;
  const facts = { name, path, mode, entries, failed: failed.length, bytes, resumed };
  report.event(
    "received",
    { ...facts, ms, mbPerSecond: fresh / ms / 1000, nodeId },
    `received folder ${printable(name)}: ${countText(entries)}, ${formatBytes(fresh)} in ` +
      `${formatDuration(ms)}, ${formatRate(fresh, ms)}${earlierText(resumed)}`,
  );
  return failed[0] === undefined ? undefined : exitCodeOf(failed[0].error);
}

function reportReceived(
  file: TransferOutcome & { readonly ok: true; readonly mode: "file" | "pipe" },
  peer: Peer,
  ms: number,
  report: CommandContext["report"],
): void {
  const sha256 = toHex(file.sha256);
  const { name, path, bytes, mode, resumed } = file;
  const fresh = bytes - resumed;
  report.event(
    "received",
    {
      name,
      path,
      bytes,
      resumed,
      mode,
      sha256,
      ms,
      mbPerSecond: fresh / ms / 1000,
      nodeId: peer.id,
    },
    `received ${printable(name)}: ${formatBytes(fresh)} in ${formatDuration(ms)}, ` +
      `${formatRate(fresh, ms)}${earlierText(resumed)}\nsha256 ${sha256}`,
  );
}
