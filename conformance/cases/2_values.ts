/** SPEC 2: values. @module */
import { type Rule, RuleBook, type RuleTest, test } from "./rule.ts";

const decode = (comment: string, text: string, rules: Record<string, unknown> = {}): RuleTest =>
  test(comment, "value.decode", { hex: text, ...rules });
const canonical = (comment: string, text: string): RuleTest =>
  decode(comment, text, { canonical: true });
const encode = (comment: string, value: unknown): RuleTest =>
  test(comment, "value.encode", { value });

const int = (v: bigint | number): unknown => ({ t: "int", v: v.toString() });
const str = (v: string): unknown => ({ t: "str", v });
const list = (...v: unknown[]): unknown => ({ t: "list", v });
const dict = (...entries: [string, unknown][]): unknown => ({ t: "dict", entries });
const float = (text: string): unknown => ({ t: "float", ieee754_be_hex: text });
const NULL = { t: "null" };

function nested(depth: number): unknown {
  let value: unknown = NULL;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? list(value) : dict(["k", value]);
  return value;
}

const INTEGERS = [7n, 8n, 15n, 16n, 31n, 32n, 53n, 63n].flatMap((
  bits,
) => [2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) - 1n])
  .filter((value) => value >= -(2n ** 63n));

const FLOATS: readonly [string, string][] = [
  ["0.0", "0000000000000000"],
  ["-0.0", "8000000000000000"],
  ["1.0 stays a float", "3ff0000000000000"],
  ["1.5", "3ff8000000000000"],
  ["2^53 as a float", "4340000000000000"],
  ["the smallest subnormal", "0000000000000001"],
  ["the largest", "7fefffffffffffff"],
  ["infinity", "7ff0000000000000"],
  ["-infinity", "fff0000000000000"],
  ["NaN", "7ff8000000000000"],
];

const STRINGS: readonly [string, string][] = [
  ["empty", ""],
  ["ASCII", "hello"],
  ["NUL", "\0"],
  ["two, three and four bytes", "\u00e9\u4f60\u{1f600}"],
  ["a byte order mark is kept", "\ufeffx"],
  ["U+FFFF and U+10FFFF", "\uffff\u{10ffff}"],
  ["both ends of the surrogate gap", "\ud7ff\ue000"],
];

const KEYS: readonly [string, string[]][] = [
  ["ASCII", ["b", "a", "c", "B", "", "_", "10", "9"]],
  ["code point order, not UTF-16 order", ["\uffff", "\u{10000}", "\ue000", "z"]],
  ["a prefix comes first", ["aa", "a", "ab", "aaa"]],
  ["names that objects have already", ["__proto__", "constructor", "toString", "hasOwnProperty"]],
];

