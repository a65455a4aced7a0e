import assert from "node:assert/strict";
import { test } from "node:test";
import { type Goal, GOALS, judge } from "./goals.ts";
import { PEERS } from "./plan.ts";
import type { PeerResult } from "./results.ts";

const speed: Goal = { row: "tp64k", ours: "ours-udp", rival: "hyper-udx", ratio: 4 };
const bytes: Goal = { row: "wire", ours: "ours-udp", rival: "tls13", ratio: 0.5 };

function result(
  peer: string,
  runtime: "node" | "deno",
  figures: PeerResult["figures"],
): PeerResult {
  return { peer, runtime, figures, failures: [] };
}

test("more is better: the ratio must reach the goal", () => {
  const peers = [
    result("ours-udp", "node", { tp64k: 400 }),
    result("hyper-udx", "node", { tp64k: 100 }),
  ];
  assert.deepEqual(judge({ peers }, [speed]), [{
    goal: speed,
    runtime: "node",
    ours: 400,
    rival: 100,
    rivalRuntime: "node",
    ratio: 4,
    reached: true,
  }]);
  assert.equal(judge({ peers }, [{ ...speed, ratio: 4.1 }])[0]?.reached, false);
});

test("less is better: the ratio must not exceed the goal", () => {
  const peers = [
    result("ours-udp", "deno", { wire: 1000 }),
    result("tls13", "deno", { wire: 2000 }),
  ];
  assert.equal(judge({ peers }, [bytes])[0]?.reached, true);
  assert.equal(judge({ peers }, [{ ...bytes, ratio: 0.49 }])[0]?.reached, false);
});

test("a rival that is not measured in a runtime is taken from the other one, and that is told", () => {
  const peers = [
    result("ours-udp", "node", { tp64k: 300 }),
    result("ours-udp", "deno", { tp64k: 200 }),
    result("hyper-udx", "node", { tp64k: 100 }),
  ];
  const found = judge({ peers }, [speed]).map(({ runtime, rivalRuntime, ratio }) => [
    runtime,
    rivalRuntime,
    ratio,
  ]);
  assert.deepEqual(found, [["node", "node", 3], ["deno", "node", 2]]);
});

test("a goal without both figures, or of another runtime, is not judged", () => {
  const peers = [
    result("ours-udp", "node", { tp64k: 400 }),
    result("hyper-udx", "node", { hs1: 100 }),
  ];
  assert.deepEqual(judge({ peers }, [speed]), []);
  const both = [...peers, result("hyper-udx", "node", { tp64k: 1 })];
  assert.deepEqual(judge({ peers: both.slice(1) }, [speed]), []);
  assert.deepEqual(judge({ peers: both }, [{ ...speed, runtime: "deno" }]), []);
});

test("the goals name peers that exist, ours against others", () => {
  assert.ok(GOALS.length > 0);
  for (const { ours, rival } of GOALS) {
    assert.ok(ours.startsWith("ours-") && ours in PEERS, ours);
    assert.ok(!rival.startsWith("ours-") && rival in PEERS, rival);
  }
});
