import assert from "node:assert/strict";
import { test } from "node:test";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { pair } from "../testing/pair.ts";
import { epochKeyLog, type KeyLogEntry, keyLogLine, parseKeyLogLine } from "./key_log.ts";

const ENTRY: KeyLogEntry = {
  direction: "r2i",
  sessionId: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  epoch: 12,
  suite: 2,
  key: new Uint8Array(32).fill(0xab),
  iv: new Uint8Array(12).fill(0xcd),
};

test("a line says what it was made of", () => {
  const line = keyLogLine(ENTRY);
  const [key, iv] = ["ab".repeat(32), "cd".repeat(12)];
  assert.equal(line, `STT1_R2I 0102030405060708 12 2 ${key} ${iv}`);
  assert.deepEqual(parseKeyLogLine(`${line}\r`), ENTRY);
});

test("other lines are none", () => {
  const line = keyLogLine(ENTRY);
  for (
    const text of [
      "",
      "# a comment",
      `${line}00`,
      line.replace("R2I", "R2R"),
      line.replace(" 12 ", " 012 "),
      line.replace(" 12 ", " 9999999999999999 "),
      line.replace(" 2 ", " 3 "),
      line.toUpperCase(),
      `CLIENT_RANDOM ${"00".repeat(32)} ${"00".repeat(48)}`,
    ]
  ) assert.equal(parseKeyLogLine(text), undefined, text);
});

test("one line for each epoch and direction, and the same keys as the peer has", () => {
  const lines: string[] = [];
  const run = pair({ keyLog: (line) => lines.push(line) }).establish();
  run.b.ping();
  run.settle();
  run.a.rotateKeys();
  run.settle();
  const entries = lines.map((line) => parseKeyLogLine(line));
  assert.deepEqual(entries.map((entry) => [entry?.direction, entry?.epoch]), [
    ["i2r", 0],
    ["r2i", 0],
    ["i2r", 1],
    ["r2i", 1],
  ]);
  assert.equal(new Set(lines.map((line) => line.split(" ")[4])).size, 4, "no key twice");
});

test("a key log that throws is not called again, and the session goes on", () => {
  let calls = 0;
  const run = new DatagramPair({
    keyLog: () => {
      calls++;
      throw new Error("full disk");
    },
  });
  assert.ok(run.run(() => run.a.state === "established"));
  run.a.rotateKeys();
  run.run(() => false, 1000);
  assert.equal(run.a.state, "established");
  assert.equal(calls, 2, "once for each direction");
});

test("without a log nobody is told", () => {
  assert.equal(epochKeyLog(undefined, ENTRY, "i2r"), undefined);
});
