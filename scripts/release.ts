/**
 * `deno task release`: checks that the commit can be released, and tags it. Publishing is the work of the workflow that
 * the tag starts (.github/workflows/release.yml); nothing here holds a token.
 *
 * @module
 */

import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildPackage } from "./build_npm.ts";
import { readArguments, textValue } from "./command_arguments.ts";
import { contentFaults, importFaults, type PackageJson } from "./npm_contents.ts";
import { pack, type Tarball } from "./package_check/pack.ts";
import { run } from "./package_check/run.ts";
import {
  changelogSections,
  changelogState,
  distTag,
  parseVersion,
  tagOf,
  versionFaults,
} from "./release_rules.ts";
import { ROOT, ROOT_PATH } from "./source_files.ts";
import { PAGE_FILES, writePage } from "./web_page.ts";

const USAGE = `usage: deno task release [--dry-run | --tagged TAG] [options]

Checks the version of deno.json, its section of the changelog, the working tree, and what JSR and npm would
get; then makes the tag.

  --dry-run          make no tag; what is only to be written at the release itself does not count
  --tagged TAG       make no tag: the commit has this one already (for the workflow)
  --repository URL   address of the repository's page, for npm's package.json
  --out FOLDER       leave there what is published besides the sources: package.tgz for npm, with its
                     dist-tag; page_files.js, the page that JSR gets with the sources; notes.md
  --json             print one object
  --help             print this

exit code: 0 it can be released, 1 something is wrong, 2 the command line cannot be used`;

/** How one check ended. */
interface Outcome {
  readonly name: string;
  /** In words: what was found, when nothing is wrong. */
  readonly found: string;
  readonly faults: readonly string[];
  /** What remains to be done before the tag, and is no fault of a dry run. */
  readonly todo: readonly string[];
}

interface Options {
  readonly dryRun: boolean;
  readonly tagged: string | undefined;
  readonly repository: string | undefined;
  readonly out: string | undefined;
  readonly json: boolean;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

function parseOptions(args: readonly string[]): Options | undefined {
  let [dryRun, json] = [false, false];
  let tagged: string | undefined, repository: string | undefined, out: string | undefined;
  const wanted = readArguments(args, {
    "--dry-run": () => dryRun = true,
    "--json": () => json = true,
  }, {
    "--tagged": (name, value) => tagged = textValue(name, value),
    "--repository": (name, value) => repository = textValue(name, value),
    "--out": (name, value) => out = textValue(name, value),
  });
  if (!wanted) return undefined;
  if (dryRun && tagged !== undefined) throw new Error("--dry-run and --tagged exclude each other");
  return { dryRun, tagged, repository, out, json };
}

function git(...args: string[]): Promise<string> {
  return run("git", args, { cwd: ROOT_PATH });
}

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

async function checkVersion({ version }: Manifest, { tagged }: Options): Promise<Outcome> {
  const tags = {
    all: lines(await git("tag", "--list")),
    here: lines(await git("tag", "--points-at", "HEAD")),
  };
  const faults = versionFaults(version, tags);
  if (tagged !== undefined && tagged !== tagOf(version)) {
    faults.push(`the tag is ${tagged}, but deno.json's version is ${version}`);
  }
  return {
    name: "version",
    found: `${version}, ${tags.all.length} tags so far`,
    faults,
    todo: [],
  };
}

function checkChangelog(text: string, { version }: Manifest): Outcome {
  const { faults, todo } = changelogState(text, version, new Date().toISOString().slice(0, 10));
  return { name: "changelog", found: `has a section of ${version}`, faults, todo };
}

async function checkTree(): Promise<Outcome> {
  const changed = lines(await git("status", "--porcelain"));
  const faults = changed.map((line) => `not committed: ${line}`);
  return { name: "tree", found: "nothing uncommitted", faults, todo: [] };
}

/** Runs something of which each failure is a fault. */
async function attempt(
  name: string,
  act: () => Promise<Pick<Outcome, "found" | "todo">>,
): Promise<Outcome> {
  try {
    return { name, faults: [], ...await act() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, found: "", faults: [message.trim()], todo: [] };
  }
}

function checkJsr(): Promise<Outcome> {
  return attempt("jsr", async () => {
    // The page of `stt listen --web` is built, and ignored by git.
    await writePage(ROOT, ROOT, false);
    // Whether the tree is clean has been looked at.
    const args = ["publish", "--dry-run", "--allow-dirty"];
    await run(Deno.execPath(), args, { cwd: ROOT_PATH });
    return { found: "deno publish --dry-run has nothing against it", todo: [] };
  });
}

async function checkNpm(
  folder: string,
  repository: string | undefined,
): Promise<[Outcome, Tarball | undefined]> {
  let tarball: Tarball | undefined;
  const outcome = await attempt("npm", async () => {
    const base = { root: ROOT, packageOnly: false };
    await buildPackage(repository === undefined ? base : { ...base, repository });
    tarball = await pack(fileURLToPath(new URL("npm/", ROOT)), folder);
    const read = (path: string) => Deno.readTextFileSync(new URL(`npm/${path}`, ROOT));
    const packageJson = JSON.parse(read("package.json")) as PackageJson;
    const wrong = [
      ...contentFaults(tarball.files, tarball, packageJson),
      ...importFaults(new Map(tarball.files.map((path) => [path, read(path)])), packageJson),
    ];
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    await run("npm", ["publish", tarball.path, "--dry-run", "--access", "public"], { cwd: folder });
    const todo = repository === undefined
      ? ["give --repository: npm's provenance compares it (the workflow does)"]
      : [];
    const { files, bytes, unpackedBytes, sha256 } = tarball;
    const found = `${files.length} files, ${bytes} bytes, unpacked ${unpackedBytes}, ${sha256}`;
    return { found, todo };
  });
  return [outcome, tarball];
}

async function leave(
  out: string,
  tarball: Tarball,
  notes: string,
  version: string,
): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  await Deno.copyFile(tarball.path, join(out, "package.tgz"));
  await Deno.copyFile(new URL(PAGE_FILES, ROOT), join(out, basename(PAGE_FILES)));
  await Deno.writeTextFile(join(out, "notes.md"), notes + "\n");
  const parsed = parseVersion(version);
  if (parsed !== undefined) await Deno.writeTextFile(join(out, "dist-tag"), distTag(parsed));
}

