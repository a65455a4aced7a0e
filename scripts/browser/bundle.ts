/**
 * Bundles for browsers, made by `deno bundle`.
 *
 * @module
 */
import { ROOT_PATH } from "../source_files.ts";

/** One ES module that holds `entry`, a path relative to the root, and everything that it imports. */
export async function bundle(entry: string, options: { minify?: boolean } = {}): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=browser",
      ...(options.minify === true ? ["--minify"] : []),
      entry,
    ],
    cwd: ROOT_PATH,
    env: { NO_COLOR: "1" },
  }).output();
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Error(`cannot bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
}
