/** SPEC 14.2 to 14.4: store headers, and the parts of a chamber. @module */
import { hex, unhex } from "../twin/bytes.ts";
import { TwinChamber } from "../twin/chamber.ts";
import { makeStoreHeader } from "../twin/store_header.ts";
import { encodeValue, type Typed } from "../twin/values.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const SEED = sample("store seed", 32);
const PHRASE = "correct horse battery";
const COST = { n: 1024, r: 8, p: 1, salt: sample("store kdf salt", 32) };
const BASE = {
  store: sample("store id", 16),
  node: sample("store node", 32),
  salt: sample("store salt", 32),
  master: sample("store master", 32),
};

function headerOf(kind: string, passphrase: boolean, node: string = BASE.node): string {
  const [id, salt, master] = [BASE.store, BASE.salt, BASE.master].map(unhex) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const facts = { id, salt, master, node: unhex(node) };
  return passphrase
    ? hex(makeStoreHeader(kind, { ...facts, cost: { ...COST, salt: unhex(COST.salt) } }, PHRASE))
    : hex(makeStoreHeader(kind, facts, unhex(SEED)));
}

/** The header's dict with other entries; its box is that of the right one. */
function changed(entries: Readonly<Record<string, Typed | undefined>>): string {
  const whole: Record<string, Typed | undefined> = {
    box: { t: "bytes", hex: boxOf(unhex(headerOf("chamber", false))) },
    id: { t: "bytes", hex: BASE.store },
    kdf: { t: "null" },
    stt: { t: "str", v: "chamber" },
    version: { t: "int", v: "1" },
    ...entries,
  };
  const list = Object.entries(whole).filter((entry): entry is [string, Typed] =>
    entry[1] !== undefined
  );
  return hex(encodeValue({ t: "dict", entries: list }));
}

/** The first entry of a header is its box: dict, count, key, tag and length of the bytes. */
function boxOf(header: Uint8Array): string {
  const start = 1 + 4 + (1 + 4 + 3) + (1 + 4);
  return hex(header.slice(start, start + 80));
}

function kdf(n: number, r: number, p: number, salt: string = COST.salt): Typed {
  return dict([["n", int(n)], ["p", int(p)], ["r", int(r)], ["salt", { t: "bytes", hex: salt }]]);
}

