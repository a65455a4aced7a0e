/** SPEC 8 to 10: an authenticated peer that breaks the rules of streams, credit, records and acknowledgements. @module */
import type { JsonObject } from "../protocol.ts";
import { hex } from "../twin/bytes.ts";
import type { PeerFrame } from "../twin/session.ts";
import { encodeVarint } from "../twin/varint.ts";
import { type Rule, RuleBook, type RuleTest, test } from "./rule.ts";

type Role = "initiator" | "responder";

/** The ids of the peer's first streams and of the receiver's own first. */
interface Ids {
  readonly first: number;
  readonly second: number;
  readonly own: number;
}

const IDS: Readonly<Record<Role, Ids>> = {
  responder: { first: 1, second: 3, own: 2 },
  initiator: { first: 2, second: 4, own: 1 },
};

const LIMITS = { max_data: 1500, max_stream_data: 1000, max_streams: 3, max_datagram: 100 };

type Limits = Partial<typeof LIMITS> & { readonly max_frame?: number };

const varint = (value: number | bigint): string => hex(encodeVarint(BigInt(value)));
const bytes = (length: number): string => "61".repeat(length);

/** A frame of the peer. */
function frame(type: number, plaintext: string, flags = 0, stream_id = 0): PeerFrame {
  return { type, flags, stream_id, plaintext };
}

/** A CONTROL frame of one record: its type, and fields as varints. */
function record(type: number, ...fields: (number | bigint)[]): PeerFrame {
  return frame(2, hex(Uint8Array.of(type)) + fields.map(varint).join(""));
}

/** A STREAM frame. */
function data(id: number, offset: number | bigint, length: number, flags = 0, kind = 0): PeerFrame {
  return frame(3, hex(Uint8Array.of(kind)) + varint(offset) + bytes(length), flags, id);
}

/** A STREAM_DATA record. */
function inRecord(
  id: number,
  offset: number | bigint,
  length: number,
  flags = 0,
  kind = 0,
): PeerFrame {
  const head = "10" + varint(id) + hex(Uint8Array.of(flags, kind));
  return frame(2, head + varint(offset) + varint(length) + bytes(length));
}

const END = 4;
const PING = frame(2, "010102030405060708");

type Attack = readonly [name: string, frames: (ids: Ids) => readonly PeerFrame[], limits?: Limits];

function tests(transports: readonly boolean[], attacks: readonly Attack[]): RuleTest[] {
  return attacks.flatMap(([name, frames, limits = {}]) =>
    transports.flatMap((reliable) =>
      (["initiator", "responder"] as const).map((role) =>
        test(`${role}, ${reliable ? "reliable" : "UDP"}: ${name}`, "session.run", {
          role,
          reliable,
          parameters: Object.fromEntries(
            Object.entries({ ...LIMITS, ...limits }).map(([key, n]) => [key, { int: String(n) }]),
          ),
          frames: frames(IDS[role]) as unknown as JsonObject[],
        })
      )
    )
  );
}

const BOTH = [true, false];

/** STREAM frame and STREAM_DATA record alike. */
function twice(
  name: string,
  make: (one: typeof data, ids: Ids) => readonly PeerFrame[],
  limits: Limits = {},
): Attack[] {
  return [
    [name, (ids) => make(data, ids), limits],
    [`${name}, as records`, (ids) => make(inRecord, ids), limits],
  ];
}

