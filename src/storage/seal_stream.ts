/**
 * Sealing byte streams outside of a session: files at rest, pipes (SPEC 14.6).
 *
 * @module
 */
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { KDF_SALT_BYTES } from "../sealed/scrypt_cost.ts";
import {
  CHUNK_BITS_MAX,
  CHUNK_BITS_MIN,
  DEFAULT_CHUNK_BITS,
  encodeSealedHeader,
  parseSealedHeader,
  SEALED_HEADER_MAX_BYTES,
  type SealedStreamFacts,
  type SealedStreamHeader,
  SealedStreamKeys,
} from "../sealed/stream_format.ts";
import { StreamOpener } from "../sealed/stream_opener.ts";
import { StreamSealer } from "../sealed/stream_sealer.ts";
import { costOf, secretBytes, type StoreSecret } from "./store_secret.ts";

/** What sealing and opening have in common. */
export interface SealSecret {
  /** A seed of at least 32 bytes, or a passphrase. */
  readonly secret: StoreSecret;
  /** Bytes that the reader must know as well, such as what the stream is for. Not written down; none by default. */
  readonly context?: Uint8Array;
  /** Cryptography, and the randomness of salts; by default that of `node:crypto`. */
  readonly crypto?: CryptoProvider;
}

/** How to seal. */
export interface SealOptions extends SealSecret {
  /**
   * True: whatever is written can be read on the other side at once, and the stream has no known length and no random
   * access. False by default: chunks of one size.
   */
  readonly live?: boolean;
  /** Bytes of plaintext in a chunk: a power of two from 1024 to 1048576, by default 65536. */
  readonly chunkSize?: number;
}

/**
 * A transform from bytes to a sealed stream of them.
 *
 * @throws {SttError} CONFIG, SEED.
 *
 * @example
 * ```ts
 * import { generateSeed } from "@seigr/stt";
 * import { openStream, sealStream } from "@seigr/stt/storage";
 *
 * const secret = generateSeed();
 * const sealed = new Blob(["some text"]).stream().pipeThrough(sealStream({ secret }));
 * console.log(await new Response(sealed.pipeThrough(openStream({ secret }))).text()); // some text
 * ```
 */
export function sealStream(options: SealOptions): TransformStream<Uint8Array, Uint8Array> {
  const crypto = options.crypto ?? nodeProvider();
  const facts: SealedStreamFacts = {
    live: options.live ?? false,
    chunkBits: chunkBitsOf(options.chunkSize),
    salt: crypto.randomBytes(KDF_SALT_BYTES),
    cost: costOf(options.secret),
  };
  const header = encodeSealedHeader(facts);
  let sealer: StreamSealer | undefined;
  return new TransformStream<Uint8Array, Uint8Array>({
    async start(controller) {
      const keys = await keysOf(options, crypto, facts, header);
      controller.enqueue(header);
      controller.enqueue(keys.mac.slice());
      sealer = new StreamSealer(keys, facts);
    },
    transform(chunk, controller) {
      sealer?.push(chunk, (sealed) => controller.enqueue(sealed));
    },
    flush(controller) {
      if (sealer !== undefined) controller.enqueue(sealer.end());
    },
  });
}

/**
 * A transform from a sealed stream to its bytes. Every chunk that comes out is verified and in its place. Whether the
 * stream is whole is known at its end only: whoever acts on parts acts on a stream that may have been cut off.
 *
 * The readable side fails with SEALED_KEY for another secret or context, SEALED_CHUNK for a chunk that is damaged or
 * out of place, SEALED_TRUNCATED for an end that is none, SEALED_FORMAT and UNSUPPORTED for other bytes.
 *
 * @throws {SttError} SEED.
 */
export function openStream(options: SealSecret): TransformStream<Uint8Array, Uint8Array> {
  const crypto = options.crypto ?? nodeProvider();
  costOf(options.secret);
  const head = new HeaderBuffer();
  let opener: StreamOpener | undefined;
  return new TransformStream<Uint8Array, Uint8Array>({
    async transform(chunk, controller) {
      const emit = (plaintext: Uint8Array): void => controller.enqueue(plaintext);
      if (opener !== undefined) return opener.push(chunk, emit);
      const header = head.push(chunk);
      if (header === undefined) return;
      opener = new StreamOpener(await openKeys(options, crypto, header), header);
      opener.push(head.rest(header), emit);
    },
    flush(controller) {
      if (opener !== undefined) return opener.end((plaintext) => controller.enqueue(plaintext));
      throw new SttError("SEALED_TRUNCATED", "cannot open sealed stream: it ends in its header");
    },
  });
}

/** The beginning of a stream until its header is whole. */
class HeaderBuffer {
  #bytes: Uint8Array = new Uint8Array(0);

  push(chunk: Uint8Array): SealedStreamHeader | undefined {
    const bytes = new Uint8Array(this.#bytes.length + chunk.length);
    bytes.set(this.#bytes);
    bytes.set(chunk, this.#bytes.length);
    this.#bytes = bytes;
    return parseSealedHeader(bytes.subarray(0, SEALED_HEADER_MAX_BYTES));
  }

  rest(header: SealedStreamHeader): Uint8Array {
    return this.#bytes.subarray(header.bytes.length + header.mac.length);
  }
}

/** The keys of a header that was read. @throws {SttError} SEALED_KEY, SEED. */
export async function openKeys(
  options: SealSecret,
  crypto: CryptoProvider,
  header: SealedStreamHeader,
): Promise<SealedStreamKeys> {
  const keys = await keysOf(options, crypto, header, header.bytes);
  if (crypto.equal(keys.mac, header.mac)) return keys;
  keys.destroy();
  throw sealedKey("another secret, another context, or a header that was changed");
}

async function keysOf(
  { secret, context }: SealSecret,
  crypto: CryptoProvider,
  { cost, salt }: SealedStreamFacts,
  header: Uint8Array,
): Promise<SealedStreamKeys> {
  const bytes = await secretBytes(
    crypto,
    secret,
    cost === null ? null : { ...cost, salt },
    sealedKey,
  );
  try {
    return new SealedStreamKeys(crypto, bytes, header, context ?? new Uint8Array(0));
  } finally {
    wipe(bytes);
  }
}

function sealedKey(reason: string): SttError {
  return new SttError("SEALED_KEY", `cannot open sealed stream: ${reason}`);
}

function chunkBitsOf(chunkSize: number | undefined): number {
  if (chunkSize === undefined) return DEFAULT_CHUNK_BITS;
  const bits = Math.log2(chunkSize);
  if (Number.isInteger(bits) && bits >= CHUNK_BITS_MIN && bits <= CHUNK_BITS_MAX) return bits;
  throw new SttError(
    "CONFIG",
    `cannot use chunkSize ${chunkSize}: it is no power of two from 1024 to 1048576`,
  );
}
