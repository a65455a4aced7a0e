/** SPEC 6: handshake messages as fields, values and frames. @module */
import { hex, unhex } from "../twin/bytes.ts";
import { encodeFrame } from "../twin/frame.ts";
import {
  encodeFields,
  type Field,
  type Fields,
  handshakeFrame,
  without,
} from "../twin/messages.ts";
import { PLAIN } from "./3_frame.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const bytes = (label: string, length: number): Field => ({ bytes: sample(label, length) });
const int = (value: number | string): Field => ({ int: String(value) });
const NOW = int("1731000000000");

export const MESSAGES: Readonly<Record<string, Fields>> = {
  HELLO: {
    type: { text: "HELLO" },
    node_id: bytes("hello node", 32),
    nonce: bytes("hello nonce", 32),
    timestamp: NOW,
    commitment: bytes("commitment", 16),
    version: int(1),
    suites: { list: [int(1), int(2)] },
    seed_id: bytes("seed id", 8),
    capabilities: int(11),
  },
  RESPONSE: {
    type: { text: "RESPONSE" },
    node_id: bytes("response node", 32),
    nonce: bytes("response nonce", 32),
    challenge: bytes("challenge", 150),
    challenge_metadata: { bytes: "" },
    timestamp: NOW,
    suite: int(1),
    session_id: bytes("session", 8),
  },
  AUTH_PROOF: {
    type: { text: "AUTH_PROOF" },
    session_id: bytes("session", 8),
    proof: bytes("proof", 150),
    proof_metadata: { bytes: "" },
    timestamp: NOW,
  },
  FINAL: {
    type: { text: "FINAL" },
    session_id: bytes("session", 8),
    timestamp: NOW,
    confirmation: bytes("confirmation", 16),
  },
  RETRY: {
    type: { text: "RETRY" },
    nonce: bytes("hello nonce", 32),
    code: int(1),
    cookie: bytes("cookie", 20),
    versions: { list: [] },
    suites: { list: [] },
    mac: bytes("mac", 16),
  },
};

const VARIANTS: readonly [string, Fields][] = [
  ...Object.entries(MESSAGES),
  ["HELLO with a cookie", { ...MESSAGES.HELLO, cookie: bytes("cookie", 20) }],
  ["HELLO with unknown fields", {
    ...MESSAGES.HELLO,
    future: { bytes: "00" },
    zz: { list: [int(1), { text: "x" }] },
    d: { dict: {} },
  }],
  ["HELLO with one suite", { ...MESSAGES.HELLO, suites: { list: [int(2)] } }],
  ["HELLO with timestamp 2^53", { ...MESSAGES.HELLO, timestamp: int("9007199254740992") }],
  ["FINAL with an unknown field", { ...MESSAGES.FINAL, x: { null: true } }],
  ["RETRY with lists", {
    ...MESSAGES.RETRY,
    versions: { list: [int(1)] },
    suites: { list: [int(2), int(1)] },
  }],
];

const frameOf = (fields: Fields): string => hex(handshakeFrame(encodeFields(fields)));
const parse = (comment: string, frame: string): RuleTest =>
  test(comment, "message.parse", { frame });
const raw = (value: string): string => hex(handshakeFrame(unhex(value)));

/** Another type, and another length, of a field. */
function wrong(field: Field): [string, Field][] {
  if ("bytes" in field) {
    const fixed = [8, 16, 32].includes(field.bytes.length / 2);
    const lengths: [string, Field][] = [
      ["one byte short", { bytes: field.bytes.slice(2) }],
      ["one byte long", { bytes: field.bytes + "00" }],
      ["empty", { bytes: "" }],
    ];
    const text: [string, Field] = ["text", { text: "x" }];
    if (field.bytes === "") return [["not empty", { bytes: "00" }], text];
    return fixed ? [...lengths, text] : [text, ["a list", { list: [] }]];
  }
  if ("int" in field) {
    return [["a boolean", { bool: true }], ["text", { text: field.int }], ["a float", {
      float: "3ff0000000000000",
    }], ["null", { null: true }]];
  }
  if ("list" in field) {
    return [["an integer", int(1)], ["a list of text", { list: [{ text: "1" }] }], [
      "a list with a boolean",
      { list: [int(1), { bool: true }] },
    ]];
  }
  return [];
}

function wrongFields(): { absent: RuleTest[]; wrong: RuleTest[] } {
  const absent: RuleTest[] = [];
  const bad: RuleTest[] = [];
  for (const [name, fields] of Object.entries(MESSAGES)) {
    for (const [field, value] of Object.entries(fields)) {
      if (field === "type") continue;
      absent.push(parse(`${name} without ${field}`, frameOf(without(fields, field))));
      for (const [comment, other] of wrong(value)) {
        bad.push(parse(`${name}: ${field} is ${comment}`, frameOf({ ...fields, [field]: other })));
      }
    }
  }
  bad.push(parse("HELLO: suites is empty", frameOf({ ...MESSAGES.HELLO, suites: { list: [] } })));
  bad.push(parse("HELLO: cookie is text", frameOf({ ...MESSAGES.HELLO, cookie: { text: "x" } })));
  return { absent, wrong: bad };
}