function streamRules(book: RuleBook): void {
  book.accepts(
    20,
    "within-limits",
    "a peer that keeps to the limits",
    tests(BOTH, [
      ...twice("all credit of one stream", (d, { first }) => [d(first, 0, 1000), PING]),
      ...twice("all credit of the session", (d, { first, second }) => [
        d(first, 0, 1000),
        d(second, 0, 500),
        PING,
      ]),
      ...twice("the same bytes again cost no credit", (d, { first }) => [
        d(first, 0, 1000),
        d(first, 0, 1000),
        d(first, 500, 500),
      ]),
      ...twice("the last stream allowed, which opens the others", (d, { first }) => [
        d(first + 4, 0, 1),
        d(first, 0, 1),
      ]),
      ...twice("an empty end", (d, { first }) => [d(first, 0, 9), d(first, 9, 0, END), PING]),
      ...twice("frames behind the end of a whole stream", (d, { first }) => [
        d(first, 0, 9, END),
        d(first, 0, 9, END),
        d(first, 2, 3),
      ]),
      ["reset at the limit", ({ first }) => [record(8, first, 0, 1000), PING]],
      [
        "a gap counts as received",
        ({ first }) => [data(first, 0, 400, 0, 2), record(14, first, 400, 600), PING],
      ],
      ["limits that fall or are told twice", () => [
        record(3, 0, 5000),
        record(3, 0, 5),
        record(10, 9),
        record(10, 0),
        record(15, 0, 0),
        PING,
      ]],
    ]),
  );
  book.refuses(
    21,
    "credit-overrun",
    "data, resets and gaps above a limit are FLOW_CONTROL",
    tests(BOTH, [
      ...twice("a byte above the stream's", (d, { first }) => [d(first, 0, 1001)]),
      ...twice("a byte above the stream's, behind a hole", (d, { first }) => [d(first, 1000, 1)]),
      ...twice(
        "no bytes, but an end above the stream's",
        (d, { first }) => [d(first, 1001, 0, END)],
      ),
      ...twice("a byte above the session's", (d, { first, second }) => [
        d(first, 0, 1000),
        d(second, 0, 501),
      ]),
      ...twice("a byte above the session's, behind holes", (d, { first, second }) => [
        d(first, 999, 1),
        d(second, 500, 1),
      ]),
      ...twice("credit of streams that ended", (d, { first, second }) => [
        d(first, 0, 1000, END),
        d(second, 0, 501, END),
      ]),
      ["far above", ({ first }) => [data(first, 2n ** 53n - 2n, 1)]],
      ["a reset above the stream's", ({ first }) => [record(8, first, 0, 1001)]],
      ["a reset above the session's", ({ first, second }) => [
        data(first, 0, 1000),
        record(8, second, 0, 501),
      ]],
      [
        "a gap above the stream's",
        ({ first }) => [data(first, 0, 1, 0, 2), record(14, first, 1, 1000)],
      ],
      ["a gap above the session's", ({ first, second }) => [
        data(first, 0, 1000),
        record(14, second, 0, 501),
      ]],
      ["credit that the peer gave itself", ({ first }) => [
        record(3, first, 5000),
        record(3, 0, 5000),
        data(first, 0, 1001),
      ]],
    ]),
  );
  book.refuses(
    22,
    "stream-id",
    "streams that the peer may not name are STREAM_STATE, too many are STREAM_LIMIT",
    tests(BOTH, [
      ...twice("data on the receiver's stream", (d, { own }) => [d(own, 0, 1)]),
      ["data on stream 0", () => [data(0, 0, 1)]],
      ["a record of data on stream 0", () => [inRecord(0, 0, 1)]],
      ["STOP of the receiver's stream", ({ own }) => [record(9, own, 0)]],
      ["RESET of the receiver's stream", ({ own }) => [record(8, own, 0, 0)]],
      ["credit for the receiver's stream", ({ own }) => [record(3, own, 1)]],
      ["BLOCKED on the receiver's stream", ({ own }) => [record(15, own, 1)]],
      ["a gap on the receiver's stream", ({ own }) => [record(14, own, 0, 1)]],
      ...twice("one stream too many", (d, { first }) => [d(first + 6, 0, 1)]),
      ...twice("one stream too many, behind the others", (d, { first }) => [
        d(first, 0, 1),
        d(first + 2, 0, 1),
        d(first + 4, 0, 1),
        d(first + 6, 0, 1),
      ]),
      ["the last id there is", ({ first }) => [data(2 ** 32 - (first === 1 ? 1 : 2), 0, 1)]],
      ["RESET of one too many", ({ first }) => [record(8, first + 6, 0, 0)]],
      ["STOP of one too many", ({ first }) => [record(9, first + 6, 0)]],
      ["a limit that the peer raised for itself", ({ first }) => [
        record(10, 100),
        data(first + 6, 0, 1),
      ]],
      ["any stream where none are allowed", ({ first }) => [data(first, 0, 1)], { max_streams: 0 }],
    ]),
  );
  book.refuses(
    23,
    "final-size",
    "a size that changes, and data above it, are FINAL_SIZE",
    tests(BOTH, [
      ...twice("data above the end", (d, { first }) => [d(first, 5, 5, END), d(first, 9, 2)]),
      ...twice("a later end", (d, { first }) => [d(first, 5, 5, END), d(first, 5, 6, END)]),
      ...twice("an earlier end", (d, { first }) => [d(first, 5, 5, END), d(first, 5, 4, END)]),
      ...twice("an end below data", (d, { first }) => [d(first, 5, 5), d(first, 0, 9, END)]),
      ["a reset below data", ({ first }) => [data(first, 5, 5), record(8, first, 0, 9)]],
      ["a reset that contradicts the end", ({ first }) => [
        data(first, 5, 5, END),
        record(8, first, 0, 11),
      ]],
      ["a gap above the end", ({ first }) => [
        data(first, 5, 5, END, 2),
        record(14, first, 10, 1),
      ]],
    ]),
  );
  book.refuses(
    24,
    "stream-shape",
    "kinds that change or do not exist, gaps where none may be, messages without an end",
    tests(BOTH, [
      ...twice("another kind", (d, { first }) => [d(first, 0, 1), d(first, 1, 1, 0, 4)]),
      ...[1, 3, 7, 8, 0xff].flatMap((kind) =>
        twice(`kind ${kind}`, (d, { first }) => [d(first, 0, 1, 0, kind)])
      ),
      ...[0x01, 0x40, 0x80].flatMap((flags) =>
        twice(`flags ${flags}`, (d, { first }) => [d(first, 0, 1, flags)])
      ),
      ["a gap in a stream of bytes", ({ first }) => [data(first, 0, 1), record(14, first, 1, 1)]],
      [
        "bytes on a stream that had a gap",
        ({ first }) => [record(14, first, 0, 1), data(first, 1, 1)],
      ],
      // The first byte of a message is its length, 97.
      ...twice("the end inside of a message", (d, { first }) => [d(first, 0, 9, END, 4)]),
      ["no offset", ({ first }) => [frame(3, "00", 0, first)]],
      ["no payload", ({ first }) => [frame(3, "", 0, first)]],
    ]),
  );
  book.refuses(
    25,
    "datagram-size",
    "datagrams and custom frames above max_datagram, or where none are taken",
    tests(BOTH, [
      ["DATA", () => [frame(1, bytes(101))]],
      ["DATAGRAM", () => [frame(2, `1100${varint(101)}${bytes(101)}`)]],
      ["a custom frame", () => [frame(0x80, bytes(101))]],
      ["an empty DATA where none are taken", () => [frame(1, "")], { max_datagram: 0 }],
      ["an empty custom frame where none are taken", () => [frame(0xff, "")], { max_datagram: 0 }],
    ]),
  );
}

