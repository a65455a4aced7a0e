/**
 * `stt keygen`.
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import { wipe } from "../../crypto/secret.ts";
import { writeSeedFile } from "../../endpoint/seed_file.ts";
import { generateSeed, seedFromPassphrase } from "../../endpoint/seeds.ts";
import type { Arguments } from "../args.ts";
import type { Command, CommandContext } from "../command.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { GENERAL_OPTIONS } from "../options.ts";
import { passphraseOfFile, passphraseOfInput, typedPassphrase } from "../passphrase_source.ts";
import { qrLines } from "../qr.ts";
import { formatDuration } from "../text.ts";

export const keygen: Command = {
  name: "keygen",
  usage: "keygen [--out FILE] [--qr] [--ask-passphrase --network NAME]",
  summary: "make a seed: 32 random bytes, or from a passphrase",
  details: [
    "Prints hexadecimal text, or writes it into a new file that only you may read.",
    "Whoever has the shared seed may join. Hand it over by a secure way.",
    "A passphrase and a network name give the same seed everywhere. To try one costs",
    "scrypt with N = 2^17: 128 MiB and about half a second. Whoever recorded a single",
    "handshake can try offline, so take five random words or more.",
  ],
  positionals: [],
  examples: [
    { line: "keygen --out net.seed", what: "a new seed in a file that only you may read" },
    { line: "keygen --qr --out net.seed", what: "and as a QR code on the screen" },
    {
      line: "keygen --ask-passphrase --network home.example --out net.seed",
      what: "the same seed wherever the same words are typed",
    },
  ],
  options: [
    {
      name: "out",
      short: "o",
      value: "FILE",
      help: "write into this new file (mode 0600) instead",
    },
    { name: "qr", help: "show the seed as a QR code too" },
    { name: "ask-passphrase", help: "ask for a passphrase, and derive the seed from it" },
    {
      name: "passphrase-file",
      value: "FILE",
      help: "the same, from the first line of a file, or -",
    },
    {
      name: "network",
      value: "NAME",
      help: "public name of the network, 8 characters or more: keeps equal passphrases apart",
    },
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    if (args.positionals.length > 0) throw new UsageError("keygen takes no arguments", "keygen");
    const { report } = context;
    const path = args.text("out");
    const seed = await seedOf(args, context);
    try {
      const hex = toHex(seed);
      if (path === undefined) {
        report.result("seed", { seed: hex }, hex);
      } else {
        await writeSeedFile(path, seed);
        report.event("seed-file", { path }, `seed written to ${path}`);
      }
      // Programs have the seed itself, or its file.
      if (args.flag("qr") && !args.flag("json")) await showCode(hex, context);
    } finally {
      wipe(seed);
    }
    return EXIT_OK;
  },
};

async function showCode(text: string, { io, report }: CommandContext): Promise<void> {
  const colours = io.stdout.isTty && io.noColor !== true;
  report.result("qr", {}, (await qrLines(text, colours)).join("\n"));
}

async function seedOf(args: Arguments, context: CommandContext): Promise<Uint8Array> {
  const path = args.text("passphrase-file");
  const asked = args.flag("ask-passphrase");
  const network = args.text("network");
  if (path !== undefined && asked) {
    throw new UsageError("--passphrase-file and --ask-passphrase exclude each other", "keygen");
  }
  if (path === undefined && !asked) {
    if (network === undefined) return generateSeed();
    throw new UsageError("--network needs --ask-passphrase or --passphrase-file", "keygen");
  }
  if (network === undefined) {
    throw new UsageError("a passphrase needs --network NAME, the same on all nodes", "keygen");
  }
  const passphrase = asked
    ? await typedPassphrase(context, { stdinTaken: false, twice: true })
    : path === "-"
    ? await passphraseOfInput(context)
    : await passphraseOfFile(path as string);
  const started = context.io.now();
  const seed = await seedFromPassphrase(passphrase, network);
  const ms = context.io.now() - started;
  context.report.event(
    "derived",
    { network, ms },
    `derived by scrypt (N = 2^17, 128 MiB) in ${formatDuration(ms)}`,
  );
  return seed;
}
