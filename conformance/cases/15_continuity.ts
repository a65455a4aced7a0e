/** SPEC 15.3 and 15.4: what goes on from session to session. @module */
import type { Json, JsonObject } from "../protocol.ts";
import { hex } from "../twin/bytes.ts";
import { blockOf } from "../twin/continuity.ts";
import { encodeFields, type Field, type Fields, without } from "../twin/messages.ts";
import { type Rule, RuleBook, type RuleTest, sample, test } from "./rule.ts";

const int = (value: number | string): Field => ({ int: String(value) });
const ints = (...values: number[]): Field => ({ list: values.map(int) });
const text = (value: string): Field => ({ text: value });
const bool = (value: boolean): Field => ({ bool: value });
const MOST = "9007199254740991";

const WORD: Fields = { received: int(9), confirmed: int(7), ended: bool(false), kept: int(0) };
const GREETING: Fields = {
  stt: text("continuity"),
  live: ints(1, 3),
  next: int(5),
  aborted: ints(2, 256),
  keep: int(65_536),
};
const OPENING: Fields = {
  stream: int(1),
  name: text("log"),
  one_way: bool(false),
  first: bool(true),
  ...WORD,
};
const CONFIRM: Fields = { confirm: ints(1, 100, 0, 4, 7, 1) };

function reading(kind: string, comment: string, fields: Fields): RuleTest {
  return test(comment, "continuity.read", { kind, hex: hex(blockOf(fields)) });
}

function writing(kind: string, comment: string, block: JsonObject): RuleTest {
  return test(comment, "continuity.write", { kind, block });
}

/** The block without one key, and with other values of it. */
function broken(
  kind: string,
  whole: Fields,
  values: Readonly<Record<string, Field[]>>,
): RuleTest[] {
  return Object.entries(values).flatMap(([key, wrong]) => [
    reading(kind, `no ${key}`, without(whole, key)),
    ...wrong.map((value) =>
      reading(kind, `${key} ${JSON.stringify(value)}`, { ...whole, [key]: value })
    ),
  ]);
}

const NO_COUNT: Field[] = [int(-1), int("9007199254740992"), text("1"), bool(true)];

export function continuityRules(): Rule[] {
  const book = new RuleBook("15.4");
  greetings(book);
  carriers(book);
  controls(book);
  blocks(book);
  senders(book);
  return book.rules;
}

function greetings(book: RuleBook): void {
  const many = Array.from({ length: 256 }, (_, i) => 2 * i + 1);
  book.accepts(1, "greeting", "greetings", [
    reading("greeting", "as it may be", GREETING),
    reading("greeting", "nothing lives", { ...GREETING, live: ints(), aborted: ints() }),
    reading("greeting", "256 live", { ...GREETING, live: ints(...many), next: int(513) }),
    reading("greeting", "an unknown key", { ...GREETING, zone: text("x") }),
    reading("greeting", "the largest numbers", {
      ...GREETING,
      live: ints(0xffffffff),
      next: int(MOST),
      keep: int(MOST),
    }),
    writing("greeting", "written", { live: [1], next: 3, aborted: [[2, 256]], keep: 4_194_304 }),
  ]);
  book.refuses(2, "greeting-malformed", "no greetings", [
    reading("greeting", "another service", { ...GREETING, stt: text("file") }),
    ...broken("greeting", GREETING, {
      stt: [int(1)],
      live: [ints(0), ints(-1), ints(2 ** 32), int(1), ints(...many, 513), { list: [text("1")] }],
      next: NO_COUNT,
      aborted: [ints(1), ints(1, 2, 3), ints(0, 256), ints(1, -1), ints(...many), int(1)],
      keep: NO_COUNT,
    }),
  ]);
}

function carriers(book: RuleBook): void {
  book.accepts(3, "carrier", "openings of carriers, and answers", [
    reading("opening", "as it may be", OPENING),
    reading("opening", "a name of 255 bytes", { ...OPENING, name: text("é".repeat(127) + "x") }),
    reading("opening", "all confirmed", { ...OPENING, confirmed: int(9), ended: bool(true) }),
    reading("opening", "an unknown key", { ...OPENING, zone: int(1) }),
    reading("answer", "as it may be", WORD),
    reading("answer", "given up", { abort: int(0x181) }),
    writing("opening", "written", {
      stream: 2,
      name: "",
      one_way: true,
      first: false,
      received: 0,
      confirmed: 0,
      ended: true,
      kept: 12,
    }),
    writing("answer", "written", { received: 5, confirmed: 4, ended: false, kept: 3 }),
    writing("answer", "written: given up", { abort: 385 }),
  ]);
  const word = {
    received: [...NO_COUNT, int(6)],
    confirmed: [...NO_COUNT, int(10)],
    ended: [bool(true), int(0)],
    kept: NO_COUNT,
  };
  book.refuses(4, "carrier-malformed", "no openings, and no answers", [
    ...broken("opening", OPENING, {
      stream: [int(0), int(2 ** 32), text("1")],
      name: [text("é".repeat(128)), int(1)],
      one_way: [int(1)],
      first: [int(1)],
      ...word,
    }),
    ...broken("answer", WORD, word),
    reading("answer", "given up with no code", { abort: text("x") }),
  ]);
}

