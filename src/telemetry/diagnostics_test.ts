import assert from "node:assert/strict";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { connect } from "../endpoint/connect.ts";
import type { DiagnosticMessages } from "../endpoint/diagnostics.ts";
import { listen } from "../endpoint/listener.ts";
import type { TraceEvent } from "../observe/trace_event.ts";
import { type LogEntry, type LogLevel, logTracer } from "../observe/log.ts";

const SEED = new Uint8Array(32).fill(3);

const NAMES = Object.keys(
  {
    "stt:session:open": 1,
    "stt:session:close": 1,
    "stt:stream": 1,
    "stt:rekey": 1,
    "stt:migrated": 1,
    "stt:rejected": 1,
  } satisfies Record<keyof DiagnosticMessages, 1>,
);

test("channels tell of sessions, streams, keys and refusals, while somebody listens", async () => {
  const heard: [name: string, message: Record<string, unknown>][] = [];
  const onMessage = (message: unknown, name: string | symbol): void =>
    void heard.push([String(name), message as Record<string, unknown>]);
  for (const name of NAMES) subscribe(name, onMessage);
  const listener = await listen("tcp://127.0.0.1:0", { seed: SEED });
  try {
    const peer = await connect(listener.address, { seed: SEED });
    const far = await listener.nextPeer() ?? assert.fail();
    await peer.send(new Uint8Array(3));
    await far.nextMessage();
    peer.rotateKeys();
    await peer.ping();
    await peer.ping();
    await peer.close();
    await far.closed;
    const bad = { seed: new Uint8Array(32), handshakeTimeout: 2000 };
    await assert.rejects(connect(listener.address, bad));
  } finally {
    for (const name of NAMES) unsubscribe(name, onMessage);
  }
  const count = (name: string): number => heard.filter(([other]) => other === name).length;
  assert.deepEqual(NAMES.map(count), [2, 2, 1, 4, 0, 1]);
  const [, open] = heard.find(([name]) => name === "stt:session:open") ?? assert.fail();
  assert.equal((open["info"] as { app: string }).app, "");
  const before = heard.length;
  const peer = await connect(listener.address, { seed: SEED });
  await peer.close();
  await listener.close();
  assert.equal(heard.length, before, "nobody listens any more");
  assert.equal(channel("stt:session:open").hasSubscribers, false);
});

test("log: levels, one sentence each, and no words of the application", async () => {
  const entries = async (level?: LogLevel): Promise<LogEntry[]> => {
    const log: LogEntry[] = [];
    const listener = await listen("mem:log-test", { seed: SEED });
    const tracer = logTracer((entry) => log.push(entry), level);
    const peer = await connect("mem:log-test", { seed: SEED, tracer });
    await peer.send(new TextEncoder().encode("private words"));
    peer.rotateKeys();
    await peer.ping();
    await peer.ping();
    await peer.close({ code: 0x100, reason: "private words" });
    await listener.close();
    return log;
  };
  const usual = await entries();
  assert.deepEqual(usual.map(({ level, message }) => `${level} ${message}`), [
    "info session with mem:log-test established",
    "info session with mem:log-test has send keys of epoch 1 (request)",
    "info session with mem:log-test has receive keys of epoch 1 (peer)",
    "warn session with mem:log-test closed: APPLICATION",
  ]);
  const all = await entries("trace");
  const seen = new Set(all.map(({ level }) => level));
  assert.deepEqual([...seen].sort(), ["debug", "info", "trace", "warn"]);
  assert.ok(all.length > 15 && all.every(({ time }) => Math.abs(time - Date.now()) < 60_000));
  assert.match(all.at(-1)?.session ?? "", /^[0-9a-f]{16}$/);
  assert.deepEqual((await entries("error")).length, 0);
  assert.ok(!JSON.stringify(all).includes("private"));
});

test("log: every event has a level and words", () => {
  const log: LogEntry[] = [];
  const start = { localAddress: "udp://a:1", remoteAddress: "udp://b:2", nowMs: 5, unixMs: 1000 };
  const tracer = logTracer((entry) => log.push(entry), "trace")({ ...start, role: "initiator" });
  const frame = {
    frameType: 2,
    flags: 0,
    streamId: 0,
    sequence: 3,
    epoch: 0,
    bytes: 60,
    records: [],
  };
  const [from, to] = [{ host: "b", port: 2 }, { host: "c", port: 3 }];
  const events: TraceEvent[] = [
    { type: "handshake", step: "refused" },
    { type: "session-closed", code: "INTERNAL", wire: 255, remote: false },
    { type: "session-closed", code: "NONE", wire: 0, remote: true },
    { type: "migrated", from, to, portOnly: false },
    { type: "frame-dropped", reason: "crypto", bytes: 9, detail: "frame_crypto" },
    { type: "packet-lost", sequence: 3, epoch: 0, bytes: 60, mtuProbe: false },
    { type: "congestion-state", controller: "bbr", from: "", to: "startup" },
    { type: "packet-size", from: 0, to: 1200 },
    { type: "stream", step: "opened", streamId: 1, remote: false, kind: 0 },
    { type: "packets-acked", sequences: [1, 2] },
    { type: "metrics", latestMs: 1, smoothedMs: 1, minMs: 1 },
    { type: "frame-sent", ...frame },
    { type: "frame-received", ...frame },
  ];
  for (const event of events) tracer?.trace(event, 7);
  assert.deepEqual(log.map(({ level, message }) => `${level} ${message.slice(23)}`), [
    "warn handshake: refused",
    "error closed: INTERNAL",
    "info closed by the peer: NONE",
    "info moved from b:2 to c:3",
    "debug dropped 9 bytes: frame_crypto",
    "debug lost packet 3",
    "debug congestion control is in startup",
    "debug sends packets of 1200 bytes",
    "debug stream 1 opened",
    "trace 2 packets acknowledged",
    "trace round trip 1.000 ms",
    "trace sent frame 3 of 60 bytes",
    "trace received frame 3 of 60 bytes",
  ]);
  assert.ok(log.every(({ time }) => time === 1002));
});
