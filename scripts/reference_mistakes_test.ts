/**
 * docs/reference_mistakes.md: every mistake has its tests, and every test that it names exists. Here too are the
 * mistakes that show in the text of the sources rather than in what they do.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import * as core from "../src/connection/mod.ts";
import * as pub from "../mod.ts";
import { shippedFiles } from "./coverage/shipped.ts";
import { ROOT } from "./source_files.ts";

const MISTAKES = 64;

function read(path: string): string {
  return readFileSync(new URL(path, ROOT), "utf8");
}

/** Code without comments and strings: what `pattern` finds there is a use, not a word about it. */
function uses(path: string, pattern: RegExp): string[] {
  const code = read(path).replace(/\/\*[^]*?\*\/|\/\/.*$|"(?:[^"\\\n]|\\.)*"/gm, "");
  return [...code.matchAll(pattern)].map(([found]) => `${path}: ${found}`);
}

test("each of the reference's mistakes has tests, and all of them exist", () => {
  const rows = read("docs/reference_mistakes.md").split("\n")
    .map((line) => /^\| *(\d+) \| (.+?) +\| (.+?) +\|$/.exec(line))
    .filter((row) => row !== null);
  assert.deepEqual(
    rows.map(([, number]) => Number(number)),
    Array.from({ length: MISTAKES }, (_, index) => index + 1),
  );
  for (const [, number, , cell = ""] of rows) {
    const tests = cell.split("<br>");
    for (const entry of tests) {
      const [, file = "", name = ""] = /^`([^`]+)`: (.+)$/.exec(entry) ?? [];
      assert.ok(file !== "", `mistake ${number}: ${entry} names no test`);
      assert.ok(existsSync(new URL(file, ROOT)), `mistake ${number}: there is no ${file}`);
      const source = read(file);
      assert.ok(
        ['"', "`"].some((quote) => source.includes(quote + name + quote)),
        `mistake ${number}: ${file} has no test "${name}"`,
      );
    }
  }
});

test("what is not built has no name in the package: no relay", () => {
  for (const name of [...Object.keys(pub), ...Object.keys(core)]) {
    assert.doesNotMatch(name, /relay|stun|turn|coordinator|bridge/i);
  }
  assert.match(read("README.md"), /\*\* [^.]*\brelays\b/);
});

test("no two classes of src/ have the same name", () => {
  const seen = new Map<string, string>();
  for (const path of shippedFiles()) {
    for (const [, name = ""] of read(path).matchAll(/^(?:export )?(?:abstract )?class (\w+)/gm)) {
      assert.equal(seen.get(name), undefined, `${path} and ${seen.get(name)} both have ${name}`);
      seen.set(name, path);
    }
  }
  assert.ok(seen.size > 50, `${seen.size} classes`);
});

test("nothing in src/ waits for the disk, a process or a slow hash on the event loop", () => {
  // The kind of a descriptor that is already open, and a few hashes, wait for nothing. SQLite has no other form; who
  // opens that store has chosen it.
  const quick = [
    "src/cli/io.ts: fstatSync(",
    "src/cli/granted.ts: querySync(",
    "src/crypto/node_provider.ts: hkdfSync(",
    "src/storage/sqlite_store.ts: DatabaseSync(",
  ];
  // Traces and key logs are for debugging, and must be whole when the process is killed.
  const debugging = /^src\/telemetry\/file_sink\.ts: /;
  const found = shippedFiles().flatMap((path) => uses(path, /\b\w+Sync\(/g))
    .filter((use) => !debugging.test(use));
  assert.deepEqual(found.filter((use) => !quick.includes(use)), []);
});

test("no duration of a session is measured with the wall clock: it is read for HELLO and for dates of files", () => {
  // What is stored, and for how long, is told by dates that outlive the process. `stt doctor` looks at the clock itself.
  const dated =
    /^src\/(storage|testing\/storage_cases|endpoint\/files\/(kept_parts|folder_place)|endpoint\/continuity\/resumption_host|cli\/checkup\/machine)/;
  const found = shippedFiles().flatMap((path) =>
    uses(path, /\bDate\.now\b|\bnew Date\(\)|\bhrtime\b/g)
  );
  assert.deepEqual(found.filter((use) => !dated.test(use)), ["src/endpoint/clock.ts: Date.now"]);
  // So are the times of traces.
  const readers = shippedFiles().flatMap((path) => uses(path, /\.unix\(\)/g))
    .filter((use) => !use.startsWith("src/endpoint/options.ts"))
    // Tickets have dates that outlive the process.
    .filter((use) => !use.startsWith("src/endpoint/continuity/resumable.ts"));
  assert.ok(readers.length > 0);
  for (const reader of readers) assert.match(read(reader.split(":")[0] ?? ""), /unixOffsetMs/);
});
