/**
 * Stream data on its way into a packet: what waits, as a record, and what is kept until it is acknowledged.
 *
 * @module
 */
import type { ByteWriter } from "../codec/byte_writer.ts";
import { writeStreamPayloadHeader } from "../codec/stream_payload.ts";
import { varintSize, writeVarint } from "../codec/varint.ts";
import { RECORD_STREAM_DATA } from "../constants.ts";
import type { ChunkRef, StreamChunk } from "../streams/types.ts";

/** Bytes of a stream that wait to be written into the packet. */
export interface StreamPiece extends ChunkRef {
  readonly flags: number;
  readonly kind: number;
  readonly parts: readonly Uint8Array[];
}

/** Takes the bytes out of `chunk`, which is filled again. */
export function takePiece(chunk: StreamChunk): StreamPiece {
  const { streamId, flags, kind, offset, length, fin } = chunk;
  const parts = chunk.parts.slice();
  chunk.parts.length = 0;
  return { streamId, flags, kind, offset, length, fin, parts };
}

/** Without the bytes: acknowledged packets must not keep the application's buffers alive. */
export function refOf({ streamId, offset, length, fin }: StreamPiece): ChunkRef {
  return { streamId, offset, length, fin };
}

/** Size of a STREAM_DATA record (SPEC 9): type, stream, flags, kind, offset, length, bytes. */
export function pieceSize(piece: StreamPiece): number {
  return 3 + varintSize(piece.streamId) + varintSize(piece.offset) + varintSize(piece.length) +
    piece.length;
}

/** Writes the STREAM_DATA record. `buffer` is what `writer` writes into. */
export function writePiece(buffer: Uint8Array, writer: ByteWriter, piece: StreamPiece): void {
  writer.u8(RECORD_STREAM_DATA);
  writer.varint(piece.streamId);
  writer.u8(piece.flags);
  writer.offset = writeStreamPayloadHeader(buffer, writer.offset, piece.kind, piece.offset);
  writer.offset = writeVarint(buffer, writer.offset, piece.length);
  for (const part of piece.parts) writer.bytes(part);
}
