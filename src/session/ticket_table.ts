/**
 * The tickets that a listener gave and that nobody has used yet (SPEC 15.1, 15.3).
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import { TICKET_CLOCK_MS, TICKET_LIFE_MS } from "../constants.ts";
import { wipe } from "../crypto/secret.ts";

/** Whose a ticket is. */
export interface TicketOwner {
  /** The one node that may use it, 32 bytes. */
  readonly nodeId: Uint8Array;
  /** Name of the seed of its session, 8 bytes. */
  readonly seed: Uint8Array;
  /** What it resumes. */
  readonly owner: string;
}

/** One ticket. The table owns and erases `secret`. */
export interface Ticket {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** Unix milliseconds from which on it resumes nothing. */
  readonly expires: number;
}

/** Bounds of a {@link TicketTable}. */
export interface TicketLimits {
  /** Most tickets in all; the oldest are forgotten. */
  readonly tickets: number;
  /** Most tickets of one node; its oldest are forgotten. */
  readonly ticketsPerPeer: number;
}

interface Entry extends Ticket, TicketOwner {}

/**
 * Tickets by their id, each of one node and one owner. Using one erases it, so that whoever steals the table later finds
 * unused ones only; those forgotten for want of room are erased as well.
 */
export class TicketTable {
  readonly #limits: TicketLimits;
  // Insertion order is the order of age.
  readonly #byId: Map<string, Entry> = new Map();
  readonly #perPeer: Map<string, Set<string>> = new Map();
  /** A look at each owner, as a full host takes one, must not be a look at all tickets each time. */
  readonly #perOwner: Map<string, Set<string>> = new Map();

  constructor(limits: TicketLimits) {
    this.#limits = limits;
  }

  /** Tickets that are kept, expired ones that were not looked at since included. */
  get size(): number {
    return this.#byId.size;
  }

  /** Nodes that have tickets here. */
  get peers(): number {
    return this.#perPeer.size;
  }

  /** Adds a ticket, taking `secret` over; forgets the oldest of the node, and of all, where there is no room. */
  add(owner: TicketOwner, ticket: Ticket): void {
    const key = toHex(ticket.id);
    this.#remove(key);
    const peer = toHex(owner.nodeId);
    const own = this.#perPeer.get(peer) ?? new Set();
    this.#perPeer.set(peer, own);
    own.add(key);
    const owned = this.#perOwner.get(owner.owner) ?? new Set();
    this.#perOwner.set(owner.owner, owned);
    owned.add(key);
    this.#byId.set(key, { ...ticket, ...owner });
    if (own.size > this.#limits.ticketsPerPeer) this.#removeOldest(own);
    if (this.#byId.size > this.#limits.tickets) this.#removeOldest(this.#byId.keys());
  }

  /** The ticket of this id, unless it is not there or has expired. Uses nothing up. */
  find(id: Uint8Array, unixMs: number): (Ticket & TicketOwner) | undefined {
    const entry = this.#byId.get(toHex(id));
    if (entry === undefined) return undefined;
    // SPEC 15.1: a clock that was set back far must not make a ticket live on.
    const left = entry.expires - unixMs;
    if (left > 0 && left <= TICKET_LIFE_MS + TICKET_CLOCK_MS) return entry;
    if (left <= 0) this.#remove(toHex(id));
    return undefined;
  }

  /** Uses a ticket up: true for one call per ticket, and only while {@link TicketTable.find} finds it. */
  take(id: Uint8Array, unixMs: number): boolean {
    if (this.find(id, unixMs) === undefined) return false;
    this.#remove(toHex(id));
    return true;
  }

  /** What is kept of an owner, oldest first. The secrets stay the table's. */
  of(owner: string): Ticket[] {
    return [...this.#perOwner.get(owner) ?? []].map((key) => {
      const { id, secret, expires } = this.#byId.get(key) as Entry;
      return { id, secret, expires };
    });
  }

  /** Forgets the oldest tickets of an owner beyond `count`. */
  keepNewest(owner: string, count: number): void {
    const own = this.of(owner);
    for (const { id } of own.slice(0, Math.max(0, own.length - count))) this.#remove(toHex(id));
  }

  /** Forgets all tickets of an owner. */
  forget(owner: string): void {
    for (const key of [...this.#perOwner.get(owner) ?? []]) this.#remove(key);
  }

  /** Forgets what has expired. */
  expire(unixMs: number): void {
    for (const [key, { expires }] of [...this.#byId]) if (expires <= unixMs) this.#remove(key);
  }

  /** Forgets and erases everything. */
  clear(): void {
    for (const key of [...this.#byId.keys()]) this.#remove(key);
  }

  #removeOldest(keys: Iterable<string>): void {
    for (const key of keys) {
      this.#remove(key);
      return;
    }
  }

  #remove(key: string): void {
    const entry = this.#byId.get(key);
    if (entry === undefined) return;
    this.#byId.delete(key);
    wipe(entry.secret);
    removeFrom(this.#perPeer, toHex(entry.nodeId), key);
    removeFrom(this.#perOwner, entry.owner, key);
  }
}

function removeFrom(index: Map<string, Set<string>>, name: string, key: string): void {
  const keys = index.get(name);
  keys?.delete(key);
  if (keys?.size === 0) index.delete(name);
}
