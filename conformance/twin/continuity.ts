/** SPEC 15.3 and 15.4: blocks, stored state, and the sending side of a stream that outlasts sessions. @module */
import { ascii, concat, hex, Refusal, unhex } from "./bytes.ts";
import { encodeFields, type Field, type Fields, toFields } from "./messages.ts";
import { decodeValue, type Typed } from "./values.ts";
import { decodeVarint, encodeVarint } from "./varint.ts";

type Json = ReturnType<typeof JSON.parse>;

const malformed = (): Refusal => new Refusal("PROTOCOL");

function numberOf(field: Field | undefined, most = Number.MAX_SAFE_INTEGER): number {
  if (field === undefined || !("int" in field)) throw malformed();
  const value = BigInt(field.int);
  if (value < 0n || value > BigInt(most)) throw malformed();
  return Number(value);
}

function idOf(field: Field | undefined): number {
  const id = numberOf(field, 0xffffffff);
  if (id === 0) throw malformed();
  return id;
}

function listOf(field: Field | undefined): readonly Field[] {
  if (field === undefined || !("list" in field)) throw malformed();
  return field.list;
}

function boolOf(field: Field | undefined): boolean {
  if (field === undefined || !("bool" in field)) throw malformed();
  return field.bool;
}

function pairOf(list: readonly Field[]): [number, number] {
  return [idOf(list[0]), numberOf(list[1])];
}

/** The dict at the start of the bytes and how far it goes. */
export function takeBlock(bytes: Uint8Array): { fields: Fields; size: number } {
  // Two bytes hold every length that is allowed.
  const head = bytes.slice(0, 2);
  if (head.length === 0 || (head.length === 1 && (head[0] as number) >= 0x80)) {
    throw new Refusal("INCOMPLETE");
  }
  let length: number;
  let start: number;
  try {
    const { value, size } = decodeVarint(head, 0);
    length = Number(value);
    start = size;
  } catch {
    throw malformed();
  }
  if (length > 4096) throw malformed();
  if (bytes.length < start + length) throw new Refusal("INCOMPLETE");
  const content = bytes.slice(start, start + length);
  let typed: Typed;
  try {
    typed = decodeValue(content, { canonical: true, maxDepth: 2, maxEntries: 1024 });
  } catch {
    throw malformed();
  }
  if (typed.t !== "dict") throw malformed();
  return { fields: toFields(typed), size: start + length };
}

function word(fields: Fields): Json {
  const received = numberOf(fields.received);
  const confirmed = numberOf(fields.confirmed);
  const ended = boolOf(fields.ended);
  if (confirmed > received || (ended && confirmed !== received)) throw malformed();
  return { received, confirmed, ended, kept: numberOf(fields.kept) };
}

function greeting(fields: Fields): Json {
  const { stt } = fields;
  if (stt === undefined || !("text" in stt) || stt.text !== "continuity") throw malformed();
  const live = listOf(fields.live).map(idOf);
  if (live.length > 256) throw malformed();
  const flat = listOf(fields.aborted);
  if (flat.length % 2 === 1 || flat.length > 128) throw malformed();
  const aborted = [];
  for (let i = 0; i < flat.length; i += 2) aborted.push(pairOf(flat.slice(i, i + 2)));
  return { live, next: numberOf(fields.next), aborted, keep: numberOf(fields.keep) };
}

function opening(fields: Fields): Json {
  const stream = idOf(fields.stream);
  const { name } = fields;
  if (name === undefined || !("text" in name) || ascii(name.text).length > 255) throw malformed();
  const [one_way, first] = [boolOf(fields.one_way), boolOf(fields.first)];
  return { stream, name: name.text, one_way, first, ...word(fields) };
}