function recordRules(): Rule[] {
  const book = new RuleBook("9");
  book.refuses(
    20,
    "frames-in-session",
    "frame types, flags and CONTROL frames that no session has",
    tests(BOTH, [
      ...[0, 4, 6, 0x40, 0x7f].map((type): Attack => [`type ${type}`, () => [frame(type, "00")]]),
      ...[0x01, 0x40, 0x80].map((
        flags,
      ): Attack => [`DATA with flags ${flags}`, () => [frame(1, "00", flags)]]),
      ...[0x01, 0x02, 0x10].map((
        flags,
      ): Attack => [`CONTROL with flags ${flags}`, () => [frame(2, "00", flags)]]),
      ["CONTROL on a stream", () => [frame(2, "00", 0, 1)]],
      ["an empty CONTROL frame", () => [frame(2, "")]],
      ["an unknown record", () => [frame(2, "12")]],
      ["an unknown record behind a known one", () => [frame(2, "000b")]],
      ["a record that is cut", () => [frame(2, "01010203")]],
      ["KEY_ROTATION of the next epoch", () => [record(4, 1)]],
      ["KEY_ROTATION of a far epoch", () => [record(4, 2n ** 53n - 1n)]],
    ]),
  );
  book.refuses(
    21,
    "frame-size",
    "a frame above max_frame ends a reliable session",
    tests([true], [["one byte", () => [frame(2, "00".repeat(1200 - 47))], { max_frame: 1200 }]]),
  );
  book.accepts(
    22,
    "harmless",
    "records that inform or ask for nothing, and everything behind SESSION_CLOSE",
    tests(BOTH, [
      ["answers that nobody asked for", () => [
        frame(2, "02" + bytes(8)),
        frame(2, "0d" + bytes(8)),
        PING,
      ]],
      ["a path challenge, and the same again", () => [
        frame(2, "0c" + bytes(8)),
        frame(2, ("0c" + bytes(8)).repeat(50)),
        PING,
      ]],
      ["ERROR", ({ own }) => [
        frame(2, "06" + varint(0) + varint(1) + "00"),
        frame(2, "06" + varint(own) + varint(0x1000) + "0161"),
        PING,
      ]],
      ["padding alone", () => [frame(2, "00".repeat(1000)), PING]],
      ["a custom frame with all flags", () => [frame(0x80, "00", 0xff, 2 ** 32 - 1), PING]],
      ["records behind SESSION_CLOSE", () => [frame(2, "05000012"), frame(2, "12")]],
    ]),
  );
  return book.rules;
}

function ackRules(): Rule[] {
  const book = new RuleBook("10");
  const ack = (largest: number | bigint, run: number | bigint = 0): PeerFrame =>
    record(7, largest, 0, 0, run);
  book.refuses(
    1,
    "ack-of-nothing",
    "an ACK of a sequence that was never sent is PROTOCOL",
    tests([false], [
      ["far ahead", () => [ack(2n ** 40n)]],
      ["the last sequence there is", () => [ack(2n ** 53n - 1n)]],
      ["everything there is", () => [ack(2n ** 53n - 1n, 2n ** 53n - 1n)]],
      [
        "far ahead, behind a range",
        () => [frame(2, "07" + varint(2n ** 40n) + "000100" + varint(2n ** 40n - 3n) + "00")],
      ],
    ]),
  );
  book.refuses(
    2,
    "ack-reliable",
    "ACK on a reliable transport is PROTOCOL",
    tests([true], [["of the first frame", () => [ack(0)]], ["far ahead", () => [ack(2n ** 40n)]]]),
  );
  book.refuses(
    3,
    "ack-below-zero",
    "ranges that pass below 0, and too many of them",
    tests(BOTH, [
      ["the first run", () => [ack(5, 6)]],
      ["a gap", () => [frame(2, "0705000100" + varint(4) + "00")]],
      [
        "33 more runs",
        () => [frame(2, "07" + varint(200) + "00" + varint(33) + "00" + "0000".repeat(33))],
      ],
    ]),
  );
  return book.rules;
}

export function sessionRules(): Rule[] {
  const book = new RuleBook("8");
  streamRules(book);
  return [...book.rules, ...recordRules(), ...ackRules()];
}
