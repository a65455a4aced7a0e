/**
 * The workloads, as the client runs them.
 *
 * @module
 */
import { type Adapter, type Address, type BenchConnection, unasked } from "./adapter.ts";
import { ANSWER, header, SWALLOW } from "./exchange.ts";
import { loopbackBytes } from "./usage.ts";

/** Requests and replies have this many bytes. */
export const REQUEST_BYTES = 64;

/** Writers that were never asked to wait give the others a turn after this many writes. */
const WRITES_PER_TURN = 1024;

/** A part of the time for a measurement after which its size is known well enough. */
const WARM_UP = 0.25;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Seconds since `start`, a value of performance.now(). */
function since(start: number): number {
  return (performance.now() - start) / 1000;
}

/** What a measurement found. */
export interface Found {
  /** Per second, in the last run. */
  readonly rate: number;
  /** How many were done, the warm-up included. */
  readonly total: number;
}

/**
 * Runs something ever larger until it takes a good part of the time, which also warms the compiler up, and then once
 * for about `seconds`.
 *
 * @param run Does `count` of it and returns the seconds that it took.
 */
export async function rate(
  run: (count: number) => Promise<number>,
  first: number,
  seconds: number,
): Promise<Found> {
  let count = first;
  let total = count;
  let took = await run(count);
  while (took < seconds * WARM_UP) {
    // At most fourfold: what a cold start measures says little about the next step.
    const aim = took === 0 ? 4 : Math.min(4, (seconds * WARM_UP * 1.3) / took);
    count = Math.ceil(count * Math.max(1.3, aim));
    total += count;
    took = await run(count);
  }
  count = Math.max(1, Math.round((count * seconds) / took));
  return { rate: count / await run(count), total: total + count };
}

/** Writes `count` pieces of `size` bytes until the server says that all have come. Returns the seconds. */
export async function stream(
  connection: BenchConnection,
  size: number,
  count: number,
): Promise<number> {
  const piece = new Uint8Array(size).fill(0x5a);
  const answered = new Promise<void>((resolve) => {
    connection.ondata = () => resolve();
  });
  const start = performance.now();
  await connection.send(header(SWALLOW, 0, size * count));
  for (let sent = 0, unbroken = 0; sent < count; sent++) {
    const wait = connection.send(piece);
    if (wait !== undefined) {
      unbroken = 0;
      await wait;
    } else if (++unbroken === WRITES_PER_TURN) {
      unbroken = 0;
      await turn();
    }
  }
  await answered;
  const seconds = since(start);
  connection.ondata = unasked;
  return seconds;
}

/** Asks `count` times with at most `inFlight` questions open. Returns the seconds. */
export async function requests(
  connection: BenchConnection,
  inFlight: number,
  count: number,
): Promise<number> {
  const request = new Uint8Array(REQUEST_BYTES).fill(1);
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let sent = 0;
    let received = 0;
    const ask = (): void => {
      const limit = Math.min(count, Math.floor(received / REQUEST_BYTES) + inFlight);
      for (; sent < limit; sent++) void connection.send(request);
    };
    connection.ondata = (bytes) => {
      received += bytes.length;
      if (received >= count * REQUEST_BYTES) resolve();
      else ask();
    };
    void connection.send(header(ANSWER, REQUEST_BYTES, count * REQUEST_BYTES));
    ask();
  });
  const seconds = since(start);
  connection.ondata = unasked;
  return seconds;
}

/** A new connection, a stream, one request with its reply, and the close. */
async function visit(adapter: Adapter, address: Address): Promise<void> {
  const connection = await adapter.connect(address);
  await new Promise<void>((resolve) => {
    connection.ondata = () => {
      connection.ondata = () => undefined;
      resolve();
    };
    const hello = new Uint8Array(16 + REQUEST_BYTES);
    hello.set(header(ANSWER, REQUEST_BYTES, REQUEST_BYTES));
    void connection.send(hello);
  });
  await connection.close();
}

/** What `handshakes` found: whole visits. */
export interface Handshakes extends Found {
  /** Bytes on the loopback interface per visit, headers included; the lower quartile, since others use it too. */
  readonly wireBytes: number | undefined;
}

/** Visits one after the other on each of `lanes` lanes, for about `seconds` after a warm-up. */
export async function handshakes(
  adapter: Adapter,
  address: Address,
  lanes: number,
  seconds: number,
): Promise<Handshakes> {
  const wire: number[] = [];
  let total = 0;
  const run = async (limit: number): Promise<number> => {
    const start = performance.now();
    let done = 0;
    const lane = async (): Promise<void> => {
      while (since(start) < limit) {
        const before = loopbackBytes();
        await visit(adapter, address);
        done++;
        const after = loopbackBytes();
        if (before !== undefined && after !== undefined) wire.push(after - before);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    total += done;
    return done / since(start);
  };
  await run(seconds * WARM_UP);
  wire.length = 0;
  const lastRate = await run(seconds);
  wire.sort((a, b) => a - b);
  // Several lanes overlap, so that only one tells what belongs to a visit.
  const wireBytes = lanes === 1 ? wire[Math.floor(wire.length / 4)] : undefined;
  return { rate: lastRate, total, wireBytes };
}
