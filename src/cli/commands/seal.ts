/**
 * `stt seal`.
 *
 * @module
 */
import { sealStream } from "../../storage/seal_stream.ts";
import type { Command } from "../command.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { GENERAL_OPTIONS } from "../options.ts";
import { pathsOf, runSealing, SEALING_OPTIONS, secretOf, sourceName } from "../sealing.ts";
import { formatBytes, formatDuration } from "../text.ts";

/** Ending of sealed files. */
export const SEALED_ENDING = ".stts";

export const seal: Command = {
  name: "seal",
  usage: "seal FILE|- [--out FILE|-]",
  summary: "encrypt a file or a pipe with a seed or a passphrase",
  details: [
    `Writes FILE${SEALED_ENDING}, or standard output for standard input.`,
    "`stt open` opens it, with the same secret, on any machine.",
  ],
  positionals: ["file"],
  examples: [
    {
      line: "seal report.pdf --seed-file net.seed",
      what: "writes report.pdf.stts",
    },
    {
      line: "seal - --ask-passphrase --out folder.tar.stts",
      what: "standard input: tar c folder | stt seal - …",
    },
  ],
  options: [
    ...SEALING_OPTIONS,
    { name: "live", help: "what comes can be opened at once, however little it is" },
    ...GENERAL_OPTIONS,
  ],
  dataOnStdout: (args) => (args.text("out") ?? args.positionals[0]) === "-",
  async run(args, context) {
    const paths = pathsOf("seal", args, (from) => from === "-" ? "-" : from + SEALED_ENDING);
    if (paths.to === "-" && !args.has("out") && context.io.stdout.isTty) {
      const what = "standard output is a terminal, and sealed bytes are no text";
      throw new UsageError(`${what}: give --out FILE (--out - if you mean it)`, "seal");
    }
    const secret = await secretOf(args, context, { stdinTaken: paths.from === "-", twice: true });
    const transform = sealStream({ ...secret, live: args.flag("live") });
    const { bytesIn, bytesOut, ms } = await runSealing({ ...paths, transform }, args, context);
    context.report.event(
      "sealed",
      { path: paths.to === "-" ? null : paths.to, bytes: bytesIn, sealedBytes: bytesOut, ms },
      `sealed ${sourceName(paths.from)}: ${formatBytes(bytesIn)} in ${formatDuration(ms)}`,
    );
    return EXIT_OK;
  },
};
