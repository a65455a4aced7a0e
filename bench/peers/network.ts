/**
 * A loopback interface of their own for the two sides, where the system gives one (Linux, as root): the bytes on it are
 * theirs alone then, and nobody else's traffic disturbs them.
 *
 * @module
 */
import { Child } from "./child.ts";

const ENTER = 'ip link set lo up && exec "$@"';

function works(program: string, args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let known: boolean | undefined;

/** Whether the sides get a network of their own. */
export function isPrivate(): boolean {
  known ??= works("nsenter", ["--version"]) &&
    works("unshare", ["--net", "sh", "-c", ENTER, "sh", "true"]);
  return known;
}

/** Starts the server, in a new network where there is one. */
export function startServer(program: string, args: readonly string[]): Child {
  if (!isPrivate()) return new Child(program, args);
  return new Child("unshare", ["--net", "sh", "-c", ENTER, "sh", program, ...args]);
}

/** Starts the client in the network of a server that has answered. */
export function startClient(server: Child, program: string, args: readonly string[]): Child {
  if (!isPrivate()) return new Child(program, args);
  return new Child("nsenter", [`--net=/proc/${server.pid}/ns/net`, program, ...args]);
}
