import { test } from "node:test";
import assert from "node:assert/strict";
import { countedLine, parseCountedLine, readJunit, readNodeEvents } from "./test_report.ts";
import { skipReasons, skipTexts } from "./skip_reasons.ts";

test("a JUnit report counts leaves, and a parent only when its own body failed", () => {
  const counts = readJunit(`<?xml version="1.0"?>
<testsuites name="deno test" tests="7" failures="3" errors="0">
  <testsuite name="./src/a_test.ts" tests="7" disabled="1" errors="0" failures="3">
    <testcase name="plain &amp; &quot;quoted&quot;" classname="./src/a_test.ts" time="0.001" line="3">
    </testcase>
    <testcase name="parent" classname="./src/a_test.ts" time="0.001">
    </testcase>
    <testcase name="parent &gt; child" classname="./src/a_test.ts" time="0.000">
    </testcase>
    <testcase name="parent &gt; later" classname="./src/a_test.ts" time="0.000">
      <skipped/>
    </testcase>
    <testcase name="sub" classname="./src/a_test.ts" time="0.002">
      <failure message="1 test step failed">1 test step failed.</failure>
    </testcase>
    <testcase name="sub &gt; bad" classname="./src/a_test.ts" time="0.002">
      <failure message="Uncaught x">&lt;testcase name="fake"&gt;</failure>
    </testcase>
    <testcase name="own" classname="./src/a_test.ts" time="0.002">
      <failure message="Uncaught y">y</failure>
    </testcase>
    <testcase name="own &gt; good" classname="./src/a_test.ts" time="0.002"/>
  </testsuite>
</testsuites>`);
  assert.equal(counts.passed, 3);
  assert.deepEqual(counts.failures, ["src/a_test.ts: sub > bad", "src/a_test.ts: own"]);
  assert.equal(counts.failed, 2);
  assert.deepEqual(counts.skipped, [
    { file: "src/a_test.ts", name: "parent > later", reason: "" },
  ]);
});

test("Node's events count the same way", () => {
  const event = (outcome: string, name: string, nesting: number, more = {}): string =>
    JSON.stringify({
      outcome,
      file: "a.js",
      name,
      nesting,
      skip: false,
      todo: false,
      failureType: "",
      ...more,
    });
  const counts = readNodeEvents([
    event("pass", "plain", 0),
    event("pass", "child", 1),
    event("pass", "later", 1, { skip: "no IPv6" }),
    event("pass", "parent", 0),
    event("fail", "bad", 1, { failureType: "testCodeFailure" }),
    event("fail", "sub", 0, { failureType: "subtestsFailed" }),
    event("pass", "good", 1),
    event("fail", "own", 0, { failureType: "testCodeFailure" }),
    event("pass", "undone", 0, { todo: true }),
    event("pass", "a.js", 0),
    "",
  ].join("\n"));
  assert.equal(counts.passed, 3);
  assert.deepEqual(counts.failures, ["a.js: bad", "a.js: own"]);
  assert.deepEqual(counts.skipped.map(({ name, reason }) => [name, reason]), [
    ["later", "no IPv6"],
    ["undone", ""],
  ]);
});

test("the counted line reads back", () => {
  assert.deepEqual(parseCountedLine(countedLine(12, 0, 3)), { passed: 12, failed: 0, skipped: 3 });
  assert.equal(parseCountedLine("12 passed"), undefined);
});

test("skip reasons are found through constants and conditions", () => {
  const reasons = skipReasons(`
    const noIpv6 = hasIpv6() ? false : "this machine has no IPv6";
    test("a", { skip: "written out" }, () => {});
    test("b", { skip: noIpv6 }, () => {});
    const skip = isRoot && "root may read everything";
    test("c", { skip }, () => {});
    for (const name of names) test(name, { skip: big ? "too big" : false }, () => {});
    test("d", { skip: false }, () => {});
  `);
  assert.deepEqual([...reasons], [
    ["a", "written out"],
    ["b", "this machine has no IPv6"],
    ["c", "root may read everything"],
    ["", "too big"],
  ]);
});

test("skip texts are found in objects that are no argument of a test", () => {
  const source =
    'return ok ? {} : { skip: `no openssl: ${message}` }; f({ a: { skip: "no IPv6" } });';
  assert.deepEqual(skipTexts(source), ["no openssl: ${message}", "no IPv6"]);
});
