/**
 * One frame of a capture, and how it is shown.
 *
 * @module
 */
import { decodeFrame } from "../../codec/frame.ts";
import { toHex } from "../../codec/hex.ts";
import { parseStreamPayload, StreamPayload } from "../../codec/stream_payload.ts";
import { readVarintNumber } from "../../codec/varint.ts";
import {
  FLAG_STREAM_END,
  FRAME_CONTROL,
  FRAME_DATA,
  FRAME_HANDSHAKE,
  FRAME_STREAM,
} from "../../constants.ts";
import { SttError } from "../../errors.ts";
import { frameTypeName } from "../dissect/frames.ts";
import { dissectHandshake } from "../dissect/handshake.ts";
import { bytesText, fault, type Note, note } from "../dissect/note.ts";
import { dissectRecords } from "../dissect/records.ts";
import type { KeyRing } from "./key_ring.ts";

/** What a frame says by itself. */
export interface FrameFacts {
  readonly type: number;
  readonly flags: number;
  /** Hex. */
  readonly sessionId: string;
  readonly sequence: string;
  readonly streamId: number;
  /** Undefined for HANDSHAKE frames. */
  readonly epoch: number | undefined;
  readonly bytes: number;
  /** What is inside: of HANDSHAKE frames, and of those that were opened. */
  readonly opened: readonly Note[] | undefined;
  readonly direction: "i2r" | "r2i" | undefined;
}

/** A frame of a capture. */
export interface CapturedFrame extends FrameFacts {
  /** Since the first packet of the capture. */
  readonly atMs: number;
  readonly transport: "udp" | "tcp" | "ws";
  readonly from: string;
  readonly to: string;
}

/** What one whole frame says. */
export function frameOf(bytes: Uint8Array, keys: KeyRing | undefined): FrameFacts {
  const { frame } = decodeFrame(bytes);
  const { type, flags, streamId, metadata, payload } = frame;
  const common = {
    type,
    flags,
    sessionId: toHex(frame.sessionId),
    sequence: String(frame.sequence),
    streamId,
    bytes: bytes.length,
  };
  if (type === FRAME_HANDSHAKE) {
    const opened = dissectHandshake(bytes, payload);
    return { ...common, epoch: undefined, opened, direction: undefined };
  }
  const open = keys?.open(bytes);
  return {
    ...common,
    epoch: epochOf(metadata),
    opened: open && contentOf(type, flags, open.payload),
    direction: open?.direction,
  };
}

function epochOf(metadata: Uint8Array): number | undefined {
  try {
    return readVarintNumber(metadata, 0, metadata.length);
  } catch {
    return undefined;
  }
}

/** What the plaintext of a frame holds. */
export function contentOf(type: number, flags: number, payload: Uint8Array): Note[] {
  if (type === FRAME_CONTROL) return dissectRecords(payload);
  if (type !== FRAME_STREAM) {
    return [note(type === FRAME_DATA ? "data" : "payload", bytesText(payload))];
  }
  const stream = new StreamPayload();
  try {
    parseStreamPayload(payload, stream);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    return [fault("stream", error)];
  }
  const end = (flags & FLAG_STREAM_END) !== 0 ? ", the end" : "";
  const text = `kind ${stream.kind}, offset ${stream.offset}${end}: ${bytesText(stream.data)}`;
  return [note("stream data", text)];
}

/** The line for people; what is inside stands below it. */
export function frameNote(frame: CapturedFrame): Note {
  const { type, epoch, sequence, streamId, sessionId, bytes, opened, transport } = frame;
  const at = (frame.atMs / 1000).toFixed(6);
  const where = `${transport} ${frame.from} > ${frame.to}`;
  const label = `${at} ${where} ${frameTypeName(type)}`;
  if (type === FRAME_HANDSHAKE) return { label, text: `${bytes} bytes`, children: opened ?? [] };
  const stream = type === FRAME_CONTROL
    ? ""
    : type === FRAME_DATA
    ? ` channel ${streamId}`
    : ` stream ${streamId}`;
  const text = `session ${sessionId} epoch ${epoch} seq ${sequence}${stream}, ${bytes} bytes` +
    (opened === undefined ? ", sealed" : "");
  return { label, text, children: opened ?? [] };
}
