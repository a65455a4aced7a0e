/**
 * What the runner and its worker tell each other, one JSON object a line.
 *
 * @module
 */

/** To the worker. */
export type Request =
  /** Import the test files; a mutant that is given is on from the start. */
  | { readonly do: "load"; readonly tests: readonly string[]; readonly mutant?: number }
  /** Run every test without a mutant and record which mutants it reaches. */
  | { readonly do: "record" }
  /** Run tests with one mutant on until one fails. */
  | {
    readonly do: "run";
    readonly mutant: number;
    readonly tests: readonly number[];
    /** How often the mutant may be reached before it counts as a loop without end. */
    readonly reachLimit: number;
  };

/** A test without a mutant. */
export interface RecordedTest {
  readonly name: string;
  /** Address of its file in the copy. */
  readonly file: string;
  readonly ms: number;
  /** Mutants it reaches, and how often. */
  readonly reached: readonly (readonly [mutant: number, times: number])[];
}

/** From the worker. */
export type Reply =
  | { readonly loaded: number; readonly reached: readonly number[] }
  | { readonly recorded: readonly RecordedTest[]; readonly failed: readonly string[] }
  /** `killer`: the test that failed and its error; `spoiled`: it fails without the mutant too. */
  | { readonly killer: number; readonly why: string; readonly spoiled: boolean }
  | { readonly survived: true }
  | { readonly broken: string };
