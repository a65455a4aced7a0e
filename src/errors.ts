/**
 * The one error class of the project and the table of its stable codes.
 *
 * @module
 */

/** One row of {@link ERRORS}. */
export interface ErrorEntry {
  /** Wire number sent in SESSION_CLOSE, ERROR, STREAM_RESET and STREAM_STOP, or null for local errors. */
  readonly wire: number | null;
  /** One line for the documentation. */
  readonly text: string;
}

function wire(number: number, text: string): ErrorEntry {
  return { wire: number, text };
}

function local(text: string): ErrorEntry {
  return { wire: null, text };
}

/** A stable, searchable error code. */
export type ErrorCode =
  // Codes with a wire number (SPEC 9).
  | "NONE"
  | "PROTOCOL"
  | "CRYPTO"
  | "SESSION"
  | "STREAM"
  | "FLOW_CONTROL"
  | "IDLE_TIMEOUT"
  | "HANDSHAKE_TIMEOUT"
  | "VERSION"
  | "SUITE"
  | "REFUSED"
  | "BUSY"
  | "DUPLICATE"
  | "FRAME_ENCODING"
  | "TRANSPORT_PARAMETER"
  | "STREAM_STATE"
  | "STREAM_LIMIT"
  | "FINAL_SIZE"
  | "KEY_ROTATION_ERROR"
  | "AEAD_LIMIT"
  | "NO_PATH"
  | "RESET_BY_PEER"
  | "TRUNCATED"
  | "PEER_IDENTITY"
  | "SELF"
  | "BUFFER_EXCEEDED"
  | "TICKET"
  | "NO_ENDPOINT"
  | "DEADLINE"
  | "CANCELLED"
  | "INTERNAL"
  | "APPLICATION"
  // Codecs.
  | "BYTES_INCOMPLETE"
  | "VARINT_INCOMPLETE"
  | "VARINT_NON_MINIMAL"
  | "VARINT_OVERFLOW"
  | "VARINT_RANGE"
  | "VALUE_INCOMPLETE"
  | "VALUE_TAG"
  | "VALUE_UTF8"
  | "VALUE_KEY"
  | "VALUE_DUPLICATE_KEY"
  | "VALUE_UNSORTED"
  | "VALUE_NOT_CANONICAL"
  | "VALUE_TRAILING"
  | "VALUE_DEPTH"
  | "VALUE_LENGTH"
  | "VALUE_ENTRIES"
  | "VALUE_TYPE"
  | "VALUE_RANGE"
  | "FRAME_INCOMPLETE"
  | "FRAME_MAGIC"
  | "FRAME_LENGTH"
  | "FRAME_TOO_SMALL"
  | "FRAME_TOO_LARGE"
  | "FRAME_METADATA_LENGTH"
  | "FRAME_METADATA_OVERRUN"
  | "FRAME_FIELD"
  | "FRAME_TRAILING"
  | "HANDSHAKE_MESSAGE"
  | "HEX"
  | "BASE64"
  // Local use of the library.
  | "CONFIG"
  | "SEED"
  | "ADDRESS"
  | "UNSUPPORTED"
  | "TRANSPORT"
  | "CLOSED"
  | "STREAM_RESET"
  | "STREAM_STOPPED"
  | "STREAM_CLOSED"
  | "MESSAGE_TOO_LARGE"
  | "DATAGRAM_TOO_LARGE"
  | "UNCONFIRMED"
  | "FILE_NAME"
  | "FILE_EXISTS"
  | "FILE_IO"
  | "FILE_HASH"
  | "FILE_TOO_LARGE"
  // Data at rest (SPEC 14).
  | "STORAGE_LOCKED"
  | "STORAGE_KEY"
  | "STORAGE_CORRUPT"
  | "STORAGE_ROLLBACK"
  | "STORAGE_FULL"
  | "SEALED_KEY"
  | "SEALED_FORMAT"
  | "SEALED_CHUNK"
  | "SEALED_TRUNCATED";

