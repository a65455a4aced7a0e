import assert from "node:assert/strict";
import { Prng } from "../../testing/prng.ts";
import type { Side } from "../../testing/simulated_link.ts";
import type { ConnectionOptions } from "../config.ts";
import type { Cell } from "./cells_for_test.ts";
import { DatagramFlow } from "./datagram_flow_for_test.ts";
import { PingFlow } from "./ping_flow_for_test.ts";
import { streamPlans } from "./plan_for_test.ts";
import { StreamFlow } from "./stream_flow_for_test.ts";
import { World } from "./world_for_test.ts";

/** Virtual time in which everything must have arrived: rates are low at 20 % loss, but never 0. */
const LIMIT_MS = 3_600_000;
/** For what is left after that: acknowledgements, ends, keys. */
const QUIET_MS = 120_000;
/** Longer than the idle timeout, by which a side ends that hears no SESSION_CLOSE. */
const CLOSE_MS = 1_000_000;
/** An idle while, and the most that both sides may send in it. */
const IDLE_MS = 30_000;
const MAX_IDLE_FRAMES = 600;
const DATAGRAMS = 60;
const SIDES: readonly Side[] = ["a", "b"];

/** What one run took. */
export interface RunResult {
  /** Virtual time until everything had arrived, ms. */
  readonly virtualMs: number;
  /** Application data that was received, both ways. */
  readonly payloadBytes: number;
  /** Bytes of all datagrams, both ways. */
  readonly wireBytes: number;
  readonly steps: number;
}

/** One session over one network, decided by `cell` and `seed` alone. Throws when anything is wrong. */
export function simulate(cell: Cell, seed: number): RunResult {
  const prng = new Prng(Math.imul(seed, 0x9e3779b1) ^ hash(cell.name));
  const controls = ["cubic", "bbr", "newreno"] as const;
  const world = new World({
    seed: prng.u32(),
    link: cell.link(prng.fork()),
    congestion: controls[seed % controls.length]!,
    options: { ...options(prng.fork(), seed), ...cell.play?.options?.(prng) },
    ...cell.play?.host?.(prng.fork()),
  }, prng.fork());
  const datagrams = { a: datagramFlow(world, "a"), b: datagramFlow(world, "b") };
  world.onDatagrams = (side) => {
    datagrams.a.take(side);
    datagrams.b.take(side);
  };
  const plans = streamPlans(prng.fork(), cell.play?.habits ?? {});
  const streams = plans.map((plan) => new StreamFlow(world, plan));
  world.add(datagrams.a, datagrams.b, new PingFlow(world), ...streams);
  cell.play?.script?.(world, cell.rttMs);
  const virtualMs = cell.play?.ending === undefined
    ? finish(world, datagrams)
    : cutShort(world, streams, cell.play.ending);
  const { link } = world.pair;
  return {
    virtualMs,
    payloadBytes: world.received,
    wireBytes: link.stats("a").sentBytes + link.stats("b").sentBytes,
    steps: world.pair.steps,
  };
}

/** Windows, packing, rotation: every seed another mixture. */
function options(prng: Prng, seed: number): ConnectionOptions {
  return {
    packed: seed % 4 === 3,
    ...(seed % 2 === 0 ? { rotatePackets: 100 } : {}),
    ...(prng.chance(0.3) ? { maxData: 40_000, maxStreamData: 16_000 } : {}),
    ...(prng.chance(0.3) ? { sendBuffer: prng.integer(1000, 60_000) } : {}),
    ...(prng.chance(0.3) ? { maxStreams: 3 } : {}),
  };
}

function datagramFlow(world: World, from: Side): DatagramFlow {
  return new DatagramFlow(world, from, DATAGRAMS, 5);
}

