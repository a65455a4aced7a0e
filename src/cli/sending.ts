/**
 * Sending files and folders, for `send` and `listen --offer`.
 *
 * @module
 */
import { open, stat } from "node:fs/promises";
import { toHex } from "../codec/hex.ts";
import { fileError } from "../endpoint/files/file_error.ts";
import {
  type ExcludeEntry,
  sendFile,
  type SendFileOptions,
  sendFolder,
  type SentFolder,
} from "../endpoint/files/mod.ts";
import type { Peer } from "../endpoint/peer.ts";
import type { SttError } from "../errors.ts";
import { systemCode } from "../storage/system_error.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { EXIT_FILE, EXIT_OK } from "./exit_codes.ts";
import { excluder } from "./glob.ts";
import { countText, earlierText, resumeOf } from "./receiving.ts";
import { formatBytes, formatDuration, formatRate, printable } from "./text.ts";

const STDIN_NAME = "stdin";

export const SENDING_OPTIONS: readonly OptionSpec[] = [
  {
    name: "exclude",
    value: "GLOB",
    multiple: true,
    help: "leave out of folders what matches: *.log, node_modules/, /build",
  },
];

/** How files and folders are sent. */
export interface SendingOptions {
  /** For the receiver; of one path only. */
  readonly name: string | undefined;
  readonly exclude: ExcludeEntry;
  readonly resume: boolean;
}

/** @throws {UsageError} for a pattern that means nothing. */
export function sendingOf(args: Arguments, name?: string): SendingOptions {
  return { name, exclude: excluder(args.texts("exclude")), resume: resumeOf(args) };
}

/**
 * Sends one file or folder and says so. Its time runs from its offer, or from the end of the dial where that came later.
 * Returns the exit code: not 0 when entries of a folder failed.
 */
export async function sendOne(
  peer: Peer,
  path: string,
  how: SendingOptions,
  context: CommandContext,
  dialled?: { readonly atMs: number },
): Promise<number> {
  const { io, report, signal } = context;
  const named = how.name === undefined ? {} : { name: how.name };
  const started = io.now();
  const common = { signal, resume: how.resume, onProgress: report.progress() };
  const elapsed = (): number => io.now() - Math.max(started, dialled?.atMs ?? 0);
  if (path !== "-" && await isFolder(path)) {
    const sent = await sendFolder(peer, { ...common, ...named, path, exclude: how.exclude });
    return reportFolder(sent, elapsed(), context);
  }
  const what: SendFileOptions = path === "-"
    ? { source: io.stdin.bytes(), name: how.name ?? STDIN_NAME }
    : { path, ...named };
  const sent = await sendFile(peer, { ...common, ...what });
  const ms = elapsed();
  const sha256 = toHex(sent.sha256);
  const { name, bytes, resumed } = sent;
  const fresh = bytes - resumed;
  report.event(
    "sent",
    { name, bytes, resumed, sha256, ms, mbPerSecond: fresh / ms / 1000 },
    `sent ${printable(name)}: ${formatBytes(fresh)} in ${formatDuration(ms)}, ` +
      `${formatRate(fresh, ms)}${earlierText(resumed)}\nsha256 ${sha256}`,
  );
  return EXIT_OK;
}

/** What no attempt to open changes. */
const UNREADABLE: readonly (string | undefined)[] = [
  "ENOENT",
  "ENOTDIR",
  "EACCES",
  "ELOOP",
  "ENAMETOOLONG",
];

/** Why a path cannot be sent, as far as a look tells: a dial for it would be for nothing. */
export async function unreadable(path: string): Promise<SttError | undefined> {
  if (path === "-") return undefined;
  try {
    // Deno's `access` asks for one more permission; to open a named pipe waits for its writer.
    if ((await stat(path)).isFile()) await (await open(path, "r")).close();
    return undefined;
  } catch (cause) {
    // Whoever opens it says what else may be wrong with it.
    return UNREADABLE.includes(systemCode(cause)) ? fileError("read", path, cause) : undefined;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whoever opens it says what is wrong with it.
    return false;
  }
}

function reportFolder(
  { name, entries, bytes, resumed, skipped, failed }: SentFolder,
  ms: number,
  { report }: CommandContext,
): number {
  for (const { path, what } of skipped) {
    const kind = what === "link" ? "a link" : "no file";
    report.event("skipped", { name, entry: path, what }, `left out ${printable(path)}: ${kind}`);
  }
  for (const { path, error: { code, message } } of failed) {
    report.warning("not-sent", { name, entry: path, code, message }, message);
  }
  const fresh = bytes - resumed;
  const counts = { entries, failed: failed.length, skipped: skipped.length };
  report.event(
    "sent",
    { name, mode: "folder", ...counts, bytes, resumed, ms, mbPerSecond: fresh / ms / 1000 },
    `sent folder ${printable(name)}: ${countText(entries)}, ${formatBytes(fresh)} in ` +
      `${formatDuration(ms)}, ${formatRate(fresh, ms)}${earlierText(resumed)}`,
  );
  return failed.length === 0 ? EXIT_OK : EXIT_FILE;
}
