/**
 * What `stt bench` measures of a session, part by part. A part that is stopped tells what it has.
 *
 * @module
 */
import { setTimeout as delay } from "node:timers/promises";
import { BlockStream } from "../../endpoint/files/block_stream.ts";
import type { Peer } from "../../endpoint/peer.ts";
import { SttError } from "../../errors.ts";
import { BENCH_CHANNEL, type BenchRequest, decodeCount, encodeBenchRequest } from "./wire.ts";

const CHUNK_BYTES = 65_536;
/** For what is on its way when the time of a listener is over: a window of 8 MiB at 1 Mbit/s. */
const SOURCE_GRACE_MS = 70_000;
/** Not counted. */
const WARM_UP_PINGS = 3;
/** Pings while bytes flow, milliseconds apart. */
const LOADED_PING_MS = 50;
/** Below half of what receivers keep waiting (SPEC 8.5), at a pace that any path bears. */
const DATAGRAM_PAUSE_MS = 4;
const DATAGRAM_BYTES = 1000;
/** What is still on its way when the last one was sent. */
const LATE_MS = 300;

/** Round trips, milliseconds. */
export interface RoundTrips {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly p99: number;
}

/** Bytes in one direction. */
export interface Throughput {
  readonly bytes: number;
  readonly ms: number;
  readonly streams: number;
  /** The median of what pings took meanwhile; null without one. */
  readonly loadedRtt: number | null;
}

/** Datagrams there and back. */
export interface DatagramLoss {
  readonly sent: number;
  readonly size: number;
  readonly lostThere: number;
  readonly lostBack: number;
}

/** The value below which so much of the samples lies: 0 to 1. */
export function quantile(samples: readonly number[], part: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? NaN;
}

/** What a part works with. */
export interface BenchRun {
  readonly peer: Peer;
  now(): number;
  /** Stops the part, which then tells what it has. */
  readonly signal: AbortSignal;
}

/** Pings one after the other; undefined when none came back. */
export async function roundTrips(
  { peer, signal }: BenchRun,
  count: number,
  pauseMs: number,
): Promise<RoundTrips | undefined> {
  const times: number[] = [];
  try {
    // The first ones find code that has never run.
    for (let index = 0; index < WARM_UP_PINGS && count > 0; index++) await peer.ping({ signal });
    for (let index = 0; index < count; index++) {
      if (index > 0) await delay(pauseMs, undefined, { signal });
      times.push(await peer.ping({ signal }));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (times.length === 0) return undefined;
  return {
    count: times.length,
    min: quantile(times, 0),
    median: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}

/**
 * Writes for so long; the listener says how much it got, and the time runs until then.
 *
 * @throws {SttError} PROTOCOL for a count that cannot be.
 */
export function upload(
  run: BenchRun,
  ms: number,
  streams: number,
  onBytes: (bytes: number) => void,
): Promise<Throughput> {
  const end = run.now() + ms;
  const chunk = new Uint8Array(CHUNK_BYTES);
  return throughput(run, streams, async (moved) => {
    const blocks = await begin(run, { mode: "sink" });
    const { stream } = blocks;
    let written = 0;
    while (run.now() < end) {
      await stream.write(chunk, { own: true, signal: run.signal });
      written += chunk.length;
      onBytes(moved(chunk.length));
    }
    await stream.end({ signal: run.signal });
    const count = decodeCount(await blocks.block());
    // Both are the same, or the stream would have failed.
    if (count !== written) throw untrue(`${count} bytes arrived, where ${written} were sent`);
  });
}

/**
 * Has the listener write for so long, and reads to the end.
 *
 * @throws {SttError} PROTOCOL for a listener that does not end.
 */
export function download(
  run: BenchRun,
  ms: number,
  streams: number,
  onBytes: (bytes: number) => void,
): Promise<Throughput> {
  return throughput(run, streams, async (moved) => {
    const blocks = await begin(run, { mode: "source", ms });
    const end = run.now() + ms + SOURCE_GRACE_MS;
    for (;;) {
      if (run.now() > end) {
        blocks.stream.stop();
        throw new SttError("PROTOCOL", `cannot measure: the listener sends for more than ${ms} ms`);
      }
      const bytes = await blocks.bytes(CHUNK_BYTES);
      if (bytes === null) break;
      onBytes(moved(bytes.length));
    }
    await blocks.stream.end();
  });
}

async function begin({ peer, signal }: BenchRun, request: BenchRequest): Promise<BlockStream> {
  const stream = await peer.openStream({ signal });
  signal.addEventListener("abort", () => {
    stream.reset();
    stream.stop();
  }, { once: true });
  const blocks = new BlockStream(stream, signal);
  await blocks.write(encodeBenchRequest(request));
  return blocks;
}

async function throughput(
  run: BenchRun,
  streams: number,
  one: (moved: (bytes: number) => number) => Promise<void>,
): Promise<Throughput> {
  const { peer, signal } = run;
  const started = run.now();
  const done = new AbortController();
  const loaded: number[] = [];
  const pinging = (async () => {
    const either = AbortSignal.any([signal, done.signal]);
    while (!either.aborted) {
      await delay(LOADED_PING_MS, undefined, { signal: either });
      loaded.push(await peer.ping({ signal: either }));
    }
  })().catch(() => undefined);
  let bytes = 0;
  const moved = (more: number): number => (bytes += more);
  try {
    await Promise.all(Array.from({ length: streams }, () => one(moved)));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  const ms = run.now() - started;
  done.abort();
  await pinging;
  return { bytes, ms, streams, loadedRtt: loaded.length === 0 ? null : quantile(loaded, 0.5) };
}

/** Of a listener that says what cannot be, nothing is told. */
function untrue(claim: string): SttError {
  return new SttError("PROTOCOL", `cannot trust this listener: it says that ${claim}`);
}

/**
 * Sends datagrams at a pace, which the listener counts and returns. Undefined where there are none.
 *
 * @throws {SttError} PROTOCOL for counts that cannot be.
 */
export async function datagramLoss(
  run: BenchRun,
  count: number,
): Promise<DatagramLoss | undefined> {
  const { peer, signal } = run;
  const size = Math.min(DATAGRAM_BYTES, peer.maxDatagramSize);
  if (size === 0 || count === 0) return undefined;
  const over = new AbortController();
  let back = 0;
  const counting = (async () => {
    for await (const { channel } of peer.datagrams({ signal: over.signal })) {
      if (channel === BENCH_CHANNEL) back++;
    }
  })().catch(() => undefined);
  try {
    const blocks = await begin(run, { mode: "datagrams" });
    decodeCount(await blocks.block());
    let sent = 0;
    try {
      for (; sent < count; sent++) {
        peer.sendDatagram(new Uint8Array(size), { channel: BENCH_CHANNEL });
        await delay(DATAGRAM_PAUSE_MS, undefined, { signal });
      }
      await delay(LATE_MS, undefined, { signal });
      await blocks.stream.end({ signal });
      const counted = decodeCount(await blocks.block());
      const most = Math.max(counted, back);
      if (most > sent) {
        throw untrue(`${most} datagrams ${back > sent ? "come back" : "arrived"}, of ${sent} sent`);
      }
      // One that came late may be back and not counted.
      return { sent, size, lostThere: sent - most, lostBack: most - back };
    } catch (error) {
      if (!signal.aborted) throw error;
      return undefined;
    }
  } finally {
    over.abort();
    await counting;
  }
}
