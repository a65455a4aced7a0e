/**
 * The changing part of a Noise handshake, kept apart so that a message can be tried on a copy.
 *
 * @module
 */

import type { X25519PrivateKey } from "./provider.ts";
import { wipe } from "./secret.ts";
import type { SymmetricState } from "./symmetric_state.ts";

/** An ephemeral key that copies of one handshake share: destroyed with the last of them. */
export class SharedEphemeral {
  readonly key: X25519PrivateKey;
  #users = 1;

  constructor(key: X25519PrivateKey) {
    this.key = key;
  }

  share(): SharedEphemeral {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users === 0) this.key.destroy();
  }
}

/** Everything that a message changes. */
export class HandshakeState {
  readonly symmetric: SymmetricState;
  readonly psks: (Uint8Array | undefined)[];
  ephemeral: SharedEphemeral | undefined;
  remoteStatic: Uint8Array | undefined;
  remoteEphemeral: Uint8Array | undefined;
  /** Number of messages done. */
  message = 0;
  /** Number of psk tokens done. */
  pskTokens = 0;

  constructor(symmetric: SymmetricState, psks: (Uint8Array | undefined)[]) {
    this.symmetric = symmetric;
    this.psks = psks;
  }

  clone(): HandshakeState {
    const copy = new HandshakeState(
      this.symmetric.clone(),
      this.psks.map((psk) => psk?.slice()),
    );
    copy.ephemeral = this.ephemeral?.share();
    copy.remoteStatic = this.remoteStatic;
    copy.remoteEphemeral = this.remoteEphemeral;
    copy.message = this.message;
    copy.pskTokens = this.pskTokens;
    return copy;
  }

  destroy(): void {
    this.symmetric.destroy();
    wipe(...this.psks);
    this.ephemeral?.release();
    this.ephemeral = undefined;
  }
}
