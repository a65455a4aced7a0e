/** SPEC 8: an authenticated peer that breaks the rules of streams and credit. @module */
import {
  attack,
  bytes,
  data,
  END,
  EVERYWHERE,
  frame,
  inRecord,
  PING,
  record,
  tests,
  twice,
  varint,
} from "./session_frames.ts";
import { type Rule, RuleBook } from "./rule.ts";

export function streamAttackRules(): Rule[] {
  const book = new RuleBook("8");
  book.accepts(
    20,
    "within-limits",
    "a peer that keeps to the limits",
    tests(EVERYWHERE, [
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
      attack("reset at the limit", ({ first }) => [record(8, first, 0, 1000), PING]),
      attack(
        "a gap counts as received",
        ({ first }) => [data(first, 0, 400, 0, 2), record(14, first, 400, 600), PING],
      ),
      attack("limits that fall or are told twice", () => [
        record(3, 0, 5000),
        record(3, 0, 5),
        record(10, 9),
        record(10, 0),
        record(15, 0, 0),
        PING,
      ]),
    ]),
  );
  book.refuses(
    21,
    "credit-overrun",
    "data, resets and gaps above a limit are FLOW_CONTROL",
    tests(EVERYWHERE, [
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
      attack("far above", ({ first }) => [data(first, 2n ** 53n - 2n, 1)]),
      attack("a reset above the stream's", ({ first }) => [record(8, first, 0, 1001)]),
      attack("a reset above the session's", ({ first, second }) => [
        data(first, 0, 1000),
        record(8, second, 0, 501),
      ]),
      attack(
        "a gap above the stream's",
        ({ first }) => [data(first, 0, 1, 0, 2), record(14, first, 1, 1000)],
      ),
      attack("a gap above the session's", ({ first, second }) => [
        data(first, 0, 1000),
        record(14, second, 0, 501),
      ]),
      attack("credit that the peer gave itself", ({ first }) => [
        record(3, first, 5000),
        record(3, 0, 5000),
        data(first, 0, 1001),
      ]),
    ]),
  );
  book.refuses(
    22,
    "stream-id",
    "streams that the peer may not name are STREAM_STATE, too many are STREAM_LIMIT",
    tests(EVERYWHERE, [
      ...twice("data on the receiver's stream", (d, { own }) => [d(own, 0, 1)]),
      attack("data on stream 0", () => [data(0, 0, 1)]),
      attack("a record of data on stream 0", () => [inRecord(0, 0, 1)]),
      attack("STOP of the receiver's stream", ({ own }) => [record(9, own, 0)]),
      attack("RESET of the receiver's stream", ({ own }) => [record(8, own, 0, 0)]),
      attack("credit for the receiver's stream", ({ own }) => [record(3, own, 1)]),
      attack("BLOCKED on the receiver's stream", ({ own }) => [record(15, own, 1)]),
      attack("a gap on the receiver's stream", ({ own }) => [record(14, own, 0, 1)]),
      ...twice("one stream too many", (d, { first }) => [d(first + 6, 0, 1)]),
      ...twice("one stream too many, behind the others", (d, { first }) => [
        d(first, 0, 1),
        d(first + 2, 0, 1),
        d(first + 4, 0, 1),
        d(first + 6, 0, 1),
      ]),
      attack("the last id there is", ({ first }) => [data(2 ** 32 - (first === 1 ? 1 : 2), 0, 1)]),
      attack("RESET of one too many", ({ first }) => [record(8, first + 6, 0, 0)]),
      attack("STOP of one too many", ({ first }) => [record(9, first + 6, 0)]),
      attack("a limit that the peer raised for itself", ({ first }) => [
        record(10, 100),
        data(first + 6, 0, 1),
      ]),
      attack("any stream where none are allowed", ({ first }) => [data(first, 0, 1)], {
        max_streams: 0,
      }),
    ]),
  );
  book.refuses(
    23,
    "final-size",
    "a size that changes, and data above it, are FINAL_SIZE",
    tests(EVERYWHERE, [
      ...twice("data above the end", (d, { first }) => [d(first, 5, 5, END), d(first, 9, 2)]),
      ...twice("a later end", (d, { first }) => [d(first, 5, 5, END), d(first, 5, 6, END)]),
      ...twice("an earlier end", (d, { first }) => [d(first, 5, 5, END), d(first, 5, 4, END)]),
      ...twice("an end below data", (d, { first }) => [d(first, 5, 5), d(first, 0, 9, END)]),
      attack("a reset below data", ({ first }) => [data(first, 5, 5), record(8, first, 0, 9)]),
      attack("a reset that contradicts the end", ({ first }) => [
        data(first, 5, 5, END),
        record(8, first, 0, 11),
      ]),
      attack("a gap above the end", ({ first }) => [
        data(first, 5, 5, END, 2),
        record(14, first, 10, 1),
      ]),
    ]),
  );
  book.refuses(
    24,
    "stream-shape",
    "kinds that change or do not exist, gaps where none may be, messages without an end",
    tests(EVERYWHERE, [
      ...twice("another kind", (d, { first }) => [d(first, 0, 1), d(first, 1, 1, 0, 4)]),
      ...[1, 3, 7, 8, 0xff].flatMap((kind) =>
        twice(`kind ${kind}`, (d, { first }) => [d(first, 0, 1, 0, kind)])
      ),
      ...[0x01, 0x40, 0x80].flatMap((flags) =>
        twice(`flags ${flags}`, (d, { first }) => [d(first, 0, 1, flags)])
      ),
      attack(
        "a gap in a stream of bytes",
        ({ first }) => [data(first, 0, 1), record(14, first, 1, 1)],
      ),
      attack(
        "bytes on a stream that had a gap",
        ({ first }) => [record(14, first, 0, 1), data(first, 1, 1)],
      ),
      // The first byte of a message is its length, 97.
      ...twice("the end inside of a message", (d, { first }) => [d(first, 0, 9, END, 4)]),
      attack("no offset", ({ first }) => [frame(3, "00", 0, first)]),
      attack("no payload", ({ first }) => [frame(3, "", 0, first)]),
    ]),
  );
  book.refuses(
    25,
    "datagram-size",
    "datagrams and custom frames above max_datagram, or where none are taken",
    tests(EVERYWHERE, [
      attack("DATA", () => [frame(1, bytes(101))]),
      attack("DATAGRAM", () => [frame(2, `1100${varint(101)}${bytes(101)}`)]),
      attack("a custom frame", () => [frame(0x80, bytes(101))]),
      attack("an empty DATA where none are taken", () => [frame(1, "")], { max_datagram: 0 }),
      attack("an empty custom frame where none are taken", () => [frame(0xff, "")], {
        max_datagram: 0,
      }),
    ]),
  );
  return book.rules;
}
