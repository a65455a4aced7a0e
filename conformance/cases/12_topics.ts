/** SPEC 12.13: topics. @module */
import { hex } from "../twin/bytes.ts";
import { message, subscription } from "../twin/topics.ts";
import { encodeValue, type Typed } from "../twin/values.ts";
import { type Rule, RuleBook, type RuleTest, test } from "./rule.ts";

const str = (v: string): Typed => ({ t: "str", v });
const int = (v: string): Typed => ({ t: "int", v });
const list = (...v: Typed[]): Typed => ({ t: "list", v });
const bytes: Typed = { t: "bytes", hex: "" };

const match = (filter: string, topic: string): RuleTest =>
  test(`${filter.slice(0, 20)} and ${topic.slice(0, 20)}`, "topic.match", { filter, topic });

function dict(fields: Readonly<Record<string, Typed>>): string {
  return hex(encodeValue({ t: "dict", entries: Object.entries(fields) }));
}

const subscribing = (comment: string, text: string): RuleTest =>
  test(comment, "topic.subscription.decode", { hex: text });
const publishing = (comment: string, text: string): RuleTest =>
  test(comment, "topic.message.decode", { hex: text });

const PAIRS: readonly (readonly [string, string])[] = [
  ["a", "a"],
  ["a", "b"],
  ["a", "A"],
  ["a", "a/"],
  ["a/b", "a/b"],
  ["a/b", "a"],
  ["+", "a"],
  ["+", "a/b"],
  ["+/+", "/"],
  ["a/+", "a"],
  ["a/+", "a/"],
  ["a/+/c", "a/b/c"],
  ["#", "a/b"],
  ["a/#", "a"],
  ["a/#", "ab"],
  ["a/#", "a/b/c"],
  ["a/+/#", "a"],
  ["a/+/#", "a/b"],
  ["é/+", "é/\u{1f600}"],
  ["x".repeat(255), "x".repeat(255)],
];
const FILTERS = [["a"], ["#", "a/+"], Array(32).fill("+")];
const MESSAGES = [["a", "", "0"], ["a/b", "00ff", "1"], ["é", "61", "9007199254740991"]] as const;
const NO_TOPICS = ["", "+", "a/#", "a+", "x".repeat(256), "é".repeat(128), "a\u0000", "\u0085"];
const NO_FILTERS = [
  "",
  "#/a",
  "a#",
  "a/b#",
  "+a",
  "a/+b/c",
  "##",
  "++",
  "a\u001f",
  "é".repeat(128),
];

export function topicRules(): Rule[] {
  const book = new RuleBook("12.13");
  book.accepts(
    1,
    "match",
    "filters and topics",
    PAIRS.map(([filter, topic]) => match(filter, topic)),
  );
  book.refuses(2, "topic", "what is no topic", NO_TOPICS.map((topic) => match("#", topic)));
  book.refuses(3, "filter", "what is no filter", NO_FILTERS.map((filter) => match(filter, "a")));
  book.accepts(4, "subscription", "subscriptions", [
    ...FILTERS.flatMap((filters) => [
      test(`${filters.length} filters`, "topic.subscription.encode", { filters }),
      subscribing(`${filters.length} filters`, subscription(filters)),
    ]),
    subscribing("a later key", dict({ filters: list(str("a")), later: int("1") })),
  ]);
  book.accepts(5, "message", "messages", [
    ...MESSAGES.flatMap(([topic, data, dropped]) => [
      test(topic, "topic.message.encode", { topic, data, dropped }),
      publishing(topic, message(topic, data, dropped)),
    ]),
    publishing(
      "nothing dropped, in words",
      dict({ topic: str("a"), data: bytes, dropped: int("0") }),
    ),
    publishing("a later key", dict({ topic: str("a"), data: bytes, later: int("1") })),
  ]);
  book.refuses(6, "malformed-subscription", "subscriptions that are none", [
    subscribing("nothing", ""),
    subscribing("a list", hex(encodeValue(list(str("a"))))),
    subscribing("no filters", dict({})),
    subscribing("an empty list", dict({ filters: list() })),
    subscribing("33 filters", subscription(Array(33).fill("a"))),
    subscribing("text", dict({ filters: str("a") })),
    subscribing("a filter that is no string", dict({ filters: list(str("a"), int("1")) })),
    ...NO_FILTERS.map((filter) =>
      subscribing(`filter ${filter.length}`, subscription(["a", filter]))
    ),
    subscribing("a byte behind it", `${subscription(["a"])}00`),
    subscribing("one byte short", subscription(["a"]).slice(0, -2)),
  ]);
  book.refuses(7, "malformed-message", "messages that are none", [
    publishing("nothing", ""),
    publishing("no topic", dict({ data: bytes })),
    publishing("no data", dict({ topic: str("a") })),
    publishing("a topic that is no string", dict({ topic: int("1"), data: bytes })),
    publishing("data that are text", dict({ topic: str("a"), data: str("x") })),
    ...NO_TOPICS.map((topic) => publishing(`topic ${topic.length}`, message(topic, "", "0"))),
    ...["-1", "9007199254740992"].map((dropped) =>
      publishing(`dropped ${dropped}`, message("a", "", dropped))
    ),
    publishing("dropped as text", dict({ topic: str("a"), data: bytes, dropped: str("1") })),
    publishing("a byte behind it", `${message("a", "61", "0")}00`),
    publishing("one byte short", message("a", "61", "0").slice(0, -2)),
  ]);
  return book.rules;
}
