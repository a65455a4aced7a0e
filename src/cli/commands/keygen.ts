/**
 * `stt keygen`.
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import { wipe } from "../../crypto/secret.ts";
import { writeSeedFile } from "../../endpoint/seed_file.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import type { Command } from "../command.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { GENERAL_OPTIONS } from "../options.ts";

export const keygen: Command = {
  name: "keygen",
  usage: "keygen [--out FILE]",
  summary: "make a seed: 32 random bytes",
  details: [
    "Prints hexadecimal text, or writes it into a new file that only you may read.",
    "Who has the shared seed may join. Hand it over on a secure way.",
  ],
  positionals: [],
  examples: [
    {
      line: "keygen --out net.seed",
      what: "a new seed in a file that only you may read",
    },
  ],
  options: [
    {
      name: "out",
      short: "o",
      value: "FILE",
      help: "write into this new file (mode 0600) instead",
    },
    ...GENERAL_OPTIONS,
  ],
  async run(args, { report }) {
    if (args.positionals.length > 0) throw new UsageError("keygen takes no arguments", "keygen");
    const path = args.text("out");
    const seed = generateSeed();
    try {
      if (path === undefined) {
        const hex = toHex(seed);
        report.result("seed", { seed: hex }, hex);
      } else {
        await writeSeedFile(path, seed);
        report.event("seed-file", { path }, `seed written to ${path}`);
      }
    } finally {
      wipe(seed);
    }
    return EXIT_OK;
  },
};
