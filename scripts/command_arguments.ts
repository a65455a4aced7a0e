/**
 * Command lines of this repository's own commands: flags, and options of which each has a value behind it.
 *
 * @module
 */

/**
 * What reads an option's value, by name: given the name for its message, and the value, undefined at the end of the
 * line. It throws when the value is wrong.
 */
export type Options = Readonly<Record<string, (name: string, value: string | undefined) => void>>;

/**
 * Reads a command line, in order. False for `--help`, behind which nothing is read.
 *
 * @param flags What each argument without a value does.
 * @param options What each argument with a value does.
 * @throws {Error} naming the argument that is wrong.
 */
export function readArguments(
  args: readonly string[],
  flags: Readonly<Record<string, () => void>>,
  options: Options,
): boolean {
  for (let index = 0; index < args.length; index++) {
    const name = args[index]!;
    if (name === "--help") return false;
    if (Object.hasOwn(flags, name)) flags[name]!();
    else if (Object.hasOwn(options, name)) options[name]!(name, args[++index]);
    else throw new Error(`unknown argument ${name}`);
  }
  return true;
}

/** @throws {Error} when there is none. */
export function textValue(name: string, value: string | undefined): string {
  if (value === undefined) throw new Error(`${name} needs a value`);
  return value;
}

/** @throws {Error} unless it is a whole number above 0 of at most `digits` digits. */
export function wholeNumber(name: string, value: string | undefined, digits = 9): number {
  if (value !== undefined && value.length <= digits && /^[1-9][0-9]*$/.test(value)) {
    return Number(value);
  }
  throw new Error(`${name} needs a whole number above 0`);
}

/** @throws {Error} unless it is a number above 0 and at most `most`. */
export function numberAtMost(name: string, value: string | undefined, most: number): number {
  const number = Number(value ?? NaN);
  if (number > 0 && number <= most) return number;
  throw new Error(`${name} needs a number above 0 and at most ${most}`);
}
