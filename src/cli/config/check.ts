/**
 * Whether a value that came from a file is a configuration. Every mistake is found, each with its path.
 *
 * @module
 */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { didYouMean } from "../suggest.ts";
import { commandKeys, configurable, defaultKeys, peerKeys, SEED_KEY } from "./keys.ts";

/** Values of options by name. */
export type Settings = Readonly<Record<string, string | boolean | readonly string[]>>;

/** What a configuration file says. */
export interface Config {
  readonly defaults: Settings;
  readonly commands: Readonly<Record<string, Settings>>;
  readonly peers: Readonly<Record<string, Settings>>;
}

/** A configuration, or what is wrong with it. */
export interface Checked {
  readonly config: Config;
  readonly mistakes: readonly string[];
  /** It holds a seed itself. */
  readonly secret: boolean;
}

const PEER_NAME = /^[A-Za-z][A-Za-z0-9._-]{0,63}$/;

/** Never repeats a value: it may be a seed in the wrong place. */
export function checkConfig(value: unknown, commands: readonly Command[]): Checked {
  return new Check(commands).all(value);
}

class Check {
  readonly #commands: readonly Command[];
  readonly #mistakes: string[] = [];
  #secret = false;

  constructor(commands: readonly Command[]) {
    this.#commands = configurable(commands);
  }

  all(value: unknown): Checked {
    const top = this.#object(value, "the file", ["$schema", "defaults", "commands", "peers"]);
    const commands: Record<string, Settings> = Object.create(null);
    const names = this.#commands.map(({ name }) => name);
    for (const [name, settings] of this.#entries(top["commands"], "commands", names)) {
      const command = this.#commands.find((known) => known.name === name);
      if (command === undefined) continue;
      commands[name] = this.#settings(settings, `commands.${name}`, commandKeys(command));
    }
    const peers: Record<string, Settings> = Object.create(null);
    for (const [name, settings] of this.#entries(top["peers"], "peers")) {
      const path = `peers.${name.slice(0, 64)}`;
      if (!PEER_NAME.test(name)) {
        this.#mistakes.push(`${path} is no name: a letter, then letters, digits, ".", "_" and "-"`);
      }
      peers[name] = this.#settings(settings, path, peerKeys());
      if (peers[name]["address"] === undefined) this.#mistakes.push(`${path} has no address`);
    }
    const defaults = this.#settings(top["defaults"] ?? {}, "defaults", defaultKeys());
    return {
      config: { defaults, commands, peers },
      mistakes: this.#mistakes,
      secret: this.#secret,
    };
  }

  #object(value: unknown, path: string, known?: readonly string[]): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.#mistakes.push(`${path} is no object`);
      return {};
    }
    const entries = Object.entries(value);
    for (const [key] of entries) {
      if (known === undefined || known.includes(key)) continue;
      const full = path === "the file" ? key : `${path}.${key}`;
      this.#mistakes.push(`${full.slice(0, 128)} is not known${didYouMean(key, known)}`);
    }
    // No prototype: a key of the file is never that of an object.
    return Object.assign(Object.create(null), Object.fromEntries(entries));
  }

  #entries(value: unknown, path: string, known?: readonly string[]): [string, unknown][] {
    return value === undefined ? [] : Object.entries(this.#object(value, path, known));
  }

  #settings(value: unknown, path: string, keys: readonly OptionSpec[]): Settings {
    const settings: Record<string, string | boolean | readonly string[]> = Object.create(null);
    const names = keys.map(({ name }) => name);
    for (const [name, given] of this.#entries(value, path, names)) {
      const spec = keys.find((key) => key.name === name);
      if (spec === undefined) continue;
      if (name === SEED_KEY.name) this.#secret = true;
      const setting = settingOf(spec, given);
      if (setting === undefined) this.#mistakes.push(`${path}.${name} takes ${wanted(spec)}`);
      else settings[name] = setting;
    }
    return settings;
  }
}

function settingOf(
  { value, multiple, choices }: OptionSpec,
  given: unknown,
): string | boolean | readonly string[] | undefined {
  if (value === undefined) return typeof given === "boolean" ? given : undefined;
  if (choices !== undefined) {
    return typeof given === "string" && choices.includes(given) ? given : undefined;
  }
  if (typeof given === "number") return String(given);
  if (typeof given === "string") return given;
  const list = multiple === true && Array.isArray(given) ? given as readonly unknown[] : undefined;
  return list?.every((item): item is string => typeof item === "string") ? list : undefined;
}

function wanted({ value, multiple, choices }: OptionSpec): string {
  if (value === undefined) return "true or false";
  if (choices !== undefined) return `one of ${choices.join(", ")}`;
  return `a text or a number${multiple === true ? ", or a list of texts" : ""}`;
}
