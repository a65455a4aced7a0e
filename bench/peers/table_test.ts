import assert from "node:assert/strict";
import { test } from "node:test";
import { combined, type PeerResult, type Results } from "./results.ts";
import { failureList, figuresTable, goalsTable, ratiosTable, report } from "./table.ts";

const peers: PeerResult[] = [
  { peer: "ours-udp", runtime: "node", figures: { tp64k: 250, wire: 1500 }, failures: [] },
  { peer: "hyper-udx", runtime: "node", figures: { tp64k: 100 }, failures: ["it broke"] },
  { peer: "deno-quic", runtime: "deno", figures: { tp64k: 300 }, failures: [] },
];

test("a missing figure is a dash, a row that nobody has is left out", () => {
  assert.equal(
    figuresTable({ peers }),
    [
      "| peer | tp64k | wire |",
      "| --- | ---: | ---: |",
      "| ours-udp, node | 250 | 1500 |",
      "| hyper-udx, node | 100 | – |",
      "| deno-quic, deno | 300 | – |",
    ].join("\n"),
  );
});

test("ratios are of one runtime only", () => {
  assert.equal(
    ratiosTable({ peers }, "ours-udp"),
    [
      "| ours-udp to | tp64k | wire |",
      "| --- | ---: | ---: |",
      "| hyper-udx, node | 2.50 | – |",
    ].join("\n"),
  );
  assert.equal(ratiosTable({ peers }, "ours-ws"), "");
});

test("the table of goals tells what was measured and whether it is enough", () => {
  const lines = goalsTable({ peers }).split("\n");
  assert.ok(lines.includes(
    "| tp64k | ours-udp, node | hyper-udx, node | ≥ 4.00 | 250 | 100 | 2.50 | no |",
  ));
});

test("failures are told", () => {
  assert.equal(failureList({ peers }), "- hyper-udx, node: it broke");
});

test("the report holds machine, versions, date, command, limits and every table", () => {
  const results: Results = {
    date: "2001-02-03",
    machine: "2 cores of a loom",
    versions: ["deno 2.9.6", "node 24.0.0"],
    command: "deno task bench:peers",
    rounds: 3,
    seconds: 1,
    warmUp: 2,
    reference: 123,
    load: 9.9,
    peers,
  };
  const text = report(results, "The weaver.\n");
  const parts = [
    results.date,
    results.machine,
    "deno 2.9.6, node 24.0.0",
    results.command,
    "load 9.9: a busy machine",
    "The weaver.",
    figuresTable(results),
    goalsTable(results),
    ratiosTable(results, "ours-udp"),
    failureList(results),
  ];
  for (const part of parts) assert.ok(text.includes(part), part);
  assert.ok(text.endsWith("|\n"));
});

test("rounds are combined by the median; failures are told once", () => {
  const rounds = [
    { figures: { tp64k: 1, hs1: 5 }, failures: [] },
    { figures: { tp64k: 30 }, failures: ["late"] },
    { figures: { tp64k: 2 }, failures: ["late"] },
  ];
  assert.deepEqual(combined("ws", "node", rounds), {
    peer: "ws",
    runtime: "node",
    figures: { tp64k: 2, hs1: 5 },
    failures: ["late"],
  });
});
