/**
 * Where the configuration is, and what is in it.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileError } from "../../endpoint/files/file_error.ts";
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";
import type { Command } from "../command.ts";
import { grantedEnv, mayRead } from "../granted.ts";
import type { CliIo } from "../io.ts";
import { checkConfig, type Config } from "./check.ts";

const MAX_BYTES = 1_048_576;
const OTHERS = 0o077;
const OTHERS_WRITE = 0o002;

/** Where the configuration is looked for. */
export interface ConfigPlace {
  readonly path: string;
  /** The user named it: then it must be there. */
  readonly named: boolean;
}

/** A configuration that was read. */
export interface LoadedConfig {
  readonly path: string;
  readonly config: Config;
  readonly mistakes: readonly string[];
}

/** The file of `--config`, else of STT_CONFIG, else that of the system's custom; undefined for none. */
export function configPlace(option: string | undefined, { env }: CliIo): ConfigPlace | undefined {
  const named = option ?? grantedEnv(env, "STT_CONFIG");
  if (named !== undefined) return named === "" ? undefined : { path: resolve(named), named: true };
  const folder = process.platform === "win32"
    ? grantedEnv(env, "APPDATA")
    : grantedEnv(env, "XDG_CONFIG_HOME") || home(env, ".config");
  return folder === undefined || folder === ""
    ? undefined
    : { path: join(folder, "stt", "config.json"), named: false };
}

function home(env: CliIo["env"], inner: string): string | undefined {
  const folder = grantedEnv(env, "HOME");
  return folder === undefined || folder === "" ? undefined : join(folder, inner);
}

/**
 * Reads a configuration; undefined when there is none.
 *
 * @throws {SttError} CONFIG when it is no JSON, too large, writable by everybody, or holds a seed that others can read;
 *   FILE_IO.
 */
export async function readConfig(
  place: ConfigPlace,
  commands: readonly Command[],
): Promise<LoadedConfig | undefined> {
  if (!place.named && !mayRead(place.path)) return undefined;
  const file = await openConfig(place);
  if (file === undefined) return undefined;
  const { path } = place;
  try {
    const { mode, size } = await file.stat();
    if (size > MAX_BYTES) throw unusable(path, `${size} bytes exceed ${MAX_BYTES}`);
    const { config, mistakes, secret } = checkConfig(
      parse(path, await file.readFile("utf8")),
      commands,
    );
    if (process.platform !== "win32") {
      if ((mode & OTHERS_WRITE) !== 0) {
        throw unusable(path, "everybody can change it: chmod 600 it");
      }
      if (secret && (mode & OTHERS) !== 0) {
        throw unusable(path, "it holds a seed and others can read it: chmod 600 it");
      }
    }
    return { path, config, mistakes };
  } catch (cause) {
    throw fileError("read", path, cause);
  } finally {
    await file.close();
  }
}

async function openConfig({ path, named }: ConfigPlace): Promise<FileHandle | undefined> {
  try {
    return await open(path, "r");
  } catch (cause) {
    const code = systemCode(cause);
    if (!named && (code === "ENOENT" || code === "ENOTDIR")) return undefined;
    throw fileError("read", path, cause);
  }
}

/** The parser's own message repeats the text, which may be a seed. */
function parse(path: string, text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    const position = /position (\d+)/.exec(error instanceof Error ? error.message : "")?.[1];
    const before = position === undefined ? undefined : text.slice(0, Number(position));
    const where = before === undefined
      ? ""
      : `, line ${before.split("\n").length}, column ${before.length - before.lastIndexOf("\n")}`;
    throw unusable(path, `it is no JSON${where}`);
  }
}

function unusable(path: string, why: string): SttError {
  return new SttError("CONFIG", `cannot use configuration ${JSON.stringify(path)}: ${why}`);
}

/** A path of the configuration: relative ones begin at its folder, `~/` at the user's. */
export function configuredPath(path: string, configPath: string, env: CliIo["env"]): string {
  if (path === "-") return path;
  if (path.startsWith("~/")) return home(env, path.slice(2)) ?? path;
  return resolve(dirname(configPath), path);
}