export function storeHeaderRules(): Rule[] {
  const book = new RuleBook("14.3");
  const opened = (
    comment: string,
    header: string,
    change: Record<string, unknown> = {},
  ): RuleTest =>
    test(comment, "store.header.open", {
      kind: "chamber",
      node: BASE.node,
      seed: SEED,
      hex: header,
      ...change,
    });
  book.accepts(1, "header", "headers of both kinds and secrets", [
    ...["chamber", "content"].flatMap((kind) => [
      test(`${kind}, seed`, "store.header.seal", { kind, ...BASE, seed: SEED }),
      test(`${kind}, no node`, "store.header.seal", { kind, ...BASE, node: "", seed: SEED }),
      opened(`opening ${kind}`, headerOf(kind, false), { kind }),
    ]),
    test("passphrase", "store.header.seal", {
      kind: "chamber",
      ...BASE,
      passphrase: PHRASE,
      cost: COST,
    }),
    test("opening with a passphrase", "store.header.open", {
      kind: "chamber",
      node: BASE.node,
      passphrase: PHRASE,
      hex: headerOf("chamber", true),
    }),
  ]);
  const header = headerOf("chamber", false);
  book.refuses(2, "wrong-key", "another secret, node or kind of secret opens nothing", [
    opened("another seed", header, { seed: sample("another seed", 32) }),
    opened("another node", header, { node: sample("another node", 32) }),
    opened("no node", header, { node: "" }),
    test("a passphrase for a seed", "store.header.open", {
      kind: "chamber",
      node: BASE.node,
      passphrase: PHRASE,
      hex: header,
    }),
    opened("a seed for a passphrase", headerOf("chamber", true)),
    opened("a changed id", changed({ id: { t: "bytes", hex: sample("other id", 16) } })),
    opened("a changed box", flip(header, 60)),
    test("a changed cost", "store.header.open", {
      kind: "chamber",
      node: BASE.node,
      passphrase: PHRASE,
      hex: changed({ kdf: kdf(2048, 8, 1) }),
    }),
  ]);
  book.refuses(3, "header-form", "headers of another form are refused", [
    opened("nothing", ""),
    opened("not a dict", "00"),
    opened("cut off", header.slice(0, -2)),
    opened("bytes behind it", `${header}00`),
    opened("another kind", headerOf("content", false)),
    opened("version 2", changed({ version: { t: "int", v: "2" } })),
    opened("no version", changed({ version: undefined })),
    opened("a field too many", changed({ more: { t: "null" } })),
    opened("an id of 15 bytes", changed({ id: { t: "bytes", hex: BASE.store.slice(2) } })),
    opened("a box of 79 bytes", changed({ box: { t: "bytes", hex: "00".repeat(79) } })),
    opened("keys out of order", swapFirstKeys(header)),
  ]);
  const costly = (comment: string, value: Typed): RuleTest =>
    test(comment, "store.header.open", {
      kind: "chamber",
      node: BASE.node,
      passphrase: PHRASE,
      hex: changed({ kdf: value }),
    });
  book.refuses(4, "cost", "costs of scrypt outside of the limits are refused", [
    costly("N = 512", kdf(512, 8, 1)),
    costly("N = 1000", kdf(1000, 8, 1)),
    costly("N = 2^21", kdf(2 ** 21, 1, 1)),
    costly("256 MiB", kdf(2 ** 18, 8, 1)),
    costly("r = 0", kdf(1024, 0, 1)),
    costly("r = 33", kdf(1024, 33, 1)),
    costly("p = 0", kdf(1024, 8, 0)),
    costly("p = 17", kdf(1024, 8, 17)),
    costly("a salt of 31 bytes", kdf(1024, 8, 1, "00".repeat(31))),
    costly("not a dict", { t: "bool", v: true }),
  ]);
  return book.rules;
}

/** The dict with its first two entries in the other order. */
function swapFirstKeys(header: string): string {
  const head = header.slice(0, 10);
  const box = header.slice(10, 10 + 2 * (8 + 5 + 80));
  const id = header.slice(10 + box.length, 10 + box.length + 2 * (7 + 5 + 16));
  return head + id + box + header.slice(10 + box.length + id.length);
}

const CHAMBER = { master: BASE.master, chamber: BASE.store, node: BASE.node };

function chamber(): TwinChamber {
  return new TwinChamber(unhex(BASE.master), unhex(BASE.store), unhex(BASE.node));
}