/** Everything arrives, nothing is left, and the session closes in order. Returns when everything had arrived. */
function finish(world: World, datagrams: Record<Side, DatagramFlow>): number {
  world.runUntil("everything arrives", () => world.flowsDone, LIMIT_MS);
  const arrivedMs = world.nowMs;
  world.runUntil("nothing is left", () => SIDES.every((side) => quiet(world, side)), QUIET_MS);
  assertDatagrams(world, datagrams);
  assertSilent(world);
  const side = world.prng.pick(SIDES as [Side, Side]);
  close(world, side);
  world.runUntil("both sides end", () => ended(world), CLOSE_MS);
  assert.equal(world.closed[side]?.error, undefined);
  assert.equal(world.closed[side]?.complete, true);
  assertEndOf(world, side === "a" ? "b" : "a");
  return arrivedMs;
}

function quiet(world: World, side: Side): boolean {
  const connection = world.connection(side);
  if (!connection.streams.isIdle()) return false;
  const { path, streams } = connection.stats();
  if (path === undefined || path.bytesInFlight > 0) return false;
  assert.equal(streams.sendBuffered, 0);
  assert.equal(streams.recvBuffered, 0);
  assert.equal(streams.open, 0);
  return true;
}

/** An idle session keeps itself alive and rotates its keys, and nothing goes on and on. */
function assertSilent(world: World): void {
  const { link } = world.pair;
  const sent = (): number => link.stats("a").sent + link.stats("b").sent;
  const before = sent();
  let over = false;
  world.after(IDLE_MS, () => over = true);
  world.runUntil("time passes", () => over, IDLE_MS + QUIET_MS);
  assert.ok(sent() - before <= MAX_IDLE_FRAMES, `${sent() - before} frames of an idle session`);
}

/** Where the network took nothing away, every datagram arrived that no queue dropped. */
function assertDatagrams(world: World, datagrams: Record<Side, DatagramFlow>): void {
  for (const side of SIDES) {
    const { lost, tooLarge, queueFull, unreachable, corrupted } = world.pair.link.stats(side);
    if (lost + tooLarge + queueFull + unreachable + corrupted > 0) continue;
    const dropped = SIDES.reduce(
      (sum, each) => sum + world.connection(each).stats().datagramsDropped,
      0,
    );
    assert.ok(datagrams[side].missing <= dropped, `${datagrams[side]}`);
  }
}

/** The session ends while data is on its way. Returns when it was over. */
function cutShort(
  world: World,
  streams: readonly StreamFlow[],
  ending: "flush" | "abort" | "both",
): number {
  const { prng } = world;
  const at = prng.float() * 3000;
  let due = false;
  world.after(at, () => due = true);
  const established = (): boolean =>
    SIDES.every((side) => world.pair[side]?.state === "established");
  world.runUntil("the session is open", () => due && established(), LIMIT_MS);
  const side = prng.pick(SIDES as [Side, Side]);
  const other = side === "a" ? "b" : "a";
  if (ending === "abort") {
    world.mustLive = false;
    world.connection(side).abort(world.nowMs, 0x123, "enough");
  } else {
    close(world, side);
    if (ending === "both") {
      world.after(prng.float() * 300, () => {
        const connection = world.connection(other);
        if (connection.state === "established") close(world, other);
      });
    }
  }
  world.runUntil("both sides end", () => ended(world), LIMIT_MS + CLOSE_MS);
  if (ending !== "abort") assert.equal(world.closed[side]?.error, undefined);
  if (ending === "flush") {
    assert.equal(world.closed[side]?.complete, true);
    for (const stream of streams) stream.assertFlushed(side);
  }
  assertEndOf(world, other);
  return world.nowMs;
}

function close(world: World, side: Side): void {
  world.mustLive = false;
  world.connection(side).close(world.nowMs, 0, "done");
}

function ended(world: World): boolean {
  return SIDES.every((side) => world.connection(side).finished && world.closed[side] !== undefined);
}

/** A side that is closed from afar hears of it, or, where every SESSION_CLOSE was lost, is idle for too long. */
function assertEndOf(world: World, side: Side): void {
  const facts = world.closed[side];
  const known = facts?.remote === true || facts?.error === undefined ||
    facts.error.code === "IDLE_TIMEOUT";
  assert.ok(known, `${side} ended with ${facts?.error}`);
  for (const each of SIDES) assert.equal(world.connection(each).nextTimeout(), undefined);
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value;
}
