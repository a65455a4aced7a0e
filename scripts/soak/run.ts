/**
 * One soak: lanes, samples, verdict.
 *
 * @module
 */
import process from "node:process";
import { Prng } from "../../src/testing/prng.ts";
import type { SoakArguments } from "./arguments.ts";
import { Lane, type LaneName } from "./lane.ts";
import { openHandles, sample } from "./process.ts";
import { Suspensions } from "./suspension.ts";
import type { Tally } from "./tally.ts";
import { judge, type Sample, type Trend, trend, warmUpMs } from "./verdict.ts";

const NAMES: readonly LaneName[] = ["udp", "tcp", "ws"];
const SAMPLES = 180;
const SESSION_MS = 30_000;
const REBIND_MS = 5000;
const LONGEST_WARM_UP_MS = 45_000;
const WARM_UP_RATE = 400_000;
const WARM_UP_SESSION_MS = 300;
/** From this length on a run must have shown everything that it is for. */
const WHOLE_RUN_MS = 240_000;
/** Sockets that were told to close are closed by the runtime in its own time. */
const SETTLE_MS = 500;

/** The whole outcome; what `--json` prints. */
export interface SoakReport {
  readonly ok: boolean;
  readonly reasons: readonly string[];
  readonly minutes: number;
  readonly seed: number;
  readonly rate: number;
  readonly runtime: string;
  readonly cores: number;
  readonly cpuSeconds: number;
  readonly warmUpMinutes: number;
  readonly trend: Trend | undefined;
  readonly handles: { readonly before: number | undefined; readonly after: number | undefined };
  /** Times that this process was kept from running for seconds, and the longest. */
  readonly suspensions: { readonly count: number; readonly longestMs: number };
  readonly samples: readonly Sample[];
  readonly lanes: readonly LaneReport[];
}

/** One transport's counters. */
export type LaneReport =
  & Omit<Tally, "explained" | "error">
  & {
    readonly name: LaneName;
    readonly explained: Readonly<Record<string, number>>;
    readonly relay: Lane["relay"];
  };

function laneReport(lane: Lane): LaneReport {
  const { explained, ...counters } = lane.tally;
  return {
    name: lane.name,
    ...counters,
    explained: Object.fromEntries([...explained].sort()),
    relay: lane.relay,
  };
}

/**
 * Short sessions at a high rate: what is loaded on first use and what the compiler keeps of hot code must not count as
 * growth.
 */
async function warmUp(prng: Prng, ms: number, suspensions: Suspensions): Promise<void> {
  const options = {
    suspensions,
    rate: WARM_UP_RATE,
    sessionMs: WARM_UP_SESSION_MS,
    rebindMs: WARM_UP_SESSION_MS,
  };
  const lanes = NAMES.map((name) => new Lane(name, prng.fork(), options));
  for (const lane of lanes) await lane.start();
  const running = Promise.all(lanes.map((lane) => lane.run()));
  await new Promise((resolve) => setTimeout(resolve, ms));
  for (const lane of lanes) lane.stop();
  await running;
  for (const lane of lanes) await lane.close();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

/** What a run of this length should have shown and did not. */
function missing(lanes: readonly LaneReport[], totalMs: number): string[] {
  if (totalMs < WHOLE_RUN_MS) return [];
  return lanes.flatMap((lane) => {
    const { name, endings, rotations, rebinds, migrations, relay } = lane;
    const none: string[] = [];
    if (rotations === 0) none.push(`no key rotation over ${name}`);
    if (endings.abort === 0 || endings.restart === 0) none.push(`no restart over ${name}`);
    if (relay === undefined) return none;
    if (rebinds === 0 || migrations === 0) none.push(`no migration over ${name}`);
    if (relay.lost === 0) none.push(`no lost packet over ${name}`);
    return none;
  });
}

/** Runs for `minutes`; `tell` gets a line now and then. */
export async function soak(
  args: SoakArguments,
  tell: (line: string) => void,
): Promise<SoakReport> {
  const prng = new Prng(args.seed);
  const totalMs = args.minutes * 60_000;
  const suspensions = new Suspensions();
  await warmUp(prng.fork(), Math.min(LONGEST_WARM_UP_MS, totalMs / 20), suspensions);
  const before = openHandles();
  const options = {
    suspensions,
    rate: args.rate,
    sessionMs: Math.min(SESSION_MS, totalMs / 5),
    rebindMs: Math.min(REBIND_MS, totalMs / 8),
  };
  const lanes = NAMES.map((name) => new Lane(name, prng.fork(), options));
  for (const lane of lanes) await lane.start();
  const running = Promise.all(lanes.map((lane) => lane.run()));
  const samples: Sample[] = [];
  const start = performance.now();
  const every = Math.max(1000, totalMs / SAMPLES);
  for (let due = every; due <= totalMs; due += every) {
    await new Promise((resolve) =>
      setTimeout(resolve, Math.max(0, start + due - performance.now()))
    );
    samples.push(await sample(start));
    for (const lane of lanes) lane.sample();
    tell(progress(samples, lanes));
  }
  for (const lane of lanes) lane.stop();
  await running;
  for (const lane of lanes) await lane.close();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  suspensions.stop();
  const after = openHandles();
  const found = trend(samples, totalMs);
  const reports = lanes.map(laneReport);
  const reasons = judge({
    trend: found,
    handlesBefore: before,
    handlesAfter: after,
    unexplained: reports.reduce((sum, { unexplainedCount }) => sum + unexplainedCount, 0),
    transfers: Math.min(...reports.map(({ transfers }) => transfers)),
    mostSessions: Math.max(...reports.map(({ mostSessions }) => mostSessions)),
    mostHandshaking: Math.max(...reports.map(({ mostHandshaking }) => mostHandshaking)),
    missing: missing(reports, totalMs),
  });
  return {
    ok: reasons.length === 0,
    reasons,
    minutes: args.minutes,
    seed: args.seed,
    rate: args.rate,
    runtime: `deno ${Deno.version.deno}`,
    cores: navigator.hardwareConcurrency,
    cpuSeconds: cpuSeconds(),
    warmUpMinutes: warmUpMs(totalMs) / 60_000,
    trend: found,
    handles: { before, after },
    suspensions: { count: suspensions.count, longestMs: suspensions.longestMs },
    samples,
    lanes: reports,
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

function progress(samples: readonly Sample[], lanes: readonly Lane[]): string {
  const { atMs, heap, rss, handles } = samples.at(-1)!;
  const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(2);
  const verified = lanes.reduce((sum, { tally }) => sum + tally.verifiedBytes, 0);
  const sessions = lanes.reduce((sum, { tally }) => sum + tally.sessions, 0);
  const errors = lanes.reduce((sum, { tally }) => sum + tally.unexplainedCount, 0);
  const first = lanes.flatMap(({ tally }) => tally.unexplained)[0];
  return `${(atMs / 1000).toFixed(0)} s: heap ${mib(heap)} MiB, resident ${mib(rss)} MiB, ` +
    `${handles ?? "?"} descriptors, ${sessions} sessions, ${mib(verified)} MiB verified, ` +
    `${errors} unexplained errors${first === undefined ? "" : `, the first: ${first}`}`;
}
