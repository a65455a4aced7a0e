/**
 * The configuration as the commands meet it: found, read, checked, and behind their arguments.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Arguments } from "../args.ts";
import type { Command } from "../command.ts";
import type { CliIo } from "../io.ts";
import { configPlace, readConfig } from "./config_file.ts";
import { settle } from "./settle.ts";

/**
 * The arguments with what the configuration adds; the same where there is none.
 *
 * @throws {SttError} CONFIG, FILE_IO.
 */
export async function configured(
  command: Command,
  args: Arguments,
  commands: readonly Command[],
  io: CliIo,
): Promise<Arguments> {
  if (command.ignoresConfig === true) return args;
  const place = configPlace(args.text("config"), io);
  const loaded = place === undefined ? undefined : await readConfig(place, commands);
  if (loaded === undefined) return args;
  const [mistake, ...more] = loaded.mistakes;
  if (mistake !== undefined) {
    const others = more.length === 0 ? "" : `; and ${more.length} more: stt config check`;
    throw new SttError(
      "CONFIG",
      `cannot use configuration ${JSON.stringify(loaded.path)}: ${mistake}${others}`,
    );
  }
  return settle(command, args, loaded, io.env);
}