function control(fields: Fields): Json {
  if (fields.confirm !== undefined) {
    const list = listOf(fields.confirm);
    if (list.length % 3 !== 0) throw malformed();
    const confirmations = [];
    for (let i = 0; i < list.length; i += 3) {
      confirmations.push({
        stream: idOf(list[i]),
        offset: numberOf(list[i + 1]),
        ended: numberOf(list[i + 2], 1) === 1,
      });
    }
    return { type: "confirm", confirmations };
  }
  if (fields.done !== undefined) return { type: "done", streams: listOf(fields.done).map(idOf) };
  if (fields.abort !== undefined) {
    const [stream, code] = pairOf(listOf(fields.abort));
    return { type: "abort", stream, code };
  }
  if (fields.aborted !== undefined) return { type: "aborted", stream: idOf(fields.aborted) };
  const { bye } = fields;
  return { type: bye !== undefined && "bool" in bye && bye.bool ? "bye" : "unknown" };
}

const READ: Readonly<Record<string, (fields: Fields) => Json>> = {
  greeting,
  opening,
  answer: (fields) => fields.abort === undefined ? word(fields) : { abort: numberOf(fields.abort) },
  control,
};

const int = (value: number): Field => ({ int: String(value) });
const ints = (values: readonly number[]): Field => ({ list: values.map(int) });

function wordFields(block: Json): Fields {
  const { received, confirmed, ended, kept } = block;
  return {
    received: int(received),
    confirmed: int(confirmed),
    ended: { bool: ended },
    kept: int(kept),
  };
}

const WRITE: Readonly<Record<string, (block: Json) => Fields>> = {
  greeting: ({ live, next, aborted, keep }) => ({
    stt: { text: "continuity" },
    live: ints(live),
    next: int(next),
    aborted: ints(aborted.flat()),
    keep: int(keep),
  }),
  opening: (block) => ({
    stream: int(block.stream),
    name: { text: block.name },
    one_way: { bool: block.one_way },
    first: { bool: block.first },
    ...wordFields(block),
  }),
  answer: (block) => block.abort === undefined ? wordFields(block) : { abort: int(block.abort) },
  control: (block): Fields => {
    if (block.type === "confirm") {
      const flat = block.confirmations.flatMap((one: Json) => [
        one.stream,
        one.offset,
        one.ended ? 1 : 0,
      ]);
      return { confirm: ints(flat) };
    }
    if (block.type === "done") return { done: ints(block.streams) };
    if (block.type === "abort") return { abort: ints([block.stream, block.code]) };
    if (block.type === "aborted") return { aborted: int(block.stream) };
    return { bye: { bool: true } };
  },
};

export function blockOf(fields: Fields): Uint8Array {
  const content = encodeFields(fields);
  return concat(encodeVarint(BigInt(content.length)), content);
}

function stored(bytes: Uint8Array): Json {
  const wrong = (): Refusal => new Refusal("STORAGE_CORRUPT");
  const raw = (field: Field | undefined, length: number): string => {
    if (field === undefined || !("bytes" in field) || field.bytes.length !== 2 * length) {
      throw wrong();
    }
    return field.bytes;
  };
  try {
    const typed = decodeValue(bytes);
    if (typed.t !== "dict") throw wrong();
    const fields = toFields(typed);
    if (numberOf(fields.version) !== 1) throw wrong();
    return {
      id: raw(fields.id, 16),
      node: raw(fields.node, 32),
      seed: raw(fields.seed, 8),
      next: numberOf(fields.next),
      tickets: listOf(fields.tickets).map((item) => {
        const [id, secret, expires] = listOf(item);
        return [raw(id, 16), raw(secret, 32), numberOf(expires)];
      }),
      streams: listOf(fields.streams).map((item) => {
        const [id, name, oneWay, confirmed, ended] = listOf(item);
        if (name === undefined || !("text" in name)) throw wrong();
        return [numberOf(id), name.text, boolOf(oneWay), numberOf(confirmed), boolOf(ended)];
      }),
      aborted: listOf(fields.aborted).map((item) => {
        const [stream, code] = listOf(item);
        return [numberOf(stream), numberOf(code)];
      }),
    };
  } catch (error) {
    if (error instanceof Refusal && error.code === "PROTOCOL") throw wrong();
    throw error;
  }
}

/** Every byte that was written since the process began, by its place; nothing is clever here. */
class TwinSender {
  readonly #bytes = new Map<number, number>();
  #lost: boolean;
  #recovered = false;
  #written = 0;
  #kept = 0;
  #ahead = 0;
  #next: number | undefined;
  /** The most that any session had of it, and whether one had the end. */
  #given = 0;
  #endGiven = false;
  #ended = false;
  #endSent = false;
  #early: { readonly offset: number; readonly ended: boolean }[] = [];
  finished = false;

