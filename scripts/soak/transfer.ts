/**
 * Payload that both sides can compute: what arrives is compared byte for byte.
 *
 * @module
 */
import type { Peer } from "../../src/endpoint/peer.ts";
import type { SttStream } from "../../src/endpoint/stt_stream.ts";
import { Prng } from "../../src/testing/prng.ts";
import { Corruption, type Tally } from "./tally.ts";

const HEADER_BYTES = 8;
const WRITE_BYTES = 16_384;
/** The answer to a transfer is another one of the same size. */
const ANSWER = 0x5a5a5a5a;

async function write(stream: SttStream, seed: number, size: number): Promise<void> {
  const prng = new Prng(seed);
  for (let left = size; left > 0;) {
    const bytes = prng.bytes(Math.min(left, WRITE_BYTES));
    await stream.write(bytes, { own: true });
    left -= bytes.length;
  }
  await stream.end();
}

/** Compares all that comes, from what was read already on, with the bytes of `seed`. */
class Check {
  #at = 0;
  readonly #prng: Prng;
  readonly #size: number;
  readonly #tally: Tally;

  constructor(seed: number, size: number, tally: Tally) {
    this.#prng = new Prng(seed);
    this.#size = size;
    this.#tally = tally;
  }

  take(chunk: Uint8Array): void {
    if (this.#at + chunk.length > this.#size) throw new Corruption("more bytes than were sent");
    const expected = this.#prng.bytes(chunk.length);
    for (let i = 0; i < chunk.length; i++) {
      if (chunk[i] === expected[i]) continue;
      throw new Corruption(`byte ${this.#at + i} of ${this.#size} is not the one that was sent`);
    }
    this.#at += chunk.length;
    this.#tally.verifiedBytes += chunk.length;
  }

  end(): void {
    if (this.#at !== this.#size) throw new Corruption(`${this.#at} of ${this.#size} bytes arrived`);
  }
}

/** The dialler's half: sends `size` bytes and reads as many others back. */
export async function transfer(
  peer: Peer,
  seed: number,
  size: number,
  tally: Tally,
): Promise<void> {
  const stream = await peer.openStream();
  const header = new DataView(new ArrayBuffer(HEADER_BYTES));
  header.setUint32(0, seed);
  header.setUint32(4, size);
  await stream.write(new Uint8Array(header.buffer));
  await write(stream, seed, size);
  const check = new Check(seed ^ ANSWER, size, tally);
  for await (const chunk of stream) check.take(chunk);
  check.end();
  tally.transfers++;
}

/** The listener's half. */
export async function answer(stream: SttStream, tally: Tally): Promise<void> {
  let head = new Uint8Array(0);
  let check: Check | undefined;
  let seed = 0;
  let size = 0;
  for await (const chunk of stream) {
    if (check !== undefined) {
      check.take(chunk);
      continue;
    }
    head = new Uint8Array([...head, ...chunk]);
    if (head.length < HEADER_BYTES) continue;
    const view = new DataView(head.buffer);
    seed = view.getUint32(0);
    size = view.getUint32(4);
    check = new Check(seed, size, tally);
    check.take(head.subarray(HEADER_BYTES));
  }
  if (check === undefined) throw new Corruption("a stream ended within its header");
  check.end();
  await write(stream, seed ^ ANSWER, size);
}

/** A message or datagram: 4 bytes of seed, then bytes that follow from it. */
export function note(seed: number, size: number): Uint8Array {
  const out = new Uint8Array(4 + size);
  new DataView(out.buffer).setUint32(0, seed);
  out.set(new Prng(seed).bytes(size), 4);
  return out;
}

/** @throws {Corruption} when the bytes do not follow from the seed in front of them. */
export function checkNote(bytes: Uint8Array): number {
  if (bytes.length < 4) throw new Corruption(`a message of ${bytes.length} bytes arrived`);
  const seed = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const expected = note(seed, bytes.length - 4);
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== expected[i]) throw new Corruption(`byte ${i} of a message is wrong`);
  }
  return seed;
}
