/**
 * The messages of a chat (SPEC 12.8).
 *
 * @module
 */
import { SttError } from "../../errors.ts";

/** What both sides announce, and the label that begins a member's stream. */
export const CHAT_APP = "stt-chat/1";
/** Code of RESET and STOP for a message that is none of a chat. */
export const CHAT_MALFORMED = 0x201;
/** Bytes of a line of text. */
export const LINE_MAX_BYTES = 4096;
/** Characters of a name. */
export const NAME_MAX_LENGTH = 32;
/** Label, name and line feed come on top of a line. */
export const MESSAGE_MAX_BYTES: number = LINE_MAX_BYTES + 256;

/** What somebody said; an empty name is that of the room itself. */
export interface ChatLine {
  readonly from: string;
  readonly text: string;
}

function malformed(why: string): SttError {
  return new SttError("PROTOCOL", `cannot take chat message: ${why}`);
}

function textOf(message: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(message);
  } catch {
    throw malformed("not UTF-8");
  }
}

/** The first message of who joins. */
export function encodeJoin(name: string): Uint8Array {
  return new TextEncoder().encode(`${CHAT_APP}\n${name}`);
}

/** The name that a member wishes for, or undefined when the message begins no chat. */
export function decodeJoin(message: Uint8Array): string | undefined {
  if (message.length > MESSAGE_MAX_BYTES) return undefined;
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(message);
  return text.startsWith(`${CHAT_APP}\n`) ? textOf(message).slice(CHAT_APP.length + 1) : undefined;
}

/** A line of a member. @throws {SttError} PROTOCOL */
export function decodeSaid(message: Uint8Array): string {
  if (message.length === 0 || message.length > LINE_MAX_BYTES) {
    throw malformed(`${message.length} bytes are outside 1 to ${LINE_MAX_BYTES}`);
  }
  return textOf(message);
}

/** A line as the room passes it on. */
export function encodeLine({ from, text }: ChatLine): Uint8Array {
  return new TextEncoder().encode(`${from}\n${text}`);
}

/** @throws {SttError} PROTOCOL */
export function decodeLine(message: Uint8Array): ChatLine {
  if (message.length > MESSAGE_MAX_BYTES) throw malformed(`${message.length} bytes`);
  const text = textOf(message);
  const end = text.indexOf("\n");
  if (end < 0) throw malformed("no line feed behind the name");
  return { from: text.slice(0, end), text: text.slice(end + 1) };
}

/** The same text in pieces that fit a line, cut between characters. */
export function piecesOf(text: string): Uint8Array[] {
  const encoder = new TextEncoder();
  const whole = encoder.encode(text);
  if (whole.length <= LINE_MAX_BYTES) return whole.length === 0 ? [] : [whole];
  const pieces: Uint8Array[] = [];
  let start = 0;
  while (start < whole.length) {
    let end = Math.min(start + LINE_MAX_BYTES, whole.length);
    // A byte of the form 10xxxxxx goes on with a character.
    while (end < whole.length && ((whole[end] ?? 0) & 0xc0) === 0x80) end--;
    pieces.push(whole.subarray(start, end));
    start = end;
  }
  return pieces;
}
