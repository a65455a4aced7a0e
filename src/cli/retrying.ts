/**
 * Sessions one after the other, for commands that stay connected.
 *
 * @module
 */
import type { Peer } from "../endpoint/peer.ts";
import { reconnecting } from "../endpoint/reconnecting.ts";
import { isTransient } from "../endpoint/reconnect_policy.ts";
import type { EndpointOptions } from "../endpoint/options.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import type { CommandContext } from "./command.ts";
import type { Dialler } from "./dial.ts";
import { formatDuration } from "./text.ts";

export const RETRY_OPTION: OptionSpec = {
  name: "retry",
  value: "N",
  help: "dials in a row after a lost session (default: no limit)",
};

/** A node id that lasts as long as the run, where the user gave none: a dialler that comes back is the same node. */
export function runIdentity(args: Arguments): Partial<EndpointOptions> {
  return args.text("node-seed-file") === undefined ? { nodeSeed: generateSeed() } : {};
}

/**
 * Sessions until this side closes one. The first dial may fail, and the run with it: an address with a mistake in it is
 * not dialled for ever.
 *
 * @param retries Dials in a row after a session was lost.
 */
export async function* sessions(
  dialler: Dialler,
  retries: number,
  { io, report, signal }: CommandContext,
): AsyncGenerator<Peer, void, void> {
  let stood = false;
  yield* reconnecting(async (signal) => (await dialler.dial(signal)).peer, {
    maxAttempts: retries + 1,
    signal,
    clock: io,
    retry: (error) => stood && isTransient(error),
    onEvent: (event) => {
      if (event.type === "open") stood = true;
      if (event.type !== "wait") return;
      const { error: { code, message }, delay, attempt } = event;
      report.warning(
        "retry",
        { code, message, attempt, delay: Math.round(delay) },
        `${message}; dialling again in ${formatDuration(delay)}`,
      );
    },
  });
}
