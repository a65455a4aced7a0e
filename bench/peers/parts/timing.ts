/**
 * How long one call takes, of several candidates in turn.
 *
 * @module
 */
/** What a candidate took. */
export interface Timed {
  /** What was measured: the rows of a table. */
  readonly work: string;
  readonly name: string;
  /** Nanoseconds a call: the lower quartile of many short rounds, since others use the machine too. */
  readonly ns: number;
}

/** A candidate. */
export interface Candidate {
  readonly name: string;
  readonly run: () => void;
}

const ROUNDS = 60;
const ROUND_MS = 4;
/** Compilers have done their work after so long. */
const WARM_UP_MS = 120;

function took(run: () => void, count: number): number {
  const start = performance.now();
  for (let i = 0; i < count; i++) run();
  return performance.now() - start;
}

/** Measures candidates in turn: what disturbs the machine disturbs all of them. */
export function compare(work: string, candidates: readonly Candidate[]): Timed[] {
  const entries = candidates.map(({ name, run }) => {
    let count = 1;
    for (let spent = 0; spent < WARM_UP_MS;) {
      const ms = took(run, count);
      spent += ms;
      count = Math.max(1, Math.round(count * Math.min(8, ROUND_MS / Math.max(ms, 0.01))));
    }
    return { name, run, count, found: [] as number[] };
  });
  for (let round = 0; round < ROUNDS; round++) {
    for (const { run, count, found } of entries) found.push(1e6 * took(run, count) / count);
  }
  return entries.map(({ name, found }) => {
    found.sort((a, b) => a - b);
    return { work, name, ns: found[ROUNDS / 4]! };
  });
}
