/**
 * Where the shared seed comes from: a file, the environment, or somebody who types it. Never an argument, which every
 * user of the machine can read.
 *
 * @module
 */
import { parseSeed } from "../crypto/seeds.ts";
import { SttError } from "../errors.ts";
import type { Arguments } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { SEED_KEY } from "./config/keys.ts";
import { Interrupted, UsageError } from "./exit_codes.ts";
import { grantedEnv } from "./granted.ts";
import { seedOf } from "./options.ts";

const VARIABLE = "STT_SEED";

/**
 * The shared seeds: of every `--seed-file`, else of STT_SEED, else typed without echo.
 *
 * @param stdinTaken True when standard input is a file to send.
 */
export async function sharedSeeds(
  args: Arguments,
  context: CommandContext,
  stdinTaken = false,
): Promise<Uint8Array[]> {
  const files = args.texts("seed-file");
  if (files.length > 0) {
    return await Promise.all(files.map((path) => seedOf(path, context)));
  }
  // No option: it can be in the configuration alone.
  const configured = args.text(SEED_KEY.name);
  const { env } = context.io;
  const text = configured === undefined ? env[VARIABLE] : grantedEnv(env, VARIABLE);
  if (text !== undefined && text !== "") return [seedOfText(VARIABLE, text.trim())];
  if (configured !== undefined) {
    return [seedOfText("the seed of the configuration", configured.trim())];
  }
  if (stdinTaken || !context.io.stdin.isTty || !context.io.stderr.isTty) {
    throw new UsageError("no seed: give --seed-file FILE or set STT_SEED (`stt keygen` makes one)");
  }
  return [await promptedSeed(context)];
}

/** The one seed of a dial. */
export async function sharedSeed(
  args: Arguments,
  context: CommandContext,
  stdinTaken = false,
): Promise<Uint8Array> {
  const [seed, ...others] = await sharedSeeds(args, context, stdinTaken);
  if (seed === undefined || others.length > 0) {
    throw new UsageError("only `stt listen` takes several --seed-file");
  }
  return seed;
}

async function promptedSeed({ io }: CommandContext): Promise<Uint8Array> {
  io.stderr.text("Shared seed (hex or base64url, not shown): ");
  const line = await io.stdin.hiddenLine();
  io.stderr.text("\n");
  if (line === null) throw new Interrupted("SIGINT");
  return seedOfText("the seed", line.trim());
}

function seedOfText(what: string, text: string): Uint8Array {
  try {
    return parseSeed(text);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    throw new SttError("SEED", `cannot use ${what}: ${error.message.replace(/^[^:]*: /, "")}`);
  }
}
