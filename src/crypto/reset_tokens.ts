/**
 * Stateless reset tokens of one node (SPEC 7.7).
 *
 * @module
 */
import { KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { hkdf } from "./hkdf.ts";
import type { CryptoProvider } from "./provider.ts";
import { Secret } from "./secret.ts";

/** Tells the token of every session of a node, without keeping the node's seed. */
export class ResetTokens {
  readonly #provider: CryptoProvider;
  readonly #key: Secret;

  /** `nodeSeed`: at least 32 bytes, which stay the caller's. */
  constructor(provider: CryptoProvider, nodeSeed: Uint8Array) {
    this.#provider = provider;
    this.#key = new Secret(hkdf(provider, nodeSeed, "stt1 reset", KEY_BYTES));
  }

  /** The 16 bytes by which the node proves that it lost the state of this session. */
  of(sessionId: Uint8Array): Uint8Array {
    return this.#provider.hmacSha256(this.#key.reveal(), sessionId).slice(0, TAG_BYTES);
  }

  /** Erases the key. */
  wipe(): void {
    this.#key.wipe();
  }
}
