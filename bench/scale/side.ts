/**
 * One side of the bench of scale, a process of its own: `side.ts listener|dialler`. It takes commands on its standard
 * input and answers each on its standard output, a line of JSON at a time.
 *
 * @module
 */
import process from "node:process";
import { createInterface } from "node:readline";
import { writeHeapSnapshot } from "node:v8";
import { connect, listen, type Peer, type SttStream } from "../../mod.ts";
import type { ScaleAnswer, ScaleCommand } from "./commands.ts";
import { memory } from "./memory.ts";

const SEED = new Uint8Array(32).fill(7);
const STREAMS = 65_536;
/** Long enough that nobody leaves, and every session has the timer for it. */
const IDLE_MS = 3_600_000;
/** Handshakes and pings under way at a time. */
const LANES = 16;

const peers: Peer[] = [];
const streams: SttStream[] = [];

function say(answer: ScaleAnswer): void {
  process.stdout.write(JSON.stringify(answer) + "\n");
}

async function serve(): Promise<void> {
  const listener = await listen("udp://127.0.0.1:0", {
    seed: SEED,
    maxSessions: 1_000_000,
    maxStreams: STREAMS,
    maxIdle: IDLE_MS,
    handshakeRate: Infinity,
    halfOpen: 65_536,
    halfOpenPerAddress: 65_536,
  });
  say({ address: listener.address });
  void (async () => {
    for await (const peer of listener) {
      peers.push(peer);
      // The first session is the one that gets streams: those of others would each hold a waiting reader.
      if (peers.length === 1) void takeStreams(peer);
    }
  })();
}

async function takeStreams(peer: Peer): Promise<void> {
  for await (const stream of peer.streams()) {
    void stream.read();
    streams.push(stream);
  }
}

/** Runs `work` for 0 to `count` - 1, a few at a time. Returns the seconds. */
async function lanes(count: number, work: (index: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  let next = 0;
  await Promise.all(Array.from({ length: LANES }, async () => {
    while (next < count) await work(next++);
  }));
  return (performance.now() - start) / 1000;
}

async function obey(command: ScaleCommand): Promise<ScaleAnswer> {
  switch (command.run) {
    case "memory":
      return { memory: await memory(), peers: peers.length, streams: streams.length };
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return { cpuSeconds: (user + system) / 1e6 };
    }
    case "connect": {
      const seconds = await lanes(command.peers - peers.length, async () => {
        peers.push(
          await connect(command.address, {
            seed: SEED,
            maxIdle: IDLE_MS,
            handshakeTimeout: 60_000,
          }),
        );
      });
      return { seconds, peers: peers.length };
    }
    case "ping": {
      const { count, peers: among } = command;
      const seconds = await lanes(count, async (index) => {
        await (peers[index % among] as Peer).ping();
      });
      return { seconds };
    }
    case "streams": {
      const [peer] = peers;
      const seconds = await lanes(command.count - streams.length, async () => {
        const stream = await (peer as Peer).openStream();
        await stream.write(Uint8Array.of(1));
        streams.push(stream);
      });
      return { seconds, streams: streams.length };
    }
    case "snapshot":
      writeHeapSnapshot(command.file);
      return {};
  }
}

const [role] = process.argv.slice(2);
if (role !== "listener" && role !== "dialler") {
  console.error("usage: side.ts listener|dialler");
  process.exit(2);
}
if (role === "listener") await serve();
for await (const line of createInterface({ input: process.stdin })) {
  try {
    say(await obey(JSON.parse(line) as ScaleCommand));
  } catch (error) {
    say({ error: error instanceof Error ? error.stack ?? error.message : String(error) });
  }
}
// Nobody waits for the sessions to end in order.
process.exit(0);
