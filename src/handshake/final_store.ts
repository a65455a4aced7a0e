/**
 * FINALs of accepted sessions: an initiator whose FINAL was lost repeats its AUTH_PROOF (SPEC 6.3).
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import { sameBytes } from "./bytes.ts";

const LIFETIME_MS = 10_000;
const MAX_REPEATS = 5;

interface StoredFinal {
  readonly proof: Uint8Array;
  readonly final: Uint8Array;
  readonly expiresMs: number;
  repeats: number;
}

/** A bounded table of FINAL frames by session id. */
export class FinalStore {
  readonly #capacity: number;
  // Insertion order is order of expiry, as all live equally long.
  readonly #finals: Map<string, StoredFinal> = new Map();

  /** @param capacity FINALs kept; beyond, the oldest is forgotten */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#finals.size;
  }

  has(sessionId: Uint8Array): boolean {
    return this.#finals.has(toHex(sessionId));
  }

  add(sessionId: Uint8Array, proof: Uint8Array, final: Uint8Array, nowMs: number): void {
    const expiresMs = nowMs + LIFETIME_MS;
    this.#finals.set(toHex(sessionId), { proof, final, expiresMs, repeats: 0 });
    if (this.#finals.size <= this.#capacity) return;
    for (const oldest of this.#finals.keys()) {
      this.#finals.delete(oldest);
      break;
    }
  }

  delete(sessionId: Uint8Array): void {
    this.#finals.delete(toHex(sessionId));
  }

  /** FINAL for an AUTH_PROOF frame identical to the one that verified, at most 5 times. */
  repeat(sessionId: Uint8Array, proof: Uint8Array, nowMs: number): Uint8Array | undefined {
    const stored = this.#finals.get(toHex(sessionId));
    if (stored === undefined || stored.expiresMs <= nowMs) return undefined;
    if (stored.repeats >= MAX_REPEATS || !sameBytes(stored.proof, proof)) return undefined;
    stored.repeats++;
    return stored.final.slice();
  }

  /** When the next FINAL expires. */
  get nextExpiryMs(): number | undefined {
    for (const stored of this.#finals.values()) return stored.expiresMs;
    return undefined;
  }

  /** Removes what is due. */
  expire(nowMs: number): void {
    for (const [id, stored] of this.#finals) {
      if (stored.expiresMs > nowMs) return;
      this.#finals.delete(id);
    }
  }
}
