/**
 * One side of a bench, a process of its own: `side.ts server|client|both NAME [OPTIONS]`. It takes commands on its
 * standard input and answers each on its standard output, a line of JSON at a time. `both` is for what does not leave
 * the process.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { Address, BenchConnection } from "./adapter.ts";
import { loadAdapter } from "./adapters.ts";
import type { Answer, Command } from "./commands.ts";
import { Server } from "./exchange.ts";
import type { OurOptions } from "./ours.ts";
import { usage } from "./usage.ts";
import { handshakes, rate, requests, stream } from "./workload.ts";

const [role, name, options] = process.argv.slice(2);
if (name === undefined || (role !== "server" && role !== "client" && role !== "both")) {
  console.error("usage: side.ts server|client|both NAME [OPTIONS]");
  process.exit(2);
}
const adapter = await loadAdapter(name, JSON.parse(options ?? "{}") as OurOptions);

function say(answer: Answer): void {
  process.stdout.write(JSON.stringify(answer) + "\n");
}

let address: Address | undefined;
/** The one that was opened last. */
let connection: BenchConnection | undefined;
if (role !== "client") {
  address = await adapter.listen((accepted) => {
    const server = new Server((bytes) => void accepted.send(bytes));
    connection = accepted;
    accepted.ondata = (bytes) => server.take(bytes);
  });
  say({ address });
}

function connected(): BenchConnection {
  if (connection === undefined) throw new Error("there is no connection yet");
  return connection;
}

async function obey(command: Command): Promise<Answer> {
  switch (command.run) {
    case "usage":
      return { usage: usage() };
    case "stats":
      return { stats: connection?.stats?.() };
    case "connect":
      address = command.address;
      connection = await adapter.connect(address);
      return {};
    case "stream": {
      const { size, seconds } = command;
      const found = await rate(
        (count) => stream(connected(), size, count),
        Math.ceil(262_144 / size),
        seconds,
      );
      return { rate: found.rate * size, total: found.total * size };
    }
    case "requests": {
      const { inFlight, seconds } = command;
      return { ...await rate((count) => requests(connected(), inFlight, count), 64, seconds) };
    }
    case "handshakes": {
      if (address === undefined) throw new Error("there is no address yet");
      const found = await handshakes(adapter, address, command.lanes, command.seconds);
      const { wireBytes, total } = found;
      return { rate: found.rate, total, ...(wireBytes === undefined ? {} : { wireBytes }) };
    }
    case "disconnect":
      await connected().close();
      return {};
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  // Not awaited: the counters of a connection that hangs are wanted too.
  obey(JSON.parse(line) as Command).then(say, (error: unknown) => {
    say({ error: error instanceof Error ? error.message : String(error) });
  });
}
// Nothing that an adapter left open holds the process.
process.exit(0);
