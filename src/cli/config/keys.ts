/**
 * What a configuration may hold: options of the command line by their names, in three places.
 *
 * @module
 */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";

/** Not to be had from a file: they would hold for every run, and one of them gives secrets away. */
const NEVER: readonly string[] = ["help", "config", "keylog", "qlog"];

/** A seed in the file itself. There is no such option: arguments can be read by every user of the machine. */
export const SEED_KEY: OptionSpec = {
  name: "seed",
  value: "TEXT",
  help:
    "the shared seed itself, as hexadecimal or base64url; the file must be readable by you alone",
};

const ADDRESS_KEY: OptionSpec = { name: "address", value: "ADDR", help: "where to dial" };

function allowed(specs: readonly OptionSpec[]): OptionSpec[] {
  const named = new Map(specs.map((spec) => [spec.name, spec]));
  return [...named.values()].filter(({ name }) => !NEVER.includes(name));
}

/** `defaults`: what sessions of all commands have in common. */
export function defaultKeys(): readonly OptionSpec[] {
  const dial = DIAL_OPTIONS.filter(({ name }) => name !== "expect");
  return allowed([SEED_KEY, ...SESSION_OPTIONS, ...dial, ...GENERAL_OPTIONS]);
}

/** `peers.NAME`. */
export function peerKeys(): readonly OptionSpec[] {
  return allowed([ADDRESS_KEY, SEED_KEY, ...SESSION_OPTIONS, ...DIAL_OPTIONS]);
}

/** `commands.NAME`. */
export function commandKeys(command: Command): readonly OptionSpec[] {
  return allowed(command.options);
}

/** Commands that options can be set for. */
export function configurable(commands: readonly Command[]): readonly Command[] {
  return commands.filter(({ ignoresConfig }) => ignoresConfig !== true);
}

/** Options of which one is enough: a stronger place that has one of them hides the others of weaker places. */
const RIVALS: readonly (readonly string[])[] = [
  ["seed-file", SEED_KEY.name, "passphrase-file", "ask-passphrase"],
  ["out", "to-stdout"],
  ["resume", "no-resume"],
  ["echo", "offer"],
  ["echo", "web"],
];

/** Who says where files go wants to receive. The other way `out` stays: with `--web`, files go both ways. */
const HIDES: ReadonlyMap<string, readonly string[]> = new Map([
  ["out", ["echo", "offer"]],
  ["to-stdout", ["echo", "offer"]],
]);

/** The names of which nothing is taken from weaker places than the one that has this option. */
export function hiddenBy(name: string): readonly string[] {
  const rivals = RIVALS.filter((group) => group.includes(name)).flat();
  return [name, ...rivals, ...HIDES.get(name) ?? []];
}
