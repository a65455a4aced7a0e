/**
 * Round trips of `stt ping` while the line is idle, and while a transfer fills it.
 *
 * @module
 */
import type { Lab } from "./lab.ts";
import type { LineProcess } from "./process.ts";
import { sttCommand } from "./programs.ts";
import { type Carrier, LAB_SEED, type Sample, startStt } from "./transfer.ts";

const PINGS = 30;
const PING_INTERVAL_MS = 150;
const DEADLINE_MS = 60_000;

/** Round trips in milliseconds, median and 95th percentile. */
export interface RoundTrips {
  readonly median: number;
  readonly p95: number;
}

/** Of `stt ping` beside a transfer. */
export interface LoadResult {
  readonly idle: RoundTrips;
  readonly loaded: RoundTrips;
}

function summary(pings: LineProcess): RoundTrips {
  const times = pings.lines.filter(({ event }) => event === "pong").map(({ ms }) => Number(ms));
  times.sort((x, y) => x - y);
  const at = (share: number): number => times[Math.ceil(times.length * share) - 1] ?? NaN;
  return { median: at(0.5), p95: at(0.95) };
}

async function measure(lab: Lab, address: string): Promise<RoundTrips> {
  const options = ["--count", String(PINGS), "--interval", String(PING_INTERVAL_MS), "--json"];
  const pings = lab.run("b", sttCommand("deno", ["ping", address, ...options]), { env: LAB_SEED });
  await pings.event("summary", DEADLINE_MS);
  await pings.exit();
  return summary(pings);
}

/** A listener for the pings alone, so that they share the line with the transfer and nothing else. */
async function pingTarget(lab: Lab): Promise<string> {
  const command = sttCommand("deno", ["listen", `udp://${lab.host("a")}:0`, "--echo", "--json"]);
  const { address } = await lab.run("a", command, { env: LAB_SEED }).event("listening");
  return String(address);
}

async function startTcp(
  lab: Lab,
  control: string,
  sample: Sample,
  folder: string,
): Promise<LineProcess> {
  const receiver = lab.runScript("a", "tcp.py", ["receive", `${folder}/load.received`]);
  const { port } = await receiver.event("listening");
  const to = [lab.host("a"), String(port), control, String(DEADLINE_MS / 1000)];
  return lab.runScript("b", "tcp.py", ["send", sample.path, ...to]);
}

/** The transfer must outlast the pings. It is not waited for: the lab's end ends it. */
export async function pingUnderLoad(
  lab: Lab,
  carrier: Carrier,
  sample: Sample,
  folder: string,
): Promise<LoadResult> {
  const target = await pingTarget(lab);
  const idle = await measure(lab, target);
  let sender: LineProcess;
  if (carrier.kind === "tcp") {
    sender = await startTcp(lab, carrier.control, sample, folder);
  } else {
    sender = (await startStt(lab, carrier, sample, folder)).sender;
    await sender.event("connected", DEADLINE_MS);
  }
  // The start of a transfer is not its steady state.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const loaded = await measure(lab, target);
  if (sender.lines.some(({ event }) => event === "sent")) {
    throw new Error(`the transfer of ${sample.bytes} bytes ended before the pings`);
  }
  return { idle, loaded };
}
