/** SPEC 14.6: sealed streams. @module */
import { hex, unhex } from "../twin/bytes.ts";
import { sealStream } from "../twin/sealed_stream.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const SEED = sample("sealed seed", 32);
const PHRASE = "correct horse battery";
const SALT = sample("sealed salt", 32);
const COST = { n: 1024, r: 8, p: 1 };
const HEADER = 75;
const CHUNK = 1024 + 16;

interface Form {
  readonly live?: boolean;
  readonly bits?: number;
  readonly context?: string;
  readonly passphrase?: boolean;
}

function sealing(comment: string, pieces: readonly string[], form: Form = {}): RuleTest {
  return test(comment, "sealed.seal", {
    ...(form.passphrase === true ? { passphrase: PHRASE, cost: COST } : { seed: SEED }),
    context: form.context ?? "",
    chunk_bits: form.bits ?? 10,
    live: form.live ?? false,
    salt: SALT,
    pieces,
  });
}

function sealed(pieces: readonly string[], form: Form = {}): string {
  return hex(sealStream({
    secret: form.passphrase === true ? PHRASE : unhex(SEED),
    ...(form.passphrase === true ? { cost: COST } : {}),
    context: unhex(form.context ?? ""),
    bits: form.bits ?? 10,
    live: form.live ?? false,
    salt: unhex(SALT),
    pieces: pieces.map(unhex),
  }));
}

function opening(comment: string, stream: string, change: Record<string, unknown> = {}): RuleTest {
  return test(comment, "sealed.open", { seed: SEED, context: "", hex: stream, ...change });
}

const LENGTHS = [0, 1, 1023, 1024, 1025, 2048, 2500];
const bytes = (length: number): string => sample(`plain ${length}`, length);

export function sealedStreamRules(): Rule[] {
  const book = new RuleBook("14.6");
  book.accepts(1, "stream", "streams of chunks of one size", [
    ...LENGTHS.map((length) => sealing(`${length} bytes`, [bytes(length)])),
    ...LENGTHS.map((length) => opening(`opening ${length} bytes`, sealed([bytes(length)]))),
    sealing("in two pieces", [bytes(1000), bytes(1025)]),
    sealing("chunks of 64 KiB", [bytes(100)], { bits: 16 }),
    sealing("with a context", [bytes(100)], { context: "6d61696c" }),
    opening("opening with a context", sealed([bytes(9)], { context: "6d61696c" }), {
      context: "6d61696c",
    }),
    sealing("with a passphrase", [bytes(100)], { passphrase: true }),
    test("opening with a passphrase", "sealed.open", {
      passphrase: PHRASE,
      context: "",
      hex: sealed([bytes(9)], { passphrase: true }),
    }),
  ]);
  book.accepts(2, "live", "live streams", [
    sealing("nothing", [], { live: true }),
    sealing("two pieces", [bytes(5), bytes(1024)], { live: true }),
    opening("opening nothing", sealed([], { live: true })),
    opening("opening two pieces", sealed([bytes(5), bytes(1024)], { live: true })),
  ]);
  const one = sealed([bytes(100)]);
  book.refuses(3, "key", "another secret, context or header opens nothing", [
    opening("another seed", one, { seed: sample("another sealed seed", 32) }),
    opening("another context", one, { context: "00" }),
    test("a passphrase for a seed", "sealed.open", { passphrase: PHRASE, context: "", hex: one }),
    opening("a seed for a passphrase", sealed([bytes(9)], { passphrase: true })),
    test("another passphrase", "sealed.open", {
      passphrase: "correct horse batterz",
      context: "",
      hex: sealed([bytes(9)], { passphrase: true }),
    }),
    opening("another chunk size", flip(one, 10, 1)),
    opening("live or not", flip(one, 9, 2)),
    opening("another salt", flip(one, 11)),
    opening("the last byte of the salt", flip(one, 42)),
    opening("another MAC", flip(one, 43)),
    opening("the last byte of the MAC", flip(one, 74)),
  ]);
  book.refuses(4, "header", "headers of another form are refused", [
    ...[0, 7].map((at) => opening(`another byte ${at}`, flip(one, at))),
    opening("nothing", ""),
    ...[4, 8, 10, 11, 42, 74].map((length) =>
      opening(`cut to ${length} bytes`, one.slice(0, 2 * length))
    ),
    opening("version 0", flip(one, 8, 1)),
    opening("version 2", flip(one, 8, 3)),
    opening("an unknown flag", flip(one, 9, 4)),
    opening("chunks of 2^9 bytes", flip(one, 10, 3)),
    opening("chunks of 2^21 bytes", flip(one, 10, 31)),
    ...([["N = 2^9", 43, 3], ["N = 2^21", 43, 31], ["r = 0", 44, 8], ["p = 0", 45, 1], [
      "p = 17",
      45,
      16,
    ]] as const).map(([comment, at, xor]) =>
      test(`cost ${comment}`, "sealed.open", {
        passphrase: PHRASE,
        context: "",
        hex: flip(sealed([bytes(9)], { passphrase: true }), at, xor),
      })
    ),
  ]);
  chunkRules(book);
  liveRules(book);
  return book.rules;
}

