/**
 * Stands in for `node:test` in the copied tests: collects them, so that the worker runs the ones it wants, as often as
 * it wants.
 *
 * @module
 */

/** A test of the copied files. */
export interface CollectedTest {
  readonly name: string;
  /** Address of its file. */
  readonly file: string;
  readonly run: () => unknown;
}

/** All tests, in the order of their files. */
export const collected: CollectedTest[] = [];

/** Which file is being imported. */
export const importing: { file: string } = { file: "" };

interface Options {
  readonly skip?: boolean | string;
}

/** As `test` of `node:test`, of which the copied tests use nothing but names, options and bodies. */
export function test(name: string, ...rest: (Options | (() => unknown))[]): void {
  const options = rest.find((one) => typeof one === "object");
  const run = rest.find((one) => typeof one === "function");
  if (run === undefined || options?.skip !== undefined && options.skip !== false) return;
  collected.push({ name, file: importing.file, run });
}
