/**
 * Packs npm/, looks at what is in the package, installs it into an empty folder, and imports every export and runs the
 * program there on Node: what is published is what is tested.
 *
 * @module
 */

import { contentFaults, type PackageJson } from "./npm_contents.ts";
import { exists, ROOT_PATH } from "./source_files.ts";

/** What `npm pack --json` says of a package. */
interface Packed {
  filename: string;
  unpackedSize: number;
  files: { path: string }[];
}

const WINDOWS = Deno.build.os === "windows";

/** Runs a program and returns what it printed; throws with both streams when it fails. */
async function run(program: string, args: string[], cwd: string): Promise<string> {
  // npm and npx are scripts on Windows, which only its command interpreter starts.
  const command = WINDOWS && program !== "node"
    ? new Deno.Command("cmd", { args: ["/c", program, ...args], cwd })
    : new Deno.Command(program, { args, cwd });
  const { success, code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  if (success) return decoder.decode(stdout);
  throw new Error(
    `${program} ${args.join(" ")} ended with ${code}\n${decoder.decode(stdout)}${
      decoder.decode(stderr)
    }`,
  );
}

if (!exists("npm/package.json")) {
  console.error("npm/ is missing: run `deno task npm` first");
  Deno.exit(1);
}
const folder = await Deno.makeTempDir({ prefix: "stt-npm-" });
try {
  const packageJson = JSON.parse(
    await Deno.readTextFile(`${ROOT_PATH}npm/package.json`),
  ) as PackageJson;
  const packed = JSON.parse(
    await run("npm", ["pack", "--json", "--pack-destination", folder], `${ROOT_PATH}npm`),
  ) as
    | Packed[]
    | Record<string, Packed>;
  // npm 12 answers with an object by package name, older ones with a list.
  const [tarball] = Object.values(packed);
  if (tarball === undefined) throw new Error("npm pack made no package");
  const paths = tarball.files.map(({ path }) => path);
  const wrong = contentFaults(paths, tarball.unpackedSize, packageJson);
  if (wrong.length > 0) throw new Error(`the package is wrong:\n${wrong.join("\n")}`);

  const app = `${folder}/app`;
  await Deno.mkdir(app);
  await Deno.writeTextFile(
    `${app}/package.json`,
    JSON.stringify({ name: "app", private: true, type: "module" }),
  );
  const file = tarball.filename.replace(/^@/, "").replace("/", "-");
  await run(
    "npm",
    ["install", "--prefer-offline", "--no-audit", "--no-fund", `../${file}`],
    app,
  );
  const names = Object.keys(packageJson.exports).filter((name) => name !== "./package.json");
  for (const name of names) {
    const specifier = packageJson.name + name.slice(1);
    const code = `const m = await import(${JSON.stringify(specifier)});` +
      `if (Object.keys(m).length === 0) throw new Error("no exports");`;
    await run("node", ["--input-type=module", "-e", code], app);
  }
  for (const program of Object.keys(packageJson.bin ?? {})) {
    await run("npx", ["--no-install", program, "--help"], app);
  }
  console.log(`npm package: ${paths.length} files; ${names.length} exports load on Node`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
