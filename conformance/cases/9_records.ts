/** SPEC 9: records, and the STREAM payload of SPEC 8. @module */
import { hex } from "../twin/bytes.ts";
import { encodeRecord, encodeStreamPayload, type RecordFields } from "../twin/records.ts";
import { encodeVarint } from "../twin/varint.ts";
import { type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const SAFE = "9007199254740991";
const U32 = "4294967295";

function record(
  name: string,
  fields: Record<string, string | readonly (readonly [string, string])[]> = {},
): RecordFields {
  const typed = Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (typeof value !== "string") return [key, value];
      return [
        key,
        key === "token" || key === "reason" || key === "bytes" ? { bytes: value } : { int: value },
      ];
    }),
  );
  return { record: name, fields: typed };
}

const TOKEN = "0102030405060708";

const RECORDS: readonly RecordFields[] = [
  record("PADDING"),
  ...["PING", "PONG", "PATH_CHALLENGE", "PATH_RESPONSE"].map((name) =>
    record(name, { token: TOKEN })
  ),
  ...["FLOW_CREDIT", "BLOCKED"].flatMap((name) => [
    record(name, { stream: "0", limit: "0" }),
    record(name, { stream: "1", limit: "127" }),
    record(name, { stream: U32, limit: SAFE }),
  ]),
  record("KEY_ROTATION", { epoch: "0" }),
  record("KEY_ROTATION", { epoch: "1" }),
  record("KEY_ROTATION", { epoch: SAFE }),
  record("SESSION_CLOSE", { code: "0", reason: "" }),
  record("SESSION_CLOSE", { code: SAFE, reason: "62".repeat(256) }),
  record("SESSION_CLOSE", { code: "256", reason: "fffe" }),
  record("ERROR", { stream: "0", code: "1", reason: "" }),
  record("ERROR", { stream: U32, code: "25", reason: "78".repeat(256) }),
  record("ACK", { largest: "0", delay: "0", ranges: [["0", "0"]] }),
  record("ACK", { largest: "10", delay: "25000", ranges: [["0", "10"]] }),
  record("ACK", { largest: "10", delay: "1", ranges: [["10", "10"], ["8", "8"], ["0", "6"]] }),
  record("ACK", { largest: SAFE, delay: SAFE, ranges: [[SAFE, SAFE], ["0", "9007199254740989"]] }),
  record("ACK", {
    largest: "64",
    delay: "0",
    ranges: Array.from({ length: 33 }, (_, i) => [String(64 - 2 * i), String(64 - 2 * i)] as const),
  }),
  record("STREAM_RESET", { stream: "1", code: "256", final_size: "0" }),
  record("STREAM_RESET", { stream: U32, code: SAFE, final_size: SAFE }),
  record("STREAM_STOP", { stream: "2", code: "0" }),
  record("STREAMS_LIMIT", { count: "0" }),
  record("STREAMS_LIMIT", { count: "2147483648" }),
  record("STREAM_GAP", { stream: "3", offset: "0", length: "1" }),
  record("STREAM_GAP", { stream: "3", offset: "9007199254740990", length: "1" }),
  ...[0, 2, 4, 5, 6].map((kind) =>
    record("STREAM_DATA", {
      stream: "1",
      flags: "0",
      kind: String(kind),
      offset: "0",
      bytes: "6162",
    })
  ),
  ...[2, 4, 8, 0x10, 0x20, 0x30, 0x0e].map((flags) =>
    record("STREAM_DATA", { stream: "1", flags: String(flags), kind: "0", offset: "5", bytes: "" })
  ),
  record("STREAM_DATA", {
    stream: U32,
    flags: "0",
    kind: "0",
    offset: "9007199254740990",
    bytes: "61",
  }),
  record("DATAGRAM", { channel: "0", bytes: "" }),
  record("DATAGRAM", { channel: U32, bytes: sample("datagram", 130) }),
];

