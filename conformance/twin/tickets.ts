/** SPEC 15.1 and 15.2: tickets, their masks, and what they put into the handshake. @module */
import { ascii, concat, hex, unhex } from "./bytes.ts";
import { expand, hkdf, hmac } from "./primitives.ts";

export function ticketId(exporter: Uint8Array, number: number): Uint8Array {
  return expand(exporter, concat(ascii("stt1 ticket id"), Uint8Array.of(number)), 16);
}

export function ticketSecret(exporter: Uint8Array, number: number): Uint8Array {
  return expand(exporter, concat(ascii("stt1 ticket"), Uint8Array.of(number)), 32);
}

/** HELLO's field from the id, and back. */
export function maskedId(seed: Uint8Array, nonce: Uint8Array, id: Uint8Array): Uint8Array {
  const mask = hmac(hkdf(seed, "stt1 ticket id", 32), nonce);
  return id.map((byte, i) => byte ^ (mask[i] as number));
}

export function resumedPsk(secret: Uint8Array, psk: Uint8Array): Uint8Array {
  return expand(secret, concat(ascii("stt1 resumption"), psk), 32);
}

/** A ticket as the scripts write it. */
export interface ScriptTicket {
  readonly id: string;
  readonly secret: string;
  /** The node that gave it, or the one that may use it. */
  readonly node_id: string;
  /** Initiator: false goes on without it. */
  readonly required?: boolean;
  /** Responder: the seed of the session that gave it. */
  readonly seed?: string;
  /** Responder: Unix milliseconds from which on it is no more. */
  readonly expires?: string;
}

/** A day, and how far a clock may have been set back. */
const LIFE_MS = 86_400_000n + 600_000n;

/** What a responder keeps; `spend` is true once for each. */
export class TwinTickets {
  readonly #kept: ScriptTicket[];

  constructor(tickets: readonly ScriptTicket[]) {
    this.#kept = [...tickets];
  }

  find(id: Uint8Array, seed: Uint8Array, nowMs: bigint): ScriptTicket | undefined {
    const found = this.#kept.find((ticket) => ticket.id === hex(id) && ticket.seed === hex(seed));
    const left = BigInt(found?.expires ?? "0") - nowMs;
    return left > 0n && left <= LIFE_MS ? found : undefined;
  }

  spend(ticket: ScriptTicket, nowMs: bigint): boolean {
    if (this.find(unhex(ticket.id), unhex(ticket.seed ?? ""), nowMs) === undefined) return false;
    this.#kept.splice(this.#kept.indexOf(ticket), 1);
    return true;
  }
}
