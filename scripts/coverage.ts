/**
 * `deno task coverage`: the tests of src/ and conformance/ with line and branch coverage per file, and an LCOV file in
 * cov/.
 *
 * @module
 */

import { exists, ROOT } from "./source_files.ts";

async function deno(args: string[]): Promise<void> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  if (code !== 0) Deno.exit(code);
}

if (exists("cov")) await Deno.remove(new URL("cov", ROOT), { recursive: true });
const paths = ["src", "conformance"].filter(exists);
await deno(["test", "-A", "--coverage=cov/profile", "--reporter=dot", ...paths]);
const filter = ["--include=/src/", "--exclude=_test\\.ts$|_naive\\.ts$"];
await deno(["coverage", "cov/profile", ...filter, "--lcov", "--output=cov/lcov.info"]);
await deno(["coverage", "cov/profile", ...filter]);
