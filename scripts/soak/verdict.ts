/**
 * The judgement over a soak's samples.
 *
 * @module
 */

/** What is looked at after a collection. */
export interface Sample {
  /** Milliseconds since the start. */
  readonly atMs: number;
  /** Bytes of the heap in use, array buffers included. */
  readonly heap: number;
  /** Resident bytes of the process. */
  readonly rss: number;
  /** Open file descriptors; undefined where the system does not tell. */
  readonly handles: number | undefined;
}

/** Trend of the memory after warm-up. */
export interface Trend {
  readonly samples: number;
  readonly minutes: number;
  /** Bytes per hour. */
  readonly slope: number;
  /** Bytes that the slope amounts to over the time that was looked at. */
  readonly growth: number;
}

/** Below this growth over the part after warm-up the heap counts as level. */
export const MOST_GROWTH = 1_048_576;
/** A trend of less than this says nothing. */
export const SHORTEST_TREND_MS = 120_000;
const FEWEST_SAMPLES = 10;
const LONGEST_WARM_UP_MS = 120_000;

/** The part of a run that is not looked at: a fifth, at least two minutes but never more than half. */
export function warmUpMs(totalMs: number): number {
  return Math.max(totalMs / 5, Math.min(LONGEST_WARM_UP_MS, totalMs / 2));
}

/**
 * The slope of the heap: the median of the slopes between all pairs of samples (Theil and Sen), which a few samples in
 * the middle of a large transfer do not move. Undefined when there are too few to tell.
 */
export function trend(samples: readonly Sample[], totalMs: number): Trend | undefined {
  const late = samples.filter(({ atMs }) => atMs >= warmUpMs(totalMs));
  const first = late[0];
  const last = late.at(-1);
  if (first === undefined || last === undefined || late.length < FEWEST_SAMPLES) return undefined;
  const lengthMs = last.atMs - first.atMs;
  if (lengthMs < SHORTEST_TREND_MS) return undefined;
  const slopes: number[] = [];
  for (const [index, from] of late.entries()) {
    for (const to of late.slice(index + 1)) {
      slopes.push((to.heap - from.heap) / (to.atMs - from.atMs));
    }
  }
  slopes.sort((a, b) => a - b);
  const perMs = slopes[slopes.length >> 1] ?? 0;
  return {
    samples: late.length,
    minutes: lengthMs / 60_000,
    slope: perMs * 3_600_000,
    growth: perMs * lengthMs,
  };
}

/** What a verdict is made from. */
export interface Findings {
  readonly trend: Trend | undefined;
  /** Descriptors before the first session and after the last one. */
  readonly handlesBefore: number | undefined;
  readonly handlesAfter: number | undefined;
  readonly unexplained: number;
  readonly transfers: number;
  /** Most sessions and handshakes that one listener held at a sample. */
  readonly mostSessions: number;
  readonly mostHandshaking: number;
  /** What the run was to show and did not: no rotation, no loss, … */
  readonly missing: readonly string[];
}

/** One lane has one dialler at a time; the session before it may not be forgotten yet. */
const MOST_SESSIONS = 2;

/** Reasons why the run failed; none when it is good. */
export function judge(found: Findings): string[] {
  const reasons: string[] = [];
  if (found.trend !== undefined && found.trend.growth > MOST_GROWTH) {
    const { growth, minutes } = found.trend;
    reasons.push(
      `the heap grew by ${Math.round(growth)} bytes in ${minutes.toFixed(1)} minutes after ` +
        `warm-up; the limit is ${MOST_GROWTH}`,
    );
  }
  const { handlesBefore, handlesAfter } = found;
  if (handlesBefore !== undefined && handlesAfter !== undefined && handlesAfter > handlesBefore) {
    reasons.push(`${handlesAfter} descriptors are open at the end, ${handlesBefore} at the start`);
  }
  if (found.unexplained > 0) reasons.push(`${found.unexplained} errors that nothing explains`);
  if (found.transfers === 0) reasons.push("no transfer came to its end");
  if (found.mostSessions > MOST_SESSIONS || found.mostHandshaking > MOST_SESSIONS) {
    reasons.push(
      `a listener held ${found.mostSessions} sessions and ${found.mostHandshaking} handshakes; ` +
        `the limit is ${MOST_SESSIONS}`,
    );
  }
  for (const thing of found.missing) reasons.push(`the run had ${thing}`);
  return reasons;
}
