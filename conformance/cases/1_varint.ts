/** SPEC 1: varint. @module */
import { type Rule, RuleBook, test } from "./rule.ts";

const BOUNDARIES: readonly bigint[] = [
  0n,
  1n,
  ...[7n, 14n, 21n, 28n, 35n, 42n, 49n, 56n, 63n].flatMap((
    bits,
  ) => [2n ** bits - 1n, 2n ** bits, 2n ** bits + 1n]),
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 64n - 2n,
  2n ** 64n - 1n,
];

const decode = (comment: string, text: string, offset?: number) =>
  test(comment, "varint.decode", offset === undefined ? { hex: text } : { hex: text, offset });

function bytesOf(value: bigint): string {
  let text = "";
  for (let rest = value;; rest >>= 7n) {
    const low = rest & 127n;
    const more = rest > 127n;
    text += (more ? low | 128n : low).toString(16).padStart(2, "0");
    if (!more) return text;
  }
}

/** The same value in one byte more. */
function longer(text: string): string {
  const last = Number.parseInt(text.slice(-2), 16) | 0x80;
  return text.slice(0, -2) + last.toString(16).padStart(2, "0") + "00";
}

export function varintRules(): Rule[] {
  const book = new RuleBook("1");
  book.accepts(
    1,
    "encode",
    "minimal unsigned LEB128",
    BOUNDARIES.map((value) => test(`${value}`, "varint.encode", { value: value.toString() })),
  );
  book.accepts(
    2,
    "decode",
    "every value of 64 bits, without loss",
    BOUNDARIES.map((value) => decode(`${value}`, bytesOf(value))),
  );
  book.refuses(3, "non-minimal", "a longer form than needed is refused", [
    decode("zero in two bytes", "8000"),
    decode("one in two bytes", "8100"),
    decode("127 in two bytes", "ff00"),
    decode("zero in three bytes", "808000"),
    decode("128 in three bytes", "808100"),
    decode("zero in five bytes", "8080808000"),
    decode("2^28 in six bytes", "808080808100"),
    decode("2^49 in nine bytes", "808080808080808100"),
    decode("zero in ten bytes", "80808080808080808000"),
    decode("2^63-1 in ten bytes", "ffffffffffffffffff00"),
    decode("non-minimal behind an offset", "ff8000", 1),
    ...BOUNDARIES.map((value) => ({ value, text: bytesOf(value) }))
      .filter(({ text }) => text.length < 20)
      .map(({ value, text }) => decode(`${value} with a byte too many`, longer(text))),
  ]);
  book.refuses(4, "overflow", "a value above 2^64-1 is refused", [
    decode("2^64", "80808080808080808002"),
    decode("2^64 and all lower bits", "ffffffffffffffffff03"),
    decode("2^69", "80808080808080808040"),
    decode("2^70-1", "ffffffffffffffffff7f"),
  ]);
  book.refuses(5, "too-long", "more than ten bytes are refused", [
    decode("tenth byte continues, eleven bytes", "8080808080808080808001"),
    decode("tenth byte continues, nothing behind", "ffffffffffffffffff80"),
    decode("zero in eleven bytes", "8080808080808080808000"),
    decode("twenty bytes", "80".repeat(19) + "01"),
  ]);
  book.refuses(6, "incomplete", "a missing byte is another error than a malformed one", [
    decode("nothing", ""),
    ...[1, 2, 3, 4, 5, 8, 9].map((n) => decode(`${n} bytes that all continue`, "80".repeat(n))),
    decode("offset at the end", "01", 1),
    decode("offset past the end", "01", 7),
    ...BOUNDARIES.map((value) => ({ value, text: bytesOf(value) }))
      .filter(({ text }) => text.length > 2)
      .map(({ value, text }) => decode(`${value} without its last byte`, text.slice(0, -2))),
  ]);
  book.refuses(7, "encode-range", "what does not fit into 64 bits is not encoded", [
    ...["-1", "-128", "-9223372036854775808", "18446744073709551616", "1180591620717411303424"]
      .flatMap((value) => [
        test(value, "varint.encode", { value }),
        test(`size of ${value}`, "varint.size", { value }),
      ]),
  ]);
  book.accepts(8, "surroundings", "bytes before and behind are left alone", [
    decode("a byte behind", "7fff"),
    decode("a continuing byte behind", "0080"),
    decode("offset 2", "ffffac02", 2),
    decode("offset 1, bytes behind", "00ac0200ff", 1),
    decode("ten bytes and one behind", "ffffffffffffffffff0180"),
  ]);
  book.accepts(
    9,
    "size",
    "size without encoding",
    BOUNDARIES.filter((_, i) => i % 4 === 0).map((value) =>
      test(`${value}`, "varint.size", { value: value.toString() })
    ),
  );
  return book.rules;
}
