/** SPEC 12.9: requests and replies, whole directions at a time. @module */
import { concat, hex, Refusal, unhex, writeUtf8 } from "./bytes.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";
import { decodeVarint, encodeVarint, SAFE_MAX } from "./varint.ts";

type Arguments = ReturnType<typeof JSON.parse>;

const BLOCK_BYTES = 4096n;
const NAME_BYTES = 255;
const REASON_BYTES = 256;

interface Rest {
  readonly bytes: Uint8Array;
  at: number;
}

function length(rest: Rest): bigint {
  let found;
  try {
    found = decodeVarint(rest.bytes, rest.at);
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("PROTOCOL");
    throw error;
  }
  if (found.value > SAFE_MAX) throw new Refusal("PROTOCOL");
  rest.at += found.size;
  return found.value;
}

function take(rest: Rest, count: number): Uint8Array {
  if (rest.bytes.length - rest.at < count) throw new Refusal("PROTOCOL");
  rest.at += count;
  return rest.bytes.slice(rest.at - count, rest.at);
}

/** SPEC 12.3 and 12.4: a varint length of one or two bytes, and a canonical dict. */
function block(rest: Rest): Map<string, Typed> {
  const from = rest.at;
  const size = length(rest);
  if (size > BLOCK_BYTES || rest.at - from > 2) throw new Refusal("PROTOCOL");
  const bytes = take(rest, Number(size));
  let value: Typed;
  try {
    value = decodeValue(bytes, { canonical: true, maxDepth: 4, maxEntries: 32 });
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("PROTOCOL");
    throw error;
  }
  if (value.t !== "dict") throw new Refusal("PROTOCOL");
  return new Map(value.entries);
}

function utf8Size(text: string): number {
  return writeUtf8(text)?.length ?? Infinity;
}

function checkName(name: string): void {
  const size = utf8Size(name);
  if (size < 1 || size > NAME_BYTES) throw new Refusal("PROTOCOL");
  for (const character of name) {
    const point = character.codePointAt(0) as number;
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) throw new Refusal("PROTOCOL");
  }
}

function whole(value: Typed | undefined): bigint {
  if (value?.t !== "int" || BigInt(value.v) < 1n || BigInt(value.v) > SAFE_MAX) {
    throw new Refusal("PROTOCOL");
  }
  return BigInt(value.v);
}

/** Items up to the end, or up to the mark of a failure. */
function items(rest: Rest, maxItem: number): { readonly items: string[]; readonly mark: boolean } {
  const found: string[] = [];
  while (rest.at < rest.bytes.length) {
    const size = length(rest);
    if (size === 0n) return { items: found, mark: true };
    if (size - 1n > BigInt(maxItem)) throw new Refusal("BUFFER_EXCEEDED");
    found.push(hex(take(rest, Number(size) - 1)));
  }
  return { items: found, mark: false };
}

function framed(value: Typed): Uint8Array {
  const bytes = encodeValue(value);
  return concat(encodeVarint(BigInt(bytes.length)), bytes);
}

function encodeItems(all: readonly string[]): Uint8Array {
  return concat(...all.map((item) => {
    const bytes = unhex(item);
    return concat(encodeVarint(BigInt(bytes.length + 1)), bytes);
  }));
}

export function encodeRequest(to: string, deadline: string | null, all: readonly string[]): string {
  const entries: [string, Typed][] = [["stt", { t: "str", v: "request" }], [
    "to",
    { t: "str", v: to },
  ]];
  if (deadline !== null) entries.push(["deadline", { t: "int", v: deadline }]);
  return hex(concat(framed({ t: "dict", entries }), encodeItems(all)));
}

export function encodeReply(
  all: readonly string[],
  failure: { readonly error: string; readonly reason: string } | null,
): string {
  if (failure === null) return hex(encodeItems(all));
  const entries: [string, Typed][] = [
    ["error", { t: "int", v: failure.error }],
    ["reason", { t: "str", v: failure.reason }],
  ];
  return hex(concat(encodeItems(all), Uint8Array.of(0), framed({ t: "dict", entries })));
}

export const TWIN_REQUEST_OPS: Readonly<
  Record<string, (a: Arguments) => Record<string, unknown>>
> = {
  "request.encode": (a) => ({ hex: encodeRequest(a.to, a.deadline, a.items) }),
  "request.decode": (a) => {
    const rest = { bytes: unhex(a.hex), at: 0 };
    const fields = block(rest);
    const [service, to] = [fields.get("stt"), fields.get("to")];
    if (service?.t !== "str") throw new Refusal("PROTOCOL");
    if (service.v !== "request") throw new Refusal("UNSUPPORTED");
    if (to?.t !== "str") throw new Refusal("PROTOCOL");
    checkName(to.v);
    const deadline = fields.has("deadline") ? whole(fields.get("deadline")).toString() : null;
    const read = items(rest, a.max_item);
    if (read.mark) throw new Refusal("PROTOCOL");
    return { to: to.v, deadline, items: read.items };
  },
  "reply.encode": (a) => ({ hex: encodeReply(a.items, a.failure) }),
  "reply.decode": (a) => {
    const rest = { bytes: unhex(a.hex), at: 0 };
    const read = items(rest, a.max_item);
    if (!read.mark) return { items: read.items, failure: null };
    const fields = block(rest);
    const error = whole(fields.get("error")).toString();
    const reason = fields.get("reason");
    if (reason?.t !== "str" || utf8Size(reason.v) > REASON_BYTES) throw new Refusal("PROTOCOL");
    return { items: read.items, failure: { error, reason: reason.v } };
  },
};
