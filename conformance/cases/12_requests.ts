/** SPEC 12.9: requests and replies. @module */
import { concat, hex, unhex } from "../twin/bytes.ts";
import { encodeReply, encodeRequest } from "../twin/requests.ts";
import { encodeValue, type Typed } from "../twin/values.ts";
import { encodeVarint } from "../twin/varint.ts";
import { type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const SAFE = "9007199254740991";
const MAX_ITEM = 1000;

const str = (v: string): Typed => ({ t: "str", v });
const int = (v: string): Typed => ({ t: "int", v });
const varint = (value: number | bigint): string => hex(encodeVarint(BigInt(value)));

/** A block of any content. */
function block(value: Typed): string {
  const bytes = encodeValue(value);
  return varint(bytes.length) + hex(bytes);
}

function header(fields: Readonly<Record<string, Typed>>): string {
  return block({ t: "dict", entries: Object.entries(fields) });
}

/** A header whose dict has so many bytes. */
function filled(size: number): Readonly<Record<string, Typed>> {
  const bytes = (hex: string): Typed => ({ t: "bytes", hex });
  const empty = unhex(header({ ...GOOD, x: bytes("") })).length - 1;
  return { ...GOOD, x: bytes("00".repeat(size - empty)) };
}

const GOOD = { stt: str("request"), to: str("a") };
const ITEMS = [[], [""], ["00"], [sample("item", 126)], [sample("item", 127), "", "ff"], [
  sample("item", MAX_ITEM),
]];
const NAMES = ["a", "sensor/1", "é".repeat(127), "x".repeat(255), "\u{1f600}", "..", " "];
const DEADLINES = [null, "1", "127", "128", "30000", SAFE];
const FAILURES = [["1", ""], ["20", "not today"], ["48", "no such endpoint"], ["256", "é"], [
  SAFE,
  "x".repeat(256),
]] as const;

const request = (comment: string, text: string, maxItem = MAX_ITEM): RuleTest =>
  test(comment, "request.decode", { hex: text, max_item: maxItem });
const reply = (comment: string, text: string, maxItem = MAX_ITEM): RuleTest =>
  test(comment, "reply.decode", { hex: text, max_item: maxItem });

export function requestRules(): Rule[] {
  const book = new RuleBook("12.9");
  book.accepts(
    1,
    "request",
    "a header and items",
    [
      ...ITEMS.map((items) => ["a", null, items] as const),
      ...NAMES.map((to) => [to, "5", [""]] as const),
      ...DEADLINES.map((deadline) => ["a", deadline, ["00"]] as const),
    ].flatMap(([to, deadline, items]) => {
      const comment = `${to.slice(0, 10)}, ${deadline ?? "any time"}, ${items.length} items`;
      return [
        test(comment, "request.encode", { to, deadline, items }),
        request(comment, encodeRequest(to, deadline, items)),
      ];
    }),
  );
  book.accepts(
    2,
    "reply",
    "items, and a failure",
    [
      ...ITEMS.map((items) => [items, null] as const),
      ...FAILURES.map(([error, reason]) => [["61"], { error, reason }] as const),
      [[], { error: "255", reason: "" }] as const,
    ].flatMap(([items, failure]) => {
      const comment = `${items.length} items, ${failure === null ? "whole" : failure.error}`;
      return [
        test(comment, "reply.encode", { items, failure }),
        reply(comment, encodeReply(items, failure)),
      ];
    }),
  );
  book.accepts(3, "later-keys", "keys of later versions are ignored", [
    request("in a header", header({ ...GOOD, later: int("1") })),
    reply("in a failure", "00" + header({ error: int("1"), reason: str(""), more: str("x") })),
    reply("behind a failure", encodeReply([], { error: "1", reason: "" }) + "00ff"),
  ]);
  headerRules(book);
  itemRules(book);
  return book.rules;
}

function headerRules(book: RuleBook): void {
  book.refuses(4, "header", "headers without a service, a name or a deadline in range", [
    request("nothing", ""),
    request("no service", header({ to: str("a") })),
    request("a service that is no string", header({ ...GOOD, stt: int("1") })),
    request("another service", header({ ...GOOD, stt: str("file") })),
    request("no name", header({ stt: str("request") })),
    request("a name that is no string", header({ ...GOOD, to: int("1") })),
    ...["", "x".repeat(256), "é".repeat(128), "a\u0000", "\u001f", "a\u007fb", "\u009f"].map((to) =>
      request(`name of ${to.length} characters`, header({ ...GOOD, to: str(to) }))
    ),
    ...["0", "-1", "9007199254740992", "18446744073709551615"].map((deadline) =>
      request(`deadline ${deadline}`, header({ ...GOOD, deadline: int(deadline) }))
    ),
    request("a deadline that is null", header({ ...GOOD, deadline: { t: "null" } })),
    request(
      "a deadline that is a float",
      header({ ...GOOD, deadline: { t: "float", ieee754_be_hex: "4014000000000000" } }),
    ),
  ]);
  const good = header(GOOD);
  const deep: Typed = { t: "list", v: [{ t: "list", v: [{ t: "list", v: [int("1")] }] }] };
  const deeper: Typed = { t: "list", v: [deep] };
  book.refuses(5, "block", "blocks that are no canonical dict within the limits", [
    ...[1, 2, 5, 20].map((end) => request(`cut behind byte ${end}`, good.slice(0, 2 * end))),
    request("one byte short", good.slice(0, -2)),
    request("4097 bytes", header(filled(4097))),
    request("a length of three bytes", "80800141"),
    request("a length that is not minimal", "a200" + good.slice(2)),
    request("a list", block({ t: "list", v: [] })),
    request("a byte behind the dict", varint(6) + "410000000000"),
    request(
      "keys that are not sorted",
      varint(unhex(good).length - 1) + "4100000002" + hex(
        concat(
          ...["to", "stt"].map((key) =>
            concat(encodeValue(str(key)), encodeValue(GOOD[key as "to"]))
          ),
        ),
      ),
    ),
    request("five levels", header({ ...GOOD, x: deeper })),
    request("33 entries", header({ ...GOOD, x: { t: "list", v: Array(33).fill(int("1")) } })),
  ]);
  book.accepts(6, "block-limits", "blocks at the limits", [
    request("four levels", header({ ...GOOD, x: deep })),
    request("32 entries", header({ ...GOOD, x: { t: "list", v: Array(32).fill(int("1")) } })),
    request("4096 bytes", header(filled(4096))),
  ]);
}

function itemRules(book: RuleBook): void {
  const head = header(GOOD);
  book.refuses(7, "items", "items that are cut, too large, or of a malformed length", [
    ...["80", "ff80", "8000", "03", "0361", "80".repeat(8), "ff".repeat(10), `${"ff".repeat(7)}10`]
      .flatMap((text) => [request(text, head + text), reply(text, text)]),
    request("one byte above the limit", head + varint(MAX_ITEM + 2)),
    reply("one byte above the limit", varint(MAX_ITEM + 2) + "00".repeat(MAX_ITEM + 1)),
    reply("much above the limit", varint(2n ** 50n)),
    reply("above a limit of 0", "0261", 0),
    request("a good one, then a cut one", `${head}026102`),
  ]);
  const failure = encodeReply([], { error: "1", reason: "x" });
  book.refuses(8, "failure", "failures that are cut or malformed, or stand in a request", [
    request("in a request", head + failure),
    request("its mark alone in a request", `${head}00`),
    reply("its mark alone", "00"),
    reply("one byte short", failure.slice(0, -2)),
    reply("error 0", "00" + header({ error: int("0"), reason: str("") })),
    reply("error below 0", "00" + header({ error: int("-1"), reason: str("") })),
    reply("error 2^53", "00" + header({ error: int("9007199254740992"), reason: str("") })),
    reply("error that is no integer", "00" + header({ error: str("1"), reason: str("") })),
    reply("no error", "00" + header({ reason: str("") })),
    reply("no reason", "00" + header({ error: int("1") })),
    reply("a reason that is no string", "00" + header({ error: int("1"), reason: int("1") })),
    ...["x".repeat(257), "é".repeat(129)].map((reason) =>
      reply(`reason of ${reason.length}`, "00" + header({ error: int("1"), reason: str(reason) }))
    ),
    reply("a list", "00" + block({ t: "list", v: [] })),
  ]);
}
