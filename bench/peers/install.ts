/**
 * The packages that the benches compare with.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { exists } from "./runtime.ts";

const HERE = new URL(".", import.meta.url);
/** What was added last: without it the installation is an older one. */
const NEWEST = new URL("node_modules/zeromq/", HERE);

/** Installs them on first use. */
export async function installPackages(): Promise<void> {
  if (exists(NEWEST)) return;
  console.error("installing the packages of bench/peers/package.json");
  const { success } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--no-package-lock"],
    cwd: fileURLToPath(HERE),
    stdout: "null",
  }).spawn().status;
  if (!success) console.error("npm could not install them all; what is missing fails below");
}
