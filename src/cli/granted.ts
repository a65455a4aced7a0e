/**
 * What the runtime lets this process look at. Deno asks for permissions that it does not have; most runs need none of
 * what is looked for here, so what is not granted counts as not there.
 *
 * @module
 */
import type { CliIo } from "./io.ts";

interface DenoPermissions {
  readonly permissions: {
    querySync(
      query: { name: "env"; variable: string } | { name: "read"; path: string },
    ): { readonly state: string };
  };
}

function isGranted(query: Parameters<DenoPermissions["permissions"]["querySync"]>[0]): boolean {
  const { Deno: deno } = globalThis as { readonly Deno?: DenoPermissions };
  return (deno?.permissions.querySync(query).state ?? "granted") === "granted";
}

/** A variable of the environment, or undefined where to look would take a permission. */
export function grantedEnv(env: CliIo["env"], variable: string): string | undefined {
  return isGranted({ name: "env", variable }) ? env[variable] : undefined;
}

/** Whether a file may be read without a question. */
export function mayRead(path: string): boolean {
  return isGranted({ name: "read", path });
}
