import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionStats } from "../connection/stats.ts";
import { SttError } from "../errors.ts";
import { expositionText } from "../observe/exposition.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { pair } from "../testing/pair.ts";
import { prometheusText } from "./prometheus.ts";

interface Series {
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** Reads the format as its documentation says, and refuses what breaks its rules. */
function parse(text: string): { readonly types: Map<string, string>; readonly series: Series[] } {
  assert.ok(text === "" || text.endsWith("\n"));
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const series: Series[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line);
    if (comment !== null) {
      const [, what, name, rest] = comment as unknown as string[];
      if (what === "HELP") helped.add(name as string);
      else {
        assert.ok(helped.has(name as string) && !types.has(name as string), line);
        types.set(name as string, rest as string);
      }
      continue;
    }
    const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    assert.ok(found !== null, line);
    const [, name = "", inside = "", value = ""] = found;
    const labels: Record<string, string> = {};
    for (const [, label = "", quoted = ""] of inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)",?/g)) {
      labels[label] = quoted.replace(/\\(.)/g, (_, c) => c === "n" ? "\n" : c);
    }
    const family = name.replace(/_(bucket|sum|count)$/, "");
    assert.ok(types.has(name) || types.get(family) === "histogram", `${name} has a type`);
    const number = value === "+Inf" ? Infinity : Number(value);
    assert.ok(!Number.isNaN(number), line);
    series.push({ name, labels, value: number });
  }
  return { types, series };
}

function busy(): ConnectionStats {
  let now = 0;
  const run = new DatagramPair({ link: { delayMs: 7, loss: 0.05 }, profile: () => now += 0.25 });
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const id = run.a.streams.open(0) as number;
  run.a.streams.write(id, new Uint8Array(100_000));
  run.a.receive(new Uint8Array(9), run.clock.nowMs, "10.9.9.9", 1);
  run.run(() => false, 3000);
  return run.a.stats();
}

test("help, type and every series in the form that Prometheus reads, and the numbers of stats()", () => {
  const stats = busy();
  const { types, series } = parse(prometheusText({ sessions: [{ stats }] }));
  const of = (name: string): number | undefined =>
    series.find((one) => one.name === name && one.labels["session"] === stats.sessionId)?.value;
  assert.equal(of("stt_bytes_sent_total"), stats.bytesSent);
  assert.equal(of("stt_packets_lost_total"), stats.path?.packetsLost);
  assert.ok(
    Math.abs((of("stt_rtt_smoothed_seconds") ?? 0) * 1000 - (stats.rtt.smoothed ?? 0)) < 1e-9,
  );
  assert.equal(of("stt_sessions"), 1);
  for (const [name, type] of types) {
    assert.ok(name.startsWith("stt_"));
    assert.equal(type === "counter", name.endsWith("_total"), name);
  }
  const reasons = series.filter(({ name }) => name === "stt_frames_rejected_total");
  assert.deepEqual(
    Object.fromEntries(reasons.map(({ labels, value }) => [labels["reason"], value])),
    stats.rejected,
  );
});

test("buckets are cumulative, end with +Inf, and the same at every scrape", () => {
  const stats = busy();
  const limits = (one: ConnectionStats, family: string): [string, number][] =>
    parse(prometheusText({ sessions: [{ stats: one }] })).series
      .filter(({ name }) => name === `${family}_bucket`)
      .map(({ labels, value }) => [labels["le"] as string, value]);
  const empty = pair({ profile: () => 0 }).establish().a.stats();
  for (const family of ["stt_rtt_seconds", "stt_seal_seconds", "stt_open_seconds"]) {
    const buckets = limits(stats, family);
    const values = buckets.map(([, value]) => value);
    assert.deepEqual(values, [...values].sort((a, b) => a - b), family);
    assert.equal(buckets.at(-1)?.[0], "+Inf");
    const bounds = buckets.slice(0, -1).map(([le]) => Number(le));
    assert.deepEqual(bounds, [...bounds].sort((a, b) => a - b));
    assert.deepEqual(limits(empty, family).map(([le]) => le), buckets.map(([le]) => le));
  }
  const profile = stats.profile ?? assert.fail();
  const seal = limits(stats, "stt_seal_seconds");
  assert.equal(seal.at(-1)?.[1], profile.seal.count);
  // Each look at that clock takes a quarter of a millisecond, so that sealing takes one.
  const half = seal.find(([le]) => le === "0.0005")?.[1];
  const eighth = seal.find(([le]) => le === "0.000125")?.[1];
  assert.deepEqual([half, eighth], [profile.seal.count, 0]);
});

test("sessions with the same labels are one series: sums, and the longest round trip", () => {
  const [one, two] = [busy(), pair().establish().a.stats()];
  const labels = { service: 'a "b"\\c\nd' };
  const text = prometheusText({ sessions: [{ stats: one, labels }, { stats: two, labels }] });
  assert.ok(text.includes('stt_sessions{service="a \\"b\\"\\\\c\\nd"} 2\n'));
  const { series } = parse(text);
  const value = (name: string): number | undefined => series.find((s) => s.name === name)?.value;
  assert.deepEqual(series[0]?.labels, labels);
  assert.equal(value("stt_bytes_sent_total"), one.bytesSent + two.bytesSent);
  const longest = Math.max(one.rtt.smoothed ?? 0, two.rtt.smoothed ?? 0);
  assert.equal(value("stt_rtt_smoothed_seconds"), longest / 1000);
});

test("a listener, nothing at all, and labels that are not free", () => {
  const stats = {
    address: "tcp://127.0.0.1:1",
    nodeId: "00",
    sessions: 2,
    handshaking: 1,
    accepted: 5,
    rejected: 3,
    resets: 0,
    drops: { seed_id: 4 },
  };
  const { series } = parse(prometheusText({ listeners: [{ stats }] }));
  assert.deepEqual(series.map(({ name, value }) => [name, value]), [
    ["stt_listener_sessions", 2],
    ["stt_listener_handshaking", 1],
    ["stt_listener_accepted_total", 5],
    ["stt_listener_rejected_total", 3],
    ["stt_listener_resets_total", 0],
    ["stt_listener_drops_total", 4],
  ]);
  assert.equal(prometheusText({}), "");
  for (const name of ["le", "reason", "a-b", "1a", "__name__", ""]) {
    assert.throws(
      () => prometheusText({ listeners: [{ stats, labels: { [name]: "x" } }] }),
      (error: unknown) => error instanceof SttError && error.code === "CONFIG",
      name,
    );
  }
});

test("help is escaped, infinite values are spelled as the format has them", () => {
  const text = expositionText([{
    name: "a",
    help: "one\\two\nthree",
    type: "gauge",
    samples: [{ labels: {}, value: Infinity }, { labels: { x: "" }, value: -Infinity }],
  }, { name: "b", help: "none", type: "counter", samples: [] }]);
  assert.equal(
    text,
    '# HELP a one\\\\two\\nthree\n# TYPE a gauge\na +Inf\na{x=""} -Inf\n',
  );
});