function controls(book: RuleBook): void {
  book.accepts(5, "control", "blocks of the control stream", [
    reading("control", "confirm", CONFIRM),
    reading("control", "confirm nothing", { confirm: ints() }),
    reading("control", "done", { done: ints(1, 3) }),
    reading("control", "abort", { abort: ints(2, 256) }),
    reading("control", "aborted", { aborted: int(2) }),
    reading("control", "bye", { bye: bool(true) }),
    reading("control", "nothing that is known", { news: int(1) }),
    reading("control", "an empty dict", {}),
    writing("control", "confirm, written", {
      type: "confirm",
      confirmations: [{ stream: 1, offset: 10, ended: false }, {
        stream: 2,
        offset: 0,
        ended: true,
      }],
    }),
    writing("control", "done, written", { type: "done", streams: [1] }),
    writing("control", "abort, written", { type: "abort", stream: 1, code: 4660 }),
    writing("control", "aborted, written", { type: "aborted", stream: 1 }),
    writing("control", "bye, written", { type: "bye" }),
  ]);
  const wrong: readonly Fields[] = [
    { confirm: ints(1, 2) },
    { confirm: ints(0, 2, 0) },
    { confirm: ints(1, -2, 0) },
    { confirm: ints(1, 2, 2) },
    { confirm: int(1) },
    { done: ints(0) },
    { done: int(1) },
    { abort: ints(1) },
    { abort: ints(0, 256) },
    { abort: int(1) },
    { aborted: int(0) },
    { aborted: ints(1) },
  ];
  book.refuses(
    6,
    "control-malformed",
    "no blocks of the control stream",
    wrong.map((fields) => reading("control", JSON.stringify(fields), fields)),
  );
}

function blocks(book: RuleBook): void {
  const whole = hex(blockOf(CONFIRM));
  const raw = (comment: string, bytes: string): RuleTest =>
    test(comment, "continuity.read", { kind: "control", hex: bytes });
  book.accepts(7, "block", "a block ends where its length says", [
    raw("bytes behind it", whole + "ff00"),
  ]);
  const value = hex(encodeFields(CONFIRM));
  book.refuses(8, "block-malformed", "no blocks", [
    raw("nothing yet", ""),
    raw("half a length", "80"),
    raw("a byte is missing", whole.slice(0, -2)),
    raw("a length above 4096", "8120" + "00".repeat(4097)),
    raw("a length in three bytes", "808001"),
    raw("a length with a leading zero", "8000"),
    raw("no value", "0100".slice(0, 2) + "99"),
    raw("a list", "0540" + "00000000"),
    raw("a byte behind the dict", hexLength(value.length / 2 + 1) + value + "00"),
    raw(
      "an integer wider than it needs to be",
      hexLength(20) + "4100000001310000000462796531".slice(0, 26) + "110001",
    ),
    reading("control", "nested 3 deep", { confirm: { list: [{ list: [] }] } }),
  ]);
}

const hexLength = (length: number): string => length.toString(16).padStart(2, "0");

type Event = Readonly<Record<string, Json>>;

const attach = (received: number, confirmed = received, ended = false): Event => ({
  attach: { received, confirmed, ended },
});
const take: Event = { take: 100 };
const write = (bytes: string): Event => ({ write: bytes });

function sending(comment: string, events: readonly Event[], lost = false): RuleTest {
  return test(comment, "continuity.sender", { lost, events });
}

