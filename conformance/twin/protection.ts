/** SPEC 7: sealing and opening protected frames. @module */
import { bigEndian, concat, hex, Refusal, same, unhex } from "./bytes.ts";
import { decodeFrame, MAX_BODY } from "./frame.ts";
import { epochKeys } from "./handshake.ts";
import { type Cipher, frameNonce, open, seal } from "./primitives.ts";
import { decodeVarint, encodeVarint, SAFE_MAX } from "./varint.ts";

export function cipherOf(suite: number): Cipher {
  return suite === 2 ? "aes-256-gcm" : "chacha20-poly1305";
}

/** Header and content of one protected frame; bytes are hex, 64-bit integers decimal strings. */
export interface PlainFrame {
  readonly type: number;
  readonly flags: number;
  readonly session_id: string;
  readonly sequence: string;
  readonly timestamp: string;
  readonly stream_id: number;
  readonly epoch: number;
  readonly plaintext: string;
}

export interface SealedFrame {
  readonly nonce: string;
  readonly metadata: string;
  readonly associated_data: string;
  readonly frame: string;
}

export function sealFrame(suite: number, traffic: Uint8Array, plain: PlainFrame): SealedFrame {
  const { key, iv } = epochKeys(traffic, plain.epoch);
  const metadata = encodeVarint(BigInt(plain.epoch));
  const plaintext = unhex(plain.plaintext);
  const header = concat(
    Uint8Array.of(plain.type, plain.flags),
    unhex(plain.session_id),
    bigEndian(BigInt(plain.sequence), 8),
    bigEndian(BigInt(plain.timestamp), 8),
    bigEndian(BigInt(plain.stream_id), 4),
    encodeVarint(BigInt(metadata.length)),
    metadata,
  );
  const length = encodeVarint(BigInt(header.length + plaintext.length + 16));
  const associated = concat(Uint8Array.of(0x53, 0x54), length, header);
  const nonce = frameNonce(iv, BigInt(plain.sequence));
  return {
    nonce: hex(nonce),
    metadata: hex(metadata),
    associated_data: hex(associated),
    frame: hex(concat(associated, seal(cipherOf(suite), key, nonce, associated, plaintext))),
  };
}

/** Opens a frame with the keys of the epoch it names, whatever its sequence; undefined when it does not verify. */
export function openFrame(
  suite: number,
  traffic: Uint8Array,
  frame: Uint8Array,
): PlainFrame | undefined {
  const found = decodeFrame(frame);
  const { frame: fields } = found;
  const epoch = Number(decodeVarint(unhex(fields.crypto_metadata ?? "")).value);
  const { key, iv } = epochKeys(traffic, epoch);
  const nonce = frameNonce(iv, BigInt(fields.sequence));
  const plaintext = open(cipherOf(suite), key, nonce, found.associated, unhex(fields.payload));
  if (plaintext === undefined) return undefined;
  return {
    type: fields.frame_type,
    flags: fields.flags,
    session_id: fields.session_id,
    sequence: fields.sequence,
    timestamp: fields.timestamp,
    stream_id: fields.stream_id,
    epoch,
    plaintext: hex(plaintext),
  };
}

const WINDOW = 8192n;

/** The receiving side of one direction, which refuses with the data's verdicts. */
export class TwinReceiver {
  readonly #suite: number;
  readonly #traffic: Uint8Array;
  readonly #session: string;
  readonly #reliable: boolean;
  #epoch = 0;
  /** Lowest sequence that verified under the newest epoch. */
  #epochStart: bigint | undefined;
  readonly #seen = new Set<bigint>();
  #highest = -1n;

  constructor(suite: number, traffic: Uint8Array, session: string, reliable: boolean) {
    this.#suite = suite;
    this.#traffic = traffic;
    this.#session = session;
    this.#reliable = reliable;
  }

  /** The frame's content, or a refusal that leaves the state as it was. */
  receive(bytes: Uint8Array): PlainFrame {
    const { epoch, sequence } = this.#header(bytes);
    // On UDP the epoch before the newest is still open for a while; on reliable transports it is gone at once.
    const known = epoch === this.#epoch || epoch === this.#epoch + 1 ||
      (!this.#reliable && epoch === this.#epoch - 1);
    if (this.#reliable && sequence !== this.#highest + 1n) throw new Refusal("sequence_gap");
    if (!known) throw new Refusal("epoch");
    if (sequence + WINDOW <= this.#highest) throw new Refusal("stale");
    if (this.#seen.has(sequence)) throw new Refusal("replayed");
    const plain = openFrame(this.#suite, this.#traffic, bytes);
    if (plain === undefined) throw new Refusal("crypto");
    if (epoch < this.#epoch && this.#epochStart !== undefined && sequence > this.#epochStart) {
      throw new Refusal("old_epoch");
    }
    this.#seen.add(sequence);
    if (sequence > this.#highest) this.#highest = sequence;
    if (epoch > this.#epoch) [this.#epoch, this.#epochStart] = [epoch, sequence];
    else if (
      epoch === this.#epoch && this.#epochStart !== undefined && sequence < this.#epochStart
    ) {
      this.#epochStart = sequence;
    }
    return plain;
  }

  #header(bytes: Uint8Array): { epoch: number; sequence: bigint } {
    let found: ReturnType<typeof decodeFrame>;
    try {
      found = decodeFrame(bytes, MAX_BODY);
    } catch (error) {
      if (error instanceof Refusal) throw new Refusal("unprotected", error.code);
      throw error;
    }
    const { frame } = found;
    const metadata = unhex(frame.crypto_metadata ?? "");
    if (found.consumed !== bytes.length || frame.frame_type === 5) throw new Refusal("unprotected");
    if (frame.session_id !== this.#session) throw new Refusal("unprotected");
    let epoch: bigint;
    try {
      epoch = decodeVarint(metadata).value;
    } catch {
      throw new Refusal("unprotected");
    }
    if (epoch > SAFE_MAX || !same(encodeVarint(epoch), metadata)) throw new Refusal("unprotected");
    // SPEC 7.3.1: without room for a tag.
    if (frame.payload.length < 2 * 16) throw new Refusal("unprotected");
    if (BigInt(frame.sequence) > SAFE_MAX || BigInt(frame.timestamp) > SAFE_MAX) {
      throw new Refusal("unprotected");
    }
    return { epoch: Number(epoch), sequence: BigInt(frame.sequence) };
  }
}
