/**
 * The tarball: made twice, from two folders, and the same.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildPackage } from "../build_npm.ts";
import { ROOT, ROOT_PATH } from "../source_files.ts";
import { run } from "./run.ts";

/** A package as `npm pack` made it. */
export interface Tarball {
  readonly path: string;
  readonly bytes: number;
  readonly unpackedBytes: number;
  /** Paths of its files, relative to the package. */
  readonly files: readonly string[];
  readonly sha256: string;
}

/** What `npm pack --json` says of a package. */
interface Packed {
  filename: string;
  unpackedSize: number;
  files: { path: string }[];
}

/** Packs the package in `folder` into `target`. */
export async function pack(folder: string, target: string): Promise<Tarball> {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", target];
  const answer = JSON.parse(await run("npm", args, { cwd: folder })) as
    | Packed[]
    | Record<string, Packed>;
  // npm 12 answers with an object by package name, older ones with a list.
  const [packed] = Object.values(answer);
  if (packed === undefined) throw new Error("npm pack made no package");
  const path = join(target, packed.filename.replace(/^@/, "").replace("/", "-"));
  const content = await Deno.readFile(path);
  return {
    path,
    bytes: content.length,
    unpackedBytes: packed.unpackedSize,
    files: packed.files.map((file) => file.path),
    sha256: createHash("sha256").update(content).digest("hex"),
  };
}

async function copyFolder(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(new URL(`${name}/`, from), new URL(`${name}/`, to));
    else if (isFile) await Deno.copyFile(new URL(name, from), new URL(name, to));
  }
}

/**
 * Builds what is published once more, from a copy of the sources in another folder, and packs it: whoever builds the
 * same commit gets the same bytes, from the same npm and Deno.
 *
 * @param folder An empty folder for the copy and its tarball.
 */
export async function packCopy(folder: string, repository: string | undefined): Promise<Tarball> {
  const copy = pathToFileURL(join(folder, "copy") + "/");
  await copyFolder(new URL("src/", ROOT), new URL("src/", copy));
  await copyFolder(new URL("examples/browser/", ROOT), new URL("examples/browser/", copy));
  // The page is bundled with packages, which nobody copies.
  await Deno.symlink(new URL("node_modules", ROOT), new URL("node_modules", copy), {
    type: "junction",
  });
  for (const name of ["mod.ts", "deno.json", "deno.lock", "README.md", "LICENSE"]) {
    await Deno.copyFile(new URL(name, ROOT), new URL(name, copy));
  }
  await buildPackage({
    root: copy,
    packageOnly: true,
    ...(repository === undefined ? {} : { repository }),
  });
  return await pack(join(folder, "copy", "npm"), folder);
}

/** Names of files whose text holds a path of this machine. */
export async function filesWithPaths(files: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const traces = [ROOT_PATH.replace(/[\\/]$/, ""), ROOT.pathname.replace(/\/$/, "")];
  for (const file of files) {
    const text = await Deno.readTextFile(new URL(`npm/${file}`, ROOT));
    if (traces.some((trace) => text.includes(trace))) found.push(file);
  }
  return found;
}
