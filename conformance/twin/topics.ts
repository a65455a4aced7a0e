/** SPEC 12.13: topics, filters, and what subscribers and publishers say. @module */
import { hex, Refusal, unhex, writeUtf8 } from "./bytes.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";
import { SAFE_MAX } from "./varint.ts";

type Arguments = ReturnType<typeof JSON.parse>;

function checkText(text: string): void {
  const size = writeUtf8(text)?.length ?? 0;
  if (size < 1 || size > 255) throw new Refusal("PROTOCOL");
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) throw new Refusal("PROTOCOL");
  }
}

function checkTopic(topic: string): void {
  checkText(topic);
  if (topic.includes("+") || topic.includes("#")) throw new Refusal("PROTOCOL");
}

function checkFilter(filter: string): void {
  checkText(filter);
  const levels = filter.split("/");
  const wild = levels.slice(0, levels.at(-1) === "#" ? -1 : undefined).filter((one) => one !== "+");
  if (wild.some((one) => one.includes("+") || one.includes("#"))) throw new Refusal("PROTOCOL");
}

/** By what is left of both. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  const [level, ...further] = filter;
  if (level === undefined) return topic.length === 0;
  if (level === "#") return true;
  const [first, ...rest] = topic;
  return first !== undefined && (level === "+" || level === first) && matches(further, rest);
}

function dict(text: string): Map<string, Typed> {
  let value: Typed;
  try {
    value = decodeValue(unhex(text), { canonical: true, maxDepth: 4, maxEntries: 32 });
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("PROTOCOL");
    throw error;
  }
  if (value.t !== "dict") throw new Refusal("PROTOCOL");
  return new Map(value.entries);
}

export function subscription(filters: readonly string[]): string {
  const list: Typed = { t: "list", v: filters.map((v): Typed => ({ t: "str", v })) };
  return hex(encodeValue({ t: "dict", entries: [["filters", list]] }));
}

export function message(topic: string, data: string, dropped: string): string {
  const entries: [string, Typed][] = [["topic", { t: "str", v: topic }], [
    "data",
    { t: "bytes", hex: data },
  ]];
  if (dropped !== "0") entries.push(["dropped", { t: "int", v: dropped }]);
  return hex(encodeValue({ t: "dict", entries }));
}

export const TWIN_TOPIC_OPS: Readonly<Record<string, (a: Arguments) => Record<string, unknown>>> = {
  "topic.match": (a) => {
    checkFilter(a.filter);
    checkTopic(a.topic);
    return { matches: matches(a.filter.split("/"), a.topic.split("/")) };
  },
  "topic.subscription.encode": (a) => ({ hex: subscription(a.filters) }),
  "topic.subscription.decode": (a) => {
    const list = dict(a.hex).get("filters");
    if (list?.t !== "list" || list.v.length < 1) throw new Refusal("PROTOCOL");
    const filters = list.v.map((one) => {
      if (one.t !== "str") throw new Refusal("PROTOCOL");
      checkFilter(one.v);
      return one.v;
    });
    return { filters };
  },
  "topic.message.encode": (a) => ({ hex: message(a.topic, a.data, a.dropped) }),
  "topic.message.decode": (a) => {
    const fields = dict(a.hex);
    const [topic, data] = [fields.get("topic"), fields.get("data")];
    if (topic?.t !== "str" || data?.t !== "bytes") throw new Refusal("PROTOCOL");
    checkTopic(topic.v);
    const dropped = fields.get("dropped") ?? { t: "int", v: "0" } as const;
    if (dropped.t !== "int" || BigInt(dropped.v) < 0n || BigInt(dropped.v) > SAFE_MAX) {
      throw new Refusal("PROTOCOL");
    }
    return { topic: topic.v, data: data.hex, dropped: dropped.v };
  },
};
