/** SPEC 9 and 10: an authenticated peer whose frames, records and acknowledgements are wrong. @module */
import {
  attack,
  bytes,
  EVERYWHERE,
  frame,
  PING,
  record,
  RELIABLE,
  tests,
  UDP,
  varint,
} from "./session_frames.ts";
import type { PeerFrame } from "../twin/session.ts";
import { type Rule, RuleBook } from "./rule.ts";

export function recordAttackRules(): Rule[] {
  const book = new RuleBook("9");
  book.refuses(
    20,
    "frames-in-session",
    "frame types, flags and CONTROL frames that no session has",
    tests(EVERYWHERE, [
      ...[0, 4, 6, 0x40, 0x7f].map((type) => attack(`type ${type}`, () => [frame(type, "00")])),
      ...[0x01, 0x40, 0x80].map((
        flags,
      ) => attack(`DATA with flags ${flags}`, () => [frame(1, "00", flags)])),
      ...[0x01, 0x02, 0x10].map((
        flags,
      ) => attack(`CONTROL with flags ${flags}`, () => [frame(2, "00", flags)])),
      attack("CONTROL on a stream", () => [frame(2, "00", 0, 1)]),
      attack("an empty CONTROL frame", () => [frame(2, "")]),
      attack("an unknown record", () => [frame(2, "12")]),
      attack("an unknown record behind a known one", () => [frame(2, "000b")]),
      attack("a record that is cut", () => [frame(2, "01010203")]),
      attack("KEY_ROTATION of the next epoch", () => [record(4, 1)]),
      attack("KEY_ROTATION of a far epoch", () => [record(4, 2n ** 53n - 1n)]),
    ]),
  );
  book.refuses(
    21,
    "frame-size",
    "a frame above max_frame ends a reliable session",
    tests(RELIABLE, [
      attack("one byte", () => [frame(2, "00".repeat(1200 - 47))], { max_frame: 1200 }),
    ]),
  );
  book.accepts(
    22,
    "harmless",
    "records that inform or ask for nothing, and everything behind SESSION_CLOSE",
    tests(EVERYWHERE, [
      attack("answers that nobody asked for", () => [
        frame(2, "02" + bytes(8)),
        frame(2, "0d" + bytes(8)),
        PING,
      ]),
      attack("a path challenge, and the same again", () => [
        frame(2, "0c" + bytes(8)),
        frame(2, ("0c" + bytes(8)).repeat(50)),
        PING,
      ]),
      attack("ERROR", ({ own }) => [
        frame(2, "06" + varint(0) + varint(1) + "00"),
        frame(2, "06" + varint(own) + varint(0x1000) + "0161"),
        PING,
      ]),
      attack("padding alone", () => [frame(2, "00".repeat(1000)), PING]),
      attack("a custom frame with all flags", () => [frame(0x80, "00", 0xff, 2 ** 32 - 1), PING]),
      attack("records behind SESSION_CLOSE", () => [frame(2, "05000012"), frame(2, "12")]),
    ]),
  );
  return book.rules;
}

export function ackAttackRules(): Rule[] {
  const book = new RuleBook("10");
  const ack = (largest: number | bigint, run: number | bigint = 0): PeerFrame =>
    record(7, largest, 0, 0, run);
  book.refuses(
    1,
    "ack-of-nothing",
    "an ACK of a sequence that was never sent is PROTOCOL",
    tests(UDP, [
      attack("far ahead", () => [ack(2n ** 40n)]),
      attack("the last sequence there is", () => [ack(2n ** 53n - 1n)]),
      attack("everything there is", () => [ack(2n ** 53n - 1n, 2n ** 53n - 1n)]),
      attack(
        "far ahead, behind a range",
        () => [frame(2, "07" + varint(2n ** 40n) + "000100" + varint(2n ** 40n - 3n) + "00")],
      ),
    ]),
  );
  book.refuses(
    2,
    "ack-reliable",
    "ACK on a reliable transport is PROTOCOL",
    tests(RELIABLE, [
      attack("of the first frame", () => [ack(0)]),
      attack("far ahead", () => [ack(2n ** 40n)]),
    ]),
  );
  book.refuses(
    3,
    "ack-below-zero",
    "ranges that pass below 0, and too many of them",
    tests(EVERYWHERE, [
      attack("the first run", () => [ack(5, 6)]),
      attack("a gap", () => [frame(2, "0705000100" + varint(4) + "00")]),
      attack(
        "33 more runs",
        () => [frame(2, "07" + varint(200) + "00" + varint(33) + "00" + "0000".repeat(33))],
      ),
    ]),
  );
  return book.rules;
}
