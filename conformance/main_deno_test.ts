import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { nobleProvider } from "../src/crypto/noble_provider.ts";
import { builtInCases } from "./cases/mod.ts";
import { loadData } from "./data/files.ts";
import { InProcess } from "./in_process.ts";
import { PeerProcess } from "./peer_process.ts";
import { SECTIONS, textReport } from "./reports.ts";
import { runCases, summarize } from "./runner.ts";

const DENO = process.execPath;
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const program = (name: string): string => `"${DENO}" run -A --no-check "${path(name)}"`;
const BROKEN = program("./broken_adapter.ts");

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function conformance(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    const all = ["run", "-A", "--no-check", path("./main.ts"), ...args];
    execFile(DENO, all, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: Number(error?.code ?? 0), stdout, stderr });
    });
  });
}

test("the adapter as a child process passes cases of every section", async () => {
  // All of them pass within the process (`deno task conformance`): here it is about the lines in between.
  const cases = [...builtInCases(), ...loadData(path("../vectors/"), false).cases]
    .filter(({ section }, index) => index % 3 === 0 || Number.parseInt(section) > 11);
  const peer = new PeerProcess(program("./adapter.ts"));
  try {
    const results = await runCases(cases.filter(({ slow }) => slow !== true), peer);
    assert.deepEqual(
      results.filter(({ verdict }) => verdict === "fail" || verdict === "not-strict"),
      [],
    );
    assert.ok(summarize(results).pass > 1500);
    assert.equal(peer.starts, 1);
  } finally {
    await peer.close();
  }
});

test("the noble provider passes what is cryptography", async () => {
  const cases = [...builtInCases(), ...loadData(path("../vectors/"), false).cases]
    .filter(({ id, section, slow }) =>
      slow !== true && /^[567]/.test(section) && /\.\d+-|cases\/[12]\/|noise/.test(id)
    )
    // Both suites, and every kind of case, but not every flipped bit: this provider is slow.
    .filter((_, index) => index % 4 === 0);
  const results = await runCases(cases, new InProcess(nobleProvider()));
  assert.ok(results.length > 250);
  assert.deepEqual(
    results.filter(({ verdict }) => verdict === "fail" || verdict === "not-strict"),
    [],
  );
});

const VARINTS = /^1\.[1-6]-/;

test("a lenient program fails", async () => {
  const peer = new PeerProcess(`${BROKEN} lenient`);
  try {
    const cases = builtInCases().filter(({ id }) => VARINTS.test(id));
    assert.ok(summarize(await runCases(cases, peer)).fail > 20);
  } finally {
    await peer.close();
  }
});

test("a wrong program fails, by the command line", async () => {
  const { code, stdout } = await conformance(
    "--impl",
    `${BROKEN} wrong`,
    "--filter",
    String(VARINTS),
    "--json",
  );
  assert.equal(code, 1);
  const { summary } = JSON.parse(stdout);
  assert.ok(summary.fail > 20);
});

test("a crash, silence or nonsense fails its case, and the program is started anew", async () => {
  const [first, second] = ["1.9-size/1", "1.9-size/2"];
  const faults: readonly [fault: string, words: RegExp, failing: string[]][] = [
    ["crash", /crashed \(exit 3\)/, [first, second]],
    ["hang", /no answer within/, [first, second]],
    ["garbage", /no JSON/, [first, second]],
    ["endless", /wrote 16777216 characters without an end of line/, [first, second]],
    // The first answer was right; what came behind it is seen by the next case.
    ["chatty", /no JSON: debug/, [second]],
  ];
  for (const [fault, words, failing] of faults) {
    const cases = builtInCases().filter(({ id }) => /^1\.(9-size\/[12]|1-encode\/[1-4])$/.test(id));
    const peer = new PeerProcess(`${BROKEN} ${fault}`, {
      timeoutMs: fault === "hang" ? 1500 : 30_000,
    });
    try {
      const results = await runCases(cases, peer);
      const failed = results.filter(({ verdict }) => verdict === "fail");
      assert.deepEqual(failed.map(({ id }) => id), failing, fault);
      for (const { detail } of failed) assert.match(detail, words);
      const passed = results.filter(({ verdict }) => verdict === "pass");
      assert.equal(passed.length, cases.length - failing.length);
      assert.equal(peer.starts, failing.length);
    } finally {
      await peer.close();
    }
  }
});

