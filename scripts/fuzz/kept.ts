/**
 * The kept inputs of vectors/fuzz: what once failed, and one short input for each outcome that was found.
 *
 * @module
 */
import { fromHex, toHex } from "../../src/codec/hex.ts";

/** An input with what comes of it; the file's schema is vectors/schema/fuzz.json. */
export interface KeptInput {
  /** Permanent: the target, a dash and a number. */
  readonly id: string;
  /** What the run says; tests hold it to that. Absent where the target is not exact. */
  readonly outcome?: string;
  /** Set for inputs that an oracle refused before a fault was mended. */
  readonly fault?: string;
  /** The input. */
  readonly hex: string;
}

interface KeptFile {
  readonly format: "stt-fuzz-1";
  readonly target: string;
  readonly description: string;
  readonly inputs: readonly KeptInput[];
}

function fileOf(target: string): URL {
  return new URL(`../../vectors/fuzz/${target}.json`, import.meta.url);
}

/** The kept inputs of a target; none when it has no file. */
export function keptInputs(target: string): readonly KeptInput[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(fileOf(target));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  return (JSON.parse(text) as KeptFile).inputs;
}

/** The bytes of a kept input. */
export function bytesOf(input: KeptInput): Uint8Array {
  return fromHex(input.hex);
}

/** An input to keep. */
export type NewInput = Omit<KeptInput, "id" | "hex"> & { readonly bytes: Uint8Array };

/** Longest input, and most inputs of a target, that are kept for their outcome; those that failed all are. */
const KEPT_BYTES = 1000;
const KEPT_INPUTS = 40;

/** Appends inputs, short ones first; those that are there already are left out. Returns how many were new. */
export function keep(target: string, found: readonly NewInput[]): number {
  const inputs = [...keptInputs(target)];
  const known = new Set(inputs.map(({ hex }) => hex));
  const outcomes = new Set(inputs.map(({ outcome }) => outcome));
  const before = inputs.length;
  for (const { bytes, ...rest } of [...found].sort((a, b) => a.bytes.length - b.bytes.length)) {
    const hex = toHex(bytes);
    if (known.has(hex)) continue;
    if (rest.fault === undefined) {
      if (bytes.length > KEPT_BYTES || inputs.length >= KEPT_INPUTS) continue;
      if (rest.outcome !== undefined && outcomes.has(rest.outcome)) continue;
    }
    known.add(hex);
    inputs.push({ id: `${target}-${inputs.length + 1}`, ...rest, hex });
  }
  const head = {
    format: "stt-fuzz-1",
    target,
    description: `Kept inputs of the fuzzer's target ${target}`,
  };
  // One input per line, as in the other vectors.
  const lines = inputs.map((input) => `    ${JSON.stringify(input)}`).join(",\n");
  const text = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "inputs": [\n${lines}\n  ]\n}\n`;
  if (inputs.length > before) Deno.writeTextFileSync(fileOf(target), text);
  return inputs.length - before;
}
