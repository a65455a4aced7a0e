/**
 * `stt open`.
 *
 * @module
 */
import { openStream } from "../../storage/seal_stream.ts";
import type { Command } from "../command.ts";
import { EXIT_OK } from "../exit_codes.ts";
import { GENERAL_OPTIONS } from "../options.ts";
import { pathsOf, runSealing, SEALING_OPTIONS, secretOf, sourceName } from "../sealing.ts";
import { formatBytes, formatDuration } from "../text.ts";
import { SEALED_ENDING } from "./seal.ts";

export const openCommand: Command = {
  name: "open",
  usage: "open FILE|- [--out FILE|-]",
  summary: "decrypt what `stt seal` made",
  details: [
    `Writes FILE without ${SEALED_ENDING}, or standard output for standard input.`,
    "A file appears when it is whole and verified. What goes to standard output is",
    "verified piece by piece: that it is whole, only the exit code says.",
  ],
  positionals: ["file"],
  examples: [
    {
      line: "open report.pdf.stts --seed-file net.seed",
      what: "writes report.pdf",
    },
    {
      line: "open folder.tar.stts --ask-passphrase --out -",
      what: "to standard output: … | tar x",
    },
  ],
  options: [...SEALING_OPTIONS, ...GENERAL_OPTIONS],
  dataOnStdout: (args) => (args.text("out") ?? args.positionals[0]) === "-",
  async run(args, context) {
    const paths = pathsOf("open", args, defaultOut);
    const secret = await secretOf(args, context, { stdinTaken: paths.from === "-", twice: false });
    const transform = openStream(secret);
    const { bytesOut, ms } = await runSealing({ ...paths, transform }, args, context);
    context.report.event(
      "opened",
      { path: paths.to === "-" ? null : paths.to, bytes: bytesOut, ms },
      `opened ${sourceName(paths.from)}: ${formatBytes(bytesOut)} in ${formatDuration(ms)}`,
    );
    return EXIT_OK;
  },
};

function defaultOut(from: string): string | undefined {
  if (from === "-") return "-";
  const bare = from.endsWith(SEALED_ENDING) ? from.slice(0, -SEALED_ENDING.length) : "";
  return bare === "" ? undefined : bare;
}