test("an answer is what it has: no value, and false, are not there", async () => {
  const cases = builtInCases().filter(({ id }) => /^1\.(1-encode|3-non-minimal)\//.test(id));
  const peer = new PeerProcess(`${BROKEN} verbose`);
  try {
    const { pass } = summarize(await runCases(cases, peer));
    assert.deepEqual([pass, cases.length > 8], [cases.length, true]);
  } finally {
    await peer.close();
  }
});

test("a report shows what a program wrote, and has it say nothing to the terminal", async () => {
  const cases = builtInCases().filter(({ id }) => id === "1.9-size/1");
  const peer = new PeerProcess("printf '\\033[2Jlost\\n'");
  const results = await runCases(cases, peer);
  const head = { implementation: "x", summary: summarize(results), milliseconds: 1 };
  const text = textReport({ ...head, files: [], skipped: [] }, results, false);
  assert.match(text, /no JSON: \\u\{1b\}\[2Jlost\n/);
});

test("an operation that a program does not know is no failure", async () => {
  const { code, stdout } = await conformance(
    "--impl",
    `${BROKEN} mute`,
    "--filter",
    "1.1-encode",
    "--json",
  );
  assert.equal(code, 0);
  const { summary, results } = JSON.parse(stdout);
  assert.equal(summary.unsupported, results.length);
});

test("the program under test ends with the process that runs it", async () => {
  const before = process.listeners("exit");
  const peer = new PeerProcess("exec sleep 600");
  try {
    const answer = assert.rejects(peer.call({ op: "varint.size", value: "1" }), /crashed/);
    const [atExit] = process.listeners("exit").filter((one) => !before.includes(one));
    assert(atExit !== undefined);
    Reflect.apply(atExit, process, [130]);
    await answer;
  } finally {
    await peer.close();
  }
  assert.deepEqual(process.listeners("exit"), before);
});

test("a program that does not start fails every case without being started for ever", async () => {
  const peer = new PeerProcess("exit 7");
  const cases = builtInCases().filter(({ id }) => id.startsWith("1.1-"));
  const results = await runCases(cases, peer);
  assert.ok(results.every(({ verdict }) => verdict === "fail"));
  assert.equal(peer.starts, 3);
});

test("every section of a case has a title", () => {
  const cases = [...builtInCases(), ...loadData(path("../vectors/"), false).cases];
  const sections = new Set(cases.map(({ section }) => section));
  assert.deepEqual([...sections].filter((section) => SECTIONS[section] === undefined), []);
});

test("reports, lists, filters and exit codes", async () => {
  const directory = mkdtempSync(join(tmpdir(), "stt-conformance-"));
  try {
    const junit = join(directory, "report.xml");
    const good = await conformance("--filter", "1.3-non-minimal", "--junit", junit);
    assert.equal(good.code, 0);
    assert.match(good.stdout, /\d+ pass, 0 fail, 0 not-strict, 0 unsupported/);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(good.stdout, /\u001b/);
    const xml = readFileSync(junit, "utf8");
    assert.match(xml, /<testcase classname="SPEC 1" name="1.3-non-minimal\/1"/);
    assert.match(xml, /failures="0"/);

    const list = await conformance("--list", "--filter", "/^9\\.4-/");
    assert.equal(list.stdout.trim(), "MUST   9.4-empty  an empty payload: no byte");

    const vectors = JSON.parse(
      readFileSync(new URL("../vectors/reference/varint.json", import.meta.url), "utf8"),
    );
    vectors.valid[4].hex = "8102";
    writeFileSync(join(directory, "stt1_varint.json"), JSON.stringify(vectors));
    const planted = await conformance("--vectors", directory, "--json");
    assert.equal(planted.code, 1);
    const { results } = JSON.parse(planted.stdout);
    const failed = results.filter(({ verdict }: { verdict: string }) => verdict === "fail");
    assert.deepEqual(failed.map(({ id }: { id: string }) => id), [
      "1-stt1_varint.json/valid/4/encode",
      "1-stt1_varint.json/valid/4/decode",
    ]);
    assert.match(failed[0].detail, /data mismatch/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("a command line that makes no sense ends with 2", async () => {
  const empty = mkdtempSync(join(tmpdir(), "stt-conformance-"));
  try {
    for (
      const args of [
        ["--no-such"],
        ["--vectors", "/no/such/directory"],
        ["--vectors", empty],
        ["--filter", "matches nothing at all"],
        ["--provider", "abacus", "--filter", "1.1"],
        ["--filter", "/(/"],
      ]
    ) {
      const { code, stderr } = await conformance(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, /^conformance: /);
    }
  } finally {
    rmSync(empty, { recursive: true });
  }
});
