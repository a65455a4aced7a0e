import type { Prng } from "../../testing/prng.ts";
import type { LinkOptions, Side } from "../../testing/simulated_link.ts";
import type { DatagramPairOptions } from "../../testing/datagram_pair.ts";
import type { ConnectionOptions } from "../config.ts";
import type { PlanHabits } from "./plan_for_test.ts";
import type { World } from "./world_for_test.ts";

/** What differs from a plain exchange. */
export interface Case {
  readonly name: string;
  readonly link?: (prng: Prng, rttMs: number) => LinkOptions;
  readonly options?: (prng: Prng) => ConnectionOptions;
  /** What is different about the machines. */
  readonly host?: (prng: Prng) => DatagramPairOptions;
  readonly habits?: PlanHabits;
  /** Called before the session begins; may ask for things to happen later. */
  readonly script?: (world: World, rttMs: number) => void;
  /** How the session ends. Default: when everything has arrived. */
  readonly ending?: "flush" | "abort" | "both";
}

const SIDES: readonly [Side, Side] = ["a", "b"];

/** When data is on its way: a few round trips after the start of a session. */
function midTransfer(world: World, rttMs: number): number {
  return rttMs * 3 + world.prng.float() * Math.max(50, rttMs * 10);
}

function everySide(world: World, options: LinkOptions): void {
  for (const side of SIDES) world.pair.link.change(side, options);
}

/** `side` gets another address again and again; the peer learns of it by what `side` sends from there. */
function rebinds(world: World, rttMs: number, side: Side, host: boolean): void {
  const { prng } = world;
  let left = prng.integer(1, 4);
  const rebind = (): void => {
    // Who moves before it is known, or is dialled where it is not any more, must be dialled anew.
    if (!world.established) {
      world.after(rttMs, rebind);
      return;
    }
    const old = world.pair.link.address(side);
    world.pair.link.rebind(side, {
      host: host ? `192.0.2.${prng.integer(1, 254)}` : old.host,
      port: prng.integer(1024, 65_535),
    });
    if (--left > 0) world.after(prng.float() * Math.max(200, rttMs * 20), rebind);
  };
  world.after(midTransfer(world, rttMs), rebind);
}

/** The path takes less for a while. */
function narrows(world: World, rttMs: number): void {
  const { prng } = world;
  world.after(midTransfer(world, rttMs), () => {
    const mtu = prng.integer(1200, 1400);
    if (prng.chance(0.5)) everySide(world, { mtu });
    else world.pair.link.change(prng.pick(SIDES), { mtu });
  });
  world.after(midTransfer(world, rttMs) * 4, () => everySide(world, { mtu: 1500 }));
}

/** Nothing passes for a while, in one direction or both. */
function goesDark(world: World, rttMs: number): void {
  const { prng, pair } = world;
  const dark = prng.chance(0.5) ? SIDES : [prng.pick(SIDES)];
  world.after(midTransfer(world, rttMs), () => {
    const before = { a: pair.link.rules("a").loss, b: pair.link.rules("b").loss };
    for (const side of dark) pair.link.change(side, { loss: 1 });
    world.after(prng.integer(10, 20_000), () => {
      for (const side of dark) pair.link.change(side, { loss: before[side] });
    });
  });
}

/** Both sides ask for new keys, as often as once per round trip. */
function rotates(world: World, rttMs: number): void {
  const { prng } = world;
  const rotate = (): void => {
    const connection = world.pair[prng.pick(SIDES)];
    if (connection?.state === "established") connection.rotateKeys();
    if (!world.flowsDone) world.after(prng.float() * Math.max(20, rttMs), rotate);
  };
  world.after(midTransfer(world, rttMs), rotate);
}

