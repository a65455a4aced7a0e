/**
 * A provider that holds on to every array that key material passes through, to see later what was erased.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { CryptoProvider } from "./provider.ts";

/** SPEC 5.1: a key of HMAC that everybody knows. */
const PUBLIC_KEYS: readonly string[] = [toHex(new TextEncoder().encode("STT/1"))];

interface Held {
  readonly array: Uint8Array;
  readonly what: string;
}

/** Watches what goes through `provider`. */
export class Watch {
  readonly provider: CryptoProvider;
  readonly #held = new Set<Uint8Array>();
  readonly #arrays: Held[] = [];
  readonly #secrets = new Map<string, string>();
  readonly #public = new Set<string>(PUBLIC_KEYS);

  constructor(inner: CryptoProvider) {
    const { hkdfSha256 } = inner;
    this.provider = {
      ...inner,
      sha256: (...parts) => {
        const hash = inner.sha256(...parts);
        // Noise begins its chaining key with a hash that anybody can make.
        this.#public.add(toHex(hash));
        return hash;
      },
      hmacSha256: (key, ...parts) => {
        this.secret("key of HMAC", key);
        return this.#hold("output of HMAC", inner.hmacSha256(key, ...parts));
      },
      ...(hkdfSha256 === undefined ? {} : {
        hkdfSha256: (salt, ikm, info, length) => {
          this.secret("input of HKDF", ikm);
          return this.#hold("output of HKDF", hkdfSha256(salt, ikm, info, length));
        },
      }),
      x25519: (privateKey) => {
        if (privateKey !== undefined) this.secret("private key", privateKey);
        const key = inner.x25519(privateKey);
        // Noise mixes public keys in like secrets where there is a pre-shared key.
        this.#public.add(toHex(key.publicKey));
        return {
          publicKey: key.publicKey,
          agree: (publicKey) => {
            const shared = key.agree(publicKey);
            if (shared !== undefined) this.secret("shared secret", shared);
            return shared;
          },
          destroy: () => key.destroy(),
        };
      },
      aead: (name, key) => {
        this.secret(`key of ${name}`, key);
        return inner.aead(name, key);
      },
    };
  }

  /** Secrets that were seen. */
  get secrets(): number {
    return this.#secrets.size;
  }

  /** The bytes are a secret from now on, wherever they are found. */
  secret(what: string, bytes: Uint8Array): void {
    const text = toHex(bytes);
    if (bytes.length >= 16 && !this.#secrets.has(text)) this.#secrets.set(text, what);
    this.#hold(what, bytes);
  }

  /** These are somebody else's to erase. */
  excuse(...arrays: readonly Uint8Array[]): void {
    for (const array of arrays) this.#public.add(toHex(array));
  }

  /** What a secret is still found in: its name, and the name of the array. */
  left(): string[] {
    return this.#arrays.flatMap(({ array, what }) => {
      const text = toHex(array);
      const secret = this.#public.has(text) ? undefined : this.#secrets.get(text);
      return secret !== undefined ? [`${secret} in ${what}`] : [];
    });
  }

  #hold(what: string, array: Uint8Array): Uint8Array {
    if (!this.#held.has(array)) {
      this.#held.add(array);
      this.#arrays.push({ array, what });
    }
    return array;
  }
}
