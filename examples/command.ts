/**
 * What the examples share: arguments, the seed, and one way to end.
 *
 * The seed comes from `--seed-file FILE` or from the variable STT_SEED; `deno task stt keygen` makes one.
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { seedFromFile, type SeedInput, SttError } from "@seigr/stt";

/** What the role of an example gets. */
export interface Setup {
  readonly seed: SeedInput;
  readonly address: string;
  /** Arguments behind the address. */
  readonly rest: readonly string[];
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** The part of a program that one process plays. */
export type Role = (setup: Setup) => Promise<void>;

class WrongUse extends Error {}

async function seedOf(file: string | undefined): Promise<SeedInput> {
  if (file !== undefined) return await seedFromFile(file);
  const { STT_SEED } = process.env;
  if (STT_SEED === undefined) throw new WrongUse("no seed: set STT_SEED or give --seed-file FILE");
  return STT_SEED;
}

/** Runs `NAME ROLE ADDRESS …`. Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted. */
export async function run(usage: string, roles: Readonly<Record<string, Role>>): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      interrupted.abort(new Error(`ended by ${name}`));
      // Sessions are closed in order, but nothing keeps the program longer than that.
      setTimeout(() => process.exit(130), 2000).unref();
    });
  }
  const { signal } = interrupted;
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { "seed-file": { type: "string" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help === true) return console.log(usage);
    const [name = "", address, ...rest] = positionals;
    const role = Object.hasOwn(roles, name) ? roles[name] : undefined;
    if (role === undefined || address === undefined) throw new WrongUse(usage);
    await role({ seed: await seedOf(values["seed-file"]), address, rest, signal });
  } catch (error) {
    if (signal.aborted) {
      process.exitCode = 130;
    } else if (error instanceof SttError) {
      console.error(`${error.code}: ${error.message}`);
      process.exitCode = 1;
    } else if (error instanceof WrongUse || error instanceof TypeError) {
      console.error(error.message);
      process.exitCode = 2;
    } else {
      throw error;
    }
  }
}