  constructor(lost: boolean) {
    this.#lost = lost;
  }

  get state(): Json {
    const kept = this.#lost ? 0 : this.#kept;
    return { written: this.#written, kept, finished: this.finished };
  }

  write(bytes: Uint8Array): void {
    if (this.#lost || this.#ended) throw new Refusal("CONFIG");
    for (const byte of bytes) this.#bytes.set(this.#written++, byte);
  }

  end(): void {
    if (this.#lost || (this.#recovered && this.#ahead > this.#written)) {
      throw new Refusal("CONFIG");
    }
    this.#ended = true;
  }

  attach(said: { received: number; confirmed: number; ended: boolean }): void {
    if (said.received < said.confirmed) throw malformed();
    if (this.#lost) {
      this.#lost = false;
      this.#recovered = true;
      this.#written = said.confirmed;
      this.#kept = said.confirmed;
      this.#ahead = said.received;
      this.#given = said.received;
    } else if (said.received > this.#given) throw malformed();
    if (said.received < this.#kept) throw new Refusal("SESSION");
    this.#next = said.received;
    this.#endSent = false;
    this.confirm(said.confirmed, said.ended);
    const early = this.#early.splice(0);
    if (early.length === 0) return;
    this.confirm(
      Math.max(...early.map(({ offset }) => offset)),
      early.some(({ ended }) => ended),
    );
  }

  detach(): void {
    this.#next = undefined;
    this.#early = [];
  }

  confirm(offset: number, ended: boolean): void {
    if (this.#next === undefined) {
      // SPEC 15.4.7: it overtook the beginning of its carrier.
      this.#early.push({ offset, ended });
      return;
    }
    if (offset > this.#next) throw malformed();
    const known = (this.#endGiven && offset === this.#written) ||
      (this.#recovered && offset === this.#ahead);
    if (ended && !known) throw malformed();
    this.#kept = Math.max(this.#kept, offset);
    if (ended) this.finished = true;
  }

  take(most: number): Uint8Array | "end" | null {
    if (this.#next === undefined) return null;
    const out = [];
    while (!this.finished && out.length < most && this.#next < this.#written) {
      out.push(this.#bytes.get(this.#next++) as number);
    }
    this.#given = Math.max(this.#given, this.#next);
    if (out.length > 0) return Uint8Array.from(out);
    const over = this.finished || (this.#ended && this.#next <= this.#written);
    if (!over || this.#endSent) return null;
    this.#endSent = true;
    this.#endGiven = true;
    return "end";
  }
}

function runSender(a: Json): Json {
  const sender = new TwinSender(a.lost === true);
  let over = false;
  const results = a.events.map((event: Json) => {
    if (over) return { result: "dropped", verdict: "over" };
    try {
      if (event.write !== undefined) sender.write(unhex(event.write));
      else if (event.end === true) sender.end();
      else if (event.attach !== undefined) sender.attach(event.attach);
      else if (event.detach === true) sender.detach();
      else if (event.confirm !== undefined) sender.confirm(event.confirm[0], event.confirm[1]);
      else {
        const taken = sender.take(event.take);
        return { result: "taken", sent: taken instanceof Uint8Array ? hex(taken) : taken };
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      over = error.code !== "CONFIG";
      return { result: "failed", verdict: error.code };
    }
    return { result: "taken", ...sender.state };
  });
  return { results };
}

export const TWIN_CONTINUITY_OPS: Readonly<
  Record<string, (a: Json) => Record<string, unknown>>
> = {
  "continuity.read": (a) => {
    const { fields, size } = takeBlock(unhex(a.hex));
    return { block: (READ[a.kind] as (fields: Fields) => Json)(fields), size };
  },
  "continuity.write": (a) => ({
    hex: hex(blockOf((WRITE[a.kind] as (block: Json) => Fields)(a.block))),
  }),
  "continuity.stored": (a) => stored(unhex(a.hex)),
  "continuity.sender": runSender,
};
