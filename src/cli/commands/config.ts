/**
 * `stt config`.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Command, CommandContext } from "../command.ts";
import type { Config, Settings } from "../config/check.ts";
import {
  type ConfigPlace,
  configPlace,
  type LoadedConfig,
  readConfig,
} from "../config/config_file.ts";
import { configurable, SEED_KEY } from "../config/keys.ts";
import { type Setting, settingsOf } from "../config/settle.ts";
import { EXIT_OK, EXIT_USAGE, UsageError } from "../exit_codes.ts";
import { grantedEnv } from "../granted.ts";
import { GENERAL_OPTIONS } from "../options.ts";
import { didYouMean } from "../suggest.ts";
import { printable } from "../text.ts";

const ACTIONS = ["show", "path", "check"] as const;

export const configCommand: Command = {
  name: "config",
  usage: "config [show [COMMAND [PEER]] | path | check]",
  summary: "show the configuration, and where each value comes from",
  details: [
    "The file is JSON: `defaults` for all commands, `commands` for single ones, and",
    "`peers` that can be named in place of an address. Arguments come before the",
    "environment, that before the file. `show COMMAND PEER` says what would hold.",
    "It is $STT_CONFIG, else $XDG_CONFIG_HOME/stt/config.json, else",
    "~/.config/stt/config.json; %APPDATA%\\stt\\config.json on Windows.",
  ],
  positionals: [ACTIONS],
  examples: [
    { line: "config show send laptop", what: "what `stt send FILE laptop` would use" },
    { line: "config check", what: "every mistake in the file" },
  ],
  options: GENERAL_OPTIONS,
  ignoresConfig: true,
  async run(args, context) {
    const [action = "show", ...rest] = args.positionals;
    const known = ACTIONS.find((name) => name === action);
    if (known === undefined || rest.length > (known === "show" ? 2 : 0)) {
      const meant = known === undefined ? didYouMean(action, ACTIONS) : "";
      throw new UsageError(`config takes one of ${ACTIONS.join(", ")}${meant}`, "config");
    }
    const place = configPlace(args.text("config"), context.io);
    if (known === "path") return showPath(place, context);
    const loaded = place === undefined ? undefined : await readConfig(place, context.commands);
    if (known === "check") return check(place, loaded, context);
    return show(place, loaded, rest, context);
  },
};

function showPath(place: ConfigPlace | undefined, { report }: CommandContext): number {
  if (place === undefined) {
    throw new UsageError(
      "there is no configuration: STT_CONFIG is empty, or no variable says where it is",
    );
  }
  report.result("config-path", { path: place.path }, place.path);
  return EXIT_OK;
}

function check(
  place: ConfigPlace | undefined,
  loaded: LoadedConfig | undefined,
  { report }: CommandContext,
): number {
  const path = place?.path ?? null;
  if (loaded === undefined) {
    report.result("config", { path, exists: false }, `no configuration at ${path ?? "(none)"}`);
    return EXIT_OK;
  }
  for (const message of loaded.mistakes) {
    report.warning("mistake", { path, message }, `${loaded.path}: ${message}`);
  }
  if (loaded.mistakes.length > 0) return EXIT_USAGE;
  const peers = Object.keys(loaded.config.peers);
  report.result("config", { path, exists: true, peers }, `${loaded.path} has no mistakes`);
  return EXIT_OK;
}

function show(
  place: ConfigPlace | undefined,
  loaded: LoadedConfig | undefined,
  [name, peer]: readonly string[],
  context: CommandContext,
): number {
  const { report, io } = context;
  const path = place?.path ?? null;
  report.event(
    "config",
    { path, exists: loaded !== undefined },
    path === null ? "no configuration" : `${path}${loaded === undefined ? " (not there)" : ""}`,
  );
  if (loaded !== undefined && loaded.mistakes.length > 0) {
    throw new SttError("CONFIG", `cannot use configuration: ${loaded.mistakes[0]}`);
  }
  const settings = name === undefined
    ? everything(loaded, io.env)
    : effective(name, peer, loaded, context);
  const width = Math.max(0, ...settings.map((setting) => setting.name.length));
  const shown = settings.map((setting) => ({ ...setting, value: masked(setting) }));
  const values = Math.max(0, ...shown.map(({ value }) => value.length));
  for (const setting of shown) {
    const { value, source } = setting;
    const line = `${setting.name.padEnd(width)}  ${value.padEnd(values)}  ${source}`;
    report.result("setting", { ...setting }, printable(line.trimEnd()));
  }
  return EXIT_OK;
}

/** What the file says, and the variable that comes before it. */
function everything(
  loaded: LoadedConfig | undefined,
  env: CommandContext["io"]["env"],
): readonly Setting[] {
  const settings: Setting[] = [];
  const add = (prefix: string, values: Settings): void => {
    for (const [name, value] of Object.entries(values)) {
      settings.push({ name: `${prefix}.${name}`, value, source: "file" });
    }
  };
  if ((grantedEnv(env, "STT_SEED") ?? "") !== "") {
    settings.push({ name: SEED_KEY.name, value: "", source: "STT_SEED" });
  }
  if (loaded === undefined) return settings;
  const { defaults, commands, peers } = loaded.config;
  add("defaults", defaults);
  for (const [name, values] of Object.entries(commands)) add(`commands.${name}`, values);
  for (const [name, values] of Object.entries(peers)) add(`peers.${name}`, values);
  return settings;
}

function effective(
  name: string,
  peer: string | undefined,
  loaded: LoadedConfig | undefined,
  { io, commands }: CommandContext,
): readonly Setting[] {
  const known = configurable(commands);
  const command = known.find((entry) => entry.name === name);
  if (command === undefined) {
    const meant = didYouMean(name, known.map((entry) => entry.name));
    throw new UsageError(`unknown command ${JSON.stringify(name.slice(0, 64))}${meant}`, "config");
  }
  const empty: Config = { defaults: {}, commands: {}, peers: {} };
  const from = loaded ?? { path: "", config: empty, mistakes: [] };
  if (peer !== undefined && !Object.hasOwn(from.config.peers, peer)) {
    const meant = didYouMean(peer, Object.keys(from.config.peers));
    throw new UsageError(`unknown peer ${JSON.stringify(peer.slice(0, 64))}${meant}`, "config");
  }
  const address = peer === undefined ? undefined : from.config.peers[peer]?.["address"];
  return [
    ...(address === undefined
      ? []
      : [{ name: "address", value: address, source: `peers.${peer}` }]),
    ...settingsOf(command, () => false, from, peer, io.env),
  ];
}

function masked({ name, value }: Setting): string {
  if (name.split(".").at(-1) === SEED_KEY.name) return "(a seed, not shown)";
  if (typeof value === "boolean") return String(value);
  return typeof value === "string" ? value : value.join(", ");
}
