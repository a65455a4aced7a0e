/**
 * `stt top`.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ConnectionStats } from "../../connection/stats.ts";
import type { Peer } from "../../endpoint/peer.ts";
import { type HistogramSnapshot, quantile } from "../../observe/histogram.ts";
import { statsSince } from "../../telemetry/stats_since.ts";
import type { Command, CommandContext } from "../command.ts";
import { dial, suiteName } from "../dial.ts";
import { EXIT_OK, Interrupted, UsageError } from "../exit_codes.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { pingWithin } from "../pinging.ts";
import { styleOf } from "../style.ts";
import { topLine, topLines, type TopView } from "../top/screen.ts";

const DEFAULT_INTERVAL_MS = 1000;
/** Looks that the line of bars shows at most. */
const LOOKS = 400;

export const top: Command = {
  name: "top",
  usage: "top ADDR [--interval MS] [--count N]",
  summary: "a session with a listener, live: round trips, rates, losses",
  details: [
    "Pings the listener at every look and shows this side of the session, until q",
    "or Ctrl-C. `wait` is from a write until its last byte is in a frame, `seal` and",
    "`open` the work on one frame. Piped, each look is a line; with --json an object.",
  ],
  examples: [
    {
      line: "top udp://192.0.2.1:9000 --seed-file net.seed",
      what: "watch a session, a look a second",
    },
    {
      line: "top udp://192.0.2.1:9000 --seed-file net.seed --count 60 --json",
      what: "a minute of numbers for another program",
    },
  ],
  positionals: ["address"],
  options: [
    { name: "count", short: "c", value: "N", help: "looks to take (default: until q or Ctrl-C)" },
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
      throw new UsageError("top needs one address", "top");
    }
    const count = args.integer("count", 1, 1_000_000_000) ?? Infinity;
    const interval = args.number("interval", 50, 3_600_000) ?? DEFAULT_INTERVAL_MS;
    const { peer, timeoutMs } = await dial(address, args, context, "", { profile: true });
    const screen = new Screen(context, args.flag("json"));
    const keys = new Keys(context, args.flag("json"));
    const signal = AbortSignal.any([context.signal, keys.signal]);
    try {
      await watch(peer, address, { count, interval, timeoutMs }, { ...context, signal }, screen);
    } catch (error) {
      if (!keys.signal.aborted) throw error;
      if (keys.signal.reason instanceof Interrupted) throw keys.signal.reason;
    } finally {
      keys.close();
      screen.close();
      await peer.close();
    }
    return EXIT_OK;
  },
};

interface Looks {
  readonly count: number;
  readonly interval: number;
  readonly timeoutMs: number;
}

async function watch(
  peer: Peer,
  address: string,
  { count, interval, timeoutMs }: Looks,
  { io, signal }: CommandContext,
  screen: Screen,
): Promise<void> {
  const started = io.now();
  const rtts: number[] = [];
  let before = peer.stats();
  let lookedMs = started;
  // Behind `| head` nobody looks any more.
  for (let look = 1; look <= count && io.stdout.gone !== true; look++) {
    if (look > 1) await delay(interval, undefined, { signal });
    rtts.push(await pingWithin(peer, timeoutMs, signal));
    if (rtts.length > LOOKS) rtts.shift();
    const [stats, nowMs] = [peer.stats(), io.now()];
    screen.show({
      address,
      peerId: peer.id,
      suite: suiteName(peer.info.suite),
      elapsedMs: nowMs - started,
      stats,
      change: statsSince(before, stats),
      intervalMs: nowMs - lookedMs,
      rtts,
    });
    before = stats;
    lookedMs = nowMs;
  }
}

/** `q` ends the screen in order; while keys are read, Ctrl-C is one of them. */
class Keys {
  readonly #ended = new AbortController();
  readonly #stop: () => void = () => undefined;

  constructor({ io: { stdin, stdout } }: CommandContext, json: boolean) {
    if (json || !stdin.isTty || !stdout.isTty) return;
    this.#stop = stdin.keys((keys) => {
      if (keys.includes("\x03")) this.#ended.abort(new Interrupted("SIGINT"));
      else if (/q/i.test(keys)) this.#ended.abort();
    });
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  close(): void {
    this.#stop();
  }
}

/** Draws over what it drew before on a terminal, and prints anywhere else. */
class Screen {
  readonly #context: CommandContext;
  readonly #json: boolean;
  #lines = 0;

  constructor(context: CommandContext, json: boolean) {
    this.#context = context;
    this.#json = json;
  }

  show(view: TopView): void {
    const { io, report } = this.#context;
    const { stdout } = io;
    if (this.#json || !stdout.isTty) {
      report.result("stats", factsOf(view), topLine(view));
      return;
    }
    // What does not fit would scroll away at every look, with the one before.
    const most = Math.max(1, (stdout.rows ?? Infinity) - 1);
    const lines = topLines(view, stdout.columns, styleOf(stdout, io)).slice(0, most);
    // The cursor would flicker at the end of every line.
    const start = this.#lines === 0 ? "\x1b[?25l" : `\x1b[${this.#lines}A`;
    stdout.text(start + lines.map((line) => `\r\x1b[K${line}\n`).join(""));
    this.#lines = lines.length;
  }

  /** What was drawn last stays. */
  close(): void {
    if (this.#lines > 0) this.#context.io.stdout.text("\x1b[?25h");
  }
}

function factsOf({ elapsedMs, intervalMs, stats, change, rtts }: TopView): Record<string, unknown> {
  const { profile, ...counters } = stats;
  return {
    elapsedMs,
    intervalMs,
    rttMs: rtts.at(-1),
    ...(profile === undefined ? {} : {
      times: Object.fromEntries(
        Object.entries(profile).map(([name, histogram]) => [name, summary(histogram)]),
      ),
    }),
    change: rates(change),
    stats: counters,
  };
}

function summary(histogram: HistogramSnapshot): Record<string, number | undefined> {
  const { count, min, max } = histogram;
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => quantile(histogram, share));
  return { count, min, p50, p90, p99, max };
}

function rates({ bytesSent, bytesReceived, framesSent, framesReceived }: ConnectionStats): unknown {
  return { bytesSent, bytesReceived, framesSent, framesReceived };
}