const bytesOf = (one: RecordFields): string => hex(encodeRecord(one));
const decode = (comment: string, text: string): RuleTest =>
  test(comment, "records.decode", { hex: text });
const varint = (value: string | bigint): string => hex(encodeVarint(BigInt(value)));
const ABOVE = varint(2n ** 53n);
const PING = bytesOf(record("PING", { token: TOKEN }));

/** Each record cut behind every byte but the last. */
function truncated(): RuleTest[] {
  const tests: RuleTest[] = [];
  const seen = new Set<string>();
  for (const one of RECORDS) {
    if (seen.has(one.record)) continue;
    seen.add(one.record);
    const text = bytesOf(one);
    for (let end = 2; end < Math.min(text.length, 24); end += 2) {
      tests.push(decode(`${one.record} behind byte ${end / 2}`, text.slice(0, end)));
    }
  }
  return tests;
}

export function recordRules(): Rule[] {
  const book = new RuleBook("9");
  book.accepts(
    1,
    "encode",
    "every record",
    RECORDS.map((one) => ({
      comment: one.record,
      request: { op: "record.encode", ...one } as RuleTest["request"],
    })),
  );
  book.accepts(2, "decode", "every record", RECORDS.map((one) => decode(one.record, bytesOf(one))));
  book.accepts(3, "several", "records stand back to back", [
    decode("all of them", RECORDS.map(bytesOf).join("")),
    decode("padding around", "0000" + PING + "000000"),
    decode("padding alone", "00".repeat(64)),
  ]);
  book.refuses(4, "empty", "an empty payload", [decode("no byte", "")]);
  book.refuses(
    5,
    "unknown-type",
    "types that nobody defined",
    [0x0b, 0x12, 0x13, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xff].flatMap((type) => {
      const text = type.toString(16).padStart(2, "0");
      return [
        decode(`0x${text}`, text + "00".repeat(8)),
        decode(`0x${text} behind a PING`, PING + text),
      ];
    }),
  );
  book.refuses(6, "truncated", "a record that ends early", truncated());
  book.refuses(7, "varint", "varints are minimal and below 2^53", [
    decode("limit not minimal", "03018000"),
    decode("stream not minimal", "0381008100"),
    decode("limit 2^53", "0301" + ABOVE),
    decode("epoch 2^53", "04" + ABOVE),
    decode("close code 2^53", "05" + ABOVE + "00"),
    decode("final size 2^53", "080100" + ABOVE),
    decode("count 2^64-1", "0a" + varint(2n ** 64n - 1n)),
    decode("count above 64 bits", "0affffffffffffffffff02"),
    decode("datagram length 2^53", "1100" + ABOVE),
    decode("ack delay 2^53", "0700" + ABOVE + "0000"),
  ]);
  book.refuses(8, "stream-zero", "stream 0 where only a stream may stand", [
    decode("STREAM_RESET", "08000000"),
    decode("STREAM_STOP", "090000"),
    decode("STREAM_GAP", "0e000001"),
    decode("STREAM_DATA", "100000000000"),
  ]);
  const wide = varint(2n ** 32n);
  book.refuses(9, "stream-range", "streams and channels above 2^32-1", [
    decode("FLOW_CREDIT", `03${wide}01`),
    decode("ERROR", `06${wide}0100`),
    decode("STREAM_RESET", `08${wide}0000`),
    decode("STREAM_STOP", `09${wide}00`),
    decode("STREAM_GAP", `0e${wide}0001`),
    decode("BLOCKED", `0f${wide}01`),
    decode("STREAM_DATA", `10${wide}00000000`),
    decode("DATAGRAM", `11${wide}00`),
  ]);
  book.refuses(10, "reason", "reasons over 256 bytes or past the payload", [
    decode("SESSION_CLOSE, 257", "05008102" + "61".repeat(257)),
    decode("ERROR, 257", "0600008102" + "61".repeat(257)),
    decode("SESSION_CLOSE, one byte too few", "05000361" + "62"),
    decode("ERROR, a length of 2^53-1", "060000" + varint(SAFE)),
  ]);
  book.refuses(11, "ack", "acknowledgements below zero or with too many ranges", [
    decode("first run below zero", "0705000006"),
    decode("gap below zero", "07050001000400"),
    decode("gap onto -1", "0701000100" + "00" + "00"),
    decode("run below zero", "07090001000107"),
    decode("33 further ranges", "07e8070021" + "00".repeat(1 + 66)),
    decode("a count of 2^53-1", "07e80700" + varint(SAFE) + "00"),
  ]);
  book.refuses(
    12,
    "kind",
    "stream kinds that do not exist",
    [3, 7, 8, 9, 0x10, 0x20, 0x40, 0x80, 0xff].map((kind) =>
      decode(`kind ${kind}`, "100100" + kind.toString(16).padStart(2, "0") + "0000")
    ),
  );
  book.refuses(
    13,
    "flags",
    "header flags that sessions refuse",
    [0x01, 0x40, 0x80, 0xc1, 0xff].map((flags) =>
      decode(`flags ${flags}`, "1001" + flags.toString(16).padStart(2, "0") + "000000")
    ),
  );
  book.refuses(14, "range", "data and gaps that end above 2^53-1", [
    decode("STREAM_DATA", "10010000" + varint(SAFE) + "0161"),
    decode("STREAM_GAP", "0e01" + varint(SAFE) + "01"),
    decode("STREAM_GAP, both large", "0e01" + varint(SAFE) + varint(SAFE)),
  ]);
  book.refuses(15, "data-length", "data past the payload", [
    decode("STREAM_DATA", "10010000000361" + "62"),
    decode("DATAGRAM", "110702" + "61"),
    decode("DATAGRAM, 2^53-1", "1107" + varint(SAFE)),
  ]);
  return book.rules;
}

