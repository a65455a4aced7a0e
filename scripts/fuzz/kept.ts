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
  /** What the run says; tests hold it to that. */
  readonly outcome: string;
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

/** Appends inputs; those that are there already are left out. Returns how many were new. */
export function keep(
  target: string,
  found: readonly {
    readonly outcome: string;
    readonly bytes: Uint8Array;
    readonly fault?: string;
  }[],
): number {
  const inputs = [...keptInputs(target)];
  const known = new Set(inputs.map(({ hex }) => hex));
  const before = inputs.length;
  for (const { outcome, bytes, fault } of found) {
    const hex = toHex(bytes);
    if (known.has(hex)) continue;
    known.add(hex);
    const id = `${target}-${inputs.length + 1}`;
    inputs.push(fault === undefined ? { id, outcome, hex } : { id, outcome, fault, hex });
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
