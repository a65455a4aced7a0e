/**
 * `deno task check:npm`: packs npm/ (`deno task npm` comes first), looks at what is in the package, installs it into an
 * empty folder, and uses it there as people will: what is published is what is tested.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readArguments } from "./command_arguments.ts";
import { contentFaults, importFaults, type PackageJson } from "./npm_contents.ts";
import { PROGRAM_EXPORT } from "./npm_manifest.ts";
import { checkConsumer } from "./package_check/consumer.ts";
import { crossFile, SCHEMES } from "./package_check/crossing.ts";
import { load, type Node, nodeOf, writeLoaders } from "./package_check/loading.ts";
import { filesWithPaths, pack, packCopy, type Tarball } from "./package_check/pack.ts";
import type { Start } from "./package_check/program.ts";
import { run } from "./package_check/run.ts";
import { installTools, newestNode, runTool } from "./package_check/tools.ts";
import { exists, ROOT, ROOT_PATH } from "./source_files.ts";

const USAGE = `usage: deno task check:npm

  --help   print this`;

/** What is known of the package while it is checked. */
interface Checked {
  /** Folder for everything; removed at the end. */
  readonly folder: string;
  /** Project that has installed the package. */
  readonly app: string;
  readonly tarball: Tarball;
  readonly packageJson: PackageJson;
  /** What can be imported, but for package.json. */
  readonly specifiers: readonly string[];
  readonly nodes: readonly Node[];
}

