/**
 * Cookies: proof that a HELLO's sender receives at its address, without state (SPEC 6.4).
 *
 * @module
 */
import { KEY_BYTES } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { hostBytes } from "./network_address.ts";

const COOKIE_BYTES = 20;
const RENEW_MS = 120_000;
const MINUTE_MS = 60_000;
/** A secret serves 2 minutes and is accepted for 2 more. */
const LIFETIME_MINUTES = 4;

/** Address that a cookie is for. */
export interface CookieAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * u32 minute counter, then the first 16 bytes of HMAC-SHA256(secret, IP, port as u16, nonce, counter).
 *
 * @param minute minutes of Unix time
 */
export function makeCookie(
  provider: CryptoProvider,
  secret: Uint8Array,
  address: CookieAddress,
  nonce: Uint8Array,
  minute: number,
): Uint8Array {
  const cookie = new Uint8Array(COOKIE_BYTES);
  const counter = cookie.subarray(0, 4);
  new DataView(cookie.buffer).setUint32(0, minute);
  const port = Uint8Array.of(address.port >> 8, address.port & 0xff);
  const mac = provider.hmacSha256(secret, hostBytes(address.host), port, nonce, counter);
  cookie.set(mac.subarray(0, COOKIE_BYTES - 4), 4);
  return cookie;
}

/** Issues and checks the cookies of one listener. */
export class CookieJar {
  readonly #provider: CryptoProvider;
  readonly #newSecret: () => Uint8Array;
  #current: Uint8Array | undefined;
  #previous: Uint8Array | undefined;
  #currentSinceMs = 0;

  /** @param newSecret makes secrets of 32 bytes; random ones by default */
  constructor(provider: CryptoProvider, newSecret?: () => Uint8Array) {
    this.#provider = provider;
    this.#newSecret = newSecret ?? (() => provider.randomBytes(KEY_BYTES));
  }

  /** @param unixMs Unix milliseconds; `nowMs` is the monotonic clock that renews secrets */
  issue(address: CookieAddress, nonce: Uint8Array, nowMs: number, unixMs: number): Uint8Array {
    const minute = Math.floor(unixMs / MINUTE_MS) >>> 0;
    return makeCookie(this.#provider, this.#renew(nowMs), address, nonce, minute);
  }

  /** True for a cookie that this jar issued for the same address and nonce within the last minutes. */
  verify(
    cookie: Uint8Array,
    address: CookieAddress,
    nonce: Uint8Array,
    nowMs: number,
    unixMs: number,
  ): boolean {
    if (cookie.length !== COOKIE_BYTES) return false;
    const minute = new DataView(cookie.buffer, cookie.byteOffset).getUint32(0);
    // Bounds the life of a cookie even where the secret is given and never changes.
    const age = ((Math.floor(unixMs / MINUTE_MS) >>> 0) - minute) >>> 0;
    if (age > LIFETIME_MINUTES) return false;
    const current = this.#renew(nowMs);
    return [current, this.#previous].some((secret) =>
      secret !== undefined &&
      this.#provider.equal(
        cookie,
        makeCookie(this.#provider, secret, address, nonce, minute),
      )
    );
  }

  /** Erases the secrets. */
  destroy(): void {
    wipe(this.#current, this.#previous);
    this.#current = undefined;
    this.#previous = undefined;
  }

  #renew(nowMs: number): Uint8Array {
    const age = nowMs - this.#currentSinceMs;
    if (this.#current !== undefined && age < RENEW_MS) return this.#current;
    wipe(this.#previous);
    // Secrets are renewed on use; one that nobody used for long must not become "the previous".
    this.#previous = age < 2 * RENEW_MS ? this.#current : undefined;
    if (this.#previous === undefined) wipe(this.#current);
    this.#current = this.#newSecret().slice();
    this.#currentSinceMs = nowMs;
    return this.#current;
  }
}
