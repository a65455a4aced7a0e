/**
 * One peer in one runtime, once: all rows, in two processes.
 *
 * @module
 */
import type { Child } from "./child.ts";
import type { Answer, Command } from "./commands.ts";
import { PEERS, type Row } from "./plan.ts";
import type { Usage } from "./usage.ts";
import { startClient, startServer } from "./network.ts";
import { type Runtime, sideCommand } from "./runtime.ts";

/** Figures of a round; what failed has none. */
export interface Round {
  readonly figures: Partial<Record<Row, number>>;
  /** Why a row has no figure. */
  readonly failures: readonly string[];
}

/** How long a figure is measured. */
export interface Times {
  readonly seconds: number;
  /** Seconds before that, for the compilers of the runtime: cold JavaScript is several times slower. */
  readonly warmUp: number;
}

/** What a step asks, and what of its answer goes into which row. */
interface Step {
  readonly rows: readonly Row[];
  readonly run: (client: Child, server: Child, times: Times) => Promise<(number | undefined)[]>;
}

/** A peer that does not answer within this holds the run up. */
function patience(seconds: number): number {
  return 30_000 + 10_000 * seconds;
}

async function ask(client: Child, command: Command, seconds: number): Promise<Answer> {
  return await client.run(command, patience(seconds));
}

async function usageOf(side: Child): Promise<Usage> {
  const { usage } = await side.run({ run: "usage" }, patience(0));
  if (usage === undefined) throw new Error("a side does not tell what it has used");
  return usage;
}

/** Processor seconds of both sides. */
async function cpuSeconds(client: Child, server: Child): Promise<number> {
  return (await usageOf(client)).cpuSeconds + (await usageOf(server)).cpuSeconds;
}

/**
 * Runs a command twice, the first time for the compilers of the runtime only, and tells, beside the second answer, the
 * processor seconds that one of what it did has cost.
 */
async function costed(
  client: Child,
  server: Child,
  times: Times,
  command: Extract<Command, { readonly seconds: number }>,
): Promise<Answer & { readonly rate: number; readonly cost: number }> {
  await ask(client, { ...command, seconds: times.warmUp }, times.warmUp);
  const before = await cpuSeconds(client, server);
  const answer = await ask(client, command, command.seconds);
  const { rate, total } = answer;
  if (rate === undefined || total === undefined) throw new Error("the client tells no rate");
  return { ...answer, rate, cost: (await cpuSeconds(client, server) - before) / total };
}

const STEPS: readonly Step[] = [
  {
    rows: ["tp64k", "cpuGB"],
    run: async (client, server, times) => {
      const command = { run: "stream", size: 65_536, seconds: times.seconds } as const;
      const { rate, cost } = await costed(client, server, times, command);
      return [rate / 1e6, cost * 1e9];
    },
  },
  {
    rows: ["clientMiB", "serverMiB"],
    run: async (client, server) => {
      return [(await usageOf(client)).peakMiB, (await usageOf(server)).peakMiB];
    },
  },
  {
    rows: ["tp1200"],
    run: async (client, server, times) => {
      const { rate } = await costed(client, server, times, {
        run: "stream",
        size: 1200,
        seconds: times.seconds,
      });
      return [rate / 1e6];
    },
  },
  {
    rows: ["rr64w1", "cpuAlone"],
    run: async (client, server, times) => {
      const command = { run: "requests", inFlight: 1, seconds: times.seconds } as const;
      const { rate, cost } = await costed(client, server, times, command);
      return [rate, cost * 1e6];
    },
  },
  {
    rows: ["rr64w64", "cpuRequest"],
    run: async (client, server, times) => {
      const command = { run: "requests", inFlight: 64, seconds: times.seconds } as const;
      const { rate, cost } = await costed(client, server, times, command);
      return [rate, cost * 1e6];
    },
  },
  {
    rows: ["hs1", "hs8", "wire"],
    run: async (client) => {
      await ask(client, { run: "disconnect" }, 0);
      return [];
    },
  },
  {
    rows: ["hs1", "cpuVisit", "wire"],
    run: async (client, server, times) => {
      const command = { run: "handshakes", lanes: 1, seconds: times.seconds } as const;
      const { rate, cost, wireBytes } = await costed(client, server, times, command);
      return [rate, cost * 1e3, wireBytes];
    },
  },
  {
    rows: ["hs8"],
    run: async (client, server, times) => {
      const { rate } = await costed(client, server, times, {
        run: "handshakes",
        lanes: 8,
        seconds: times.seconds,
      });
      return [rate];
    },
  },
];

/** Measures the rows that are wanted. What fails is told in the result; nothing is thrown. */
export async function measure(
  peer: string,
  runtime: Runtime,
  wanted: readonly Row[],
  times: Times,
  cpuProfile?: string,
): Promise<Round> {
  const ours = peer.startsWith("ours-");
  const [program, args] = sideCommand(runtime, { unstableNet: true, packages: !ours, cpuProfile });
  const figures: Partial<Record<Row, number>> = {};
  const failures: string[] = [];
  const rows = wanted.filter((row) => PEERS[peer]?.rows?.includes(row) ?? true);
  const server = startServer(program, [...args, "server", peer]);
  let client: Child | undefined;
  try {
    const { address = "" } = await server.answer(patience(0));
    client = startClient(server, program, [...args, "client", peer]);
    await ask(client, { run: "connect", address }, 0);
    for (const step of STEPS) {
      if (!step.rows.some((row) => rows.includes(row))) continue;
      const found = await step.run(client, server, times);
      step.rows.forEach((row, i) => {
        const value = found[i];
        if (value !== undefined && rows.includes(row)) figures[row] = value;
      });
    }
  } catch (error) {
    // What follows a failure would measure what it left behind.
    failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    await client?.stop();
    await server.stop();
  }
  return { figures, failures };
}
