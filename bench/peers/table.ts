/**
 * Results as Markdown.
 *
 * @module
 */
import { judge } from "./goals.ts";
import { LESS_IS_BETTER, type Row, ROWS } from "./plan.ts";
import { figureOf, type PeerResult, type Results } from "./results.ts";
import { figure } from "./statistics.ts";

/** A table; the columns from the second on are numbers, unless `text` names them. */
export function table(
  head: readonly string[],
  lines: readonly (readonly string[])[],
  text: readonly number[] = [0],
): string {
  const rule = head.map((_, i) => text.includes(i) ? "---" : "---:");
  return [head, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function rowsOf(peers: readonly PeerResult[]): Row[] {
  return (Object.keys(ROWS) as Row[])
    .filter((row) => peers.some(({ figures }) => figures[row] !== undefined));
}

/** All figures. */
export function figuresTable({ peers }: Pick<Results, "peers">): string {
  const rows = rowsOf(peers);
  return table(
    ["peer", ...rows],
    peers.map(({ peer, runtime, figures }) => [
      `${peer}, ${runtime}`,
      ...rows.map((row) => figure(figures[row] ?? NaN)),
    ]),
  );
}

/** The best of ours over the same transport family against each rival, as ratios; runtimes apart. */
export function ratiosTable(results: Pick<Results, "peers">, ours: string): string {
  const rows = rowsOf(results.peers);
  const lines = results.peers.filter(({ peer }) => !peer.startsWith("ours-"))
    .flatMap(({ peer, runtime, figures }) => {
      const cells = rows.map((row) => {
        const own = figureOf(results, ours, runtime, row);
        const rival = figures[row];
        return own === undefined || rival === undefined ? "–" : figure(own / rival);
      });
      return cells.every((cell) => cell === "–") ? [] : [[`${peer}, ${runtime}`, ...cells]];
    });
  return lines.length === 0 ? "" : table([`${ours} to`, ...rows], lines);
}

/** The goals. */
export function goalsTable(results: Pick<Results, "peers">): string {
  return table(
    ["figure", "ours", "rival", "goal", "ours", "rival", "ratio", "reached"],
    judge(results).map(({ goal, runtime, rivalRuntime, ...found }) => [
      goal.row,
      `${goal.ours}, ${runtime}`,
      `${goal.rival}, ${rivalRuntime}`,
      `${LESS_IS_BETTER.includes(goal.row) ? "≤" : "≥"} ${figure(goal.ratio)}`,
      figure(found.ours),
      figure(found.rival),
      figure(found.ratio),
      found.reached ? "yes" : "no",
    ]),
    [0, 1, 2, 7],
  );
}

/** What went wrong, a line a peer; empty when nothing did. */
export function failureList({ peers }: Pick<Results, "peers">): string {
  return peers.filter(({ failures }) => failures.length > 0)
    .map(({ peer, runtime, failures }) => `- ${peer}, ${runtime}: ${failures.join("; ")}`)
    .join("\n");
}

/** The whole of RESULTS.md. */
export function report(results: Results, limits: string): string {
  const { peers } = results;
  const ours = [...new Set(peers.map(({ peer }) => peer))].filter((peer) =>
    peer.startsWith("ours-")
  );
  const failures = failureList(results);
  return [
    "# Ours and others, side by side",
    "Made by the command below; medians of rounds in which the peers took turns. Only ratios mean " +
    "anything, and only within one run: shared machines drift by a third within minutes.",
    [
      `- date: ${results.date}`,
      `- machine: ${results.machine}`,
      `- versions: ${results.versions.join(", ")}`,
      `- command: \`${results.command}\``,
      `- ${results.rounds} rounds, ${results.seconds} s a figure after ${results.warmUp} s of warm-up; reference loop ` +
      `${figure(results.reference)} million steps/s, load ${results.load}` +
      (results.load > 4 ? ": a busy machine, so that speeds are provisional" : ""),
    ].join("\n"),
    "## Figures",
    (Object.entries(ROWS) as [Row, string][]).map(([row, text]) => `- \`${row}\`: ${text}`)
      .join("\n"),
    figuresTable(results),
    ...(failures === "" ? [] : ["What failed:", failures]),
    "## Goals",
    goalsTable(results),
    "## What limits",
    limits.trim(),
    "## All ratios",
    ...ours.map((name) => ratiosTable(results, name)).filter((text) => text !== ""),
  ].join("\n\n") + "\n";
}
