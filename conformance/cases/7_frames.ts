/** SPEC 7: protected frames, replay window, epochs. @module */
import { hex, unhex } from "../twin/bytes.ts";
import { type PlainFrame, sealFrame } from "../twin/protection.ts";
import { flip, type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const SESSION = "a1b2c3d4e5f60718";
const SUITES = [1, 2];

const secretOf = (suite: number): string => sample(`traffic of suite ${suite}`, 32);

function plain(sequence: number | string, changes: Partial<PlainFrame> = {}): PlainFrame {
  return {
    type: 1,
    flags: 0,
    session_id: SESSION,
    sequence: String(sequence),
    timestamp: "0",
    stream_id: 7,
    epoch: 0,
    plaintext: sample(`plaintext ${sequence}`, 20),
    ...changes,
  };
}

function sealed(suite: number, frame: PlainFrame): string {
  return sealFrame(suite, unhex(secretOf(suite)), frame).frame;
}

const CONTENTS: readonly [string, PlainFrame][] = [
  ["DATA", plain(0)],
  ["empty payload", plain(1, { plaintext: "" })],
  ["STREAM with flags", plain(2, { type: 3, flags: 0x16, stream_id: 2 ** 32 - 1 })],
  ["CONTROL", plain(3, { type: 2, stream_id: 0, plaintext: "0401" })],
  ["custom type", plain(4, { type: 0xff, flags: 0xff })],
  ["timestamp", plain(5, { timestamp: "1234567" })],
  ["timestamp 2^53-1", plain(5, { timestamp: "9007199254740991" })],
  ["sequence 255", plain(255)],
  ["sequence 2^32", plain(2 ** 32)],
  ["sequence 2^53-1", plain("9007199254740991")],
  ["epoch 1", plain(9, { epoch: 1 })],
  ["epoch 5", plain(9, { epoch: 5 })],
  ["body length of two bytes", plain(10, { plaintext: sample("long plaintext", 200) })],
  ["body length of three bytes", plain(11, { plaintext: "ab".repeat(16500) })],
];

function receive(
  comment: string,
  suite: number,
  reliable: boolean,
  list: readonly string[],
): RuleTest {
  const transport = reliable ? "reliable" : "UDP";
  return test(`suite ${suite}, ${transport}: ${comment}`, "session.receive", {
    suite,
    secret: secretOf(suite),
    session_id: SESSION,
    reliable,
    frames: list,
  });
}

/** Every field of the header, the payload and the tag with one bit flipped. */
function tampered(suite: number): [string, string][] {
  const frame = sealed(suite, plain(0));
  return [
    ["type", flip(frame, 3)],
    ["flags", flip(frame, 4)],
    ["timestamp, first byte", flip(frame, 21)],
    ["timestamp, last byte", flip(frame, 28)],
    ["stream id", flip(frame, 32)],
    ["payload, first byte", flip(frame, 35)],
    ["payload, last byte", flip(frame, -17)],
    ["tag, first byte", flip(frame, -16)],
    ["tag, last byte", flip(frame, -1, 0x80)],
  ];
}

function replayTests(suite: number): { good: RuleTest[]; bad: RuleTest[] } {
  const frames = (...sequences: number[]): string[] =>
    sequences.map((n) => sealed(suite, plain(n)));
  const good = (comment: string, ...sequences: number[]): RuleTest =>
    receive(comment, suite, false, frames(...sequences));
  return {
    good: [
      good("in order", 0, 1, 2, 3),
      good("reversed", 5, 4, 3, 2, 1, 0),
      good("a gap that fills later", 0, 2, 8, 1, 7),
      good("8191 behind the newest", 8191, 0),
      good("far ahead and back inside the window", 100000, 100000 - 8191, 99999),
      good("two windows ahead", 0, 20000, 20000 - 8191),
    ],
    bad: [
      good("repeated at once", 0, 0),
      good("repeated later", 0, 1, 2, 1),
      good("8192 behind the newest", 8192, 0),
      good("8192 behind, behind a jump", 100000, 100000 - 8192),
      good("repeated at the edge of the window", 8191, 0, 0),
      good("the newest again behind a window of silence", 1, 8193, 1),
    ],
  };
}

function epochTests(suite: number): { good: RuleTest[]; bad: RuleTest[] } {
  const frame = (sequence: number, epoch: number): string =>
    sealed(suite, plain(sequence, { epoch }));
  return {
    good: [
      receive("rotation in order", suite, false, [frame(0, 0), frame(1, 1), frame(2, 1)]),
      receive("rotation in order", suite, true, [frame(0, 0), frame(1, 1), frame(2, 1)]),
      receive("an older frame of the old epoch arrives late", suite, false, [
        frame(0, 0),
        frame(2, 1),
        frame(1, 0),
      ]),
    ],
    bad: [
      receive("two epochs ahead", suite, false, [frame(0, 0), frame(1, 2)]),
      receive("two epochs ahead", suite, true, [frame(0, 0), frame(1, 2)]),
      receive("old epoch above a sequence of the new one", suite, false, [
        frame(0, 0),
        frame(1, 1),
        frame(2, 0),
      ]),
      receive("back to the old epoch", suite, true, [frame(0, 0), frame(1, 1), frame(2, 0)]),
    ],
  };
}

function unprotected(suite: number): [string, string][] {
  const frame = unhex(sealed(suite, plain(0)));
  const body = hex(frame.subarray(3));
  const rebuild = (metadata: string): string => {
    const rest = body.slice(0, 60) + metadata + body.slice(64);
    return "5354" + (rest.length / 2).toString(16).padStart(2, "0") + rest;
  };
  return [
    ["no metadata", rebuild("00")],
    ["metadata longer than the epoch", rebuild("020000")],
    ["epoch not minimal", rebuild("028000")],
    ["epoch cut", rebuild("0180")],
    ["another session", sealed(suite, plain(0, { session_id: flip(SESSION, 0) }))],
    ["session id zero", sealed(suite, plain(0, { session_id: "00".repeat(8) }))],
  ];
}

export function protectedRules(): Rule[] {
  const book = new RuleBook("7");
  const contents = SUITES.flatMap((suite) =>
    CONTENTS.map(([name, frame]) => ({ suite, name: `suite ${suite}: ${name}`, frame }))
  );
  book.accepts(
    3,
    "seal",
    "sealing is deterministic",
    contents.map(({ suite, name, frame }) =>
      test(name, "frame.seal", { suite, secret: secretOf(suite), ...frame })
    ),
  );
  book.accepts(
    4,
    "open",
    "frames open to what was sealed",
    contents.map(({ suite, name, frame }) =>
      test(name, "frame.open", { suite, secret: secretOf(suite), frame: sealed(suite, frame) })
    ),
  );
  book.refuses(
    5,
    "tampered",
    "a flipped bit in any field is refused, and the genuine frame still opens",
    SUITES.flatMap((suite) =>
      tampered(suite).map(([field, frame]) =>
        receive(field, suite, false, [frame, sealed(suite, plain(0))])
      )
    ),
  );
  book.refuses(
    6,
    "tampered-reliable",
    "a flipped bit ends a reliable session",
    SUITES.flatMap((suite) =>
      tampered(suite).map(([field, frame]) => receive(field, suite, true, [frame]))
    ),
  );
  const replays = SUITES.map(replayTests);
  book.accepts(
    7,
    "out-of-order",
    "UDP: any order inside of a window of 8192",
    replays.flatMap(({ good }) => good),
  );
  book.refuses(
    8,
    "replay",
    "UDP: stale and seen sequences are dropped",
    replays.flatMap(({ bad }) => bad),
  );
  book.refuses(
    9,
    "gap",
    "reliable transports: sequences are consecutive from 0",
    SUITES.flatMap((suite) => [
      receive("begins at 1", suite, true, [sealed(suite, plain(1))]),
      receive("one left out", suite, true, [sealed(suite, plain(0)), sealed(suite, plain(2))]),
      receive("repeated", suite, true, [sealed(suite, plain(0)), sealed(suite, plain(0))]),
      receive("swapped", suite, true, [
        sealed(suite, plain(0)),
        sealed(suite, plain(2)),
        sealed(suite, plain(1)),
      ]),
    ]),
  );
  const epochs = SUITES.map(epochTests);
  book.accepts(
    10,
    "rotation",
    "the epoch after the newest is known",
    epochs.flatMap(({ good }) => good),
  );
  book.refuses(11, "epoch-order", "other epochs are not", epochs.flatMap(({ bad }) => bad));
  book.refuses(
    12,
    "unprotected",
    "what is no protected frame of this session is never opened",
    SUITES.flatMap((suite) =>
      unprotected(suite).flatMap(([name, frame]) => [
        receive(name, suite, false, [frame, sealed(suite, plain(0))]),
        receive(name, suite, true, [frame]),
      ])
    ),
  );
  book.refuses(
    13,
    "wrong-key",
    "frames of another key or suite are refused",
    SUITES.flatMap((suite) => {
      const other = sealFrame(suite, unhex(sample("another secret", 32)), plain(0)).frame;
      return [
        receive("another secret", suite, false, [other]),
        receive("the other suite", suite, false, [
          sealFrame(3 - suite, unhex(secretOf(suite)), plain(0)).frame,
        ]),
        receive("an epoch's number without its key", suite, false, [
          flip(sealed(suite, plain(0)), 34),
        ]),
      ];
    }),
  );
  return book.rules;
}
