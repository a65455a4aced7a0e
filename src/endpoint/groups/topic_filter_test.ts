import { test } from "node:test";
import assert from "node:assert/strict";
import { toHex } from "../../codec/hex.ts";
import { encodeValue, type SttValue } from "../../codec/values.ts";
import { filterFault, matchesTopic, topicFault } from "./topic_filter.ts";
import { decodeMessage, decodeSubscription, encodeMessage, encodeSubscription } from "./wire.ts";

test("filters match level by level", () => {
  const matching: [string, string][] = [
    ["a", "a"],
    ["a/b", "a/b"],
    ["+", "a"],
    ["+/b", "a/b"],
    ["a/+/c", "a/b/c"],
    ["a/+", "a/"],
    ["+/+", "/"],
    ["#", "a"],
    ["#", "a/b/c"],
    ["a/#", "a"],
    ["a/#", "a/b/c"],
    ["a/+/#", "a/b"],
    ["/", "/"],
    ["é/+", "é/x"],
  ];
  for (const [filter, topic] of matching) assert.equal(matchesTopic(filter, topic), true, filter);
  const others: [string, string][] = [
    ["a", "b"],
    ["a", "A"],
    ["a", "a/b"],
    ["a/b", "a"],
    ["+", "a/b"],
    ["a/+", "a"],
    ["a/+", "a/b/c"],
    ["a/+/#", "a"],
    ["a/#", "b"],
    ["a", "a/"],
    ["a/#", "ab"],
  ];
  for (const [filter, topic] of others) assert.equal(matchesTopic(filter, topic), false, filter);
});

test("what is no topic or filter is refused", () => {
  for (const topic of ["", "a/+", "#", "a#", "x".repeat(256), "a\u0000", "\ud800"]) {
    assert.notEqual(topicFault(topic), undefined, topic);
    assert.throws(() => matchesTopic("#", topic), { code: "CONFIG" });
  }
  for (const filter of ["", "#/a", "a#", "a/b#", "+a", "a/+b", "a\n", "x".repeat(256)]) {
    assert.notEqual(filterFault(filter), undefined, filter);
    assert.throws(() => matchesTopic(filter, "a"), { code: "CONFIG" });
  }
});

test("subscriptions and messages survive the wire", () => {
  const filters = ["a/+", "#"];
  assert.deepEqual(decodeSubscription(encodeSubscription(filters)), filters);
  for (const dropped of [0, 1, 2 ** 53 - 1]) {
    const message = { topic: "a/b", data: Uint8Array.of(1, 2), dropped };
    assert.deepEqual(decodeMessage(encodeMessage(message)), message);
  }
  assert.equal(
    toHex(encodeMessage({ topic: "a", data: new Uint8Array(0), dropped: 0 })),
    "4100000002" + "310000000464617461" + "3000000000" + "3100000005746f706963" + "310000000161",
  );
  assert.throws(() => encodeSubscription([]), { code: "CONFIG" });
  assert.throws(() => encodeSubscription(Array(33).fill("a")), { code: "CONFIG" });
  assert.throws(() => encodeMessage({ topic: "+", data: new Uint8Array(0), dropped: 0 }), {
    code: "CONFIG",
  });
});

test("malformed subscriptions and messages are PROTOCOL", () => {
  const value = (fields: Record<string, SttValue>): Uint8Array =>
    encodeValue(new Map(Object.entries(fields)));
  for (
    const fields of [
      {},
      { filters: "a" },
      { filters: [] },
      { filters: [1] },
      { filters: ["#/a"] },
      {
        filters: Array(33).fill("a"),
      },
    ] as Record<string, SttValue>[]
  ) assert.throws(() => decodeSubscription(value(fields)), { code: "PROTOCOL" });
  const good = { topic: "a", data: new Uint8Array(0) };
  for (
    const fields of [
      { topic: "a" },
      { data: good.data },
      { ...good, topic: 1 },
      { ...good, topic: "#" },
      { ...good, data: "x" },
      { ...good, dropped: -1 },
      { ...good, dropped: "1" },
    ] as Record<string, SttValue>[]
  ) assert.throws(() => decodeMessage(value(fields)), { code: "PROTOCOL" });
  for (const bytes of [new Uint8Array(0), Uint8Array.of(0x41), encodeValue([])]) {
    assert.throws(() => decodeMessage(bytes), { code: "PROTOCOL" });
    assert.throws(() => decodeSubscription(bytes), { code: "PROTOCOL" });
  }
});
