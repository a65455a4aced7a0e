/**
 * Frames (SPEC 3) in words.
 *
 * @module
 */
import { decodeFrame, type Frame } from "../../codec/frame.ts";
import { toHex } from "../../codec/hex.ts";
import { readVarintNumber, varintSize } from "../../codec/varint.ts";
import {
  FRAME_AUTH,
  FRAME_CONTROL,
  FRAME_CUSTOM_MIN,
  FRAME_DATA,
  FRAME_HANDSHAKE,
  FRAME_STREAM,
  TAG_BYTES,
} from "../../constants.ts";
import { dissectHandshake } from "./handshake.ts";
import { bytesText, fault, type Note, note } from "./note.ts";

const FRAMES_SHOWN = 10_000;

const TYPES: Readonly<Record<number, string>> = {
  [FRAME_DATA]: "DATA",
  [FRAME_CONTROL]: "CONTROL",
  [FRAME_STREAM]: "STREAM",
  [FRAME_AUTH]: "AUTH",
  [FRAME_HANDSHAKE]: "HANDSHAKE",
};

const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0x01, "FRAGMENT"],
  [0x02, "INIT"],
  [0x04, "END"],
  [0x08, "SEGMENT"],
  [0x10, "PRIORITY HIGH"],
  [0x20, "PRIORITY LOW"],
  [0x40, "reserved 40"],
  [0x80, "reserved 80"],
];

/** Frames back to back, until the end or the first one that is malformed. */
export function dissectFrames(bytes: Uint8Array): Note[] {
  const notes: Note[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (notes.length === FRAMES_SHOWN) {
      notes.push(note("…", `${bytes.length - offset} bytes more`, offset));
      break;
    }
    try {
      const { frame, size } = decodeFrame(bytes, { offset });
      notes.push(frameNote(frame, bytes.subarray(offset, offset + size), offset));
      offset += size;
    } catch (error) {
      notes.push(fault("frame", error, offset));
      break;
    }
  }
  return notes;
}

/** The name of a frame's type (SPEC 3). */
export function frameTypeName(type: number): string {
  return TYPES[type] ?? (type >= FRAME_CUSTOM_MIN ? "custom" : "unknown");
}

function frameNote(frame: Frame, bytes: Uint8Array, offset: number): Note {
  const { type } = frame;
  const name = frameTypeName(type);
  const children = [
    note("type", `${hexByte(type)} ${name}`),
    note("flags", flagsText(frame.flags, type)),
    note("session id", toHex(frame.sessionId)),
    note("sequence", String(frame.sequence)),
    note("timestamp", timestampText(frame)),
    note("stream id", streamText(frame)),
    ...(type === FRAME_HANDSHAKE ? handshakeNotes(frame, bytes) : protectedNotes(frame)),
  ];
  return { label: `${name} frame`, text: `${bytes.length} bytes`, offset, children };
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, "0");
}

function flagsText(flags: number, type: number): string {
  if (flags === 0) return "00";
  if (type >= FRAME_CUSTOM_MIN) return `${hexByte(flags)} (the application's)`;
  const names = FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
  return `${hexByte(flags)} ${names.join(", ")}`;
}

function timestampText({ timestamp }: Frame): string {
  return timestamp === 0 ? "0 (none)" : `${timestamp} ms`;
}

function streamText({ type, streamId }: Frame): string {
  if (type === FRAME_DATA) return `${streamId} (the channel)`;
  if (type !== FRAME_STREAM) return String(streamId);
  return `${streamId} (opened by the ${streamId % 2 === 1 ? "initiator" : "responder"})`;
}

/** SPEC 3: HANDSHAKE frames have nothing but their payload. */
function handshakeNotes(frame: Frame, bytes: Uint8Array): Note[] {
  const empty = frame.sessionId.every((byte) => byte === 0) && Number(frame.sequence) === 0 &&
    Number(frame.timestamp) === 0 && frame.streamId === 0 && frame.flags === 0 &&
    frame.metadata.length === 0;
  const breach = empty
    ? []
    : [fault("header", "a HANDSHAKE frame has zeros and no metadata before its payload")];
  return [...breach, ...dissectHandshake(bytes, frame.payload)];
}

/** All other frames are encrypted; their metadata is the epoch of the key. */
function protectedNotes({ metadata, payload }: Frame): Note[] {
  const sealed = payload.length - TAG_BYTES;
  const content = sealed < 0
    ? note("payload", `${bytesText(payload)}: too short to be encrypted`)
    : note("ciphertext", `${sealed} bytes, tag ${toHex(payload.subarray(sealed))}`);
  return [epochNote(metadata), content];
}

function epochNote(metadata: Uint8Array): Note {
  try {
    const epoch = readVarintNumber(metadata, 0, metadata.length);
    if (varintSize(epoch) === metadata.length) return note("epoch", String(epoch));
  } catch (error) {
    return fault("metadata", error);
  }
  return fault("metadata", `${bytesText(metadata)}: more than the varint of an epoch`);
}
