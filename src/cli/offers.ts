/**
 * What a listener does besides files: each peer is served by the application that it announces.
 *
 * @module
 */
import type { ConnectionOptions } from "../connection/config.ts";
import type { Arguments, OptionSpec } from "./args.ts";
import { benchService } from "./benching/service.ts";
import { BENCH_APP } from "./benching/wire.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./exit_codes.ts";
import { ALLOW_BIND_OPTION, forwardLimits, policyOf } from "./forwarding/options.ts";
import { forwardService } from "./forwarding/service.ts";
import { FORWARD_APP } from "./forwarding/wire.ts";
import type { Service } from "./services.ts";

/** Few, so that files keep a window of 1 MiB per stream beside them. */
const FORWARDED_CONNECTIONS = 8;

export const OFFER_OPTIONS: readonly OptionSpec[] = [
  {
    name: "allow-forward",
    value: "HOST:PORT",
    multiple: true,
    help: "targets that peers may reach by `stt forward -L`, several with commas",
  },
  ALLOW_BIND_OPTION,
  { name: "bench", help: "let peers measure the path (`stt bench`)" },
];

/** A listener's services together. */
export interface Offers {
  readonly service: Service;
  /** What the listener announces. */
  readonly app: string;
  readonly limits: ConnectionOptions;
  /** Whether a peer that announces this is welcome. */
  takes(app: string): boolean;
}

/** The service of the options, and those besides. @throws {UsageError} */
export function offersOf(
  args: Arguments,
  context: CommandContext,
  service: Service,
  app: string,
): Offers {
  const besides = new Map<string, Service>();
  const policy = policyOf(args, "allow-forward", FORWARDED_CONNECTIONS);
  const forwards = !policy.connect.isEmpty || !policy.bind.isEmpty;
  if (forwards) besides.set(FORWARD_APP, forwardService(policy, context));
  if (args.flag("bench")) besides.set(BENCH_APP, benchService(context));
  if (besides.size === 0) return { service, app, limits: {}, takes: () => true };
  if (args.text("app") !== undefined) {
    throw new UsageError(
      "--app shuts out those whom --bench and --allow-forward are for",
      "listen",
    );
  }
  return {
    service: {
      serve: (peer, onWork) => (besides.get(peer.info.app) ?? service).serve(peer, onWork),
      close: () => [service, ...besides.values()].forEach((one) => one.close?.()),
    },
    // SPEC 6.2.11: a name of one service would refuse the peers of the others.
    app: "",
    limits: forwards ? forwardLimits(FORWARDED_CONNECTIONS) : {},
    takes: (wanted) => wanted === "" || wanted === app || besides.has(wanted),
  };
}
