import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import type { CliIo, CliOutput } from "./io.ts";
import { progressBar, progressLine } from "./progress.ts";
import { RejectLog } from "./reject_log.ts";
import { Report } from "./report.ts";
import {
  clip,
  formatBytes,
  formatDuration,
  formatRate,
  printable,
  textWidth,
  wrapped,
} from "./text.ts";

test("printable text cannot move the cursor or pretend to be another line", () => {
  assert.equal(printable("a\x1b[2Jb\r\nc\x7f\x9b"), "a\\x1b[2Jb\\x0d\\x0ac\\x7f\\x9b");
  assert.equal(printable("x\u202egpj\u061c"), "x\\u202egpj\\u061c");
  assert.equal(printable("\ud800"), "\\ud800");
  assert.equal(printable("\u00fcber \u{1f4c4}"), "\u00fcber \u{1f4c4}");
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert(!/[\p{Cc}\u2028\u2029\u202e]/u.test(printable(text)));
  }));
});

test("sizes, rates and durations read well", () => {
  const sizes: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.0 kB"],
    [1536, "1.5 kB"],
    [99_949, "99.9 kB"],
    [99_951, "100 kB"],
    [999_499, "999 kB"],
    [999_500, "1.0 MB"],
    [2 ** 30, "1.1 GB"],
    [Number.MAX_SAFE_INTEGER, "9.0 PB"],
  ];
  for (const [bytes, text] of sizes) assert.equal(formatBytes(bytes), text);
  assert.equal(formatRate(5_000_000, 1000), "5.0 MB/s");
  const durations: [number, string][] = [
    [0.418, "0.42 ms"],
    [12.4, "12 ms"],
    [3500, "3.5 s"],
    [59_940, "59.9 s"],
    [59_960, "1:00 min"],
    [125_000, "2:05 min"],
  ];
  for (const [ms, text] of durations) assert.equal(formatDuration(ms), text);
});

test("clipping counts wide characters twice and marks the cut", () => {
  assert.equal(clip("short", 10), "short");
  assert.equal(clip("abcdef", 4), "abc\u2026");
  assert.equal(clip("\u65e5\u672c\u8a9e", 4), "\u65e5\u2026");
  assert.equal(clip("abc", 0), "");
});

test("lines are broken at spaces, and words that are too long where they stand", () => {
  assert.deepEqual(wrapped("one two three", 7), ["one two", "three"]);
  assert.deepEqual(wrapped("one two three", 6), ["one", "two", "three"]);
  assert.deepEqual(wrapped("\u6f22\u5b57 \u6f22\u5b57 x", 9), ["\u6f22\u5b57 \u6f22\u5b57", "x"]);
  assert.deepEqual(wrapped("a much-too-long-word bcdefg h", 9), [
    "a much-too-long-word bcdefg",
    "h",
  ]);
  assert.deepEqual(wrapped("", 9), [""]);
  fc.assert(fc.property(fc.string(), fc.integer({ min: 1, max: 20 }), (text, width) => {
    assert.equal(wrapped(text, width).join(" "), text);
  }));
});

test("on a terminal long lines are broken between words, in a log they are whole", () => {
  const long = `peer ${"0".repeat(64)} from udp://127.0.0.1:60186`;
  for (const isTty of [true, false]) {
    let text = "";
    const output: CliOutput = {
      isTty,
      columns: 80,
      text: (more) => (text += more),
      bytes: () => Promise.resolve(),
    };
    const io = { stdout: output, stderr: output } as CliIo;
    new Report(io, { json: false, quiet: false }).event("peer", {}, long);
    assert.equal(text, isTty ? `${long.replace(" udp", "\n  udp")}\n` : `${long}\n`);
  }
});

