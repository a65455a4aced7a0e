/**
 * Options of the commands: declared once, for the parser and for the help.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { UsageError } from "./exit_codes.ts";
import { didYouMean } from "./suggest.ts";

/** One option. */
export interface OptionSpec {
  readonly name: string;
  readonly short?: string;
  /** Placeholder of its value; none for flags. */
  readonly value?: string;
  readonly multiple?: boolean;
  /** The values that there are, for completions; the command checks them itself. */
  readonly choices?: readonly string[];
  readonly help: string;
}

/** What the user gave. */
export class Arguments {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #typed: Readonly<Record<string, unknown>>;

  /** @param typed Those of the values that stood on the command line. */
  constructor(
    values: Readonly<Record<string, unknown>>,
    positionals: readonly string[],
    typed: Readonly<Record<string, unknown>> = values,
  ) {
    this.#values = values;
    this.positionals = positionals;
    this.#typed = typed;
  }

  /** Whether the option was given at all. */
  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  /** The same with other arguments, and with values for options that were not given. */
  behind(values: Readonly<Record<string, unknown>>, positionals: readonly string[]): Arguments {
    return new Arguments({ ...values, ...this.#values }, positionals, this.#typed);
  }

  /**
   * Refuses options that would do nothing. What a configuration says for other runs may stand there all the same.
   *
   * @param why Behind the option's name.
   * @throws {UsageError}
   */
  refuse(names: readonly string[], why: string, command: string): void {
    const name = names.find((one) => this.#typed[one] !== undefined);
    if (name !== undefined) throw new UsageError(`--${name} ${why}`, command);
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    const last = Array.isArray(value) ? value.at(-1) : value;
    return typeof last === "string" ? last : undefined;
  }

  texts(name: string): readonly string[] {
    const value = this.#values[name];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.filter((item): item is string => typeof item === "string");
  }

  /** A number with an optional fraction, within limits. */
  number(name: string, min: number, max: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const number = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
    if (number >= min && number <= max) return number;
    throw new UsageError(`--${name} takes a number from ${min} to ${max}, not ${quote(text)}`);
  }

  integer(name: string, min: number, max: number): number | undefined {
    const number = this.number(name, min, max);
    if (number === undefined || Number.isInteger(number)) return number;
    throw new UsageError(`--${name} takes a whole number, not ${number}`);
  }

  /** A nodeId: 64 hexadecimal digits. */
  nodeIds(name: string): readonly string[] {
    return this.texts(name).map((text) => {
      if (/^[0-9a-f]{64}$/i.test(text)) return text.toLowerCase();
      throw new UsageError(`--${name} takes a node id of 64 hexadecimal digits`);
    });
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}

/** Parses what stands behind the command's name. @throws {UsageError} */
export function parseArguments(
  command: string,
  specs: readonly OptionSpec[],
  argv: readonly string[],
): Arguments {
  const options: Record<
    string,
    { type: "string" | "boolean"; short?: string; multiple?: boolean }
  > = {};
  for (const { name, short, value, multiple } of specs) {
    options[name] = {
      type: value === undefined ? "boolean" : "string",
      ...(short === undefined ? {} : { short }),
      ...(multiple === true ? { multiple } : {}),
    };
  }
  refuseSecrets(argv, command);
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
    });
    return new Arguments(values, positionals);
  } catch (error) {
    throw new UsageError(describe(error, specs), command);
  }
}

/** Every user of the machine can read arguments, so a seed among them is spoilt already. */
function refuseSecrets(argv: readonly string[], command: string): void {
  const secret = argv.find((arg) => /^--(seed|node-seed|secret|passphrase)(=|$)/.test(arg));
  if (secret === undefined) return;
  throw new UsageError(
    "seeds are not taken as arguments, which other users can read: use --seed-file FILE or STT_SEED",
    command,
  );
}

function describe(error: unknown, specs: readonly OptionSpec[]): string {
  const message = error instanceof Error ? error.message : String(error);
  // The parser's own sentence, without its advice on positionals.
  const first = message.split(/\. |\n/)[0] ?? message;
  const text = first.charAt(0).toLowerCase() + first.slice(1).replace(/\.$/, "");
  const unknown = /^unknown option '--([^']*)'$/.exec(text)?.[1];
  if (unknown === undefined) return text;
  return text + didYouMean(unknown, specs.map(({ name }) => name), "--");
}
