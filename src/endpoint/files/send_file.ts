/**
 * The sending side of the file service.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { fileError } from "./file_error.ts";
import { nodeFiles } from "./node_runtime.ts";
import {
  type FileSource,
  sendSource,
  type SentFile,
  sourceOf,
  type TransferOptions,
} from "./send_transfer.ts";

export type { SentFile };

const READ_BYTES = 262_144;

/** Options of {@link sendFile}: one of `path` and `source`. */
export interface SendFileOptions extends TransferOptions {
  /** The file to send. */
  readonly path?: string;
  /** The bytes to send; they are copied. */
  readonly source?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Name for the receiver, a plain one without folders. Default: that of `path`; a `source` needs one. */
  readonly name?: string;
  /** Bytes that `source` gives. Absent: unknown, they are sent as a pipe until their end. */
  readonly size?: number;
  /** False sends all bytes of a `path`, whatever the receiver has of them. Default true. */
  readonly resume?: boolean;
}

/**
 * Sends one file. Resolves only when the receiver has verified the whole file and keeps it; nothing else is "sent".
 *
 * @throws {SttError} FILE_NAME, FILE_IO (the file here, or the disk there: `remote` tells), FILE_EXISTS, FILE_HASH,
 *   FILE_TOO_LARGE, REFUSED (no files wanted), PROTOCOL, the error that ended the session; the signal's reason.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen, receiveFiles, sendFile, toHex } from "@seigr/stt";
 *
 * const seed = generateSeed();
 * const app = "stt-files/1";
 * const listener = await listen("mem:send-example", { seed, app });
 * const client = await connect("mem:send-example", { seed, app });
 * const server = (await listener.nextPeer())!;
 *
 * let text = "";
 * const write = (chunk: Uint8Array) => {
 *   text += new TextDecoder().decode(chunk);
 * };
 * const receiving = receiveFiles(server, { write }).next();
 * // No size: bytes as they come, as from a pipe.
 * const sent = await sendFile(client, { name: "greeting", source: [new TextEncoder().encode("hi")] });
 * await receiving;
 * console.log(text, toHex(sent.sha256).slice(0, 8)); // "hi" "8f434346"
 * await listener.close();
 * ```
 */
export async function sendFile(peer: Peer, options: SendFileOptions): Promise<SentFile> {
  options.signal?.throwIfAborted();
  return await sendSource(peer, await openSource(options), nodeFiles, options);
}

async function openSource(options: SendFileOptions): Promise<FileSource> {
  const { path, source, name, size } = options;
  if ((path === undefined) === (source === undefined)) {
    throw new SttError("CONFIG", "cannot send file: name one of path and source");
  }
  if (source !== undefined) return sourceOf(source, name, size);
  return await openFile(path as string, name ?? basename(path as string), options.resume !== false);
}

async function openFile(path: string, name: string, resume: boolean): Promise<FileSource> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, "r");
    const facts = await file.stat();
    if (facts.isDirectory()) {
      throw new SttError("FILE_IO", `cannot send ${JSON.stringify(path)}: it is a folder`);
    }
    const handle = file;
    return {
      name,
      // Devices and named pipes do not know their size.
      size: facts.isFile() ? facts.size : null,
      chunks: fileChunks(handle, path),
      ...(facts.isFile() && resume
        ? { range: (from: number, to?: number) => fileChunks(handle, path, from, to) }
        : {}),
      own: true,
      close: () => handle.close(),
    };
  } catch (cause) {
    await file?.close();
    throw fileError("read", path, cause);
  }
}

/**
 * A new buffer each time: the session keeps it until it is sent. Without `from`, the bytes come one after the other, as
 * devices and named pipes want it.
 */
async function* fileChunks(
  file: FileHandle,
  path: string,
  from?: number,
  to = Infinity,
): AsyncGenerator<Uint8Array, void, void> {
  for (let position = from ?? 0; position < to;) {
    const length = Math.min(READ_BYTES, to - position);
    const buffer = new Uint8Array(length);
    let bytesRead: number;
    try {
      const at = from === undefined ? null : position;
      ({ bytesRead } = await file.read(buffer, 0, length, at));
    } catch (cause) {
      throw fileError("read", path, cause);
    }
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
