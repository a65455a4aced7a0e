/**
 * The sending side of the folder service (SPEC 12.10).
 *
 * @module
 */
import { basename, resolve } from "node:path";
import type { Peer } from "../peer.ts";
import { checkFileName } from "./file_name.ts";
import {
  type ExcludeEntry,
  type FailedEntry,
  scanFolder,
  type SkippedEntry,
} from "./folder_scan.ts";
import { FolderSending } from "./folder_sending.ts";
import { checkFolder } from "./folder_source.ts";
import type { FileProgress } from "./progress.ts";

/** How far a folder is. `bytes`, `size` and `resumed` are those of all its files together. */
export interface FolderProgress extends FileProgress {
  /** Entries that are done. */
  readonly entries: number;
  /** Entries in all. */
  readonly allEntries: number;
}

/** Options of {@link sendFolder}. */
export interface SendFolderOptions {
  /** The folder to send. A link is followed here, and nowhere below. */
  readonly path: string;
  /** Name for the receiver, a plain one. Default: that of `path`. */
  readonly name?: string;
  /** Leaves out the files and folders (with all in them) for which it says true. Default: sends all. */
  readonly exclude?: ExcludeEntry;
  /** False sends all bytes, whatever the receiver has of them. Default true. */
  readonly resume?: boolean;
  /** 0 to 1000, default 500. */
  readonly priority?: number;
  /** Called after every chunk of bytes, and when an entry is done. */
  readonly onProgress?: (progress: FolderProgress) => void;
  /** Gives up: the receiver is told, and keeps what its `resume` says. */
  readonly signal?: AbortSignal;
}

/** A folder that the receiver keeps. */
export interface SentFolder {
  /** Name that the receiver was given. */
  readonly name: string;
  /** Entries that the receiver has, each verified: files, and folders that hold none. */
  readonly entries: number;
  /** Bytes of those. */
  readonly bytes: number;
  /** Bytes of those that the receiver had already, and that did not travel again. */
  readonly resumed: number;
  /** Links and special files: they stay here. */
  readonly skipped: readonly SkippedEntry[];
  /** What could not be read, or was not taken. The others arrived all the same. */
  readonly failed: readonly FailedEntry[];
}

/**
 * Sends a folder with all that is in it. Many files travel at once, so small ones do not wait for round trips. Resolves
 * when the receiver has each file verified and the folder in its place; entries that failed are in the result.
 *
 * Links are not followed and not sent. Of modes only whether the owner may execute a file is told.
 *
 * @throws {SttError} FILE_NAME, FILE_IO (the folder itself), FILE_EXISTS, FILE_TOO_LARGE, REFUSED (no folders wanted),
 *   PROTOCOL, the error that ended the session; the signal's reason.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen, receiveTransfers, sendFolder } from "@seigr/stt";
 * import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const folder = await mkdtemp(join(tmpdir(), "stt-"));
 * await mkdir(join(folder, "photos", "2026"), { recursive: true });
 * await mkdir(join(folder, "inbox"));
 * await writeFile(join(folder, "photos", "2026", "a.txt"), "a picture");
 *
 * const seed = generateSeed();
 * const app = "stt-files/1";
 * const listener = await listen("mem:folder-example", { seed, app });
 * const client = await connect("mem:folder-example", { seed, app });
 * const server = (await listener.nextPeer())!;
 *
 * const receiving = receiveTransfers(server, { directory: join(folder, "inbox") }).next();
 * const sent = await sendFolder(client, { path: join(folder, "photos") });
 * await receiving;
 * console.log(sent.entries, sent.failed.length); // 1 0
 * console.log(await readFile(join(folder, "inbox", "photos", "2026", "a.txt"), "utf8")); // "a picture"
 * await listener.close();
 * await rm(folder, { recursive: true });
 * ```
 */
export async function sendFolder(peer: Peer, options: SendFolderOptions): Promise<SentFolder> {
  const { path, signal, exclude = () => false } = options;
  signal?.throwIfAborted();
  const name = options.name ?? basename(resolve(path));
  checkFileName(name, false);
  await checkFolder(path);
  const content = await scanFolder(path, exclude, signal);
  const stream = await peer.openStream({
    ...(signal === undefined ? {} : { signal }),
    ...(options.priority === undefined ? {} : { priority: options.priority }),
  });
  const sending = new FolderSending(stream, path, name, content.entries, content.bytes, options);
  await sending.run();
  const { entries, bytes, resumed, failed } = sending;
  const { skipped } = content;
  return { name, entries, bytes, resumed, skipped, failed: [...content.failed, ...failed] };
}
