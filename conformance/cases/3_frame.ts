/** SPEC 3 and 4: frames, and byte streams of them. @module */
import { hex } from "../twin/bytes.ts";
import { encodeFrame, encodeFrameUnlimited, type FrameFields } from "../twin/frame.ts";
import { type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

export const PLAIN: FrameFields = {
  frame_type: 1,
  flags: 0,
  session_id: "0102030405060708",
  sequence: "0",
  timestamp: "0",
  stream_id: 0,
  crypto_metadata: null,
  payload: "",
};

const U64 = (2n ** 64n - 1n).toString();

const FIELDS: readonly [string, Partial<FrameFields>][] = [
  ["smallest body, 31 bytes", {}],
  ...[0, 1, 2, 3, 4, 5, 6, 0x7f, 0x80, 0xff].map((
    frame_type,
  ): [string, Partial<FrameFields>] => [`type ${frame_type}`, { frame_type }]),
  ...[1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff].map((
    flags,
  ): [string, Partial<FrameFields>] => [`flags ${flags}`, { flags }]),
  ...["1", "4294967296", "9007199254740991", "9007199254740992", "9007199254740993", U64].flatMap((
    value,
  ): [string, Partial<FrameFields>][] => [
    [`sequence ${value}`, { sequence: value }],
    [`timestamp ${value}`, { timestamp: value }],
  ]),
  ["stream id 2^31", { stream_id: 2 ** 31 }],
  ["stream id 2^32-1", { stream_id: 2 ** 32 - 1 }],
  ["all maxima", {
    frame_type: 255,
    flags: 255,
    session_id: "ff".repeat(8),
    sequence: U64,
    timestamp: U64,
    stream_id: 2 ** 32 - 1,
  }],
  ["metadata of one byte", { crypto_metadata: "00" }],
  ["metadata of 127 bytes", { crypto_metadata: "6d".repeat(127), payload: "01" }],
  ["metadata of 128 bytes", { crypto_metadata: "6d".repeat(128), payload: "01" }],
  ["body length 127", { payload: "70".repeat(96) }],
  ["body length 128", { payload: "70".repeat(97) }],
  ["body length 16384", { payload: "70".repeat(16353) }],
  ["a payload that looks like a frame", { payload: "53541f" + "00".repeat(31) }],
];

const make = (changes: Partial<FrameFields> = {}): string =>
  hex(encodeFrame({ ...PLAIN, ...changes }));
const decode = (comment: string, text: string): RuleTest =>
  test(comment, "frame.decode", { hex: text });
const encode = (comment: string, changes: Record<string, unknown>): RuleTest =>
  test(comment, "frame.encode", { frame: { ...PLAIN, ...changes } });
const assemble = (comment: string, chunks: readonly string[], maxBody?: number): RuleTest =>
  test(
    comment,
    "frame.assemble",
    maxBody === undefined ? { chunks } : { chunks, max_body: maxBody },
  );

const HEADER = "0100010203040506070800000000000000000000000000000000" + "00000000";
const BODY_31 = HEADER + "00";

function cut(text: string, size: number): string[] {
  return text.match(new RegExp(`.{1,${2 * size}}`, "g")) as string[];
}

function malformed(): [string, string, string][] {
  return [
    ["magic", "first byte", "5453" + "1f" + BODY_31],
    ["magic", "second byte", "5353" + "1f" + BODY_31],
    ["magic", "lower case", "7374" + "1f" + BODY_31],
    ["magic", "zeros", "00".repeat(34)],
    ["magic", "wrong first byte alone", "54"],
    ["magic", "a byte before the frame", "00" + "5354" + "1f" + BODY_31],
    ["length", "fourth byte continues", "535480808080"],
    ["length", "fourth byte continues, value small", "53549f80808000" + BODY_31],
    ["length", "not minimal, two bytes", "53549f00" + BODY_31],
    ["length", "not minimal, zero", "53548000"],
    ["length", "ten bytes, 2^64-1", "5354ffffffffffffffffff01"],
    ["length", "eleven bytes", "5354ffffffffffffffffffff01"],
    ["too-small", "length 0", "535400"],
    ["too-small", "length 1", "53540100"],
    ["too-small", "length 29", "53541d" + HEADER.slice(2)],
    ["too-small", "length 30, a byte behind", "53541e" + HEADER + "00"],
    ["too-large", "2 MiB and one", "535481808001"],
    ["too-large", "the largest of four bytes", "5354ffffff7f"],
    ["metadata-length", "continues past the body", "53541f" + HEADER + "80" + "00"],
    ["metadata-length", "not minimal", "535421" + HEADER + "8000" + "00"],
    ["metadata-length", "above 2^64-1", "535429" + HEADER + "80808080808080808002" + "00"],
    ["metadata-length", "eleven bytes", "53542a" + HEADER + "8080808080808080808001" + "00"],
    ["metadata-overrun", "one byte that is not there", "53541f" + HEADER + "01"],
    ["metadata-overrun", "one too many", "535421" + HEADER + "036162"],
    ["metadata-overrun", "bytes of the next frame", "53541f" + HEADER + "05" + "53541f" + BODY_31],
    ["metadata-overrun", "2^32", "535425" + HEADER + "8080808010" + "6162"],
    ["metadata-overrun", "2^64-1", "535429" + HEADER + "ffffffffffffffffff01" + "61"],
  ];
}

const NUMBERS: Readonly<Record<string, number>> = {
  magic: 3,
  length: 4,
  "too-small": 5,
  "too-large": 6,
  "metadata-length": 7,
  "metadata-overrun": 8,
};

export function frameRules(): Rule[] {
  const book = new RuleBook("3");
  book.accepts(
    1,
    "encode",
    "every field at its place",
    FIELDS.map(([name, changes]) => encode(name, changes)),
  );
  book.accepts(
    2,
    "decode",
    "every field comes back",
    FIELDS.map(([name, changes]) => decode(name, make(changes))),
  );
  for (const [slug, number] of Object.entries(NUMBERS)) {
    book.refuses(
      number,
      slug,
      `malformed: ${slug}`,
      malformed().filter(([kind]) => kind === slug)
        .map(([, comment, text]) => decode(comment, text)),
    );
  }
  const whole = make({ crypto_metadata: "aabb", payload: "00112233" });
  book.refuses(9, "incomplete", "a correct beginning is incomplete, not malformed", [
    decode("nothing", ""),
    ...Array.from(
      { length: whole.length / 2 - 1 },
      (_, i) => decode(`${i + 1} of ${whole.length / 2} bytes`, whole.slice(0, 2 * (i + 1))),
    ),
    decode("length of two bytes, one there", "535480"),
    decode("length of four bytes, three there", "5354808080"),
    decode("2 MiB announced, nothing there", "535480808001"),
  ]);
  book.refuses(10, "encode-field", "fields out of range are not encoded", [
    encode("type 256", { frame_type: 256 }),
    encode("type -1", { frame_type: -1 }),
    encode("flags 256", { flags: 256 }),
    encode("session id of 7 bytes", { session_id: "00".repeat(7) }),
    encode("session id of 9 bytes", { session_id: "00".repeat(9) }),
    encode("no session id", { session_id: "" }),
    encode("sequence -1", { sequence: "-1" }),
    encode("sequence 2^64", { sequence: (2n ** 64n).toString() }),
    encode("timestamp 2^64", { timestamp: (2n ** 64n).toString() }),
    encode("stream id 2^32", { stream_id: 2 ** 32 }),
    encode("stream id -1", { stream_id: -1 }),
  ]);
  book.accepts(11, "behind", "bytes behind a frame are left alone", [
    decode("another frame", make() + make({ payload: "01" })),
    decode("garbage", make() + "ffff"),
  ]);
  book.refuses(12, "wrong-and-cut", "what is wrong already is not waited for", [
    decode("metadata passes the body", "53542f" + HEADER + "61"),
    decode("metadata length not minimal", "53547f" + HEADER + "8000"),
    decode("metadata length above 2^64-1", "53547f" + HEADER + "80808080808080808002"),
  ]);
  return book.rules;
}

export function streamOfFramesRules(): Rule[] {
  const book = new RuleBook("4");
  const three = make({ payload: "6669727374" }) +
    make({ crypto_metadata: "6d6d", payload: sample("assembler", 200) }) +
    make({ frame_type: 0x90 });
  book.accepts(1, "chunks", "frames come out whole, however the stream is cut", [
    assemble("one chunk", [three]),
    ...[1, 2, 3, 7, 34, 100].map((size) => assemble(`chunks of ${size}`, cut(three, size))),
    assemble("empty chunks between", ["", three.slice(0, 20), "", three.slice(20), ""]),
    assemble("an unfinished frame at the end", [three + "5354"]),
    assemble("an unfinished frame, byte by byte", cut(three + make().slice(0, 40), 1)),
  ]);
  book.refuses(
    2,
    "first-wrong-byte",
    "the first wrong byte is refused, the frames before it stay",
    [
      ...malformed().map(([slug, comment, text]) =>
        assemble(`${slug}, ${comment}`, [make() + text])
      ),
      assemble("wrong magic, byte by byte", cut(make() + "5355", 1)),
      assemble("wrong first byte, nothing behind", [make(), "00"]),
      assemble("a length whose fourth byte continues, byte by byte", cut("535480808080", 1)),
      assemble("metadata overrun in a small chunk", cut("535421" + HEADER + "036162", 5)),
    ],
  );
  const large = hex(encodeFrameUnlimited({ ...PLAIN, payload: "61".repeat(4096 - 30) }));
  book.refuses(3, "limit", "a frame over the current limit is refused on its length alone", [
    assemble("body of 4097, limit 4096", [large], 4096),
    assemble("the length alone", [large.slice(0, 8)], 4096),
    assemble("body of 65537, limit 65536", ["5354818004"], 65536),
  ]);
  book.accepts(4, "at-limit", "a frame at the limit passes", [
    assemble("body of 4096", [make({ payload: "61".repeat(4096 - 31) })], 4096),
  ]);
  return book.rules;
}
