/**
 * Receiving files, for `listen` and `receive`.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { toHex } from "../codec/hex.ts";
import { type FileOutcome, type ReceiveFileOptions, receiveFiles } from "../endpoint/files/mod.ts";
import { fileError } from "../endpoint/files/file_error.ts";
import type { Peer } from "../endpoint/peer.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { EXIT_OK, exitCodeOf, UsageError } from "./exit_codes.ts";
import { formatBytes, formatDuration, formatRate, printable } from "./text.ts";

export const RECEIVE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "out",
    short: "o",
    value: "DIR|-",
    help: "folder for received files (default: the current one); - for standard output",
  },
  { name: "overwrite", help: "replace files of the same name" },
  { name: "max-size", value: "BYTES", help: "refuse larger files" },
  { name: "no-resume", help: "keep nothing of files whose transfers broke off" },
];

/** Whether received bytes go to standard output. */
export function toStdout(args: Arguments): boolean {
  return args.text("out") === "-";
}

/** What `--out`, `--overwrite` and `--max-size` mean. */
export async function receiveOptions(
  args: Arguments,
  { io }: CommandContext,
): Promise<ReceiveFileOptions> {
  const maxBytes = args.integer("max-size", 0, Number.MAX_SAFE_INTEGER);
  const limits = {
    overwrite: args.flag("overwrite"),
    ...(maxBytes === undefined ? {} : { maxBytes }),
  };
  if (toStdout(args)) return { ...limits, write: (chunk) => io.stdout.bytes(chunk) };
  const directory = args.text("out") ?? ".";
  try {
    if ((await stat(directory)).isDirectory()) {
      return { ...limits, directory, resume: !args.flag("no-resume") };
    }
  } catch (cause) {
    throw fileError("use folder", directory, cause);
  }
  throw new UsageError(`--out ${JSON.stringify(directory)} is no folder`);
}

/**
 * Receives until the session ends. Returns the exit code: 0 when every file arrived.
 *
 * @param onOffer Called for each file that is offered.
 */
export async function receiveAll(
  peer: Peer,
  options: ReceiveFileOptions,
  { io, report, signal }: CommandContext,
  onOffer: () => void = () => undefined,
): Promise<number> {
  let exit = EXIT_OK;
  let started = io.now();
  let progress = report.progress();
  const files = receiveFiles(peer, {
    signal,
    ...options,
    accept: ({ name, size, mode }) => {
      onOffer();
      report.event(
        "receiving",
        { name, size, mode, nodeId: peer.id },
        `receiving ${printable(name)}${size === null ? "" : `, ${formatBytes(size)}`}`,
      );
      started = io.now();
      progress = report.progress();
      return true;
    },
    onProgress: (state) => progress(state),
  });
  let reported: unknown;
  for (;;) {
    let step: IteratorResult<FileOutcome, void>;
    try {
      step = await files.next();
    } catch (error) {
      // The end of the session that broke the last file was told with that file.
      if (error === reported) return exit;
      throw error;
    }
    if (step.done === true) return exit;
    const file = step.value;
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

function reportReceived(
  file: FileOutcome & { readonly ok: true },
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
