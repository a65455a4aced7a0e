/**
 * QR codes in a terminal.
 *
 * @module
 */
import { SttError } from "../errors.ts";

/** Exact version for Deno; package.json of the npm build pins the same. */
const DENO_SPECIFIER = "npm:uqr@0.1.3";
const NODE_SPECIFIER = "uqr";

/** Modules of light around the code: scanners want four. */
const QUIET = 4;
/** Black and white of the colour cube: unlike the first sixteen colours, no theme changes them. */
const BLACK_ON_WHITE = "\x1b[38;5;16;48;5;231m";
const RESET = "\x1b[0m";

interface QrModule {
  encode(
    text: string,
    options: { readonly ecc: "L"; readonly border: number },
  ): { readonly data: readonly (readonly boolean[])[] };
}

/** @throws {SttError} UNSUPPORTED when the package is not there. */
async function load(): Promise<QrModule> {
  const specifier: string = "Deno" in globalThis ? DENO_SPECIFIER : NODE_SPECIFIER;
  try {
    return await import(specifier) as QrModule;
  } catch (cause) {
    const text = `cannot load the package ${specifier} for QR codes`;
    throw new SttError("UNSUPPORTED", text, { cause });
  }
}

/**
 * Lines that show a QR code. With colours it is black on white whatever the terminal's own colours are. Without, what is
 * light is drawn and what is dark is left out, which is right on a dark background; most scanners read the reverse too.
 *
 * @throws {SttError} UNSUPPORTED.
 */
export async function qrLines(text: string, colours: boolean): Promise<string[]> {
  const { encode } = await load();
  const { data } = encode(text, { ecc: "L", border: QUIET });
  const lines: string[] = [];
  // Two rows of modules make one of characters, which are about twice as high as wide.
  for (let row = 0; row < data.length; row += 2) {
    const upper = data[row] ?? [];
    const lower = data[row + 1] ?? upper.map(() => false);
    const line = upper.map((dark, column) => {
      const drawn = [dark, lower[column] === true].map((module) => module === colours);
      return drawn[0] ? drawn[1] ? "█" : "▀" : drawn[1] ? "▄" : " ";
    }).join("");
    lines.push(colours ? `${BLACK_ON_WHITE}${line}${RESET}` : line);
  }
  return lines;
}
