import assert from "node:assert/strict";
import { channel, subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import { connect } from "../endpoint/connect.ts";
import type { DiagnosticMessages } from "../endpoint/diagnostics.ts";
import { listen } from "../endpoint/listener.ts";
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
