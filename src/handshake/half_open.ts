/**
 * Handshakes between HELLO and the listener's decision, and FINALs that may have to be repeated.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { ResponderHandshake } from "./responder_handshake.ts";
import type { HandshakeSource, PendingSession } from "./types.ts";

/** One handshake that was answered with RESPONSE. */
export interface HalfOpen {
  readonly handshake: ResponderHandshake;
  /** The initiator's nonce. */
  readonly nonce: Uint8Array;
  readonly sessionId: Uint8Array;
  /** Key of the address that HELLO came from. */
  readonly address: string;
  readonly source: HandshakeSource;
  /** HELLO's value without its cookie: a repeat must be identical. */
  readonly hello: Uint8Array;
  /** The complete RESPONSE frame. */
  readonly response: Uint8Array;
  /** How often RESPONSE was sent again to an address other than the source's. */
  repeatsElsewhere: number;
  readonly expiresMs: number;
  /** Set by an AUTH_PROOF that verified: its frame and what came of it. */
  proved?: { readonly frame: Uint8Array; readonly pending: PendingSession };
}

/** Half-open handshakes by nonce, session id, address and transport connection. */
export class HalfOpenTable {
  // Insertion order is order of expiry, as all live equally long.
  readonly #byNonce: Map<string, HalfOpen> = new Map();
  readonly #byId: Map<string, HalfOpen> = new Map();
  readonly #byConnection: Map<unknown, HalfOpen> = new Map();
  readonly #perAddress: Map<string, number> = new Map();

  get size(): number {
    return this.#byNonce.size;
  }

  /** Addresses that have a handshake here. */
  get addresses(): number {
    return this.#perAddress.size;
  }

  /** Handshakes of one address. */
  countOf(address: string): number {
    return this.#perAddress.get(address) ?? 0;
  }

  byNonce(nonce: Uint8Array): HalfOpen | undefined {
    return this.#byNonce.get(toHex(nonce));
  }

  bySessionId(sessionId: Uint8Array): HalfOpen | undefined {
    return this.#byId.get(toHex(sessionId));
  }

  byConnection(connection: unknown): HalfOpen | undefined {
    return this.#byConnection.get(connection);
  }

  add(entry: HalfOpen): void {
    this.#byNonce.set(toHex(entry.nonce), entry);
    this.#byId.set(toHex(entry.sessionId), entry);
    // UDP has no connections: undefined is never a key.
    if (entry.source.connection !== undefined) {
      this.#byConnection.set(entry.source.connection, entry);
    }
    this.#perAddress.set(entry.address, this.countOf(entry.address) + 1);
  }

  /** Forgets an entry and erases its handshake keys; a session that came of it lives on. */
  remove(entry: HalfOpen): void {
    if (!this.#byNonce.delete(toHex(entry.nonce))) return;
    this.#byId.delete(toHex(entry.sessionId));
    this.#byConnection.delete(entry.source.connection);
    const left = this.countOf(entry.address) - 1;
    if (left > 0) this.#perAddress.set(entry.address, left);
    else this.#perAddress.delete(entry.address);
    entry.handshake.destroy();
  }

  /** When the next entry expires. */
  get nextExpiryMs(): number | undefined {
    for (const entry of this.#byNonce.values()) return entry.expiresMs;
    return undefined;
  }

  /** Removes what is due. */
  expire(nowMs: number): void {
    for (const entry of this.#byNonce.values()) {
      if (entry.expiresMs > nowMs) return;
      this.remove(entry);
    }
  }

  /** Removes everything. */
  clear(): void {
    for (const entry of [...this.#byNonce.values()]) this.remove(entry);
  }
}
