/**
 * The check of the configuration file. One with mistakes ends every command before it begins, this one too.
 *
 * @module
 */
import type { Arguments } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { configPlace, readConfig } from "../config/config_file.ts";
import { printable } from "../text.ts";
import { type Check, ok } from "./check.ts";

/** Says which file holds, and how many peers it names. */
export function configCheck(args: Arguments, { io, commands }: CommandContext): Check {
  return {
    name: "config",
    async run() {
      const place = configPlace(args.text("config"), io);
      const loaded = place === undefined ? undefined : await readConfig(place, commands);
      if (loaded === undefined) return ok("none, and none is needed");
      const peers = Object.keys(loaded.config.peers).length;
      return ok(`${printable(loaded.path)} names ${peers === 1 ? "1 peer" : `${peers} peers`}`);
    },
  };
}
