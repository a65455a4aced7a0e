/**
 * `stt ping`.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "../command.ts";
import { dial } from "../dial.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { pingWithin } from "../pinging.ts";
import type { Report } from "../report.ts";
import { formatDuration } from "../text.ts";

const DEFAULT_COUNT = 4;
const DEFAULT_INTERVAL_MS = 1000;

export const ping: Command = {
  name: "ping",
  usage: "ping ADDR [--count N] [--interval MS]",
  summary: "measure the round trip to a listener, through an encrypted session",
  details: [
    "Works with every listener that has the seed, whatever it is for. Ctrl-C prints",
    "what was measured until then.",
  ],
  positionals: ["address"],
  examples: [
    {
      line: "ping udp://192.0.2.1:9000 --seed-file net.seed --count 10",
      what: "ten round trips, a second apart",
    },
  ],
  options: [
    { name: "count", short: "c", value: "N", help: `pings to send (default ${DEFAULT_COUNT})` },
    {
      name: "interval",
      short: "i",
      value: "MS",
      help: `milliseconds between them (default ${DEFAULT_INTERVAL_MS})`,
    },
    ...SESSION_OPTIONS,
    ...DIAL_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const [address, ...others] = args.positionals;
    if (address === undefined || others.length > 0) {
      throw new UsageError("ping needs one address", "ping");
    }
    const count = args.integer("count", 1, 1_000_000) ?? DEFAULT_COUNT;
    const interval = args.number("interval", 0, 86_400_000) ?? DEFAULT_INTERVAL_MS;
    const { io, report, signal } = context;
    const { peer, timeoutMs } = await dial(address, args, context, "");
    const times: Times = { count: 0, min: Infinity, sum: 0, max: 0 };
    try {
      // Behind `| head` there is nobody to measure for.
      for (let sequence = 1; sequence <= count && io.stdout.gone !== true; sequence++) {
        if (sequence > 1) await pause(interval, signal);
        const ms = await pingWithin(peer, timeoutMs, signal);
        add(times, ms);
        report.result(
          "pong",
          { sequence, ms },
          `pong from ${peer.id.slice(0, 16)}: seq=${sequence} time=${formatDuration(ms)}`,
        );
      }
    } finally {
      await peer.close();
      if (times.count > 0) tell(times, report);
    }
    return EXIT_OK;
  },
};

/** Sums, not samples: a million pings are to be had. */
interface Times {
  count: number;
  min: number;
  sum: number;
  max: number;
}

function add(times: Times, ms: number): void {
  times.count++;
  times.min = Math.min(times.min, ms);
  times.sum += ms;
  times.max = Math.max(times.max, ms);
}

function tell({ count, min, sum, max }: Times, report: Report): void {
  const avg = sum / count;
  report.result(
    "summary",
    { count, min, avg, max },
    `${count} ${count === 1 ? "pong" : "pongs"}, min/avg/max ${min.toFixed(2)}/${avg.toFixed(2)}/${
      max.toFixed(2)
    } ms`,
  );
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