export function chamberRules(): Rule[] {
  const book = new RuleBook("14.4");
  book.accepts(
    1,
    "location",
    "where the parts of a chamber lie",
    [["record", 1], ["record", 2 ** 40], ["index", 0], ["index", 1], ["head", 0]].map((
      [part, number],
    ) => test(`${part} ${number}`, "chamber.locate", { ...CHAMBER, part, number })),
  );
  const records = [
    ["a", 1, "3100000001"],
    ["../../etc/passwd", 2, "00"],
    ["\u{1f511} key", 2 ** 53 - 1, sample("record", 100)],
    ["x".repeat(1024), 7, ""],
  ] as const;
  const sealed = (name: string, version: number, value: string): string =>
    hex(chamber().sealRecord(name, version, unhex(BASE.salt), unhex(value)));
  const opening = (comment: string, box: string, change: Record<string, unknown> = {}): RuleTest =>
    test(comment, "chamber.record.open", {
      ...CHAMBER,
      name: "a",
      version: 1,
      hex: box,
      ...change,
    });
  book.accepts(2, "record", "sealed records", [
    ...records.map(([name, version, value]) =>
      test(`version ${version}`, "chamber.record.seal", {
        ...CHAMBER,
        name,
        version,
        salt: BASE.salt,
        value,
      })
    ),
    ...records.map(([name, version, value]) =>
      opening(`opening version ${version}`, sealed(name, version, value), { name, version })
    ),
  ]);
  const record = sealed("a", 1, "1005");
  book.refuses(3, "record-binding", "a record is that of one name, version, chamber and node", [
    opening("another name", record, { name: "b" }),
    opening("a name that looks the same", sealed("\u00e9", 1, "00"), { name: "e\u0301" }),
    opening("another version", record, { version: 2 }),
    opening("another chamber", record, { chamber: sample("another chamber", 16) }),
    opening("another node", record, { node: sample("another node", 32) }),
    opening("no node", record, { node: "" }),
    opening("another master key", record, { master: sample("another master", 32) }),
    opening("an index", hex(chamber().seal("index", [], unhex(BASE.salt), unhex("1005")))),
    ...[0, 31, 32, 33, -1].map((at) => opening(`flipped byte ${at}`, flip(record, at))),
    ...[0, 2, 94, 96, record.length - 2].map((length) =>
      opening(`cut to ${length / 2} bytes`, record.slice(0, length))
    ),
    opening("a byte behind it", `${record}00`),
  ]);
  book.accepts(4, "index", "what an index and a head say", [
    index("empty", []),
    index("two entries", [item("a", 1), item("b", 2)]),
    index("order of code points", [item("\uffff", 1), item("\u{10000}", 2)]),
    head("without changes", 5, 5, []),
    head("with changes", 5, 7, [item("a", 6), gone("b")]),
  ]);
  book.refuses(5, "index-form", "an index or head of another form is refused", [
    index("names out of order", [item("b", 1), item("a", 2)]),
    index("order of UTF-16 units", [item("\u{10000}", 1), item("\uffff", 2)]),
    index("a name twice", [item("a", 1), item("a", 2)]),
    index("an entry that is gone", [gone("a")]),
    index("a tag of 15 bytes", [item("a", 1, { tag: "00".repeat(15) })]),
    index("a negative version", [item("a", -1)]),
    index("a version of 2^53", [item("a", "9007199254740992")]),
    index("an entry that is no list", [{ t: "str", v: "a" } as Typed]),
    index("no entry at all", [list([])]),
    index("a name that is no string", [list([{ t: "int", v: "1" } as Typed])]),
    index("another generation", [], { generation: 9 }),
    head("a base above the generation", 6, 5, []),
    head("an empty change", 5, 5, [list([])]),
    plain("no entries", "index", { t: "dict", entries: [] }),
    plain("not a dict", "index", { t: "null" }),
    plain("a head as an index", "index", headValue(1, 1, [])),
    plain("an index as a head", "head", indexValue([])),
  ]);
  return book.rules;
}

const list = (items: readonly Typed[]): Typed => ({ t: "list", v: items });
const gone = (name: string): Typed => list([{ t: "str", v: name } as Typed]);
const int = (value: number | string): Typed => ({ t: "int", v: String(value) });

function item(name: string, version: number | string, change: { tag?: string } = {}): Typed {
  const tag = change.tag ?? sample(`tag ${name}`, 16);
  return list([
    { t: "str", v: name },
    ...[version, 1000, 2000, 30].map(int),
    { t: "bytes", hex: tag },
  ]);
}

const dict = (entries: readonly (readonly [string, Typed])[]): Typed => ({ t: "dict", entries });
const indexValue = (items: readonly Typed[]): Typed => dict([["entries", list(items)]]);
const headValue = (base: number, generation: number, changes: readonly Typed[]): Typed =>
  dict([["base", int(base)], ["changes", list(changes)], ["generation", int(generation)]]);

function plain(
  comment: string,
  part: "index" | "head",
  value: Typed,
  change: Record<string, unknown> = {},
): RuleTest {
  const context: [string, Typed][] = part === "index" ? [["version", int(3)]] : [];
  const box = hex(chamber().seal(part, context, unhex(BASE.salt), encodeValue(value)));
  const number = part === "index" ? { generation: 3 } : {};
  return test(comment, `chamber.${part}.open`, { ...CHAMBER, ...number, hex: box, ...change });
}

function index(comment: string, items: readonly Typed[], change = {}): RuleTest {
  return plain(`index: ${comment}`, "index", indexValue(items), change);
}

function head(
  comment: string,
  base: number,
  generation: number,
  items: readonly Typed[],
): RuleTest {
  return plain(`head: ${comment}`, "head", headValue(base, generation, items));
}
