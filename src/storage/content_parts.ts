/**
 * Cutting contents into parts, and reading them part by part.
 *
 * @module
 */
import {
  CONTENT_PART_BYTES,
  type ContentCipher,
  type ContentEntry,
  locatePart,
  partCount,
} from "../sealed/content_cipher.ts";
import { corrupt } from "../sealed/fields.ts";
import type { StorageProvider } from "./provider.ts";

/** One part of a content. */
export interface ContentPart {
  readonly bytes: Uint8Array;
  readonly last: boolean;
}

/** Where contents come from. */
export type ContentSource = Uint8Array | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

/** Parts of one size, but for the last. The bytes of a part are overwritten by the next one. */
export async function* partsOf(source: ContentSource): AsyncGenerator<ContentPart, void, void> {
  const buffer = new Uint8Array(CONTENT_PART_BYTES);
  let used = 0;
  const pieces = source instanceof Uint8Array ? [source] : source as AsyncIterable<Uint8Array>;
  for await (const piece of pieces) {
    for (let offset = 0; offset < piece.length;) {
      // Only the byte behind a full part says that it is not the last one.
      if (used === buffer.length) {
        yield { bytes: buffer, last: false };
        used = 0;
      }
      const taken = piece.subarray(offset, offset + buffer.length - used);
      buffer.set(taken, used);
      used += taken.length;
      offset += taken.length;
    }
  }
  yield { bytes: buffer.subarray(0, used), last: true };
}

/** The parts of a content, each verified. @throws {SttError} STORAGE_CORRUPT. */
export async function* readParts(
  provider: StorageProvider,
  cipher: ContentCipher,
  { blob, size }: ContentEntry,
): AsyncGenerator<ContentPart, void, void> {
  const count = partCount(size);
  for (let index = 0; index < count; index++) {
    const last = index === count - 1;
    const sealed = await provider.get(locatePart(blob, index));
    if (sealed === undefined) throw corrupt(`part ${index} of a content`, "it is missing");
    const bytes = cipher.openPart(blob, index, last, sealed);
    const expected = last ? size - index * CONTENT_PART_BYTES : CONTENT_PART_BYTES;
    if (bytes.length !== expected) throw corrupt(`part ${index} of a content`, "wrong length");
    yield { bytes, last };
  }
}