function repositoryOf({ homepage }: PackageJson): string | undefined {
  return typeof homepage === "string" ? homepage.replace(/#.*$/, "") : undefined;
}

async function checkContents({ tarball, packageJson, folder }: Checked): Promise<string> {
  const read = (path: string) => Deno.readTextFileSync(new URL(`npm/${path}`, ROOT));
  const wrong = [
    ...contentFaults(tarball.files, tarball, packageJson),
    ...importFaults(new Map(tarball.files.map((path) => [path, read(path)])), packageJson),
    ...(await filesWithPaths(tarball.files)).map((path) => `${path} holds a path of this machine`),
  ];
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const copy = await packCopy(await Deno.makeTempDir({ dir: folder }), repositoryOf(packageJson));
  if (copy.sha256 !== tarball.sha256) {
    throw new Error(`a build in another folder has SHA-256 ${copy.sha256}, not ${tarball.sha256}`);
  }
  const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
  return `${tarball.files.length} files, ${kilobytes(tarball.bytes)}, unpacked ` +
    `${kilobytes(tarball.unpackedBytes)}, twice the same bytes: SHA-256 ${tarball.sha256}`;
}

/** With publint and attw, which know what package.json and declarations get wrong. */
async function checkForm({ tarball, folder }: Checked): Promise<string> {
  await runTool("publint", ["run", tarball.path, "--strict"], folder);
  await runTool("@arethetypeswrong/cli", [tarball.path, "--profile", "esm-only"], folder);
  return "publint and attw have nothing to say";
}

async function install(app: string, packages: readonly string[]): Promise<void> {
  const flags = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"];
  await run("npm", ["install", ...flags, ...packages], { cwd: app });
}

/** Every subpath, first without the optional peers: what needs one says so by its name, and loads once it is there. */
async function checkLoading(checked: Checked): Promise<string> {
  const { app, packageJson, specifiers, nodes } = checked;
  await writeLoaders(app);
  const peers = packageJson.peerDependencies ?? {};
  const waiting = new Set<string>();
  for (const round of ["bare", "with peers"]) {
    const wanted = round === "bare" ? specifiers : [...waiting];
    for (const node of nodes) {
      for (const specifier of wanted) {
        const runs = specifier === packageJson.name + PROGRAM_EXPORT.slice(1);
        for (const how of runs ? ["import"] as const : ["import", "require"] as const) {
          const missing = await load(node, how, specifier, runs, app);
          if (missing === undefined) continue;
          if (round === "bare" && Object.hasOwn(peers, missing)) waiting.add(specifier);
          else throw new Error(`${specifier} needs ${missing}, which is not installed with it`);
        }
      }
    }
    if (waiting.has(packageJson.name)) throw new Error("the package itself needs an optional peer");
    if (round === "bare") {
      await install(app, Object.entries(peers).map(([name, range]) => `${name}@${range}`));
    }
  }
  const names = nodes.map(({ name }) => name).join(" and ");
  return `${specifiers.length} subpaths load by import and require on ${names}; with peers: ` +
    ([...waiting].join(", ") || "none");
}

function onNode(node: Node, { app, packageJson }: Checked): Start {
  const bin = packageJson.bin?.["stt"] ?? "";
  const file = join(app, "node_modules", ...packageJson.name.split("/"), ...bin.split("/"));
  return { name: node.name, command: [node.program, file], cwd: app };
}

/** The command as people start it once the package is there. */
async function checkCommand(checked: Checked): Promise<string> {
  const { app, folder } = checked;
  const version = await run("npx", ["--no-install", "stt", "version"], { cwd: app });
  const seed = (await run("npx", ["--no-install", "stt", "keygen"], { cwd: app })).trim();
  if (seed.length < 43) throw new Error(`npx stt keygen printed ${seed.length} characters`);
  const npx: Start = { name: "npx", command: ["npx", "--no-install", "stt"], cwd: app };
  await crossFile(npx, npx, "ws", await Deno.makeTempDir({ dir: folder }));
  return `npx stt: keygen, listen and send work (${version.trim()})`;
}

/** Deno from the sources, Node from the package, both ways. */
async function checkCrossing(checked: Checked): Promise<string> {
  const bin = fileURLToPath(new URL("src/cli/bin.ts", ROOT));
  const deno: Start = {
    name: "Deno",
    command: [Deno.execPath(), "run", "-A", "--no-check", "--frozen", bin],
    cwd: ROOT_PATH,
  };
  let transfers = 0;
  for (const node of checked.nodes) {
    for (const scheme of SCHEMES) {
      for (
        const [listening, sending] of [[deno, onNode(node, checked)], [
          onNode(node, checked),
          deno,
        ]] as const
      ) {
        try {
          await crossFile(
            listening,
            sending,
            scheme,
            await Deno.makeTempDir({ dir: checked.folder }),
          );
        } catch (error) {
          throw new Error(`${scheme}, ${sending.name} to ${listening.name}`, { cause: error });
        }
        transfers++;
      }
    }
  }
  return `${transfers} files between Deno and Node over ${SCHEMES.join(", ")}`;
}

async function checkTypes({ app, specifiers }: Checked): Promise<string> {
  await checkConsumer(app, specifiers);
  return "a strict NodeNext project takes the types, with and without Node's, libraries checked";
}

/** Of the compiled tree, with its data: only what it tests is published. The unit tests are `deno task test:node`. */
async function checkConformance({ nodes }: Checked): Promise<string> {
  const node = nodes.at(-1)!;
  const printed = await run(node.program, ["conformance/main.js"], { cwd: `${ROOT_PATH}npm` });
  return `conformance on ${node.name}: ${printed.trim().split("\n").at(-1)}`;
}

async function prepare(folder: string): Promise<Checked> {
  await installTools();
  const packageJson = JSON.parse(
    await Deno.readTextFile(new URL("npm/package.json", ROOT)),
  ) as PackageJson;
  const tarball = await pack(`${ROOT_PATH}npm`, folder);
  const app = join(folder, "app");
  await Deno.mkdir(app);
  await Deno.writeTextFile(join(app, "package.json"), '{ "name": "app", "private": true }\n');
  await install(app, [tarball.path]);
  const newest = newestNode();
  const programs = newest === undefined ? ["node"] : ["node", newest];
  const nodes = await Promise.all(programs.map((program) => nodeOf(program, folder)));
  const specifiers = Object.keys(packageJson.exports)
    .filter((name) => name !== "./package.json")
    .map((name) => packageJson.name + name.slice(1));
  return { folder, app, tarball, packageJson, specifiers, nodes };
}

async function check(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "stt-npm-" });
  let started = performance.now();
  const say = (text: string): void => {
    const seconds = (performance.now() - started) / 1000;
    console.log(`npm package: ${text} (${seconds.toFixed(1)} s)`);
    started = performance.now();
  };
  try {
    const checked = await prepare(folder);
    say(`installed into an empty folder`);
    const checks = [
      checkContents,
      checkForm,
      checkLoading,
      checkTypes,
      checkCommand,
      checkCrossing,
      checkConformance,
    ];
    for (const each of checks) say(await each(checked));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

try {
  if (!readArguments(Deno.args, {}, {})) {
    console.log(USAGE);
    Deno.exit(0);
  }
} catch (error) {
  console.error(`npm package: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  Deno.exit(2);
}
if (!exists("npm/package.json")) {
  console.error("npm/ is missing: run `deno task npm` first");
  Deno.exit(1);
}
try {
  await check();
} catch (error) {
  for (let at: unknown = error; at !== undefined; at = at instanceof Error ? at.cause : undefined) {
    console.error(`npm package: ${at instanceof Error ? at.message : at}`);
  }
  Deno.exit(1);
}
