/**
 * The receiving side of the file service.
 *
 * @module
 */
import { isAbsolute } from "node:path";
import process from "node:process";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { type FileDestination, type FilePlace, ForwardedBytes } from "./destination.ts";
import { checkFileName } from "./file_name.ts";
import { isPartName, resumable, type ResumeLimits, resumeLimits } from "./kept_parts.ts";
import { nodeFiles } from "./node_runtime.ts";
import { PartFile } from "./part_file.ts";
import {
  checkMaxBytes,
  type ReceivedFile,
  receiveOffered,
  type TakeOptions,
} from "./receive_transfer.ts";
import type { FileOffer } from "./wire.ts";

/** Options of {@link receiveFile} and {@link receiveFiles}: one of `directory` and `write`. */
export interface ReceiveFileOptions extends TakeOptions {
  /** Folder that files appear in, under their own names and nowhere else. */
  readonly directory?: string;
  /** Takes the bytes instead of a folder. They are verified only after the last one was handed over. */
  readonly write?: (chunk: Uint8Array) => void | Promise<void>;
  /** Replace files of the same name. Default false. */
  readonly overwrite?: boolean;
  /**
   * With `directory`: keep what came of a file of a known size from 1 MiB on when its transfer breaks off, hidden beside
   * its place, and go on there when a sender offers the same name and size and proves the same first bytes (SPEC 12.4).
   * True for the default limits. Default false: nothing stays behind.
   */
  readonly resume?: boolean | ResumeLimits;
}

/** One transfer of {@link receiveFiles}. */
export type FileOutcome =
  | (ReceivedFile & { readonly ok: true })
  | {
    /** It did not arrive, and nothing of it is left but what `resume` keeps. */
    readonly ok: false;
    /** The name that was offered, unchecked; undefined when not even that arrived. */
    readonly name: string | undefined;
    /** Why; what the sender was told holds less. */
    readonly error: SttError;
  };

/**
 * Receives the one file that a peer sends on a stream.
 *
 * It is written beside its place under a hidden name, verified, synced, and only then appears under its own. Whatever
 * goes wrong, the sender is told (without any path of this machine), and nothing stays behind
 * but what `resume` keeps.
 *
 * @throws {SttError} FILE_NAME, FILE_EXISTS, FILE_IO, FILE_HASH, FILE_TOO_LARGE, REFUSED (`accept` said no), UNSUPPORTED
 *   (the stream is of another service), PROTOCOL, STREAM_RESET (the sender gave up), the error that ended the session;
 *   the signal's reason when aborted.
 */
export async function receiveFile(
  stream: SttStream,
  options: ReceiveFileOptions,
): Promise<ReceivedFile> {
  checkOptions(options);
  return await receiveOffered(stream, placeOf(options), nodeFiles, options, () => undefined);
}

/**
 * Files that a peer sends, one after the other, until the session ends. A file that fails is an outcome too, and the
 * next one follows.
 *
 * @throws {SttError} the error that ended the session, unless it ended in order; the signal's reason when aborted.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen, receiveFiles, sendFile } from "@seigr/stt";
 * import { mkdtemp, readFile, rm } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const directory = await mkdtemp(join(tmpdir(), "stt-"));
 * const seed = generateSeed();
 * const app = "stt-files/1";
 * const listener = await listen("mem:files-example", { seed, app });
 * const client = await connect("mem:files-example", { seed, app });
 * const server = (await listener.nextPeer())!;
 *
 * const sending = sendFile(client, {
 *   name: "hello.txt",
 *   size: 5,
 *   source: [new TextEncoder().encode("hello")],
 * });
 * for await (const file of receiveFiles(server, { directory })) {
 *   if (file.ok) console.log(await readFile(join(directory, file.name), "utf8")); // "hello"
 *   break;
 * }
 * console.log((await sending).bytes); // 5
 * await listener.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function* receiveFiles(
  peer: Peer,
  options: ReceiveFileOptions,
): AsyncGenerator<FileOutcome, void, void> {
  checkOptions(options);
  const { signal } = options;
  const place = placeOf(options);
  for (;;) {
    const stream = await peer.acceptStream(signal === undefined ? {} : { signal });
    if (stream === null) return;
    let name: string | undefined;
    try {
      const file = await receiveOffered(stream, place, nodeFiles, options, (offered) => {
        name = offered;
      });
      yield { ok: true, ...file };
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      yield { ok: false, name, error };
    }
  }
}

/** @throws {SttError} CONFIG. */
export function checkOptions({ directory, write, maxBytes, resume }: ReceiveFileOptions): void {
  if ((directory === undefined) === (write === undefined)) {
    throw new SttError("CONFIG", "cannot receive files: name one of directory and write");
  }
  checkMaxBytes(maxBytes);
  if (resumeLimits(resume) !== undefined && write !== undefined) {
    throw new SttError("CONFIG", "cannot use option resume: write keeps nothing");
  }
}

/** @throws {SttError} FILE_NAME. */
export function checkReceivedName(name: string, inFolder: boolean): void {
  checkFileName(name, process.platform === "win32");
  if (isAbsolute(name)) {
    throw new SttError("FILE_NAME", "cannot use file name: it is an absolute path");
  }
  if (inFolder && isPartName(name)) {
    throw new SttError("FILE_NAME", "cannot use file name: it is one of parts of files");
  }
}

/** The folder, or the function that takes the bytes. */
export function placeOf(options: ReceiveFileOptions): FilePlace {
  const { directory, write, overwrite = false, resume } = options;
  return {
    checkName: (name) => checkReceivedName(name, write === undefined),
    async open(offer: FileOffer): Promise<FileDestination> {
      if (write !== undefined) return new ForwardedBytes(write);
      const size = offer.resume === true && resumable(offer.size) ? offer.size : undefined;
      const limits = resumeLimits(resume);
      return await PartFile.create(
        directory as string,
        offer.name,
        overwrite,
        limits === undefined || size === undefined ? undefined : { size, limits },
      );
    },
  };
}
