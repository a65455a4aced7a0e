/**
 * `stt bench`.
 *
 * @module
 */
import {
  type BenchRun,
  datagramLoss,
  download,
  roundTrips,
  type Throughput,
  upload,
} from "../benching/measure.ts";
import { BENCH_APP, MAX_BENCH_STREAMS, MAX_SOURCE_MS } from "../benching/wire.ts";
import type { Command, CommandContext } from "../command.ts";
import { dial } from "../dial.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { DIAL_OPTIONS, GENERAL_OPTIONS, SESSION_OPTIONS } from "../options.ts";
import { formatBytes, formatDuration, formatRate } from "../text.ts";

const DEFAULT_DURATION_S = 3;
const DEFAULT_PINGS = 20;
const DEFAULT_DATAGRAMS = 200;
const PING_PAUSE_MS = 20;

export const bench: Command = {
  name: "bench",
  usage: "bench ADDR [--duration SECONDS] [--streams N]",
  summary: "measure round trips, throughput both ways, and loss of datagrams",
  details: [
    "The listener runs `stt listen ADDR --bench`. Uploading and downloading each take",
    "the duration. Ctrl-C prints what was measured until then.",
  ],
  positionals: ["address"],
  examples: [
    { line: "listen udp://0.0.0.0:9000 --bench --seed-file net.seed", what: "the other side" },
    { line: "bench udp://192.0.2.1:9000 --seed-file net.seed --streams 4", what: "measure" },
  ],
  options: [
    {
      name: "duration",
      short: "d",
      value: "SECONDS",
      help: `of each direction (default ${DEFAULT_DURATION_S}; 0 leaves them out)`,
    },
    {
      name: "streams",
      value: "N",
      help: `streams at once, 1 to ${MAX_BENCH_STREAMS} (default 1)`,
    },
    { name: "pings", value: "N", help: `round trips to measure (default ${DEFAULT_PINGS})` },
    {
      name: "datagrams",
      value: "N",
      help: `datagrams to send (default ${DEFAULT_DATAGRAMS}; 0 for none)`,
    },
    ...SESSION_OPTIONS,
    ...DIAL_OPTIONS,
    ...GENERAL_OPTIONS,
  ],
  async run(args, context) {
    const [address, ...others] = args.positionals;
    if (address === undefined || others.length > 0) {
      throw new UsageError("bench needs one address", "bench");
    }
    const wishes: Wishes = {
      // Milliseconds are as little as can be asked for (SPEC 12.12).
      ms: Math.ceil(
        (args.number("duration", 0, MAX_SOURCE_MS / 1000) ?? DEFAULT_DURATION_S) * 1000,
      ),
      streams: args.integer("streams", 1, MAX_BENCH_STREAMS) ?? 1,
      pings: args.integer("pings", 0, 10_000) ?? DEFAULT_PINGS,
      datagrams: args.integer("datagrams", 0, 100_000) ?? DEFAULT_DATAGRAMS,
    };
    const { peer } = await dial(address, args, context, BENCH_APP);
    const { io, signal } = context;
    const run: BenchRun = { peer, now: () => io.now(), signal };
    try {
      await measureAll(run, wishes, context);
    } finally {
      await peer.close();
    }
    signal.throwIfAborted();
    return EXIT_OK;
  },
};

interface Wishes {
  readonly ms: number;
  readonly streams: number;
  readonly pings: number;
  readonly datagrams: number;
}

async function measureAll(run: BenchRun, wishes: Wishes, context: CommandContext): Promise<void> {
  const { ms, streams, pings, datagrams } = wishes;
  const { report } = context;
  const stopped = (): boolean => run.signal.aborted;
  const rtt = await roundTrips(run, pings, PING_PAUSE_MS);
  if (rtt !== undefined) {
    const { count, min, median, p99 } = rtt;
    report.result(
      "round-trips",
      { count, min, median, p99 },
      row("round trip", `${count} pings`, [
        `min ${formatDuration(min)}`,
        `median ${formatDuration(median)}`,
        `p99 ${formatDuration(p99)}`,
      ]),
    );
  }
  for (const [name, measure] of [["upload", upload], ["download", download]] as const) {
    if (ms === 0 || stopped()) continue;
    const progress = report.progress();
    const result = await measure(run, ms, streams, (bytes) => {
      progress({ name, bytes, size: null, resumed: 0 });
    });
    tellThroughput(name, result, context);
  }
  const loss = stopped() ? undefined : await datagramLoss(run, datagrams);
  if (loss === undefined) return;
  const { sent, size, lostThere, lostBack } = loss;
  report.result(
    "datagrams",
    { sent, size, lostThere, lostBack },
    row("datagrams", `${sent} of ${size} bytes`, [
      `${lostThere} lost there`,
      `${lostBack} lost back`,
      `${((lostThere + lostBack) / (2 * sent) * 100).toFixed(1)} %`,
    ]),
  );
}

function tellThroughput(
  name: "upload" | "download",
  { bytes, ms, streams, loadedRtt }: Throughput,
  { report }: CommandContext,
): void {
  report.result(
    name,
    { bytes, ms, streams, mbPerSecond: bytes / ms / 1000, loadedRtt },
    row(name, `${streams === 1 ? "1 stream" : `${streams} streams`}, ${formatDuration(ms)}`, [
      formatBytes(bytes),
      formatRate(bytes, ms),
      ...(loadedRtt === null ? [] : [`ping meanwhile ${formatDuration(loadedRtt)}`]),
    ]),
  );
}

function row(name: string, what: string, facts: readonly string[]): string {
  return `${name.padEnd(11)} ${what.padEnd(18)} ${facts.join("   ")}`;
}
