/**
 * Keys from seeds and from a finished handshake (SPEC 5, 6.2, 7).
 *
 * @module
 */

import { AEAD_NONCE_BYTES, KEY_BYTES, SESSION_ID_BYTES, TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { hkdf, hkdfExpand } from "./hkdf.ts";
import type { CryptoProvider, X25519PrivateKey } from "./provider.ts";
import { ResetTokens } from "./reset_tokens.ts";
import { wipe } from "./secret.ts";
import { checkSeed } from "./seeds.ts";

const UTF8: TextEncoder = new TextEncoder();

/** Keys of one shared seed. Getters over private fields keep them out of inspection and JSON. */
export class SeedKeys {
  readonly #provider: CryptoProvider;
  readonly #psk: Uint8Array;
  readonly #seedIdKey: Uint8Array;
  readonly #retryKey: Uint8Array;
  readonly #ticketKey: Uint8Array;

  /**
   * Derives all keys at once; `sharedSeed` is not kept.
   *
   * @throws {SttError} SEED when `sharedSeed` is shorter than 32 bytes.
   */
  constructor(provider: CryptoProvider, sharedSeed: Uint8Array) {
    checkSeed("shared seed", sharedSeed);
    this.#provider = provider;
    this.#psk = hkdf(provider, sharedSeed, "stt1 psk", KEY_BYTES);
    this.#seedIdKey = hkdf(provider, sharedSeed, "stt1 seed id", KEY_BYTES);
    this.#retryKey = hkdf(provider, sharedSeed, "stt1 retry", KEY_BYTES);
    this.#ticketKey = hkdf(provider, sharedSeed, "stt1 ticket id", KEY_BYTES);
  }

  /** The pre-shared key of the handshake pattern, 32 bytes; not a copy. */
  get psk(): Uint8Array {
    return this.#psk;
  }

  /** The key of {@link SeedKeys.seedId}, 32 bytes; not a copy. */
  get seedIdKey(): Uint8Array {
    return this.#seedIdKey;
  }

  /** The key of RETRY's mac, 32 bytes; not a copy. */
  get retryKey(): Uint8Array {
    return this.#retryKey;
  }

  /** The key that hides the ids of tickets, 32 bytes; not a copy. */
  get ticketKey(): Uint8Array {
    return this.#ticketKey;
  }

  /** SPEC 5: the 8 bytes that name this seed in the HELLO with this nonce, unlinkable between nonces. */
  seedId(nonce: Uint8Array): Uint8Array {
    return this.#provider.hmacSha256(this.#seedIdKey, nonce).slice(0, SESSION_ID_BYTES);
  }

  /** Erases the keys. */
  wipe(): void {
    wipe(this.#psk, this.#seedIdKey, this.#retryKey, this.#ticketKey);
  }
}

/**
 * SPEC 5: the keys of a shared seed.
 *
 * @throws {SttError} SEED when it is shorter than 32 bytes.
 *
 * @example
 * ```ts
 * import { generateSeed, nodeProvider, seedKeys } from "@seigr/stt/crypto";
 * const provider = nodeProvider();
 * const keys = seedKeys(provider, generateSeed(provider));
 * console.log(keys.seedId(new Uint8Array(32)).length); // 8
 * keys.wipe();
 * ```
 */
export function seedKeys(provider: CryptoProvider, sharedSeed: Uint8Array): SeedKeys {
  return new SeedKeys(provider, sharedSeed);
}

/**
 * SPEC 5: the static key of a node seed; its public half is the node's id.
 *
 * @throws {SttError} SEED when the seed is shorter than 32 bytes.
 *
 * @example
 * ```ts
 * import { generateSeed, nodeProvider, staticKey } from "@seigr/stt/crypto";
 * const provider = nodeProvider();
 * const key = staticKey(provider, generateSeed(provider));
 * console.log(key.publicKey.length); // 32
 * ```
 */
export function staticKey(provider: CryptoProvider, nodeSeed: Uint8Array): X25519PrivateKey {
  checkSeed("node seed", nodeSeed);
  const privateKey = hkdf(provider, nodeSeed, "stt1 static", KEY_BYTES);
  try {
    return provider.x25519(privateKey);
  } finally {
    wipe(privateKey);
  }
}

/**
 * SPEC 7: the 16 bytes by which a node proves that it lost the state of a session.
 *
 * @throws {SttError} SEED when the seed is shorter than 32 bytes.
 */
export function resetToken(
  provider: CryptoProvider,
  nodeSeed: Uint8Array,
  sessionId: Uint8Array,
): Uint8Array {
  checkSeed("node seed", nodeSeed);
  const tokens = new ResetTokens(provider, nodeSeed);
  try {
    return tokens.of(sessionId);
  } finally {
    tokens.wipe();
  }
}

/** Places in the array of {@link SessionSecrets}. */
const HANDSHAKE_HASH = 0;
const I2R = 1;
const R2I = 2;
const FINAL = 3;
const EXPORTER = 4;

/** Secrets of one session. Getters over private fields keep them out of inspection and JSON. */
export class SessionSecrets {
  readonly #provider: CryptoProvider;
  /** Handshake hash and the four secrets, {@link KEY_BYTES} each: five arrays would take 1 KiB of every session. */
  readonly #kept: Uint8Array = new Uint8Array(5 * KEY_BYTES);
  #wiped = false;
  #trafficWiped = false;

  /** Erases `outputs`, the three of Split. `handshakeHash` is copied. */
  constructor(
    provider: CryptoProvider,
    outputs: readonly Uint8Array[],
    handshakeHash: Uint8Array,
  ) {
    const [out1, out2, out3] = outputs;
    if (out1 === undefined || out2 === undefined || out3 === undefined) {
      throw new SttError("INTERNAL", "cannot derive session secrets: three outputs are needed");
    }
    const expand = (secret: Uint8Array, label: string): Uint8Array =>
      hkdfExpand(provider, secret, labelled(label, handshakeHash), KEY_BYTES);
    const master = expand(out3, "stt1 master");
    this.#provider = provider;
    const kept = [
      handshakeHash,
      expand(out1, "stt1 i2r"),
      expand(out2, "stt1 r2i"),
      hkdfExpand(provider, master, "stt1 final", KEY_BYTES),
      hkdfExpand(provider, master, "stt1 exporter", KEY_BYTES),
    ];
    kept.forEach((bytes, index) => this.#kept.set(bytes, index * KEY_BYTES));
    wipe(master, ...outputs, ...kept.slice(1));
  }

  #view(index: number): Uint8Array {
    return this.#kept.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES);
  }

  /** A copy of the traffic secret from initiator to responder, 32 bytes; the caller erases it. */
  get i2r(): Uint8Array {
    this.#assertTraffic();
    return this.#view(I2R).slice();
  }

  /** A copy of the traffic secret from responder to initiator, 32 bytes; the caller erases it. */
  get r2i(): Uint8Array {
    this.#assertTraffic();
    return this.#view(R2I).slice();
  }

  /** The key of {@link confirmation}, 32 bytes; not a copy. */
  get final(): Uint8Array {
    this.#assertAlive();
    return this.#view(FINAL);
  }

  /** The secret behind {@link SessionSecrets.export}, 32 bytes; not a copy. */
  get exporter(): Uint8Array {
    this.#assertAlive();
    return this.#view(EXPORTER);
  }

  /** 32 bytes, public and unique to the session. */
  get handshakeHash(): Uint8Array {
    return this.#view(HANDSHAKE_HASH);
  }

  /**
   * SPEC 6.2: key material for the application, equal on both sides and independent for each label and context.
   *
   * @param label Purpose, UTF-8.
   * @param context Any bytes; hashed.
   * @param length Bytes wanted, 0 to 8160.
   * @throws {SttError} INTERNAL when `length` is out of range or the secrets were wiped.
   */
  export(label: string, context: Uint8Array, length: number): Uint8Array {
    this.#assertAlive();
    const secret = hkdfExpand(this.#provider, this.#view(EXPORTER), `app ${label}`, KEY_BYTES);
    try {
      return hkdfExpand(this.#provider, secret, this.#provider.sha256(context), length);
    } finally {
      wipe(secret);
    }
  }

  /**
   * Erases the traffic secrets, once keys were made of them: whoever had them would have the keys of every epoch, and
   * rotation would be for nothing.
   */
  wipeTraffic(): void {
    this.#trafficWiped = true;
    wipe(this.#kept.subarray(I2R * KEY_BYTES, (R2I + 1) * KEY_BYTES));
  }

  /** Erases everything but the handshake hash; copies of traffic secrets are not reached. */
  wipe(): void {
    this.#wiped = true;
    this.#trafficWiped = true;
    wipe(this.#kept.subarray(I2R * KEY_BYTES));
  }

  #assertTraffic(): void {
    this.#assertAlive();
    if (this.#trafficWiped) {
      throw new SttError("INTERNAL", "cannot use traffic secrets: they were wiped");
    }
  }

  #assertAlive(): void {
    if (this.#wiped) throw new SttError("INTERNAL", "cannot use session secrets: they were wiped");
  }
}

/** SPEC 6.2: the secrets of a session from the three outputs of Split, which are erased, and the handshake hash. */
export function sessionSecrets(
  provider: CryptoProvider,
  outputs: readonly Uint8Array[],
  handshakeHash: Uint8Array,
): SessionSecrets {
  return new SessionSecrets(provider, outputs, handshakeHash);
}

/** What protects the frames of one epoch of one direction. */
export interface ProtectionKeys {
  /** AEAD key, 32 bytes. */
  readonly key: Uint8Array;
  /** Nonce mask, 12 bytes. */
  readonly iv: Uint8Array;
}

/** Keys of one epoch of one direction. */
export interface EpochKeys extends ProtectionKeys {
  /** Secret of the next epoch, 32 bytes. */
  readonly next: Uint8Array;
}

/** SPEC 7: the keys of the epoch with this secret of 32 bytes, which stays the caller's to erase. */
export function epochKeys(provider: CryptoProvider, secret: Uint8Array): EpochKeys {
  const { key, iv } = protectionKeys(provider, secret);
  return { key, iv, next: nextEpochSecret(provider, secret) };
}

/** The same without the next secret, which most sessions never need. */
export function protectionKeys(provider: CryptoProvider, secret: Uint8Array): ProtectionKeys {
  return {
    key: hkdfExpand(provider, secret, "stt1 key", KEY_BYTES),
    iv: hkdfExpand(provider, secret, "stt1 iv", AEAD_NONCE_BYTES),
  };
}

/** SPEC 7: the secret of the epoch after the one with this secret, which stays the caller's to erase. */
export function nextEpochSecret(provider: CryptoProvider, secret: Uint8Array): Uint8Array {
  return hkdfExpand(provider, secret, "stt1 next", KEY_BYTES);
}

/** SPEC 6.2: the 16 bytes of FINAL, over its encoded value without the field `confirmation`. */
export function confirmation(
  provider: CryptoProvider,
  final: Uint8Array,
  handshakeHash: Uint8Array,
  finalValue: Uint8Array,
): Uint8Array {
  return provider.hmacSha256(final, handshakeHash, finalValue).slice(0, TAG_BYTES);
}

function labelled(label: string, context: Uint8Array): Uint8Array {
  const text = UTF8.encode(label);
  const info = new Uint8Array(text.length + context.length);
  info.set(text);
  info.set(context, text.length);
  return info;
}
