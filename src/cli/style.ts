/**
 * Emphasis for terminals: few colours, each readable on a dark and on a light background, and never the only sign of
 * anything.
 *
 * @module
 */
import type { CliIo, CliOutput } from "./io.ts";

/** Green, magenta and red have contrast on both backgrounds; yellow, blue and cyan do not. */
const CODES = { bold: 1, dim: 2, good: 32, warn: 35, bad: 31 } as const;

/** Marks text, or leaves it as it is where there is no terminal, or NO_COLOR is set. */
export type Style = (look: keyof typeof CODES, text: string) => string;

/** The style of an output. */
export function styleOf(output: CliOutput, io: CliIo): Style {
  const plain = !output.isTty || io.noColor === true;
  return (look, text) => plain || text === "" ? text : `\x1b[${CODES[look]}m${text}\x1b[0m`;
}
