/**
 * What `deno bench --json` found, as ratios to the reference loop of the same run.
 *
 * @module
 */

/** Name of the bench that all others are divided by begins so. */
const REFERENCE = "reference:";
/** Machines that others use as well move a single figure by this much within a run. */
export const NOISE = 1.3;

/** Ratios by the name of the bench. */
export type Ratios = Readonly<Record<string, number>>;

/** One bench in two runs. */
export interface Compared {
  readonly name: string;
  readonly now: number | undefined;
  readonly before: number | undefined;
  /** `now` in terms of `before`. */
  readonly change: number | undefined;
  readonly verdict: "slower" | "faster" | "the same" | "new" | "gone";
}

interface BenchOutput {
  readonly benches: readonly {
    readonly name: string;
    readonly results: readonly { readonly ok?: { readonly min: number } }[];
  }[];
}

/**
 * The shortest time of each bench over that of the reference: the least disturbed of many. Benches that failed are left
 * out. Throws Error when the reference is missing.
 */
export function ratiosOf(json: string): Ratios {
  const { benches } = JSON.parse(json) as BenchOutput;
  const times = new Map<string, number>();
  for (const { name, results } of benches) {
    const [first] = results;
    if (first?.ok !== undefined) times.set(name, first.ok.min);
  }
  const reference = [...times].find(([name]) => name.startsWith(REFERENCE))?.[1];
  if (reference === undefined || reference <= 0) throw new Error("the reference loop did not run");
  const ratios: Record<string, number> = {};
  for (const [name, time] of times) {
    if (!name.startsWith(REFERENCE)) ratios[name] = Number((time / reference).toPrecision(4));
  }
  return ratios;
}

function verdictOf(now: number | undefined, before: number | undefined): Compared["verdict"] {
  if (now === undefined) return "gone";
  if (before === undefined) return "new";
  if (now > before * NOISE) return "slower";
  return now * NOISE < before ? "faster" : "the same";
}

/** Every bench of either run, in the order of this one. */
export function compareRatios(now: Ratios, before: Ratios): Compared[] {
  const names = [...new Set([...Object.keys(now), ...Object.keys(before)])];
  return names.map((name) => {
    const mine = now[name];
    const theirs = before[name];
    const change = mine === undefined || theirs === undefined ? undefined : mine / theirs;
    return { name, now: mine, before: theirs, change, verdict: verdictOf(mine, theirs) };
  });
}

/** A line a bench, those that became slower first. */
export function ratioLines(all: readonly Compared[]): string[] {
  const text = (value: number | undefined): string =>
    (value === undefined ? "–" : value.toPrecision(3)).padStart(9);
  const ordered = [...all].sort((a, b) =>
    Number(b.verdict === "slower") - Number(a.verdict === "slower")
  );
  return ordered.map(({ name, now, before, change, verdict }) =>
    `${text(before)} ${text(now)} ${text(change)}  ${verdict.padEnd(8)}  ${name}`
  );
}