/** Every error code with its wire number and meaning. docs/errors.md prints this table. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = {
  NONE: wire(0x00, "no error: an orderly close"),
  PROTOCOL: wire(0x01, "the peer broke a rule of the protocol"),
  CRYPTO: wire(0x02, "a frame did not verify"),
  SESSION: wire(0x03, "the session cannot go on"),
  STREAM: wire(0x04, "a stream cannot go on"),
  FLOW_CONTROL: wire(0x05, "more bytes arrived than credit was given for"),
  IDLE_TIMEOUT: wire(0x10, "nothing arrived for the idle timeout"),
  HANDSHAKE_TIMEOUT: wire(
    0x11,
    "no session within the handshake timeout: wrong seed, nobody listening, or packets lost",
  ),
  VERSION: wire(0x12, "no protocol version in common"),
  SUITE: wire(0x13, "no suite in common, or a downgrade was attempted"),
  REFUSED: wire(0x14, "the peer refused the session"),
  BUSY: wire(0x15, "the listener is busy; try later"),
  DUPLICATE: wire(0x16, "another session with this peer survives"),
  FRAME_ENCODING: wire(0x17, "a frame is larger than the receiver takes"),
  TRANSPORT_PARAMETER: wire(0x18, "a transport parameter is malformed or out of limits"),
  STREAM_STATE: wire(0x19, "a frame names a stream that cannot receive it"),
  STREAM_LIMIT: wire(0x1a, "more streams than allowed"),
  FINAL_SIZE: wire(0x1b, "the final size of a stream changed or was passed"),
  KEY_ROTATION_ERROR: wire(0x1c, "a key rotation broke the rules"),
  AEAD_LIMIT: wire(0x1d, "a key was used up to its limit"),
  NO_PATH: wire(0x1e, "no path to the peer works"),
  RESET_BY_PEER: wire(0x1f, "the peer lost the session's state"),
  TRUNCATED: wire(0x20, "the transport ended without an orderly close"),
  PEER_IDENTITY: wire(0x21, "the peer is not the expected node"),
  SELF: wire(0x22, "the peer is this node itself"),
  BUFFER_EXCEEDED: wire(0x23, "a message is larger than the receiver takes"),
  TICKET: wire(0x24, "a resumption ticket is unknown, used or expired"),
  NO_ENDPOINT: wire(0x30, "the peer has no endpoint of this name"),
  DEADLINE: wire(0x31, "the time for a request was over"),
  CANCELLED: wire(0x32, "whoever asked no longer wants an answer"),
  INTERNAL: wire(0xff, "an error inside the implementation"),
  APPLICATION: wire(0x100, "the application's own code, 0x100 and above"),
  BYTES_INCOMPLETE: local("a field of fixed length ends early"),
  VARINT_INCOMPLETE: local("a varint ends before its last byte"),
  VARINT_NON_MINIMAL: local("a varint is longer than it needs to be"),
  VARINT_OVERFLOW: local("a varint is longer than 10 bytes or above 2^64-1"),
  VARINT_RANGE: local("a number is outside of what the field takes"),
  VALUE_INCOMPLETE: local("a value ends early"),
  VALUE_TAG: local("a value has an unknown tag"),
  VALUE_UTF8: local("a string is not valid UTF-8"),
  VALUE_KEY: local("a dict key is not a string"),
  VALUE_DUPLICATE_KEY: local("a dict has a key twice"),
  VALUE_UNSORTED: local("the keys of a canonical dict are not sorted"),
  VALUE_NOT_CANONICAL: local("an integer or float is not in its canonical form"),
  VALUE_TRAILING: local("bytes follow the value"),
  VALUE_DEPTH: local("a value nests too deep"),
  VALUE_LENGTH: local("a count or length is larger than the bytes that remain"),
  VALUE_ENTRIES: local("a list or dict has too many entries"),
  VALUE_TYPE: local("a JavaScript value has no encoding"),
  VALUE_RANGE: local("a number is outside of what values can hold"),
  FRAME_INCOMPLETE: local("a frame ends early"),
  FRAME_MAGIC: local("the bytes do not start with 53 54"),
  FRAME_LENGTH: local("the body length is not a valid varint of at most four bytes"),
  FRAME_TOO_SMALL: local("the body is shorter than 31 bytes"),
  FRAME_TOO_LARGE: local("the body is longer than the limit"),
  FRAME_METADATA_LENGTH: local("the metadata length is not a valid varint"),
  FRAME_METADATA_OVERRUN: local("the metadata passes the end of the body"),
  FRAME_FIELD: local("a field of a frame to encode is out of range"),
  FRAME_TRAILING: local("bytes follow the frame"),
  HANDSHAKE_MESSAGE: local("a handshake message has a wrong type, field or length"),
  HEX: local("text is not hexadecimal"),
  BASE64: local("text is not base64url"),
  CONFIG: local("an option has a wrong type or value"),
  SEED: local("a seed is missing, too short or unreadable"),
  ADDRESS: local("an address cannot be parsed or has an unknown scheme"),
  UNSUPPORTED: local("this runtime cannot do it"),
  TRANSPORT: local("the operating system or network refused"),
  CLOSED: local("the session, listener or transport is closed"),
  STREAM_RESET: local("the peer reset the stream"),
  STREAM_STOPPED: local("the peer stopped reading the stream"),
  STREAM_CLOSED: local("this side of the stream is closed already"),
  MESSAGE_TOO_LARGE: local("a message is larger than the limit"),
  DATAGRAM_TOO_LARGE: local("a datagram is larger than maxDatagramSize"),
  UNCONFIRMED: local(
    "a resumable stream was read further than its sender keeps, and not confirmed",
  ),
  FILE_NAME: local("a file name is not allowed"),
  FILE_EXISTS: local("a file of this name exists"),
  FILE_IO: local("a file cannot be read or written"),
  FILE_HASH: local("a file does not match its SHA-256"),
  FILE_TOO_LARGE: local("a file is larger than the receiver takes"),
  STORAGE_LOCKED: local("another process has the store open"),
  STORAGE_KEY: local("a store is not of this seed, passphrase or node"),
  STORAGE_CORRUPT: local("a stored entry is missing, damaged, or not the one written last"),
  STORAGE_ROLLBACK: local("a store is older than it is known to have been"),
  STORAGE_FULL: local("a value does not fit the limits of the store"),
  SEALED_KEY: local("a sealed stream is not of this key, passphrase or context"),
  SEALED_FORMAT: local("the bytes are not a sealed stream"),
  SEALED_CHUNK: local("a chunk of a sealed stream is damaged or out of place"),
  SEALED_TRUNCATED: local("a sealed stream ends early"),
};

/** Extra facts of an {@link SttError}; all of them are safe to print. */
export interface SttErrorDetails {
  /** Byte offset at which decoding stopped. */
  readonly offset?: number;
  /** The limit that was passed. */
  readonly limit?: number;
  /** Wire number, when it differs from the table's (application codes, codes of newer peers). */
  readonly wire?: number;
  /** True when the peer sent the error, false when this side found it. */
  readonly remote?: boolean;
  /** The error that caused this one. */
  readonly cause?: unknown;
}

