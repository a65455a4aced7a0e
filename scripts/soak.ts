/**
 * `deno task soak --minutes N [--seed S] [--rate BYTES] [--json]`: sessions over real sockets that transfer, rotate keys,
 * migrate, lose packets and restart for as long as wanted; every byte is compared, memory and descriptors are sampled.
 *
 * @module
 */
import { parseArguments, type SoakArguments, USAGE } from "./soak/arguments.ts";
import { type LaneReport, soak, type SoakReport } from "./soak/run.ts";
import { MOST_GROWTH } from "./soak/verdict.ts";

Deno.exit(await main());

async function main(): Promise<number> {
  let args: SoakArguments | undefined;
  try {
    args = parseArguments(Deno.args);
  } catch (error) {
    console.error(`soak: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (args === undefined) {
    console.log(USAGE);
    return 0;
  }
  const report = await soak(args, (line) => console.error(line));
  console.log(args.json ? JSON.stringify(report) : text(report));
  return report.ok ? 0 : 1;
}

function text(report: SoakReport): string {
  const { trend, handles, cpuSeconds } = report;
  const share = cpuSeconds / (report.minutes * 60) * 100;
  return [
    `${report.minutes} minutes, seed ${report.seed}, ${report.rate} bytes per second and ` +
    `transport, ${report.runtime}, ${report.cores} cores; ${cpuSeconds.toFixed(0)} s of ` +
    `processor time (${share.toFixed(1)} % of one core)`,
    ...report.lanes.map(laneText),
    trend === undefined
      ? "heap: too short a run to judge its slope"
      : `heap: ${(trend.slope / 1024).toFixed(1)} KiB per hour, ` +
        `${(trend.growth / 1024).toFixed(1)} KiB over the ${trend.minutes.toFixed(1)} minutes ` +
        `after warm-up (${trend.samples} samples; limit ${MOST_GROWTH / 1024} KiB)`,
    ...(report.suspensions.count === 0 ? [] : [
      `suspended: ${report.suspensions.count} times, ` +
      `${(report.suspensions.longestMs / 1000).toFixed(0)} s at most`,
    ]),
    `descriptors: ${handles.before ?? "?"} before, ${handles.after ?? "?"} after`,
    ...report.reasons.map((reason) => `failed: ${reason}`),
    `verdict: ${report.ok ? "good" : "failed"}`,
  ].join("\n");
}

function laneText(lane: LaneReport): string {
  const { endings, relay } = lane;
  const ends = Object.entries(endings).map(([name, count]) => `${count} ${name}`).join(", ");
  const explained = Object.entries(lane.explained).map(([name, count]) => `${count} ${name}`);
  const lines = [
    `${lane.name}: ${lane.sessions} sessions (${ends}), ${lane.transfers} transfers, ` +
    `${lane.verifiedBytes} bytes verified, ${lane.messages} messages, ` +
    `${lane.datagramsVerified} of ${lane.datagramsSent} datagrams answered, ` +
    `${lane.rotations} key rotations; at most ${lane.mostSessions} sessions and ` +
    `${lane.mostHandshaking} handshakes`,
  ];
  if (relay !== undefined) {
    lines.push(
      `  relay: ${relay.passed} datagrams passed, ${relay.lost} lost, ${relay.repeated} repeated, ` +
        `${relay.cut} cut; ${lane.rebinds} changes of port, ${lane.migrations} migrations`,
    );
  }
  if (explained.length > 0) lines.push(`  errors explained: ${explained.join(", ")}`);
  for (const error of lane.unexplained) lines.push(`  error that nothing explains: ${error}`);
  return lines.join("\n");
}
