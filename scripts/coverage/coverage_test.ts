/** What `deno task coverage` counts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLcov, percent, ranges, sum } from "./lcov.ts";
import { codeLines, shippedFiles, withUnloaded } from "./shipped.ts";

const LCOV = `SF:/project/src/b.ts
DA:1,1
DA:2,0
DA:3,0
BRDA:1,0,0,1
BRDA:1,0,1,0
BRDA:3,1,0,-
end_of_record
SF:/project/src/a.ts
DA:1,5
end_of_record
SF:/elsewhere/src/c.ts
DA:1,0
end_of_record
`;

test("lines and branches are counted per file of this root", () => {
  const files = parseLcov(LCOV, "/project/");
  assert.deepEqual(files, [
    {
      file: "src/a.ts",
      lines: { hit: 1, found: 1 },
      branches: { hit: 0, found: 0 },
      missed: [],
    },
    {
      file: "src/b.ts",
      lines: { hit: 1, found: 3 },
      branches: { hit: 1, found: 3 },
      missed: [1, 2, 3],
    },
  ]);
  assert.deepEqual(sum(files.map(({ lines }) => lines)), { hit: 2, found: 4 });
  assert.equal(percent({ hit: 1, found: 4 }), 25);
  assert.equal(percent({ hit: 0, found: 0 }), 100);
  assert.equal(ranges([1, 2, 3, 5, 7, 8]), "1-3 5 7-8");
});

test("a file that no test loads counts with all of its code, and types are none", () => {
  const sources: Record<string, string> = {
    "src/a.ts": "",
    "src/new.ts": "/** Adds. */\nexport function f(): number {\n  return 1;\n}\n",
    "src/types.ts": "export interface A { b: number }\nexport type { C } from './c.ts';\n",
  };
  const files = withUnloaded(
    parseLcov(LCOV, "/project/"),
    Object.keys(sources),
    (file) => sources[file] ?? "",
  );
  assert.deepEqual(files.map(({ file, lines }) => [file, lines.hit, lines.found]), [
    ["src/a.ts", 1, 1],
    ["src/new.ts", 0, 3],
    ["src/types.ts", 0, 0],
  ]);
  assert.equal(codeLines(sources["src/new.ts"] ?? ""), 3);
});

test("every published file of src/ is measured, and no test is", () => {
  const files = shippedFiles();
  assert.ok(files.includes("src/session/replay_window.ts") && files.includes("src/cli/bin.ts"));
  assert.ok(!files.some((file) => /_test\.ts$|_naive\.ts$/.test(file)));
});
