import assert from "node:assert/strict";
import { test } from "node:test";
import { peersOptions } from "./options.ts";
import { DEFAULT_PEERS, PEERS, type Row, ROWS } from "./plan.ts";

const ALL = Object.keys(ROWS) as Row[];

test("without arguments everybody is measured, and the results are kept", () => {
  assert.deepEqual(peersOptions([]), {
    peers: DEFAULT_PEERS,
    runtimes: ["node", "deno"],
    rounds: 3,
    seconds: 0.6,
    warmUp: 2,
    rows: ALL,
    json: false,
    write: true,
    cpuProfile: undefined,
  });
});

test("what is measured in part is not kept, unless that is asked for", () => {
  for (const args of [["ws"], ["--runtime", "deno"], ["--rows", "tp64k"]]) {
    const found = peersOptions(args);
    assert.ok(typeof found !== "string" && !found.write, args.join(" "));
    const kept = peersOptions([...args, "--write"]);
    assert.ok(typeof kept !== "string" && kept.write, args.join(" "));
  }
});

test("peers, runtime, rounds, seconds and rows are read", () => {
  const line =
    "ours-udp hyper-udx --runtime node --rounds 5 --seconds 0.5 --warm-up 1 --rows hs1,tp64k --json " +
    "--cpu-prof-dir profiles";
  assert.deepEqual(peersOptions(line.split(" ")), {
    peers: ["ours-udp", "hyper-udx"],
    runtimes: ["node"],
    rounds: 5,
    seconds: 0.5,
    warmUp: 1,
    rows: ["tp64k", "hs1"],
    json: true,
    write: false,
    cpuProfile: "profiles",
  });
});

test("what is wrong is named", () => {
  const lines = [
    "carrier-pigeon",
    "--runtime bun",
    "--rounds 0",
    "--seconds 0",
    "--warm-up x",
    "--rows x",
    "--y",
  ];
  for (const line of lines) {
    const found = peersOptions(line.split(" "));
    assert.equal(typeof found, "string", line);
    assert.ok(String(found).includes(line.split(" ")[0] ?? ""), String(found));
  }
});

test("peers that are measured on demand only exist", () => {
  assert.ok(DEFAULT_PEERS.length > 0);
  assert.ok(DEFAULT_PEERS.length < Object.keys(PEERS).length);
  for (const name of DEFAULT_PEERS) assert.notEqual(PEERS[name], undefined);
});
