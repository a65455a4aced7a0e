/**
 * What the fuzzer asks of a target.
 *
 * @module
 */
import type { Prng } from "../../src/testing/prng.ts";

/**
 * A surface that strangers, peers or files can write to. A run depends on its input alone, so an input is the whole bug
 * report.
 */
export interface Target {
  readonly name: string;
  /** Whether kept inputs are held to their outcome: not where it depends on timers, windows and the like. */
  readonly exact: boolean;
  /** Longest input that is made, in bytes. */
  readonly maxBytes: number;
  /** Inputs to begin with, besides those kept in vectors/fuzz. */
  seeds(): readonly Uint8Array[];
  /** One change that knows the shape of inputs; `other` is an input to take parts from. */
  mutate(input: Uint8Array, other: Uint8Array, prng: Prng): Uint8Array;
  /**
   * Runs one input and says what came of it in a few words: a new outcome makes the input worth to be changed further.
   * Throws whatever an oracle found.
   */
  run(input: Uint8Array): string | Promise<string>;
}

/** An oracle says that something is wrong. Any other exception of a run is wrong as well. */
export class Finding extends Error {
  override readonly name: string = "Finding";
}

/** Throws a {@link Finding} unless `holds`. */
export function oracle(holds: boolean, what: string | (() => string)): asserts holds {
  if (!holds) throw new Finding(typeof what === "string" ? what : what());
}