test("a progress bar is one line within the columns", () => {
  const half = { name: "a.bin", bytes: 50, size: 100, elapsedMs: 1000 };
  // The rate and what is left of the time are those of the bytes that travel.
  assert.match(progressBar({ ...half, resumed: 30 }, 80), / 50% .* 20 B\/s {2}ETA 2\.5/);
  assert.match(progressLine({ ...half, resumed: 50 }), /: 50%, .*, 0 B\/s$/);
  const bar = progressBar({ name: "a.bin", bytes: 50, size: 100, elapsedMs: 1000 }, 80);
  assert.match(bar, /^a\.bin \[#{16,20}-{16,20}\] +50% +50 B +50 B\/s +ETA 1\.0 s$/);
  fc.assert(fc.property(
    fc.string({ unit: "binary" }),
    fc.nat(2 ** 31),
    fc.option(fc.nat(2 ** 31), { nil: null }),
    fc.integer({ min: 1, max: 10 ** 9 }),
    fc.integer({ min: 1, max: 200 }),
    (name, bytes, size, elapsedMs, columns) => {
      const line = progressBar({ name, bytes, size, elapsedMs }, columns);
      assert(textWidth(line) <= columns, `${textWidth(line)} in ${columns}: ${line}`);
      assert(!/\p{Cc}/u.test(line));
    },
  ));
  assert.equal(
    progressLine({ name: "a", bytes: 1e6, size: 4e6, elapsedMs: 500 }),
    "a: 25%, 1.0 MB of 4.0 MB, 2.0 MB/s",
  );
});

function gather(isTty: boolean): { readonly io: CliIo; readonly text: () => string } {
  let text = "";
  const output: CliOutput = {
    isTty,
    columns: 60,
    text: (part) => {
      text += part;
    },
    bytes: () => Promise.resolve(),
  };
  let now = 0;
  const io: CliIo = {
    stdout: output,
    stderr: output,
    stdin: {
      isTty,
      bytes: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
      }),
      hiddenLine: () => Promise.resolve(null),
      keys: () => () => undefined,
      release: () => undefined,
    },
    env: {},
    now: () => now += 60,
    onSignal: () => () => undefined,
    exit: () => undefined,
  };
  return { io, text: () => text };
}

test("the bar is drawn on a terminal ten times a second at most, and cleared before a line", () => {
  const { io, text } = gather(true);
  const report = new Report(io, { json: false, quiet: false });
  const progress = report.progress();
  for (let bytes = 0; bytes <= 100; bytes += 10) {
    progress({ name: "x", bytes, size: 100, resumed: 0 });
  }
  report.event("sent", {}, "sent x");
  assert.equal(text().split("\r").length - 1, 6);
  assert(text().endsWith("\r\x1b[Ksent x\n"));
});

test("without a terminal there are lines, and with --quiet neither", () => {
  const plain = gather(false);
  const progress = new Report(plain.io, { json: false, quiet: false }).progress();
  for (let step = 0; step < 200; step++) {
    progress({ name: "x", bytes: step, size: 200, resumed: 0 });
  }
  assert.match(plain.text(), /^x: \d+%, \d+ B of 200 B, [^\n]*\nx: /);
  assert(!plain.text().includes("\r"));
  const quiet = gather(true);
  new Report(quiet.io, { json: false, quiet: true }).progress()({
    name: "x",
    bytes: 1,
    size: 1,
    resumed: 0,
  });
  assert.equal(quiet.text(), "");
});

test("rejected peers are one escaped line each, and a sum under a flood", () => {
  const { io, text } = gather(false);
  let now = 0;
  const log = new RejectLog(new Report(io, { json: false, quiet: true }), () => now);
  const noise = new SttError("PROTOCOL", "noise\n\x1b[31mstt: received everything");
  for (let peer = 0; peer < 1000; peer++) log.record("tcp://192.0.2.1:5", noise);
  now += 2000;
  log.record("tcp://192.0.2.1:5", new SttError("HANDSHAKE_TIMEOUT", "x: dropped (seed_id)"));
  log.close();
  const lines = text().trimEnd().split("\n");
  assert.equal(lines.length, 12);
  assert.equal(
    lines[0],
    "stt: rejected tcp://192.0.2.1:5: noise\\x0a\\x1b[31mstt: received everything",
  );
  assert.equal(lines[10], "stt: rejected tcp://192.0.2.1:5: it does not have the seed");
  assert.equal(lines[11], "stt: rejected 990 more peers");
});