function frames(): RuleTest[] {
  const payload = hex(encodeFields(MESSAGES.FINAL as Fields));
  const zero = { ...PLAIN, session_id: "00".repeat(8), payload };
  const made = (changes: Record<string, unknown>): string =>
    hex(encodeFrame({ ...zero, frame_type: 5, ...changes }));
  const good = made({});
  return [
    ...[1, 2, 3, 4, 6, 0x85].map((frame_type) =>
      parse(`frame type ${frame_type}`, made({ frame_type }))
    ),
    ...[1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80].map((flags) =>
      parse(`flags ${flags}`, made({ flags }))
    ),
    parse("session id", made({ session_id: "0000000000000001" })),
    parse("sequence", made({ sequence: "1" })),
    parse("timestamp", made({ timestamp: "1" })),
    parse("stream id", made({ stream_id: 1 })),
    parse("metadata", made({ crypto_metadata: "00" })),
    parse("cut by a byte", good.slice(0, -2)),
    parse("a byte behind", good + "00"),
    parse("another frame behind", good + good),
    parse("magic", flip(good, 0)),
    parse("body over 4096 bytes", made({ payload: payload + "00".repeat(4096) })),
  ];
}

function encodings(): RuleTest[] {
  const value = hex(encodeFields(MESSAGES.FINAL as Fields));
  const final = MESSAGES.FINAL as Fields;
  const wide = value.replace("13" + "000001930" + "7a3de00", "17" + "0000019307a3de00");
  const session = "310000000a73657373696f6e5f6964" + "3000000008" +
    (final.session_id as { bytes: string }).bytes;
  const time = "310000000974696d657374616d70" + "130000019307a3de00";
  const many = Object.fromEntries(Array.from({ length: 29 }, (_, i) => [`x${i}`, int(i)]));
  return [
    parse("a trailing byte", raw(value + "00")),
    parse("cut by a byte", raw(value.slice(0, -2))),
    parse("no value at all", raw("")),
    parse("keys out of order", raw(value.replace(session + time, time + session))),
    parse(
      "a key twice",
      raw(value.replace("4100000004", "4100000005").replace(session, session + session)),
    ),
    parse("timestamp as uint64", raw(wide)),
    parse("an unknown tag", raw("99")),
    parse("33 entries", frameOf({ ...final, ...many })),
    parse(
      "a list of 33",
      frameOf({ ...final, x: { list: Array.from({ length: 33 }, () => int(0)) } }),
    ),
    parse("nested three deep", frameOf({ ...final, x: { list: [{ list: [] }] } })),
  ];
}

export function messageRules(): Rule[] {
  const book = new RuleBook("6");
  book.accepts(
    1,
    "encode",
    "fields to the canonical value",
    VARIANTS.map(([name, fields]) => test(name, "message.encode", { fields })),
  );
  book.accepts(
    2,
    "frame",
    "the complete HANDSHAKE frame",
    VARIANTS.map(([name, fields]) => test(name, "message.frame", { fields })),
  );
  book.accepts(
    3,
    "parse",
    "frames to fields, unknown ones kept",
    VARIANTS.map(([name, fields]) => parse(name, frameOf(fields))),
  );
  book.refuses(4, "frame-refused", "HANDSHAKE frames have nothing but their payload", frames());
  book.refuses(
    5,
    "encoding-refused",
    "values are canonical, two deep at most, with at most 32 entries",
    encodings(),
  );
  book.refuses(6, "type-refused", "the type is one of the five", [
    ...["hello", "HELLO ", "", "CLOSE", "__proto__", "toString"].map((type) =>
      parse(`"${type}"`, frameOf({ ...MESSAGES.FINAL, type: { text: type } }))
    ),
    parse("no type", frameOf(without(MESSAGES.FINAL as Fields, "type"))),
    parse("a number", frameOf({ ...MESSAGES.FINAL, type: int(4) })),
    parse("an empty dict", frameOf({})),
  ]);
  const fields = wrongFields();
  book.refuses(7, "field-absent", "every field is there", fields.absent);
  book.refuses(8, "field-wrong", "every field has its type and length", fields.wrong);
  book.accepts(9, "limits-reached", "32 entries and depth two pass", [
    parse(
      "a list of 32",
      frameOf({ ...MESSAGES.FINAL, x: { list: Array.from({ length: 32 }, () => int(0)) } }),
    ),
    parse(
      "32 fields",
      frameOf({
        ...MESSAGES.FINAL,
        ...Object.fromEntries(Array.from({ length: 28 }, (_, i) => [`x${i}`, int(i)])),
      }),
    ),
  ]);
  return book.rules;
}
