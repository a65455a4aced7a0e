/** SPEC 6.2: transport parameters. @module */
import { hex } from "../twin/bytes.ts";
import { encodeFields, type Field, type Fields, without } from "../twin/messages.ts";
import { type Rule, RuleBook, type RuleTest, test } from "./rule.ts";

const int = (value: number | bigint): Field => ({ int: value.toString() });
const ints = (...values: number[]): Field => ({ list: values.map(int) });

export function payloadOf(suite: number, suites: readonly number[], extra: Fields = {}): Fields {
  return {
    version: int(1),
    versions: ints(1),
    suite: int(suite),
    suites: ints(...suites),
    capabilities: int(11),
    ...extra,
  };
}

const BASE = payloadOf(1, [1, 2]);
const SAFE = 2n ** 53n - 1n;

const LIMITS: readonly [string, bigint, bigint][] = [
  ["capabilities", 0n, SAFE],
  ["max_idle", 0n, SAFE],
  ["max_data", 0n, SAFE],
  ["max_stream_data", 0n, SAFE],
  ["max_streams", 0n, 2n ** 31n],
  ["max_datagram", 0n, SAFE],
  ["max_frame", 1200n, 2097152n],
  ["max_udp", 1200n, SAFE],
  ["ack_delay", 0n, 1000n],
  ["ack_every", 1n, 64n],
];

function decode(
  comment: string,
  fields: Fields | string,
  negotiation: Record<string, unknown> = {},
): RuleTest {
  return test(comment, "parameters.decode", {
    hex: typeof fields === "string" ? fields : hex(encodeFields(fields)),
    suite: 1,
    own_suites: [1, 2],
    own_app: "",
    from_initiator: true,
    ...negotiation,
  });
}

function outOfLimits(): RuleTest[] {
  return LIMITS.flatMap(([name, least, largest]) => {
    const bad: [string, Field][] = [
      ["below", int(least - 1n)],
      ["above", int(largest + 1n)],
      ["a boolean", { bool: true }],
      ["text", { text: "1" }],
      ["a float", { float: "40a0000000000000" }],
      ["null", { null: true }],
    ];
    return bad.map(([what, field]) => decode(`${name} ${what}`, { ...BASE, [name]: field }));
  });
}

export function parameterRules(): Rule[] {
  const book = new RuleBook("6.2");
  book.accepts(10, "parameters", "limits are reached, defaults fill in, unknown keys are ignored", [
    decode("only what every peer says", BASE),
    decode("suites alone", { suites: ints(1, 2) }),
    ...LIMITS.flatMap((
      [name, least, largest],
    ) => [
      decode(`${name} ${least}`, { ...BASE, [name]: int(least) }),
      decode(`${name} ${largest}`, { ...BASE, [name]: int(largest) }),
    ]),
    decode("reset", { ...BASE, reset: { bytes: "ab".repeat(16) } }),
    decode("migrate false", { ...BASE, migrate: { bool: false } }),
    decode("app of 64 bytes", { ...BASE, app: { text: "\u00fc".repeat(32) } }),
    decode("the same app", { ...BASE, app: { text: "chat" } }, { own_app: "chat" }),
    decode("no app of ours", { ...BASE, app: { text: "chat" } }),
    decode("unknown keys", {
      ...BASE,
      later: { text: "x" },
      a: { bool: true },
      b: { list: [int(1), { null: true }] },
    }),
    decode("seen by the initiator", BASE, { from_initiator: false }),
    decode("versions of the future too", { ...BASE, versions: ints(2, 1) }),
    decode("exactly 400 bytes", sizedTo(400)),
  ]);
  book.refuses(11, "parameters-limits", "wrong types and values out of limits", [
    ...outOfLimits(),
    decode("reset of 15 bytes", { ...BASE, reset: { bytes: "00".repeat(15) } }),
    decode("reset as text", { ...BASE, reset: { text: "0123456789abcdef" } }),
    decode("migrate as integer", { ...BASE, migrate: int(1) }),
    decode("app of 65 bytes", { ...BASE, app: { text: "a".repeat(65) } }),
    decode("app as bytes", { ...BASE, app: { bytes: "61" } }),
    decode("no suites", without(BASE, "suites")),
    decode("suites as integer", { ...BASE, suites: int(1) }),
    decode("suites with a boolean", { ...BASE, suites: { list: [int(1), { bool: true }] } }),
    decode("versions as text", { ...BASE, versions: { text: "1" } }),
    decode("version as text", { ...BASE, version: { text: "1" } }),
    decode("suite as boolean", { ...BASE, suite: { bool: true } }),
  ]);
  const canonical = hex(encodeFields(BASE));
  book.refuses(
    12,
    "parameters-encoding",
    "the payload is one canonical dict of at most 400 bytes",
    [
      decode("nothing", ""),
      decode("a list", "4000000000"),
      decode("cut", canonical.slice(0, -2)),
      decode("a byte behind", canonical + "00"),
      decode("suite as uint8", canonical.replace("7375697465" + "1001", "7375697465" + "1401")),
      decode(
        "version as int16",
        canonical.replace("76657273696f6e" + "1001", "76657273696f6e" + "110001"),
      ),
      decode("401 bytes", sizedTo(401)),
      decode("4000 bytes", sizedTo(4000)),
    ],
  );
  book.refuses(
    13,
    "downgrade",
    "the suite in use is the first of the initiator's that the responder's contains",
    [
      decode("initiator preferred the other", payloadOf(1, [2, 1])),
      decode("responder does not have the suite in use", payloadOf(1, [2]), {
        from_initiator: false,
      }),
      decode("another suite is said to be in use", payloadOf(2, [1, 2])),
      decode("none in common", payloadOf(1, [9])),
      decode("empty list", payloadOf(1, [])),
      decode("our first choice was possible", payloadOf(2, [1, 2]), {
        suite: 2,
        from_initiator: false,
      }),
    ],
  );
  book.refuses(14, "version-downgrade", "the version in use is the highest common one", [
    decode("another version in use", { ...BASE, version: int(2) }),
    decode("version 1 is not among the peer's", { ...BASE, versions: ints(2) }),
    decode("no version", { ...BASE, versions: ints() }),
  ]);
  book.refuses(15, "app", "two app names that differ", [
    decode("other name", { ...BASE, app: { text: "chat" } }, { own_app: "files" }),
    decode("case matters", { ...BASE, app: { text: "Chat" } }, { own_app: "chat" }),
  ]);
  return book.rules;
}

/** A payload of exactly this many bytes, with an unknown key. */
function sizedTo(length: number): Fields {
  const empty = encodeFields({ ...BASE, filler: { bytes: "" } }).length;
  return { ...BASE, filler: { bytes: "00".repeat(length - empty) } };
}
