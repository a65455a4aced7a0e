import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments } from "./arguments.ts";
import { ATTACKS } from "./attacks.ts";
import { BOUNDS, FLOODS } from "./list.ts";
import { faults, type Row } from "./measure.ts";
import { HEADER, rowText } from "./table.ts";

const ROW: Omit<Row, "faults"> = {
  name: "udp: noise",
  unit: "messages",
  sent: 1000,
  seconds: 2,
  mostHandshaking: 3,
  mostSessions: 1,
  peakMiB: 1.25,
  keptMiB: -0.5,
  handles: 0,
  clients: 8,
  connectMs: 12,
  medianMs: 5,
  failedClients: [],
  loopWallMs: 30,
  loopMs: 4,
  drops: { malformed: 900, rate: 5 },
  rejected: 0,
};

test("floods: arguments", () => {
  assert.deepEqual(parseArguments([]), { only: "", scale: 1, json: false });
  const all = parseArguments(["--only", "ws", "--scale", "0.1", "--json"]);
  assert.deepEqual(all, { only: "ws", scale: 0.1, json: true });
  assert.equal(parseArguments(["--help"]), undefined);
  for (const bad of [["--scale", "0"], ["--scale", "2"], ["--only"], ["more"], ["--no", "x"]]) {
    assert.throws(() => parseArguments(bad), Error, bad.join(" "));
  }
});

test("floods: every one has an attack and a name of its own, and every attack a flood", () => {
  assert.equal(new Set(FLOODS.map(({ name }) => name)).size, FLOODS.length);
  const used = new Set(FLOODS.map(({ attack }) => attack));
  assert.deepEqual([...used].sort(), Object.keys(ATTACKS).sort());
});

test("floods: each bound that is passed is a fault of its own", () => {
  assert.deepEqual(faults(ROW, BOUNDS), []);
  const bad: Partial<Row>[] = [
    { mostHandshaking: BOUNDS.handshaking + 1 },
    { mostSessions: BOUNDS.sessions + 1 },
    { peakMiB: BOUNDS.peakMiB + 1 },
    { keptMiB: BOUNDS.keptMiB + 1 },
    { handles: BOUNDS.handles + 1 },
    { connectMs: BOUNDS.connectMs + 1 },
    { loopMs: BOUNDS.loopMs + 1 },
    { clients: 0 },
    { failedClients: ["refused", "refused"] },
  ];
  for (const change of bad) {
    assert.equal(faults({ ...ROW, ...change }, BOUNDS).length, 1, JSON.stringify(change));
  }
  assert.deepEqual(faults({ ...ROW, handles: undefined, loopWallMs: 500 }, BOUNDS), []);
});

test("floods: a row has as many cells as the header", () => {
  const text = rowText({ ...ROW, faults: [] });
  const cells = (line: string): number => line.split("|").length;
  assert.equal(cells(text), cells(HEADER.split("\n")[0]!));
  assert.match(text, /1000 messages \| 500 \| .*900 malformed, 5 rate/);
});
