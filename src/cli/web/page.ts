/**
 * The files of the page that `stt listen --web` serves (examples/browser).
 *
 * @module
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { SttError } from "../../errors.ts";
import type { WebFile } from "../../transport/web_files.ts";

const compress = promisify(gzip) as (
  bytes: Uint8Array,
  options: { level: number },
) => Promise<Uint8Array>;

/** Name of a file of the page, beside the page itself, to its text. `index.html` is the page. */
export type PageTexts = Readonly<Record<string, string>>;

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
};

const TEXTS: readonly string[] = ["index.html", "style.css", "icon.svg"];

/** Where the page lies in a checkout; a published package has it built. */
const CHECKOUT = new URL("../../../examples/browser/", import.meta.url);
/** Computed, so that the sources stand without it. */
const BUILT = new URL("./page_files.js", import.meta.url);

/**
 * Reads the page, and bundles its program, which takes Deno half a second.
 *
 * @param folder `examples/browser/` of a checkout.
 */
export async function buildPage(folder: URL): Promise<PageTexts> {
  const entry = fileURLToPath(new URL("app.ts", folder));
  const args = ["bundle", "--quiet", "--platform=browser", "--minify", entry];
  const env = { ...process.env, NO_COLOR: "1" };
  const options = { cwd: dirname(entry), env, maxBuffer: 16_777_216 };
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  const texts = TEXTS.map(async (name) => [name, await readFile(new URL(name, folder), "utf8")]);
  return { ...Object.fromEntries(await Promise.all(texts)), "app.js": stdout };
}

/** Whether this is Deno in a checkout, whose page may have changed since it was built last. */
function inCheckout(checkout: URL): Promise<boolean> {
  if (!("deno" in process.versions) || checkout.protocol !== "file:") return Promise.resolve(false);
  return readFile(new URL("app.ts", checkout)).then(() => true, () => false);
}

/** What a program said was wrong, or the first line of an error. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const said = "stderr" in cause ? String(cause.stderr) : "";
  return /^error: (.*)$/m.exec(said)?.[1] ?? cause.message.split("\n")[0] ?? "";
}

async function pageTexts(checkout: URL, built: URL): Promise<PageTexts> {
  try {
    if (await inCheckout(checkout)) return await buildPage(checkout);
    return (await import(built.href) as { readonly default: PageTexts }).default;
  } catch (cause) {
    const text = `cannot serve the page of --web: ${reasonOf(cause)}`;
    throw new SttError("UNSUPPORTED", text, { cause });
  }
}

/**
 * The page for a listener at `path`: the page is under the path itself, its other files beside it.
 *
 * @param checkout Where a checkout has its sources.
 * @param built The module that a package has it in.
 * @throws {SttError} UNSUPPORTED when there is none, as in a package that was packed without it.
 */
export async function pageFor(
  path: string,
  checkout: URL = CHECKOUT,
  built: URL = BUILT,
): Promise<ReadonlyMap<string, WebFile>> {
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const files = new Map<string, WebFile>();
  for (const [name, text] of Object.entries(await pageTexts(checkout, built))) {
    const body = new TextEncoder().encode(text);
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    const place = name === "index.html" ? path : folder + name;
    files.set(place, { type, body, gzip: new Uint8Array(await compress(body, { level: 9 })) });
  }
  return files;
}