const STREAMS: readonly [string, string, string][] = [
  ["0", "0", ""],
  ["0", "0", "68656c6c6f"],
  ["2", "16384", "aa"],
  ["4", "128", "0161"],
  ["5", "127", "0161"],
  ["6", "4294967296", "00"],
  ["0", SAFE, ""],
  ["0", "9007199254740990", "61"],
];

export function streamRules(): Rule[] {
  const book = new RuleBook("8");
  const payloads = STREAMS.map(([kind, offset, data]) => ({ kind: Number(kind), offset, data }));
  const name = ({ kind, offset, data }: { kind: number; offset: string; data: string }): string =>
    `kind ${kind}, offset ${offset}, ${data.length / 2} bytes`;
  const read = (comment: string, text: string): RuleTest =>
    test(comment, "stream.decode", { hex: text });
  book.accepts(
    1,
    "encode",
    "kind, offset, data",
    payloads.map((one) => test(name(one), "stream.encode", one)),
  );
  book.accepts(
    2,
    "decode",
    "kind, offset, data",
    payloads.map((one) => read(name(one), hex(encodeStreamPayload(one)))),
  );
  book.refuses(
    3,
    "kind",
    "kinds that do not exist",
    [3, 7, 8, 0x0b, 0x10, 0x80, 0xff, 0x0f, 0x21, 0x41].map((kind) =>
      read(`kind ${kind}`, kind.toString(16).padStart(2, "0") + "00" + "61")
    ),
  );
  book.refuses(4, "offset", "offsets that are cut, not minimal or too large", [
    read("nothing", ""),
    read("kind alone", "00"),
    read("cut", "0080"),
    read("cut at nine bytes", "00" + "ff".repeat(9)),
    read("not minimal", "008000"),
    read("2^53", "00" + ABOVE),
    read("2^64-1", "00" + varint(2n ** 64n - 1n)),
    read("data end above 2^53-1", "00" + varint(SAFE) + "61"),
  ]);
  return book.rules;
}