/** Plays beside the matrix. */
export const CASES: readonly Case[] = [
  {
    name: "corruption",
    link: (prng) => ({ corrupt: prng.pick([0.001, 0.02, 0.1]) }),
  },
  {
    name: "jitter",
    link: (prng, rttMs) => ({
      jitterMs: rttMs * prng.pick([0.5, 1, 3]),
      reorder: prng.pick([0.01, 0.2]),
      reorderMs: Math.max(2, rttMs * prng.float()),
    }),
  },
  {
    name: "bottleneck",
    link: (prng) => ({
      bytesPerSecond: prng.pick([30_000, 125_000, 1_000_000]),
      queueBytes: prng.pick([6000, 20_000, 200_000]),
    }),
  },
  { name: "mtu-black-hole", link: () => ({ mtu: 1500 }), script: narrows },
  { name: "outage", script: goesDark },
  {
    name: "rotation",
    options: (prng) => ({
      rotatePackets: prng.pick([16, 40]),
      rotateBytes: 65_536,
      rotateTime: prng.pick([1000, 60_000]),
    }),
    script: rotates,
  },
  {
    name: "nat-port",
    options: () => ({ keepAlive: 2000 }),
    script: (world, rttMs) => rebinds(world, rttMs, world.prng.pick(SIDES), false),
  },
  {
    name: "nat-host",
    options: () => ({ keepAlive: 2000 }),
    script: (world, rttMs) => rebinds(world, rttMs, world.prng.pick(SIDES), true),
  },
  {
    name: "both-move",
    options: () => ({ keepAlive: 2000 }),
    // Old addresses still answer, or two that move at once would have lost each other for good.
    host: () => ({ oldAddresses: true }),
    script: (world, rttMs) => {
      for (const side of SIDES) rebinds(world, rttMs, side, world.prng.chance(0.5));
    },
  },
  { name: "slow-host", host: (prng) => ({ tickMs: prng.pick([4, 16, 100]) }) },
  { name: "full-socket", host: (prng) => ({ socketFrames: prng.integer(1, 3) }) },
  { name: "large-packets", host: (prng) => ({ pathMtu: prng.pick([4000, 9000, 16_384]) }) },
  { name: "early-data", habits: { early: true } },
  {
    name: "many-streams",
    habits: { streams: 80, cut: 0.1 },
    options: (prng) => ({ maxStreams: prng.pick([1, 5]) }),
  },
  {
    name: "small-windows",
    options: (prng) => ({
      maxData: prng.pick([1500, 6000]),
      maxStreamData: prng.pick([700, 3000]),
    }),
  },
  { name: "reset-stop", habits: { cut: 0.6, streams: 12 } },
  { name: "half-close", habits: { answersAtEnd: 1, streams: 6 } },
  { name: "slow-reader", habits: { slowReader: 0.8 } },
  {
    name: "idle-gaps",
    habits: { gaps: true },
    options: () => ({ maxIdle: 45_000, keepAlive: 20_000 }),
  },
  {
    name: "all-at-once",
    link: (prng, rttMs) => ({
      loss: prng.float() * 0.15,
      burst: { share: prng.float() * 0.1, meanLength: prng.integer(1, 8) },
      reorder: prng.float() * 0.3,
      duplicate: prng.float() * 0.3,
      corrupt: prng.float() * 0.05,
      jitterMs: prng.float() * rttMs,
      mtu: 1500,
    }),
    host: (prng) => ({
      tickMs: prng.pick([0, 4, 30]),
      socketFrames: prng.pick([2, 50]),
    }),
    options: (prng) => ({
      keepAlive: 2000,
      // SPEC 7: four times as many without an answer end a session, and the path may be dark for 20 s.
      rotatePackets: prng.pick([100, 400]),
      maxStreams: prng.pick([2, 100]),
    }),
    habits: { streams: 16, cut: 0.3, early: true, slowReader: 0.2, answersAtEnd: 0.3 },
    script: (world, rttMs) => {
      const { prng } = world;
      const scripts = [narrows, goesDark, rotates];
      for (const script of scripts) if (prng.chance(0.5)) script(world, rttMs);
      if (prng.chance(0.5)) rebinds(world, rttMs, prng.pick(SIDES), prng.chance(0.5));
    },
  },
  { name: "close-in-flight", ending: "flush", options: () => ({ closeFlush: 600_000 }) },
  { name: "abort-in-flight", ending: "abort" },
  { name: "both-close", ending: "both", options: () => ({ closeFlush: 600_000 }) },
];
