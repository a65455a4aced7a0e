/**
 * A resumable session as it is kept between processes: one dict in a chamber (SPEC 15.4).
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import type { SttValue } from "../../codec/values.ts";
import { SttError } from "../../errors.ts";
import type { Ticket } from "../../session/ticket_table.ts";

const VERSION = 1;

/** What is kept of one stream. */
export interface StoredStream {
  readonly id: number;
  readonly name: string;
  readonly oneWay: boolean;
  /** What this side's application confirmed of the other side's direction. */
  readonly confirmed: number;
  /** The end of it, too. */
  readonly ended: boolean;
}

/** Everything that outlasts the process. */
export interface StoredSession {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** The other side, 32 bytes. */
  readonly nodeId: Uint8Array;
  /** Name of the seed of its sessions, 8 bytes. */
  readonly seed: Uint8Array;
  readonly tickets: readonly Ticket[];
  /** The next id that this side will open. */
  readonly next: number;
  readonly streams: readonly StoredStream[];
  readonly aborted: readonly (readonly [stream: number, code: number])[];
}

/** What a session is stored in: a `Chamber`, or whatever keeps values under names the same way. */
export interface SessionChamber {
  /** The value, or undefined. */
  get(name: string): Promise<SttValue | undefined>;
  /** Must last before it resolves, and replace the value in one step. */
  put(name: string, value: SttValue): Promise<void>;
  /** Forgets it. */
  delete(name: string): Promise<boolean>;
  /** All names. */
  list(): Promise<readonly { readonly name: string }[]>;
}

/** Names of records. */
export function acceptedName(id: Uint8Array): string {
  return `${ACCEPTED_PREFIX}${toHex(id)}`;
}
export const ACCEPTED_PREFIX = "resumption/accepted/";
export function dialledName(name: string): string {
  return `resumption/dialled/${name}`;
}

export function encodeStored(session: StoredSession): SttValue {
  return new Map<string, SttValue>([
    ["version", VERSION],
    ["id", session.id],
    ["node", session.nodeId],
    ["seed", session.seed],
    ["tickets", session.tickets.map(({ id, secret, expires }) => [id, secret, expires])],
    ["next", session.next],
    [
      "streams",
      session.streams.map((
        { id, name, oneWay, confirmed, ended },
      ) => [id, name, oneWay, confirmed, ended]),
    ],
    ["aborted", session.aborted.map(([stream, code]) => [stream, code])],
  ]);
}

/** @throws {SttError} STORAGE_CORRUPT for a value that is no session of this version. */
export function decodeStored(name: string, value: SttValue): StoredSession {
  const wrong = (what: string): SttError =>
    new SttError("STORAGE_CORRUPT", `cannot use record ${name}: ${what}`);
  if (!(value instanceof Map)) throw wrong("no dict");
  if (value.get("version") !== VERSION) throw wrong(`not of version ${VERSION}`);
  const bytes = (item: unknown, length: number): Uint8Array => {
    if (item instanceof Uint8Array && item.length === length) return item;
    throw wrong(`a field is not ${length} bytes`);
  };
  const count = (item: unknown): number => {
    if (typeof item === "number" && Number.isSafeInteger(item) && item >= 0) return item;
    throw wrong("a field is not a whole number");
  };
  const list = (item: unknown): unknown[] => {
    if (Array.isArray(item)) return item;
    throw wrong("a field is not a list");
  };
  return {
    id: bytes(value.get("id"), 16),
    nodeId: bytes(value.get("node"), 32),
    seed: bytes(value.get("seed"), 8),
    tickets: list(value.get("tickets")).map((item) => {
      const [id, secret, expires] = list(item);
      return { id: bytes(id, 16), secret: bytes(secret, 32), expires: count(expires) };
    }),
    next: count(value.get("next")),
    streams: list(value.get("streams")).map((item) => {
      const [id, streamName, oneWay, confirmed, ended] = list(item);
      if (
        typeof streamName !== "string" || typeof oneWay !== "boolean" || typeof ended !== "boolean"
      ) {
        throw wrong("a stream is malformed");
      }
      return { id: count(id), name: streamName, oneWay, confirmed: count(confirmed), ended };
    }),
    aborted: list(value.get("aborted")).map((item) => {
      const [stream, code] = list(item);
      return [count(stream), count(code)] as const;
    }),
  };
}

/** Writes of one record, one after the other; what changes during a write goes into the next. */
export class RecordWriter {
  readonly #chamber: SessionChamber | undefined;
  readonly #name: string;
  readonly #value: () => SttValue;
  #writing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #removed = false;

  constructor(chamber: SessionChamber | undefined, name: string, value: () => SttValue) {
    this.#chamber = chamber;
    this.#name = name;
    this.#value = value;
  }

  /** Resolves when the state of this moment, or a later one, lasts. At once without a chamber. */
  save(): Promise<void> {
    const chamber = this.#chamber;
    if (chamber === undefined || this.#removed) return Promise.resolve();
    if (this.#writing === undefined) {
      this.#writing = chamber.put(this.#name, this.#value()).finally(() => {
        this.#writing = undefined;
      });
      return this.#writing;
    }
    this.#next ??= this.#writing.catch(() => undefined).then(() => {
      this.#next = undefined;
      return this.save();
    });
    return this.#next;
  }

  /** Forgets the record, for good. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#writing?.catch(() => undefined);
    await this.#chamber?.delete(this.#name);
  }
}
