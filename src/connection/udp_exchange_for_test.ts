import assert from "node:assert/strict";
import type { DatagramPair, DatagramPairOptions } from "../testing/datagram_pair.ts";
import { Prng } from "../testing/prng.ts";
import { payload } from "./simulation/payload_for_test.ts";
import { StreamFlow } from "./simulation/stream_flow_for_test.ts";
import { World } from "./simulation/world_for_test.ts";

/** What each side sends. */
export interface ExchangePlan {
  readonly seed: number;
  /** Bytes per stream of kind 0. */
  readonly streams: readonly number[];
  /** Unordered messages on one more stream. */
  readonly messages: number;
  /** Called in every turn, while data is on its way. */
  readonly onTurn?: ((pair: DatagramPair) => void) | undefined;
}

/** Establishes a session and moves the plan's data both ways, comparing every byte. Throws when it stops. */
export function exchange(options: DatagramPairOptions, plan: ExchangePlan): DatagramPair {
  const prng = new Prng(plan.seed);
  const world = new World({ seed: plan.seed, ...options }, prng);
  const lengths = Array.from(
    { length: plan.messages },
    (_, index) => prng.integer(1, index % 5 === 0 ? 5000 : 400),
  );
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const opener of ["a", "b"] as const) {
    const common = { opener, priority: prng.integer(0, 1000), answersAtEnd: false };
    const back = { bytes: new Uint8Array(0) };
    for (const length of plan.streams) {
      const there = { bytes: payload(prng, length) };
      world.add(new StreamFlow(world, { ...common, kind: 0, there, back }));
    }
    const there = { bytes: payload(prng, total), messages: lengths };
    world.add(
      new StreamFlow(world, { ...common, kind: 5, there, back: { ...back, messages: [] } }),
    );
  }
  world.runUntil("everything arrives", () => {
    if (world.established) plan.onTurn?.(world.pair);
    return world.flowsDone;
  }, 1_200_000);
  world.pair.onEvent = undefined;
  return world.pair;
}

/** After an exchange: everything is acknowledged and nothing is left on either side. */
export function assertNothingLeft(pair: DatagramPair): void {
  const quiet = (): boolean =>
    [pair.a, pair.b!].every((side) =>
      side.streams.isIdle() && side.stats().path?.bytesInFlight === 0
    );
  assert.ok(pair.run(quiet, 120_000), "bytes stay in flight");
  for (const side of [pair.a, pair.b!]) {
    const { streams } = side.stats();
    assert.equal(streams.sendBuffered, 0);
    assert.equal(streams.recvBuffered, 0);
    assert.equal(streams.open, 0);
  }
}