/** Whether an outcome keeps the release from what is asked for. */
function blocks({ name, faults, todo }: Outcome, { dryRun, tagged }: Options): boolean {
  if (faults.length > 0) return true;
  if (dryRun || todo.length === 0) return false;
  // What npm still lacks when the tag is made, the workflow brings.
  return tagged !== undefined || name !== "npm";
}

function print(outcomes: readonly Outcome[], plan: readonly string[], options: Options): void {
  for (const outcome of outcomes) {
    const { name, found, faults, todo } = outcome;
    const word = blocks(outcome, options) ? "wrong" : "ok";
    console.log(
      `${word.padEnd(5)}  ${name.padEnd(9)}  ${faults.length > 0 ? "" : found}`.trimEnd(),
    );
    for (const fault of faults) console.log(`       ${fault.replaceAll("\n", "\n       ")}`);
    for (const text of todo) console.log(`       to do: ${text}`);
  }
  if (plan.length === 0) {
    console.log("\nnot ready");
    return;
  }
  console.log(options.dryRun ? "\nIt would:" : "\nReady:");
  for (const line of plan) console.log(`  ${line}`);
}

async function release(options: Options, folder: string): Promise<boolean> {
  const manifest = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  ) as Manifest;
  const { name, version } = manifest;
  const changelog = await Deno.readTextFile(new URL("CHANGELOG.md", ROOT));
  const [npm, tarball] = await checkNpm(folder, options.repository);
  const outcomes = [
    await checkVersion(manifest, options),
    checkChangelog(changelog, manifest),
    await checkTree(),
    await checkJsr(),
    npm,
  ];
  const ready = !outcomes.some((outcome) => blocks(outcome, options));
  const commit = (await git("rev-parse", "HEAD")).trim();
  const tag = tagOf(version);
  const tagged = lines(await git("tag", "--points-at", "HEAD")).includes(tag);
  const parsed = parseVersion(version);
  const plan = ready && parsed !== undefined && tarball !== undefined
    ? [
      ...(tagged ? [] : [`tag ${tag} at ${commit}`]),
      `publish ${name}@${version} to JSR`,
      `publish ${name}@${version} to npm as ${distTag(parsed)}, SHA-256 ${tarball.sha256}`,
    ]
    : [];
  if (options.json) {
    console.log(JSON.stringify({ ready, name, version, tag, commit, outcomes, plan }));
  } else {
    print(outcomes, plan, options);
  }
  if (!ready) return false;
  const notes = changelogSections(changelog).find((one) => one.version === version)?.body ?? "";
  if (options.out !== undefined && tarball !== undefined) {
    await leave(options.out, tarball, notes, version);
  }
  if (!options.dryRun && options.tagged === undefined) {
    if (!tagged) await git("tag", "--annotate", "--message", `${name} ${version}`, tag);
    if (!options.json) console.log(`\npublish it with: git push origin ${tag}`);
  }
  return true;
}

let options: Options | undefined;
try {
  options = parseOptions(Deno.args);
} catch (error) {
  console.error(`release: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  Deno.exit(2);
}
if (options === undefined) {
  console.log(USAGE);
  Deno.exit(0);
}
const folder = await Deno.makeTempDir({ prefix: "stt-release-" });
let ready = false;
try {
  ready = await release(options, folder);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(ready ? 0 : 1);