function chunkRules(book: RuleBook): void {
  const stream = sealed([bytes(2500)]);
  const head = stream.slice(0, 2 * HEADER);
  const chunk = (index: number): string =>
    stream.slice(2 * (HEADER + index * CHUNK), 2 * (HEADER + (index + 1) * CHUNK));
  const of = (...indexes: number[]): string => head + indexes.map(chunk).join("");
  const even = sealed([bytes(2048)]);
  book.refuses(5, "chunks", "chunks that were changed, moved, repeated or left out are refused", [
    ...[HEADER, HEADER + 1023, HEADER + CHUNK - 1, HEADER + CHUNK, -17, -1].map((at) =>
      opening(`flipped byte ${at}`, flip(stream, at))
    ),
    opening("two changed places", of(1, 0, 2)),
    opening("one repeated", of(0, 0, 1, 2)),
    opening("one left out", of(0, 2)),
    opening("the first left out", of(1, 2)),
    opening("the last one twice", of(0, 1, 2, 2)),
    opening("a byte behind it", `${stream}00`),
    opening("a chunk behind it", even + "00".repeat(CHUNK)),
  ]);
  book.refuses(6, "cut", "streams that were cut off are refused", [
    opening("no chunk", head),
    opening("without its last chunk", of(0, 1)),
    opening("one chunk", of(0)),
    opening("within a tag", `${of(0, 1)}${chunk(2).slice(0, 20)}`),
    opening("one byte short", stream.slice(0, -2)),
    opening("an even stream without its last chunk", even.slice(0, -2 * CHUNK)),
    opening("half a chunk", stream.slice(0, 2 * (HEADER + 500))),
  ]);
}

function liveRules(book: RuleBook): void {
  const live = sealed([bytes(5), bytes(7)], { live: true });
  const [first, second, end] = [4 + 5 + 16, 4 + 7 + 16, 4 + 16];
  const at = (offset: number): number => HEADER + offset;
  const head = live.slice(0, 2 * HEADER);
  const part = (offset: number, length: number): string =>
    live.slice(2 * at(offset), 2 * at(offset + length));
  const [a, b, c] = [part(0, first), part(first, second), part(first + second, end)];
  book.refuses(7, "live-chunks", "chunks of live streams are as firmly in place", [
    opening("two changed places", head + b + a + c),
    opening("one repeated", head + a + a + b + c),
    opening("one left out", head + b + c),
    opening("another length", flip(live, at(3), 1)),
    opening("a length of more than a chunk", flip(live, at(0), 0x40)),
    opening("the mark of the end too early", flip(live, at(0), 0x80)),
    opening("no mark of the end", flip(live, at(first + second), 0x80)),
    opening("a flipped byte", flip(live, at(4))),
    opening("an empty chunk in the middle", sealed([bytes(5), "", bytes(7)], { live: true })),
    opening("a byte behind the end", `${live}00`),
  ]);
  book.refuses(8, "live-cut", "live streams that were cut off are refused", [
    opening("no chunk", head),
    opening("without the end", head + a + b),
    opening("within a length", head + a + b.slice(0, 6)),
    opening("within a chunk", head + a + b.slice(0, 20)),
    opening("one byte short", live.slice(0, -2)),
  ]);
}
