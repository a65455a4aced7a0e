/** Runs cases against one program and collects verdicts. @module */
import { type Case, type CaseResult, Check, Failure, Unsupported, type Verdict } from "./case.ts";
import { type Implementation, ImplementationFault } from "./protocol.ts";

export interface RunOptions {
  /** Stop at the first failure. */
  readonly bail?: boolean;
  readonly onResult?: (result: CaseResult) => void;
}

export async function runCases(
  cases: readonly Case[],
  implementation: Implementation,
  options: RunOptions = {},
): Promise<CaseResult[]> {
  const results: CaseResult[] = [];
  for (const one of cases) {
    const result = await runCase(one, implementation);
    results.push(result);
    options.onResult?.(result);
    if (options.bail === true && result.verdict === "fail") break;
  }
  return results;
}

async function runCase(one: Case, implementation: Implementation): Promise<CaseResult> {
  const started = performance.now();
  const check = new Check(implementation);
  let verdict: Verdict = "pass";
  let detail = "";
  try {
    await one.run(check);
    if (check.notes.length > 0) [verdict, detail] = ["not-strict", check.notes.join("; ")];
  } catch (error) {
    [verdict, detail] = judge(error, one);
  }
  const { id, section, level, title } = one;
  return { id, section, level, title, verdict, detail, milliseconds: performance.now() - started };
}

function judge(error: unknown, one: Case): [Verdict, string] {
  if (error instanceof Unsupported) return ["unsupported", `operation ${error.message}`];
  if (error instanceof ImplementationFault) return ["fail", error.message];
  if (error instanceof Failure) {
    return [one.level === "SHOULD" ? "not-strict" : "fail", error.message];
  }
  const message = error instanceof Error ? error.message : String(error);
  // Data that cannot even be read are a mismatch, not a reason to stop.
  return ["fail", `cannot evaluate case: ${message}`];
}

export type Summary = Readonly<Record<Verdict, number>>;

export function summarize(results: readonly CaseResult[]): Summary {
  const summary = { pass: 0, fail: 0, "not-strict": 0, unsupported: 0 };
  for (const { verdict } of results) summary[verdict]++;
  return summary;
}