function senders(book: RuleBook): void {
  const begun = [attach(0), write("000102030405060708"), take];
  book.accepts(9, "goes-on", "a sender goes on where its receiver is", [
    sending("one session", [...begun, { end: true }, take, { confirm: [9, true] }]),
    sending("another session", [...begun, { detach: true }, take, attach(6, 4), take]),
    sending("pieces", [
      ...begun,
      { detach: true },
      attach(2),
      { take: 3 },
      { take: 3 },
      take,
      take,
    ]),
    sending("the receiver came back to its confirmation", [
      ...begun,
      { confirm: [3, false] },
      { detach: true },
      attach(7, 3),
      { detach: true },
      attach(3),
      take,
    ]),
    sending("the end again", [
      ...begun,
      { end: true },
      take,
      { detach: true },
      attach(9),
      take,
      take,
    ]),
    sending("after a crash", [attach(6, 4), write("0405"), take, write("060708"), take], true),
    sending("after a crash, cut before it has caught up", [
      attach(6, 4),
      write("04"),
      { detach: true },
      attach(6, 5),
      write("0506"),
      take,
    ], true),
    sending("after a crash, confirmed before it has caught up", [
      attach(6, 2),
      write("02"),
      { confirm: [5, false] },
      write("03040506"),
      take,
      { end: true },
      take,
    ], true),
    sending("after a crash behind the end", [attach(6, 6, true), take, take], true),
  ]);
  book.refuses(10, "impossible", "a receiver that says what cannot be", [
    sending("more received than written", [...begun, { detach: true }, attach(10)]),
    sending("more confirmed than received", [...begun, { detach: true }, attach(5, 6)]),
    sending("more confirmed than written", [...begun, { confirm: [10, false] }]),
    sending("more confirmed than was sent", [attach(0), write("0001"), { confirm: [1, false] }]),
    sending("more received than was sent", [
      attach(0),
      write("0001"),
      { detach: true },
      attach(1),
    ]),
    sending("more confirmed than received and sent since", [
      ...begun,
      { detach: true },
      attach(5),
      { confirm: [6, false] },
    ]),
    sending("the end, which was written and not sent", [
      ...begun,
      { end: true },
      { confirm: [9, true] },
    ]),
    sending("the end, which was not sent", [...begun, { confirm: [9, true] }]),
    sending("the end before everything", [...begun, { end: true }, take, { confirm: [8, true] }]),
    sending("the end of nothing", [attach(0, 0, true)]),
  ]);
  book.refuses(11, "gone", "bytes that are wanted and gone", [
    sending("below what was confirmed", [
      ...begun,
      { confirm: [5, false] },
      { detach: true },
      attach(4),
    ]),
    sending("after a crash, below what was confirmed since", [
      attach(5, 4),
      { detach: true },
      attach(3),
    ], true),
    sending("another stream, shorter than the one before the crash", [
      attach(6, 4),
      write("04"),
      { end: true },
    ], true),
  ]);
}

export function storedRules(): Rule[] {
  const book = new RuleBook("15.3");
  const bytes = (label: string, length: number): Field => ({ bytes: sample(label, length) });
  const session: Fields = {
    version: int(1),
    id: bytes("continuity", 16),
    node: bytes("node", 32),
    seed: bytes("seed name", 8),
    tickets: { list: [{ list: [bytes("id", 16), bytes("secret", 32), int("1731000000000")] }] },
    next: int(5),
    streams: { list: [{ list: [int(1), text("log"), bool(true), int(70_000), bool(false)] }] },
    aborted: { list: [{ list: [int(2), int(256)] }] },
  };
  const none = { list: [] };
  const open = (comment: string, fields: Fields): RuleTest =>
    test(comment, "continuity.stored", { hex: hex(encodeFields(fields)) });
  book.accepts(1, "stored", "what is kept of a continuity", [
    open("as it may be", session),
    open("nothing in it", { ...session, tickets: none, streams: none, aborted: none }),
  ]);
  const wrong: Readonly<Record<string, Field[]>> = {
    version: [int(2)],
    id: [bytes("x", 15), int(1)],
    node: [bytes("x", 31)],
    seed: [bytes("x", 9)],
    tickets: [
      int(1),
      { list: [int(1)] },
      { list: [{ list: [bytes("id", 16), bytes("secret", 31), int(1)] }] },
      { list: [{ list: [bytes("id", 16), bytes("secret", 32), int(-1)] }] },
    ],
    next: [int(-1), text("5")],
    streams: [
      { list: [{ list: [int(1), int(2), bool(true), int(0), bool(false)] }] },
      { list: [{ list: [int(1), text(""), int(1), int(0), bool(false)] }] },
      { list: [{ list: [int(1), text(""), bool(true), int(-1), bool(false)] }] },
      { list: [{ list: [int(1), text(""), bool(true), int(0)] }] },
    ],
    aborted: [ints(2, 256), { list: [ints(2)] }],
  };
  book.refuses(
    2,
    "stored-malformed",
    "what is none",
    Object.entries(wrong).flatMap(([key, values]) => [
      open(`no ${key}`, without(session, key)),
      ...values.map((value) =>
        open(`${key} ${JSON.stringify(value).slice(0, 60)}`, {
          ...session,
          [key]: value,
        })
      ),
    ]),
  );
  return book.rules;
}
