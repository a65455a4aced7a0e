/** SPEC 12.10: folders. @module */
import { folderBlock, TWIN_FOLDER_OPS } from "../twin/folders.ts";
import type { Typed } from "../twin/values.ts";
import { type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const SAFE = "9007199254740991";
const HASH = sample("folder hash", 32);

const str = (v: string): Typed => ({ t: "str", v });
const int = (v: string): Typed => ({ t: "int", v });
const yes: Typed = { t: "bool", v: true };
const raw = (hex: string): Typed => ({ t: "bytes", hex });

const OFFERS = [
  { name: "photos", entries: "0", bytes: "0", resume: false },
  { name: "ü☃", entries: "3", bytes: "128", resume: true },
  { name: "x".repeat(255), entries: SAFE, bytes: SAFE, resume: true },
];
const WORDS = [
  { kind: "file", path: "a", size: "0", executable: false },
  { kind: "file", path: "a/b/é.txt", size: SAFE, executable: true },
  { kind: "folder", path: "hollow/inner" },
  { kind: "prefix", n: "0", prefix: HASH },
  { kind: "data", n: "511", bytes: "1048576", sha256: null },
  { kind: "data", n: "1", bytes: "0", sha256: HASH },
  {
    kind: "given-up",
    n: "2",
    refusal: { error: "266", reason: "the sender could not read the file" },
  },
  { kind: "end" },
];
const ANSWERS = [
  { kind: "offset", n: "0", offset: "0" },
  { kind: "offset", n: SAFE, offset: SAFE },
  { kind: "kept", n: "7", kept: "1" },
  { kind: "ok", n: "7" },
  { kind: "ok", n: null },
  { kind: "error", n: "7", refusal: { error: "258", reason: "" } },
  { kind: "error", n: null, refusal: { error: "260", reason: "full" } },
];

const PATHS = [
  ...["a", "a/b", ".hidden/x", "é/☃.txt", "a:b", "con/x", "x/NUL.tar.gz", "common", "com10", "..a"],
  ...["", "/", "/a", "a/", "a//b", ".", "a/./b", "..", "../a", "a/../b", "a\\b", "a/b ", "a./b"],
  ...["C:/x", "a\u0000b", "a/\u2028", "\u202ex", "lpt¹", "con /x", "x".repeat(255)],
  ...["x".repeat(256), `${"é".repeat(128)}/a`, Array(64).fill("d").join("/")],
  ...[Array(65).fill("d").join("/"), Array(9).fill("x".repeat(227)).join("/"), "a|b", "a/b?"],
];

function both(part: string, fields: Readonly<Record<string, unknown>>): RuleTest[] {
  const encode = `folder.${part}.encode`;
  const { hex } = TWIN_FOLDER_OPS[encode]?.(fields) as { readonly hex: string };
  const comment = `${fields["kind"] ?? "offer"}, ${JSON.stringify(fields).length} characters`;
  return [
    test(comment, encode, { ...fields }),
    test(comment, `folder.${part}.decode`, { hex }),
  ];
}

function decoding(part: string, comment: string, hex: string): RuleTest {
  return test(comment, `folder.${part}.decode`, { hex });
}

type Given = Readonly<Record<string, Typed | undefined>>;

function wrong(part: string, all: readonly (readonly [string, Given])[]): RuleTest[] {
  return all.map(([comment, fields]) => decoding(part, comment, folderBlock(fields)));
}

export function folderRules(): Rule[] {
  const book = new RuleBook("12.10");
  book.accepts(1, "offer", "offers", OFFERS.flatMap((offer) => both("offer", offer)));
  book.accepts(2, "word", "what the opener says", WORDS.flatMap((word) => both("word", word)));
  book.accepts(3, "answer", "what the receiver answers", ANSWERS.flatMap((a) => both("answer", a)));
  book.accepts(4, "later-keys", "keys of later versions are ignored", [
    decoding(
      "word",
      "in an entry",
      folderBlock({ path: str("a"), size: int("1"), mtime: int("5") }),
    ),
    decoding("word", "in data", folderBlock({ n: int("1"), data: int("0"), more: yes })),
    decoding("answer", "in an answer", folderBlock({ n: int("1"), ok: yes, more: yes })),
  ]);
  const offer = { stt: str("folder"), name: str("a"), entries: int("1"), bytes: int("1") };
  book.refuses(5, "offer-fields", "offers without their fields", [
    ...wrong("offer", [
      ["no name", { ...offer, name: undefined }],
      ["a name of bytes", { ...offer, name: raw("61") }],
      ["no entries", { ...offer, entries: undefined }],
      ["entries below 0", { ...offer, entries: int("-1") }],
      ["bytes above 2^53-1", { ...offer, bytes: int("9007199254740992") }],
      ["bytes that are null", { ...offer, bytes: { t: "null" } }],
    ]),
    decoding("offer", "two blocks", folderBlock(offer) + folderBlock(offer)),
    decoding("offer", "cut off", folderBlock(offer).slice(0, -2)),
  ]);
  const entry = { path: str("a"), size: int("1") };
  book.refuses(
    6,
    "word-fields",
    "words of the opener that are none",
    wrong("word", [
      ["nothing", {}],
      ["a path of bytes", { ...entry, path: raw("61") }],
      ["neither size nor folder", { path: str("a") }],
      ["a size below 0", { ...entry, size: int("-1") }],
      ["a size that is null", { ...entry, size: { t: "null" } }],
      ["data without n", { data: int("1") }],
      ["data above its limit", { n: int("0"), data: int("1048577") }],
      ["n below 0", { n: int("-1"), data: int("1") }],
      ["a hash of 31 bytes", { n: int("0"), data: int("0"), sha256: raw("00".repeat(31)) }],
      ["a prefix of 33 bytes", { n: int("0"), prefix: raw("00".repeat(33)) }],
      ["an error that is a text", { n: int("0"), error: str("1") }],
      ["an end that is false", { end: { t: "bool", v: false } }],
    ]),
  );
  book.refuses(
    7,
    "answer-fields",
    "answers that are none",
    wrong("answer", [
      ["nothing", {}],
      ["n alone", { n: int("0") }],
      ["an offset without n", { offset: int("0") }],
      ["kept without n", { kept: int("1") }],
      ["kept 0", { n: int("0"), kept: int("0") }],
      ["an offset below 0", { n: int("0"), offset: int("-1") }],
      ["n that is a text", { n: str("0"), ok: yes }],
      ["ok that is false", { ok: { t: "bool", v: false } }],
      ["an error that is null", { error: { t: "null" } }],
    ]),
  );
  book.accepts(
    8,
    "path",
    "paths that stay in their folder, and others",
    PATHS.flatMap((path) =>
      [false, true].map((windows) =>
        test(`path ${path.slice(0, 16)}${windows ? ", Windows" : ""}`, "folder.path", {
          path,
          windows,
        })
      )
    ),
  );
  return book.rules;
}
