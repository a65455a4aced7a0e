import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { groupTests, isTestFile, writeGroups } from "./test_groups.ts";
import { readJunit } from "./test_report.ts";

const many = (folder: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${folder}/f${String(i).padStart(2, "0")}_test.ts`);

test("every file is in one group, and groups stay within their layer and size", () => {
  const files = [
    ...many("src/codec", 3),
    ...many("src/connection", 20),
    ...many("src/connection/recovery", 9),
    ...many("scripts", 5),
    "src/cli/a_process_test.ts",
    "src/cli/b_test.ts",
    "src/endpoint/globals_test.ts",
    "src/endpoint/x_test.ts",
    "src/endpoint/y_deno_test.ts",
    "src/endpoint/z_test.ts",
  ];
  const groups = groupTests(files);
  assert.deepEqual(groups.flat().sort(), [...files].sort());
  for (const group of groups) {
    const layers = new Set(group.map((file) => file.split("/")[1]));
    assert.equal(layers.size, 1, group.join());
    assert(group.length <= 12, group.join());
  }
  const sizes = groups.filter(([first]) => first?.startsWith("src/connection/"))
    .map((group) => group.length);
  assert.deepEqual(sizes.sort(), [10, 10, 9]);
});

test("what starts programs, looks at the whole process or is no layer's stands alone", () => {
  const single = [
    "src/cli/a_process_test.ts",
    "src/endpoint/leaks_deno_test.ts",
    "src/endpoint/globals_test.ts",
    "scripts/b_test.ts",
    "conformance/c_test.ts",
  ];
  const groups = groupTests([...single, ...many("src/cli", 2), ...many("src/endpoint", 2)]);
  for (const file of single) {
    assert(groups.some((group) => group.length === 1 && group[0] === file));
  }
  assert.equal(groups.length, single.length + 2);
});

test("what tests share is no test", () => {
  assert(isTestFile("src/a_test.ts") && isTestFile("src/a_deno_test.js"));
  assert(!isTestFile("src/a_for_test.ts") && !isTestFile("src/a.ts") && !isTestFile("a_test.json"));
});

test("a test in a group is reported, failed or skipped, under its own file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "stt-groups-"));
  try {
    const head = 'import { test } from "node:test";\n';
    await writeFile(join(folder, "good_test.ts"), `${head}test("passes", () => {});\n`);
    await writeFile(
      join(folder, "bad_test.ts"),
      `${head}test("fails", () => { throw new Error("no"); });\ntest("skips", { skip: "w" }, () => {});\n`,
    );
    const given = await writeGroups([["good_test.ts", "bad_test.ts"]], folder, `${folder}/`, ".ts");
    assert.equal(given.length, 1);
    const junit = join(folder, "junit.xml");
    const args = ["test", "-A", "--no-check", "--quiet", `--junit-path=${junit}`, ...given];
    await assert.rejects(promisify(execFile)(process.execPath, args, { cwd: folder }));
    const { passed, failures, skipped } = readJunit(await readFile(junit, "utf8"));
    assert.equal(passed, 1);
    assert.deepEqual(failures, ["bad_test.ts: fails"]);
    assert.deepEqual(skipped.map(({ file, name }) => [file, name]), [["bad_test.ts", "skips"]]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
