/**
 * The traffic secrets of sessions, for tests that seal frames of their own: a session erases them as soon as it has its
 * first keys.
 *
 * @module
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";

/** Traffic secrets of one session, 32 bytes each. */
export interface TrafficSecrets {
  /** What protects frames of the initiator. */
  readonly i2r: Uint8Array;
  /** What protects frames of the responder. */
  readonly r2i: Uint8Array;
}

/** Passes calls on to a provider, and keeps what is derived under the labels of traffic secrets (SPEC 6.2.4). */
export class TrafficTap {
  /** The provider to make the sessions with. */
  readonly provider: CryptoProvider;
  #newest: { i2r?: Uint8Array; r2i?: Uint8Array } = {};

  /** Taps a provider, which is left as it is. */
  constructor(inner: CryptoProvider) {
    this.provider = {
      ...inner,
      hmacSha256: (key, ...parts) => {
        const output = inner.hmacSha256(key, ...parts);
        const label = new TextDecoder("latin1").decode(parts[1]?.subarray(0, 8));
        if (label === "stt1 i2r") this.#newest = { ...this.#newest, i2r: output.slice() };
        if (label === "stt1 r2i") this.#newest = { ...this.#newest, r2i: output.slice() };
        return output;
      },
    };
  }

  /**
   * Copies of the secrets of the session that was made last.
   *
   * @throws {SttError} INTERNAL when there was none.
   */
  get newest(): TrafficSecrets {
    const { i2r, r2i } = this.#newest;
    if (i2r === undefined || r2i === undefined) {
      throw new SttError("INTERNAL", "cannot tap traffic secrets: no session was made");
    }
    return { i2r: i2r.slice(), r2i: r2i.slice() };
  }
}