function key(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return "31" + bytes.length.toString(16).padStart(8, "0") +
    [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

const UNKNOWN_TAGS = [0x03, 0x0f, 0x18, 0x1f, 0x22, 0x2f, 0x32, 0x3f, 0x42, 0x7f, 0x80, 0xff];
const UTF8: readonly [string, string][] = [
  ["cut in the middle", "c3"],
  ["a continuation byte alone", "80"],
  ["a surrogate", "eda080"],
  ["a pair of surrogates", "eda080edb080"],
  ["overlong NUL", "c080"],
  ["overlong slash in three bytes", "e080af"],
  ["overlong in four bytes", "f0808080"],
  ["above U+10FFFF", "f4908080"],
  ["a byte that never occurs", "fe"],
  ["five bytes", "f888808080"],
  ["ASCII inside of a character", "e28061"],
];

function sized(tag: string, content: string): string {
  return tag + (content.length / 2).toString(16).padStart(8, "0") + content;
}

/** Every proper prefix of a value that has all kinds of content. */
const WHOLE = "4100000002" + key("a") + "4000000003" + "1105dc" + "213ff8000000000000" +
  sized("30", "0102") + key("b") + "1300000000ffffffff";

const WIDE: readonly [string, string][] = [
  ["int16 for 127", "11007f"],
  ["int32 for -1", "12ffffffff"],
  ["int64 for 2^31-1", "13000000007fffffff"],
  ["uint8 for 5", "1405"],
  ["uint8 for 255", "14ff"],
  ["uint16 for 65535", "15ffff"],
  ["uint32 for 2^32-1", "16ffffffff"],
  ["uint64 for 2^63-1", "177fffffffffffffff"],
  ["float32 1.5", "203fc00000"],
  ["float32 infinity", "207f800000"],
  ["float32 -0", "2080000000"],
];

const UNSORTED: readonly [string, string][] = [
  ["two keys swapped", "4100000002" + key("b") + "00" + key("a") + "00"],
  [
    "UTF-16 order instead of code points",
    "4100000002" + key("\u{10000}") + "00" + key("\uffff") + "00",
  ],
  ["unsorted inside of a list", "4000000001" + "4100000002" + key("b") + "00" + key("a") + "00"],
];

export function valueRules(): Rule[] {
  const book = new RuleBook("2");
  const scalars: [string, unknown, string][] = [["null", NULL, "00"], ["false", {
    t: "bool",
    v: false,
  }, "01"], ["true", { t: "bool", v: true }, "02"]];
  book.accepts(
    1,
    "scalars",
    "null and booleans",
    scalars.flatMap(([name, value, text]) => [encode(name, value), decode(name, text)]),
  );
  book.accepts(2, "smallest-integer", "the smallest signed width, uint64 above 2^63-1 only", [
    ...INTEGERS.map((value) => encode(`${value}`, int(value))),
    encode("2^64-1", int(2n ** 64n - 1n)),
  ]);
  book.accepts(
    3,
    "float64",
    "floats are 8 bytes and stay floats",
    FLOATS.flatMap(([name, text]) => [
      encode(name, float(text)),
      decode(name, "21" + text),
    ]),
  );
  book.accepts(
    4,
    "strings",
    "UTF-8 with a u32 length",
    STRINGS.flatMap(([name, text]) => [encode(name, str(text)), decode(name, key(text))]),
  );
  book.accepts(
    5,
    "bytes",
    "bytes with a u32 length",
    ["", "00", "ff".repeat(300)].flatMap((content) => [
      encode(`${content.length / 2} bytes`, { t: "bytes", hex: content }),
      decode(`${content.length / 2} bytes`, sized("30", content)),
    ]),
  );
  book.accepts(6, "lists", "lists keep their order", [
    encode("empty", list()),
    encode("mixed", list(int(1), str("1"), NULL, list(), dict())),
    decode("empty", "4000000000"),
    decode("of nulls", "40000000050000000000"),
  ]);
  book.accepts(
    7,
    "sorted-keys",
    "keys are sorted by code point",
    KEYS.map(([name, keys]) =>
      encode(name, dict(...keys.map((k, i): [string, unknown] => [k, int(i)])))
    ),
  );
  book.accepts(8, "reader-tags", "decoders read the tags that encoders do not write", [
    ...WIDE.map(([name, text]) => decode(name, text)),
    decode("uint64 for 2^64-1", "17ffffffffffffffff"),
    decode("uint16 for 0", "150000"),
  ]);
  book.refuses(9, "unknown-tag", "unknown tags are refused", [
    ...UNKNOWN_TAGS.map((tag) =>
      decode(`tag 0x${tag.toString(16)}`, tag.toString(16).padStart(2, "0") + "00".repeat(8))
    ),
    decode("inside of a list", "4000000002" + "00" + "99"),
  ]);
  book.refuses(10, "truncated", "truncated input is refused", [
    decode("nothing", ""),
    ...Array.from(
      { length: WHOLE.length / 2 - 1 },
      (_, i) => decode(`cut behind byte ${i + 1}`, WHOLE.slice(0, 2 * (i + 1))),
    ),
  ]);
  book.refuses(
    11,
    "utf8",
    "malformed UTF-8 is refused",
    UTF8.flatMap(([name, content]) => [
      decode(name, sized("31", content)),
      decode(`${name}, as a key`, "4100000001" + sized("31", content) + "00"),
    ]),
  );
  book.refuses(12, "key-type", "keys are strings", [
    decode("an integer", "4100000001" + "1001" + "00"),
    decode("bytes", "4100000001" + sized("30", "61") + "00"),
    decode("null", "4100000001" + "00" + "00"),
    decode("a list", "4100000001" + "4000000000" + "00"),
  ]);
  book.refuses(13, "duplicate-key", "a key comes once", [
    decode("neighbours", "4100000002" + key("a") + "00" + key("a") + "00"),
    decode("apart", "4100000003" + key("a") + "00" + key("b") + "00" + key("a") + "00"),
    decode("__proto__", "4100000002" + key("__proto__") + "00" + key("__proto__") + "00"),
  ]);
  book.refuses(14, "trailing", "bytes behind the value are refused", [
    decode("a byte", "0000"),
    decode("behind an integer", "100500"),
    decode("behind a list", "400000000000"),
    decode("another value", "10011002"),
  ]);
  book.accepts(15, "depth-64", "64 containers inside of each other", [
    encode("lists and dicts", nested(64)),
    decode("lists", "4000000001".repeat(64) + "00"),
    decode("dicts", ("4100000001" + key("k")).repeat(64) + "00"),
  ]);
  book.refuses(16, "depth-65", "nesting over 64 is refused, both ways", [
    encode("lists and dicts", nested(65)),
    decode("lists", "4000000001".repeat(65) + "00"),
    decode("dicts", ("4100000001" + key("k")).repeat(65) + "00"),
    decode("an empty list at depth 65", "4000000001".repeat(64) + "4000000000"),
    decode("10000 lists", "4000000001".repeat(10000) + "00"),
  ]);
  book.refuses(
    17,
    "length",
    "a count or length beyond the remaining bytes is refused before anything is allocated",
    [
      decode("bytes", "30ffffffff"),
      decode("string", "31ffffffff61"),
      decode("list", "40ffffffff"),
      decode("list with one item", "40ffffffff1001"),
      decode("dict", "41ffffffff"),
      decode("bytes, one too many", "30000000036162"),
      decode("list, one too many", "40000000030000"),
      decode("inside of a list", "4000000001" + "30000000056162"),
    ],
  );
  book.accepts(18, "lenient", "unsorted keys and wide numbers decode", [
    ...UNSORTED.map(([name, text]) => decode(name, text)),
    ...WIDE.slice(0, 4).map(([name, text]) => decode(`${name} in a list`, "4000000001" + text)),
  ]);
  book.refuses(19, "canonical", "canonical decoding refuses other spellings", [
    ...UNSORTED.map(([name, text]) => canonical(name, text)),
    ...WIDE.map(([name, text]) => canonical(name, text)),
    ...WIDE.map(([name, text]) => canonical(`${name} in a dict`, "4100000001" + key("k") + text)),
  ]);
  book.accepts(20, "canonical-accepts", "canonical decoding takes what encoders write", [
    canonical("uint64 above 2^63-1", "178000000000000000"),
    canonical("float64 1.0", "213ff0000000000000"),
    canonical(
      "sorted by code point",
      "4100000002" + key("\uffff") + "00" + key("\u{10000}") + "00",
    ),
    canonical("int8 -128", "1080"),
  ]);
  book.refuses(21, "encode-range", "integers outside of -2^63 to 2^64-1 are not encoded", [
    encode("2^64", int(2n ** 64n)),
    encode("-2^63-1", int(-(2n ** 63n) - 1n)),
    encode("inside of a dict", dict(["k", list(int(2n ** 80n))])),
  ]);
  book.refuses(22, "encode-surrogate", "lone surrogates are not encoded", [
    encode("high", str("\ud800")),
    encode("low", str("x\udfff")),
    encode("swapped", str("\udc00\ud800")),
    encode("in a key", dict(["\ud83d", NULL])),
  ]);
  book.refuses(23, "limits", "limits of the caller hold", [
    decode("depth 3 of 2", "4000000001".repeat(3) + "00", { max_depth: 2 }),
    decode("33 entries of 32", "4000000021" + "00".repeat(33), { max_entries: 32 }),
    decode(
      "33 keys of 32",
      "4100000021" +
        Array.from({ length: 33 }, (_, i) => key(String.fromCharCode(48 + i)) + "00").join(""),
      { max_entries: 32 },
    ),
  ]);
  book.accepts(24, "limits-reached", "what reaches a limit passes", [
    decode("depth 2 of 2", "4000000001400000000100", { max_depth: 2 }),
    decode("32 entries of 32", "4000000020" + "00".repeat(32), { max_entries: 32 }),
  ]);
  return book.rules;
}
