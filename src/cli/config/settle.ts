/**
 * Which value of an option holds: that of the arguments, else of the environment, else of the configuration, there of the
 * peer, else of the command, else of the defaults.
 *
 * @module
 */
import type { Arguments, OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { valueOf } from "../completions/table.ts";
import { UsageError } from "../exit_codes.ts";
import { grantedEnv } from "../granted.ts";
import type { CliIo } from "../io.ts";
import { didYouMean } from "../suggest.ts";
import type { Settings } from "./check.ts";
import { configuredPath, type LoadedConfig } from "./config_file.ts";
import { hiddenBy, SEED_KEY } from "./keys.ts";

/** A value of an option, and where it comes from. */
export interface Setting {
  readonly name: string;
  readonly value: string | boolean | readonly string[];
  /** `STT_SEED`, `peers.laptop`, `commands.send` or `defaults`. */
  readonly source: string;
}

interface Layer {
  readonly source: string;
  readonly settings: Settings;
}

/** The settings that hold where the arguments say nothing. `peer` names one of the configuration. */
export function settingsOf(
  command: Command,
  given: (name: string) => boolean,
  loaded: LoadedConfig,
  peer: string | undefined,
  env: CliIo["env"],
): readonly Setting[] {
  const { config, path } = loaded;
  const layers: Layer[] = [
    ...(hasSeed(env) ? [{ source: "STT_SEED", settings: { [SEED_KEY.name]: "" } }] : []),
    ...(peer === undefined
      ? []
      : [{ source: `peers.${peer}`, settings: config.peers[peer] ?? {} }]),
    { source: `commands.${command.name}`, settings: config.commands[command.name] ?? {} },
    { source: "defaults", settings: config.defaults },
  ];
  const taken = new Set<string>();
  const take = (name: string): void => hiddenBy(name).forEach((hidden) => taken.add(hidden));
  for (const { name } of command.options) if (given(name)) take(name);
  const settings: Setting[] = [];
  for (const { source, settings: layer } of layers) {
    const here: string[] = [];
    for (const [key, value] of Object.entries(layer)) {
      const [name, spec] = optionOf(command, key, value);
      if (spec === undefined || taken.has(name)) continue;
      here.push(name);
      settings.push({ name, source, value: pathsIn(spec, value, path, env) });
    }
    here.forEach(take);
  }
  // What is false is as if it were not given.
  return settings.filter(({ value }) => value !== false);
}

function hasSeed(env: CliIo["env"]): boolean {
  return (grantedEnv(env, "STT_SEED") ?? "") !== "";
}

/** The option that a key sets: `resume: false` is `--no-resume`. */
function optionOf(
  command: Command,
  key: string,
  value: unknown,
): [name: string, spec: OptionSpec | undefined] {
  const find = (name: string): OptionSpec | undefined =>
    command.options.find((spec) => spec.name === name);
  if (key === SEED_KEY.name) return [key, find("seed-file") === undefined ? undefined : SEED_KEY];
  const opposite = value === false ? find(`no-${key}`) : undefined;
  return opposite === undefined ? [key, find(key)] : [opposite.name, opposite];
}

function pathsIn(
  spec: OptionSpec,
  value: string | boolean | readonly string[],
  configPath: string,
  env: CliIo["env"],
): string | boolean | readonly string[] {
  const { kind } = valueOf(spec);
  // `resume: false` became the flag of its opposite.
  if (typeof value === "boolean") return value || spec.name.startsWith("no-");
  if (kind !== "files" && kind !== "folders") return value;
  const path = (text: string): string => configuredPath(text, configPath, env);
  return typeof value === "string" ? path(value) : value.map(path);
}

/** Arguments with the settings of the configuration behind them, and the address of a peer in place of its name. */
export function settle(
  command: Command,
  args: Arguments,
  loaded: LoadedConfig,
  env: CliIo["env"],
): Arguments {
  const at = addressIndex(command, args.positionals);
  const word = at === undefined ? undefined : args.positionals[at];
  const peer = word === undefined ? undefined : peerOf(word, loaded);
  const settings = settingsOf(command, (name) => args.has(name), loaded, peer, env);
  const values = Object.fromEntries(
    settings.filter(({ source }) => source !== "STT_SEED").map(({ name, value }) => [
      name,
      // One text is a list of one, as the parser has it.
      typeof value === "string" && isMultiple(command, name) ? [value] : value,
    ]),
  );
  const address = peer === undefined ? undefined : loaded.config.peers[peer]?.["address"];
  const positionals = args.positionals.map((text, index) =>
    index === at && typeof address === "string" ? address : text
  );
  return args.behind(values, positionals);
}

function isMultiple(command: Command, name: string): boolean {
  return command.options.find((spec) => spec.name === name)?.multiple === true;
}

/** Which argument is the address: the last one, or the one that stands where the command has it. */
function addressIndex(
  { positionals: kinds = [] }: Command,
  positionals: readonly string[],
): number | undefined {
  const at = kinds.indexOf("address");
  if (at < 0 || positionals.length === 0) return undefined;
  return at === kinds.length - 1 && kinds.length > 1 ? positionals.length - 1 : at;
}

/** The peer that a word names, or undefined for an address. @throws {UsageError} for what is neither. */
function peerOf(word: string, { config, path }: LoadedConfig): string | undefined {
  if (Object.hasOwn(config.peers, word)) return word;
  const names = Object.keys(config.peers);
  if (word.includes(":") || names.length === 0) return undefined;
  throw new UsageError(
    `${JSON.stringify(word.slice(0, 64))} is neither an address nor a peer of ${
      JSON.stringify(path)
    }${didYouMean(word, names)}`,
  );
}
