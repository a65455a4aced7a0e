import type { Prng } from "../../testing/prng.ts";
import type { Side } from "../../testing/simulated_link.ts";
import type { HalfPlan } from "./half_for_test.ts";
import { payload } from "./payload_for_test.ts";
import type { StreamPlan } from "./stream_flow_for_test.ts";

/** What each side moves at least, over its streams of bytes. */
const BYTES_EACH_WAY = 262_144;
const MESSAGES = 40;

/** How the streams of a run are used. Shares are probabilities per half or stream. */
export interface PlanHabits {
  /** Streams of bytes; half of them opened by each side. Default 6. */
  readonly streams?: number;
  /** Halves that are reset by the writer or stopped by the reader. Default 0. */
  readonly cut?: number;
  /** Streams whose answer begins when the question has ended. Default 0.2. */
  readonly answersAtEnd?: number;
  /** Halves whose reader rests now and then. Default 0.1. */
  readonly slowReader?: number;
  /** Streams of the dialling side begin before FINAL. Default false. */
  readonly early?: boolean;
  /** The writers of every stream rest for up to 100 s. Default false. */
  readonly gaps?: boolean;
}

/** The streams of a run, each way the same number of bytes. */
export function streamPlans(prng: Prng, habits: PlanHabits): StreamPlan[] {
  const { streams = 6, answersAtEnd = 0.2, early = false } = habits;
  const plans: StreamPlan[] = [];
  const priorities = [100, 500, 900] as const;
  for (let index = 0; index < streams; index++) {
    const opener: Side = index % 2 === 0 ? "a" : "b";
    plans.push({
      opener,
      kind: 0,
      priority: prng.pick(priorities),
      there: half(prng, habits, share(streams)),
      back: half(prng, habits, share(streams)),
      answersAtEnd: prng.chance(answersAtEnd),
      early,
    });
  }
  for (const kind of [4, 5] as const) {
    plans.push({
      opener: prng.pick(["a", "b"]),
      kind,
      priority: prng.pick(priorities),
      there: messages(prng, habits, kind),
      back: messages(prng, habits, kind),
      answersAtEnd: prng.chance(answersAtEnd),
      early,
    });
  }
  return plans;
}

function share(streams: number): number {
  return Math.ceil(BYTES_EACH_WAY / streams);
}

function half(prng: Prng, habits: PlanHabits, length: number): HalfPlan {
  return { bytes: payload(prng, length), ...faults(prng, habits, length) };
}

function messages(prng: Prng, habits: PlanHabits, kind: 4 | 5): HalfPlan {
  const lengths = Array.from(
    { length: MESSAGES },
    (_, index) => prng.integer(kind === 4 && index % 7 === 0 ? 0 : 1, index % 9 === 0 ? 6000 : 300),
  );
  // Larger than some windows: its credit must return while it is assembled (SPEC 8).
  lengths[prng.integer(0, MESSAGES - 1)] = 40_000;
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return { bytes: payload(prng, total), messages: lengths, ...faults(prng, habits, total) };
}

function faults(prng: Prng, habits: PlanHabits, length: number): Partial<HalfPlan> {
  const { cut = 0, slowReader = 0.1, gaps = false } = habits;
  return {
    ...(prng.chance(cut / 2) ? { resetAt: prng.integer(0, length) } : {}),
    ...(prng.chance(cut / 2) ? { stopAt: prng.integer(0, length) } : {}),
    ...(gaps ? { burst: Math.ceil(length / 3), pauseMs: prng.integer(1000, 100_000) } : {}),
    ...(prng.chance(slowReader)
      ? { readBytes: prng.integer(1000, 30_000), restMs: prng.integer(1, 500) }
      : {}),
  };
}
