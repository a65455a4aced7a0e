/**
 * `deno task docs:site`: the reference of every entry point as HTML in site/, made from the docstrings.
 *
 * @module
 */

import { exists, filesUnder, ROOT, ROOT_PATH } from "./source_files.ts";

const manifest = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
  readonly name: string;
  readonly exports: Readonly<Record<string, string>>;
};
const started = performance.now();
if (exists("site")) Deno.removeSync(new URL("site", ROOT), { recursive: true });
// The command is no module to import.
const entries = Object.entries(manifest.exports).filter(([name]) => name !== "./cli");
const { code } = await new Deno.Command(Deno.execPath(), {
  args: [
    ...["doc", "--html", `--name=${manifest.name}`, "--output=site"],
    ...entries.map(([, path]) => path),
  ],
  cwd: ROOT_PATH,
  stdin: "null",
  stdout: "null",
}).spawn().status;
if (code !== 0) Deno.exit(code);

const files = filesUnder("site", [""]);
const missing = entries.map(([name]) => name === "." ? "index.html" : `${name.slice(2)}/index.html`)
  .filter((path) => !files.includes(`site/${path}`));
if (missing.length > 0) {
  console.error(`docs:site: site/ has no ${missing.join(", ")}`);
  Deno.exit(1);
}
// By path: names of symbols are escaped in names of files, and a URL would take the escapes for its own.
const bytes = files.reduce((sum, path) => sum + Deno.statSync(ROOT_PATH + path).size, 0);
const seconds = ((performance.now() - started) / 1000).toFixed(1);
console.log(
  `docs:site: ${entries.length} entry points, ${files.length} files, ` +
    `${(bytes / 1e6).toFixed(0)} MB in ${seconds} s; open site/index.html`,
);
