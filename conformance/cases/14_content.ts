/** SPEC 14.5: the content store. @module */
import { hex, unhex } from "../twin/bytes.ts";
import { TwinContent } from "../twin/content.ts";
import { encodeValue, type Typed } from "../twin/values.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const STORE = {
  master: sample("content master", 32),
  store: sample("content id", 16),
  node: sample("content node", 32),
};
const SALT = sample("content salt", 32);
const BLOB = sample("content blob", 16);
const ADDRESS = sample("content address", 32);

function content(): TwinContent {
  return new TwinContent(unhex(STORE.master), unhex(STORE.store), unhex(STORE.node));
}

export function contentRules(): Rule[] {
  const book = new RuleBook("14.5");
  const addressOf = (comment: string, text: string, times = 1): RuleTest =>
    test(comment, "content.address", { ...STORE, content: text, times });
  book.accepts(1, "address", "addresses, and where their manifests lie", [
    addressOf("no bytes", ""),
    addressOf("one byte", "00"),
    addressOf("100 bytes", sample("content", 100)),
    addressOf("a whole part", "61", 262_144),
    addressOf("a part and a byte", "61", 262_145),
    test("location", "content.locate", { ...STORE, address: ADDRESS }),
  ]);
  const place = { blob: BLOB, index: 3, last: false };
  const sealed = hex(
    content().sealPart({ ...place, blob: unhex(BLOB) }, unhex(SALT), unhex(sample("part", 50))),
  );
  const opening = (comment: string, box: string, change: Record<string, unknown> = {}): RuleTest =>
    test(comment, "content.part.open", { ...STORE, ...place, hex: box, ...change });
  book.accepts(2, "part", "parts", [
    test("not the last", "content.part.seal", {
      ...STORE,
      ...place,
      salt: SALT,
      plaintext: sample("part", 50),
    }),
    test("an empty last one", "content.part.seal", {
      ...STORE,
      blob: BLOB,
      index: 0,
      last: true,
      salt: SALT,
      plaintext: "",
    }),
    opening("opening", sealed),
  ]);
  book.refuses(3, "part-binding", "a part is that of one place of one content", [
    opening("another index", sealed, { index: 4 }),
    opening("as the last one", sealed, { last: true }),
    opening("another content", sealed, { blob: sample("another blob", 16) }),
    opening("another store", sealed, { store: sample("another store", 16) }),
    opening("no node", sealed, { node: "" }),
    opening("another master key", sealed, { master: sample("another master", 32) }),
    ...[0, 32, -1].map((at) => opening(`flipped byte ${at}`, flip(sealed, at))),
    opening("cut off", sealed.slice(0, -2)),
    opening("shorter than a box", sealed.slice(0, 94)),
    opening("a byte behind it", `${sealed}00`),
  ]);
  book.accepts(4, "manifest", "manifests", [manifest("of 100 bytes", {})]);
  book.refuses(5, "manifest-form", "manifests of another form or place are refused", [
    manifest("another place", {}, { location: flip(locationOf(), 1) }),
    manifest("an address of 31 bytes", { address: { t: "bytes", hex: ADDRESS.slice(2) } }),
    manifest("a blob of 17 bytes", { blob: { t: "bytes", hex: `${BLOB}00` } }),
    manifest("a negative size", { size: { t: "int", v: "-1" } }),
    manifest("a size of 2^53", { size: { t: "int", v: "9007199254740992" } }),
    manifest("a date that is no whole number", { created: { t: "null" } }),
    manifest("a field too many", { more: { t: "null" } }),
    manifest("no size", { size: undefined }),
  ]);
  return book.rules;
}

const locationOf = (): string => hex(content().location(unhex(ADDRESS)));

function manifest(
  comment: string,
  change: Readonly<Record<string, Typed | undefined>>,
  request: Record<string, unknown> = {},
): RuleTest {
  const fields: Record<string, Typed | undefined> = {
    address: { t: "bytes", hex: ADDRESS },
    blob: { t: "bytes", hex: BLOB },
    created: { t: "int", v: "1731000000000" },
    size: { t: "int", v: "100" },
    ...change,
  };
  const entries = Object.entries(fields).filter((entry): entry is [string, Typed] =>
    entry[1] !== undefined
  );
  const plain = encodeValue({ t: "dict", entries });
  const location = locationOf();
  const box = hex(content().sealManifest(unhex(location), unhex(SALT), plain));
  return test(comment, "content.manifest.open", { ...STORE, location, hex: box, ...request });
}
