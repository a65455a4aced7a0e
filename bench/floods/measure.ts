/**
 * One flood: a listener in this process, its attacker in another one, and real clients in between.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { toHex } from "../../src/codec/hex.ts";
import { connect } from "../../src/endpoint/connect.ts";
import { listen, type Listener } from "../../src/endpoint/listener.ts";
import { generateSeed } from "../../src/endpoint/seeds.ts";
import { TextLineStream } from "../peers/lines.ts";
import { median } from "../peers/statistics.ts";
import type { Order } from "./attacker.ts";
import { BOUNDS, type Bounds, type Flood } from "./list.ts";
import { LoopDelay } from "./loop_delay.ts";

const ATTACKER = fileURLToPath(new URL("attacker.ts", import.meta.url));
const SAMPLE_MS = 100;
const CLIENT_MS = 250;
const LEAVE_MS = 15_000;
const SWEEP_MS = 50;
const MIB = 1_048_576;

/** What one flood came to. */
export interface Row {
  readonly name: string;
  readonly unit: string;
  readonly sent: number;
  readonly seconds: number;
  readonly mostHandshaking: number;
  readonly mostSessions: number;
  readonly peakMiB: number;
  readonly keptMiB: number;
  readonly handles: number | undefined;
  readonly clients: number;
  /** The slowest, and the median. */
  readonly connectMs: number;
  readonly medianMs: number;
  readonly failedClients: readonly string[];
  /** On the clock, and of this process's own processor time. */
  readonly loopWallMs: number;
  readonly loopMs: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly rejected: number;
  /** Bounds that were passed. */
  readonly faults: readonly string[];
}

function heapNow(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

async function heapCollected(): Promise<number> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("run it with deno task floods: --v8-flags=--expose-gc");
  gc();
  // Buffers that a collection found dead are given back by another thread.
  await sleep(SWEEP_MS);
  gc();
  return heapNow();
}

function handlesNow(): number | undefined {
  try {
    return [...Deno.readDirSync("/proc/self/fd")].length - 1;
  } catch {
    return undefined;
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The attacking process. */
class Attacker {
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;

  constructor(order: Order) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--unstable-net", ATTACKER, JSON.stringify(order)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.read();
    if (done) throw new Error("the attacker has ended");
    return value;
  }

  go(): Promise<void> {
    return this.#process.stdin.close();
  }

  async end(): Promise<void> {
    await this.#lines.cancel();
    await this.#process.status;
  }
}

/** Real clients, one after the other, until told to stop. */
class Clients {
  readonly times: number[] = [];
  readonly failed: string[] = [];
  #over = false;
  readonly #running: Promise<void>;

  constructor(address: string, seed: Uint8Array) {
    this.#running = this.#run(address, seed);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#running;
  }

  async #run(address: string, seed: Uint8Array): Promise<void> {
    while (!this.#over) {
      const start = performance.now();
      try {
        const peer = await connect(address, { seed });
        this.times.push(performance.now() - start);
        await peer.close();
      } catch (error) {
        this.failed.push(error instanceof Error ? error.message : String(error));
      }
      await sleep(Math.max(0, CLIENT_MS - (performance.now() - start)));
    }
  }
}

function portOf(address: string): number {
  return Number(/:(\d+)(?:\/|$)/.exec(address)?.[1]);
}

async function serve(listener: Listener, flood: Flood): Promise<void> {
  for await (const peer of listener) void flood.serve?.(peer).catch(() => undefined);
}

/** Runs one flood at `scale` of its full size. */
export async function measure(flood: Flood, scale: number): Promise<Row> {
  const seed = generateSeed();
  const listener = await listen(flood.listen, { seed, ...flood.options });
  void serve(listener, flood);
  const attacker = new Attacker({
    attack: flood.attack,
    address: listener.address,
    port: portOf(listener.address),
    seed: toHex(seed),
    count: Math.max(1, Math.round(flood.count * scale)),
  });
  try {
    await (await connect(listener.address, { seed })).close();
    await attacker.line();
    const heap = await heapCollected();
    const handles = handlesNow();
    const clients = new Clients(listener.address, seed);
    let mostHandshaking = 0;
    let mostSessions = 0;
    let peak = heap;
    const sampler = setInterval(() => {
      const stats = listener.stats();
      mostHandshaking = Math.max(mostHandshaking, stats.handshaking);
      mostSessions = Math.max(mostSessions, stats.sessions);
      peak = Math.max(peak, heapNow());
    }, SAMPLE_MS);
    const delay = new LoopDelay().start();
    await attacker.go();
    const { sent, seconds } = JSON.parse(await attacker.line()) as {
      sent: number;
      seconds: number;
    };
    await clients.stop();
    const { wallMs, ownMs } = delay.stop();
    clearInterval(sampler);
    await attacker.end();
    await left(listener, handles);
    const kept = await heapCollected();
    const after = handlesNow();
    const { drops, rejected } = listener.stats();
    const row = {
      name: flood.name,
      unit: flood.unit,
      sent,
      seconds,
      mostHandshaking,
      mostSessions,
      peakMiB: (peak - heap) / MIB,
      keptMiB: (kept - heap) / MIB,
      handles: handles === undefined || after === undefined ? undefined : after - handles,
      clients: clients.times.length,
      connectMs: Math.max(0, ...clients.times),
      medianMs: median(clients.times),
      failedClients: clients.failed,
      loopWallMs: wallMs,
      loopMs: ownMs,
      drops,
      rejected,
    };
    return { ...row, faults: faults(row, { ...BOUNDS, ...flood.bounds }) };
  } finally {
    await listener.close();
  }
}

/** Waits until strangers, sessions and their sockets are gone, as long as a handshake and an upgrade may last. */
async function left(listener: Listener, handles: number | undefined): Promise<void> {
  const until = performance.now() + LEAVE_MS;
  while (performance.now() < until) {
    const { handshaking, sessions } = listener.stats();
    const closed = (handlesNow() ?? 0) <= (handles ?? 0) + BOUNDS.handles;
    if (handshaking === 0 && sessions === 0 && closed) return;
    await sleep(SAMPLE_MS);
  }
}

/** Bounds that a row passes. */
export function faults(row: Omit<Row, "faults">, bounds: Bounds): string[] {
  const found: string[] = [];
  const most = (what: string, value: number | undefined, limit: number): void => {
    if (value !== undefined && value > limit) {
      found.push(`${what} ${Math.round(value * 10) / 10}, limit ${limit}`);
    }
  };
  most("handshakes", row.mostHandshaking, bounds.handshaking);
  most("sessions", row.mostSessions, bounds.sessions);
  most("MiB of heap", row.peakMiB, bounds.peakMiB);
  most("MiB of heap kept", row.keptMiB, bounds.keptMiB);
  most("descriptors kept", row.handles, bounds.handles);
  most("ms to connect", row.connectMs, bounds.connectMs);
  most("ms of blocked event loop", row.loopMs, bounds.loopMs);
  if (row.clients === 0) found.push("no real client connected");
  for (const failed of new Set(row.failedClients)) found.push(`a client failed: ${failed}`);
  return found;
}