/**
 * Every error that this package throws on purpose.
 *
 * `code` is stable; `message` names what was attempted, the value and the limit, never a secret.
 *
 * @example
 * ```ts
 * import { SttError } from "@seigr/stt";
 * const error = new SttError("SEED", "cannot use shared seed: 16 bytes is below the minimum of 32");
 * console.log(error.code); // "SEED"
 * ```
 */
export class SttError extends Error {
  /** Always `"SttError"`. */
  override readonly name: string = "SttError";
  /** Stable code; the table is {@link ERRORS}. */
  readonly code: ErrorCode;
  /** Number on the wire, or null for errors that are never sent. */
  readonly wire: number | null;
  /** Byte offset at which decoding stopped, if the error has one. */
  readonly offset: number | undefined;
  /** The limit that was passed, if the error has one. */
  readonly limit: number | undefined;
  /** True when the peer reported the error. */
  readonly remote: boolean;

  /** An error with a stable code, a message that is safe to print, and what else is known. */
  constructor(code: ErrorCode, message: string, details: SttErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.wire = details.wire ?? ERRORS[code].wire;
    this.offset = details.offset;
    this.limit = details.limit;
    this.remote = details.remote ?? false;
  }
}

const BY_WIRE: Map<number, ErrorCode> = new Map(
  (Object.keys(ERRORS) as ErrorCode[])
    .filter((code) => ERRORS[code].wire !== null && code !== "APPLICATION")
    .map((code) => [ERRORS[code].wire as number, code]),
);

/**
 * The code of a wire number: `APPLICATION` from 0x100 on, `PROTOCOL` for numbers that nobody assigned.
 *
 * @example
 * ```ts
 * import { errorCodeOf } from "@seigr/stt";
 * console.log(errorCodeOf(0x14)); // "REFUSED"
 * ```
 */
export function errorCodeOf(wireNumber: number): ErrorCode {
  if (wireNumber >= 0x100) return "APPLICATION";
  return BY_WIRE.get(wireNumber) ?? "PROTOCOL";
}
