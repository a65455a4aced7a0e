/**
 * Sending a `File`, a `Blob` or bytes of the page's own.
 *
 * @module
 */
import {
  type FileSource,
  sendSource,
  type SentFile,
  sourceOf,
  type TransferOptions,
} from "../endpoint/files/send_transfer.ts";
import type { Peer } from "../endpoint/peer.ts";
import { SttError } from "../errors.ts";
import { browserFiles } from "./file_runtime.ts";

const READ_BYTES = 262_144;

/** Options of {@link sendFile}. */
export interface SendFileOptions extends TransferOptions {
  /** What to send: a `File` of an input or a drop, a `Blob`, or chunks of bytes, which are copied. */
  readonly source: Blob | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Name for the receiver, a plain one without folders. Default: that of the `File`; others need one. */
  readonly name?: string;
  /** Bytes that chunks give together. Absent: unknown, they are sent as a pipe until their end. */
  readonly size?: number;
}

/**
 * Sends one file. Resolves only when the receiver has verified the whole file and keeps it; nothing else is "sent".
 *
 * A transfer that broke off goes on where it stopped when the same `File` is sent again to a receiver that resumes, as
 * `stt listen` does.
 *
 * @throws {SttError} FILE_NAME, FILE_IO (the file here, or the disk there: `remote` tells), FILE_EXISTS, FILE_HASH,
 *   FILE_TOO_LARGE, REFUSED (no files wanted), PROTOCOL, CONFIG, the error that ended the session; the signal's reason.
 *
 * @example
 * ```ts
 * import { generateSeed, listen, receiveFiles } from "@seigr/stt";
 * import { connect, sendFile } from "@seigr/stt/browser";
 *
 * const seed = generateSeed();
 * const app = "stt-files/1";
 * const listener = await listen("ws://127.0.0.1:0/", { seed, app });
 * const peer = await connect(listener.address, { seed, app });
 * const server = (await listener.nextPeer())!;
 *
 * const receiving = receiveFiles(server, { write: (chunk) => console.log(chunk.length) }).next();
 * const sent = await sendFile(peer, { source: new File(["hello"], "hello.txt") });
 * console.log(sent.name, sent.bytes); // "hello.txt" 5
 * await receiving;
 * await peer.close();
 * await listener.close();
 * ```
 */
export async function sendFile(peer: Peer, options: SendFileOptions): Promise<SentFile> {
  options.signal?.throwIfAborted();
  const { source, name, size } = options;
  const from = source instanceof Blob ? blobSource(source, name) : sourceOf(source, name, size);
  return await sendSource(peer, from, browserFiles, options);
}

function blobSource(blob: Blob, given: string | undefined): FileSource {
  const name = given ?? (blob instanceof File ? blob.name : undefined);
  if (name === undefined) throw new SttError("CONFIG", "cannot send file: a Blob needs a name");
  const range = (from: number, to?: number) => blobChunks(blob, name, from, to);
  const close = (): Promise<void> => Promise.resolve();
  return { name, size: blob.size, chunks: range(0), own: true, range, close };
}

/** A new buffer each time: the session keeps it until it is sent. */
async function* blobChunks(
  blob: Blob,
  name: string,
  from: number,
  to: number = blob.size,
): AsyncGenerator<Uint8Array, void, void> {
  for (let position = from; position < to; position += READ_BYTES) {
    const end = Math.min(to, position + READ_BYTES);
    let bytes: ArrayBuffer;
    try {
      bytes = await blob.slice(position, end).arrayBuffer();
    } catch (cause) {
      // The file behind it changed or went away.
      throw browserFiles.error("read", JSON.stringify(name), cause);
    }
    if (bytes.byteLength > 0) yield new Uint8Array(bytes);
  }
}
