/**
 * `deno task netlab`: `stt` over bad lines, beside the kernel's TCP in the same run. docs/netlab.md has the options.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Case, CASES } from "./netlab/cases.ts";
import { labRefusal, type LinkReport, NOT_PERMITTED, withLab } from "./netlab/lab.ts";
import { pingUnderLoad } from "./netlab/load.ts";
import { machineFacts } from "./netlab/machine.ts";
import { buildForNode, type Runtime, tcpControls } from "./netlab/programs.ts";
import {
  type Carrier,
  carrierName,
  makeSample,
  megabits,
  megabitsWithDial,
  type Sample,
  transfer,
} from "./netlab/transfer.ts";

/** One measurement. */
interface Row {
  readonly case: string;
  readonly bytes: number;
  readonly carrier: string;
  readonly round: number;
  /** Mbit/s, or milliseconds of a round trip under load. */
  readonly value: number;
  readonly [fact: string]: unknown;
}

interface Settings {
  readonly json: boolean;
  readonly rounds: number;
  readonly patienceMs: number;
  readonly carriers: readonly Carrier[];
  readonly folder: string;
  readonly urgent: boolean;
  readonly rate: number | undefined;
}

function usage(text: string): never {
  console.error(`netlab: ${text}; docs/netlab.md has the options`);
  Deno.exit(2);
}

function positive(name: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const number = Number(text);
  return number > 0 ? number : usage(`--${name} takes a positive number, not ${text}`);
}

function listed<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  return text.split(",").map((part) =>
    known.find((item) => item === part) ??
      usage(`--${name} takes some of ${known.join(",")}, not ${part}`)
  );
}

