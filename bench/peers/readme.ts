/**
 * The part of README.md that the results write.
 *
 * @module
 */
import { judge, type Judged } from "./goals.ts";
import { LESS_IS_BETTER } from "./plan.ts";
import type { Results } from "./results.ts";
import { figure } from "./statistics.ts";
import { table } from "./table.ts";

const BEGIN = "<!-- bench:peers -->";
const END = "<!-- /bench:peers -->";

/** What each figure of a goal is, in the words of somebody who has not read the benches. */
const WORK: Readonly<Record<string, string>> = {
  tp64k: "one stream, 64 KiB writes, MB/s",
  rr64w64: "64 B requests, 64 in flight, 1/s",
  rr64w1: "64 B requests, one at a time, 1/s",
  hs1: "new connection to first reply, 1/s",
  hs8: "the same, 8 at a time, 1/s",
  wire: "bytes of such a visit",
  clientMiB: "peak memory, sender, MiB",
  serverMiB: "peak memory, receiver, MiB",
};

function cell(found: Judged | undefined): string {
  if (found === undefined) return "–";
  const { ours, rival, ratio, reached } = found;
  return `${figure(ours)} / ${figure(rival)} = ${figure(ratio)}${reached ? "" : " ✗"}`;
}

/** The block between the marks: every goal, reached or not. */
export function readmeBlock(results: Results): string {
  const judged = judge(results);
  const lines: string[][] = [];
  for (const { goal } of judged) {
    const same = (found: Judged): boolean =>
      found.goal.row === goal.row && found.goal.ours === goal.ours &&
      found.goal.rival === goal.rival;
    const name = [WORK[goal.row] ?? goal.row, goal.ours, goal.rival];
    if (lines.some((line) => name.every((part, i) => line[i] === part))) continue;
    const goals = [...new Set(judged.filter(same).map((found) => figure(found.goal.ratio)))];
    const sign = LESS_IS_BETTER.includes(goal.row) ? "≤" : "≥";
    const of = (runtime: string): Judged | undefined =>
      judged.find((found) => same(found) && found.runtime === runtime);
    lines.push([...name, `${sign} ${goals.join(", ")}`, cell(of("node")), cell(of("deno"))]);
  }
  const head = ["work", "ours", "rival", "goal", "Node: ours / rival", "Deno: ours / rival"];
  return [
    BEGIN,
    `Written by \`deno task bench:peers\`, ${results.date}: ${
      results.versions.join(", ")
    }, ${results.machine}; ` +
    `medians of ${results.rounds} rounds in which the peers took turns. ✗ marks a goal that is not reached. ` +
    "A rival that does not run in a runtime is the one of the other.",
    table(head, lines, [0, 1, 2]),
    END,
  ].join("\n\n");
}

/**
 * README with a new block. Throws Error when it has no marks.
 */
export function withBlock(readme: string, block: string): string {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
  return readme.slice(0, begin) + block + readme.slice(end + END.length);
}

/** The block as README has it, without what a formatter changes. */
export function plainBlock(text: string): string {
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  return text.slice(begin, end).replaceAll(/\|[ :-]+(?=\|)/g, "|").replaceAll(/\s+/g, " ");
}
