/**
 * Session ids that are remembered for a fixed time.
 *
 * @module
 */
import { SessionTable } from "./session_table.ts";

interface Entry<T> {
  readonly high: number;
  readonly low: number;
  readonly value: T;
  readonly expiresMs: number;
}

/** A table whose entries leave by themselves, oldest first: all live equally long. */
export class ExpiringIds<T> {
  readonly #lifeMs: number;
  readonly #byId: SessionTable<Entry<T>> = new SessionTable();
  readonly #oldestFirst: Set<Entry<T>> = new Set();

  constructor(lifeMs: number) {
    this.#lifeMs = lifeMs;
  }

  get size(): number {
    return this.#byId.size;
  }

  get(high: number, low: number, nowMs: number): T | undefined {
    const entry = this.#byId.get(high, low);
    return entry === undefined || entry.expiresMs <= nowMs ? undefined : entry.value;
  }

  add(high: number, low: number, value: T, nowMs: number): void {
    this.delete(high, low);
    const entry = { high, low, value, expiresMs: nowMs + this.#lifeMs };
    this.#byId.set(high, low, entry);
    this.#oldestFirst.add(entry);
    this.expire(nowMs);
  }

  delete(high: number, low: number): T | undefined {
    const entry = this.#byId.get(high, low);
    if (entry === undefined) return undefined;
    this.#byId.delete(high, low);
    this.#oldestFirst.delete(entry);
    return entry.value;
  }

  expire(nowMs: number): void {
    for (const entry of this.#oldestFirst) {
      if (entry.expiresMs > nowMs) return;
      this.delete(entry.high, entry.low);
    }
  }
}