function options(): Record<string, string | boolean | undefined> {
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        only: { type: "string" },
        json: { type: "boolean" },
        size: { type: "string" },
        rounds: { type: "string" },
        runtime: { type: "string" },
        congestion: { type: "string" },
        tcp: { type: "string" },
        patience: { type: "string" },
        rate: { type: "string" },
        urgent: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function text(value: string | boolean | undefined, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

/** TCP first, so that what `stt` is compared with is already there when its row is printed. */
async function carriersOf(given: ReturnType<typeof options>): Promise<Carrier[]> {
  const runtimes = listed<Runtime>("runtime", text(given["runtime"], "deno"), ["deno", "node"]);
  const congestions = listed("congestion", text(given["congestion"], "default"), [
    "default",
    "cubic",
    "bbr",
    "newreno",
  ]);
  const controls = await tcpControls();
  const tcp = text(given["tcp"], "cubic,bbr").split(",").filter((name) => controls.includes(name));
  if (runtimes.includes("node")) await buildForNode();
  return [
    ...tcp.map((control): Carrier => ({ kind: "tcp", control })),
    ...runtimes.flatMap((runtime) =>
      congestions.map((name): Carrier =>
        name === "default" ? { kind: "stt", runtime } : { kind: "stt", runtime, congestion: name }
      )
    ),
  ];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2;
}

/** What shows whether the lab itself stood in the way. */
function honesty(link: LinkReport): Record<string, unknown> {
  const { aToB, bToA, kernel } = link;
  return {
    lateShare: (aToB.late + bToA.late) / Math.max(1, aToB.delivered + bToA.delivered),
    worstLateMs: Math.max(aToB.worst_late_ms, bToA.worst_late_ms),
    linkCpu: link.cpuSeconds / link.seconds,
    lost: bToA.lost,
    queueDrops: bToA.queue_drops,
    deviceDrops: kernel.a.device_drops + kernel.b.device_drops,
    socketDrops: kernel.a.socket_drops + kernel.b.socket_drops,
    packets: bToA.packets,
  };
}

function rateOf({ line, measure }: Case, settings: Settings): number | undefined {
  return measure === "transfers" ? settings.rate ?? line.rate : line.rate;
}

async function measureOnce(
  what: Case,
  carrier: Carrier,
  sample: Sample,
  round: number,
  settings: Settings,
): Promise<Row> {
  const rate = rateOf(what, settings);
  const line = { ...what.line, ...(rate === undefined ? {} : { rate }), seed: round };
  const about = { case: what.name, bytes: sample.bytes, carrier: carrierName(carrier), round };
  if (what.measure === "ping") {
    const { value, link } = await withLab(line, (lab) => {
      lab.urgent = settings.urgent;
      return pingUnderLoad(lab, carrier, sample, settings.folder);
    });
    return { ...about, value: value.loaded.median, ...value, ...honesty(link) };
  }
  const { value, link } = await withLab(line, (lab) => {
    lab.urgent = settings.urgent;
    return transfer(lab, carrier, sample, settings.folder, settings.patienceMs);
  });
  const perSecond = link.bToA.packets / (value.ms / 1000);
  const withDial = megabitsWithDial(value);
  return { ...about, value: megabits(value), withDial, ...value, perSecond, ...honesty(link) };
}

function say(settings: Settings, line: string): void {
  if (!settings.json) console.log(line);
}

function fixed(value: unknown, digits: number): string {
  return Number(value).toFixed(digits);
}

/** The median of a carrier's rounds. */
function medianOf(rows: readonly Row[], carrier: string): number {
  return median(rows.filter((row) => row.carrier === carrier).map(({ value }) => value));
}

function transferLines(rows: readonly Row[], carriers: readonly Carrier[]): string[] {
  const tcp = carriers.filter(({ kind }) => kind === "tcp").map(carrierName);
  return carriers.map((carrier) => {
    const name = carrierName(carrier);
    const own = rows.filter((row) => row.carrier === name);
    const each = own.map((row) => `${fixed(row.value, 1)}${row["whole"] === true ? "" : "…"}`);
    const ratios = carrier.kind === "tcp"
      ? []
      : tcp.map((other) =>
        `${fixed(medianOf(rows, name) / medianOf(rows, other), 2)}× ${other.slice(4)}`
      );
    const late = Math.max(...own.map((row) => Number(row["lateShare"]))) * 100;
    const dial = median(own.map((row) => Number(row["connectMs"])));
    const withDial = median(own.map((row) => Number(row["withDial"])));
    return `  ${name.padEnd(18)}${fixed(medianOf(rows, name), 1).padStart(7)} Mbit/s` +
      `  [${each.join(" ")}]  dial ${fixed(dial, 0)} ms, with it ${fixed(withDial, 1)}  late ${
        fixed(late, 1)
      } %` +
      (ratios.length === 0 ? "" : `  = ${ratios.join(", ")}`);
  });
}

function pingLines(rows: readonly Row[]): string[] {
  return rows.map((row) => {
    const [idle, loaded] = [row["idle"], row["loaded"]] as Record<string, number>[];
    const ratio = Number(loaded?.["median"]) / Number(idle?.["median"]);
    const worst = Number(loaded?.["p95"]) / Number(idle?.["median"]);
    return `  beside ${row.carrier.padEnd(18)} idle ${fixed(idle?.["median"], 1)} ms, loaded ` +
      `${fixed(loaded?.["median"], 1)} ms (95 %: ${fixed(loaded?.["p95"], 1)}): ` +
      `${fixed(ratio, 2)}× (95 %: ${fixed(worst, 2)}×)`;
  });
}

function labLines(rows: readonly Row[]): string[] {
  return rows.map((row) =>
    `  ${row.carrier.padEnd(18)}${fixed(row.value, 0).padStart(7)} Mbit/s, ` +
    `${fixed(row["perSecond"], 0)} packets/s, link busy ${
      fixed(Number(row["linkCpu"]) * 100, 0)
    } %, ` +
    `dropped beside the link ${fixed(row["deviceDrops"], 0)}, at full sockets ${
      fixed(row["socketDrops"], 0)
    }`
  );
}

async function run(what: Case, megabytes: number, settings: Settings): Promise<boolean> {
  const rate = rateOf(what, settings);
  const other = rate === what.line.rate ? "" : `, but ${rate} Mbit/s`;
  say(settings, `${what.name}: ${what.text}${other}; ${megabytes} MB`);
  const sample = await makeSample(settings.folder, Math.round(megabytes * 1e6));
  const rows: Row[] = [];
  let good = true;
  for (let round = 1; round <= settings.rounds; round++) {
    for (const carrier of settings.carriers) {
      try {
        const row = await measureOnce(what, carrier, sample, round, settings);
        rows.push(row);
        if (settings.json) console.log(JSON.stringify(row));
      } catch (error) {
        good = false;
        const message = error instanceof Error ? error.message : String(error);
        const failed = { case: what.name, carrier: carrierName(carrier), round, error: message };
        if (settings.json) console.log(JSON.stringify(failed));
        else console.log(`  ${failed.carrier} FAILED: ${message}`);
      }
    }
  }
  const lines = what.measure === "ping"
    ? pingLines(rows)
    : what.measure === "lab"
    ? labLines(rows)
    : transferLines(rows, settings.carriers);
  for (const line of lines) say(settings, line);
  await Deno.remove(sample.path);
  return good;
}

const given = options();
const names = CASES.map(({ name }) => name);
const wanted = listed("only", text(given["only"], names.join(",")), names);
const refusal = await labRefusal();
if (refusal !== undefined) {
  console.error(`netlab: not here: ${refusal}`);
  Deno.exit(NOT_PERMITTED);
}
const folder = await Deno.makeTempDir({ prefix: "stt-netlab-" });
let good = true;
try {
  const settings: Settings = {
    json: given["json"] === true,
    rounds: positive("rounds", text(given["rounds"], "1"), 1),
    patienceMs: positive("patience", text(given["patience"], "30"), 30) * 1000,
    carriers: await carriersOf(given),
    folder,
    rate: given["rate"] === undefined ? undefined : positive("rate", text(given["rate"], ""), 0),
    urgent: given["urgent"] === true,
  };
  const facts = await machineFacts();
  if (settings.json) console.log(JSON.stringify(facts));
  for (const [name, fact] of Object.entries(facts)) say(settings, `${name}: ${fact}`);
  for (const what of CASES.filter(({ name }) => wanted.includes(name))) {
    const size = given["size"];
    const sizes = what.measure === "transfers" && typeof size === "string"
      ? size.split(",").map((part) => positive("size", part, 8))
      : what.megabytes;
    for (const megabytes of sizes) good = await run(what, megabytes, settings) && good;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(good ? 0 : 1);
