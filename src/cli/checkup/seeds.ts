/**
 * Checks of the seeds that a command would use.
 *
 * @module
 */
import { parseSeed } from "../../crypto/seeds.ts";
import { wipe } from "../../crypto/secret.ts";
import { readSeedFile } from "../../endpoint/seed_file.ts";
import type { Arguments } from "../args.ts";
import { SEED_KEY } from "../config/keys.ts";
import { grantedEnv } from "../granted.ts";
import type { CliIo } from "../io.ts";
import { printable } from "../text.ts";
import { type Check, fail, type Finding, ok, warn } from "./check.ts";

/** Looks at every seed that is named, and says so when there is none. Nothing of a seed is shown. */
export function seedChecks(args: Arguments, io: CliIo): Check[] {
  const files = args.texts("seed-file");
  const nodeFile = args.text("node-seed-file");
  const checks: Check[] = files.map((path) => ({ name: "seed", run: () => seedFile(path) }));
  if (files.length === 0) {
    checks.push({ name: "seed", run: () => Promise.resolve(seedText(args, io)) });
  }
  if (nodeFile !== undefined) {
    checks.push({ name: "node seed", run: () => seedFile(nodeFile) });
  }
  return checks;
}

/** Whether there is a seed to dial with, without asking for one. */
export function hasSeed(args: Arguments, io: CliIo): boolean {
  return args.texts("seed-file").length > 0 || textOf(args, io) !== undefined;
}

async function seedFile(path: string): Promise<Finding> {
  const { seed, looseMode } = await readSeedFile(path);
  const { length } = seed;
  wipe(seed);
  const text = `${printable(path)} holds ${length} bytes`;
  if (!looseMode) return ok(text);
  return warn(`${text}, and others can read it`, `chmod 600 ${printable(path)}`);
}

/** As `sharedSeeds` has it: the environment before the configuration. */
function textOf(
  args: Arguments,
  io: CliIo,
): { readonly from: string; readonly text: string } | undefined {
  const variable = grantedEnv(io.env, "STT_SEED") ?? "";
  if (variable !== "") return { from: "STT_SEED", text: variable };
  const configured = args.text(SEED_KEY.name);
  return configured === undefined ? undefined : { from: "the configuration", text: configured };
}

function seedText(args: Arguments, io: CliIo): Finding {
  const found = textOf(args, io);
  if (found === undefined) {
    return warn(
      "none is named: commands with sessions ask for it on a terminal",
      "give --seed-file FILE or set STT_SEED; `stt keygen --out FILE` makes one",
    );
  }
  try {
    const seed = parseSeed(found.text.trim());
    const { length } = seed;
    wipe(seed);
    return ok(`${found.from} holds ${length} bytes`);
  } catch {
    return fail(`${found.from} holds no seed`, "it takes hex or base64url of at least 32 bytes");
  }
}
