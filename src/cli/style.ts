/**
 * Emphasis for terminals: few colours, each readable on a dark and on a light background, and never the only sign of
 * anything.
 *
 * @module
 */
import type { CliIo, CliOutput } from "./io.ts";

/** Magenta and red have contrast on both backgrounds; green, yellow, blue and cyan have not. */
const CODES = { plain: 0, bold: 1, dim: 2, warn: 35, bad: 31 } as const;

/** Marks text, or leaves it as it is where there is no terminal, or NO_COLOR is set. */
export type Style = (look: keyof typeof CODES, text: string) => string;

/** The style of an output. */
export function styleOf(output: CliOutput, io: CliIo): Style {
  const plain = !output.isTty || io.noColor === true;
  return (look, text) =>
    plain || look === "plain" || text === "" ? text : `\x1b[${CODES[look]}m${text}\x1b[0m`;
}
