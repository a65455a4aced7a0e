import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { connect } from "../endpoint/connect.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { listen } from "../endpoint/listener.ts";
import { SttError } from "../errors.ts";
import { qlogFrame } from "../observe/qlog_frames.ts";
import { qlogTracer } from "../observe/qlog.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { keyLogFile, qlogFile } from "./files.ts";

interface Event {
  readonly time: number;
  readonly name: string;
  readonly group_id: string;
  readonly data: Record<string, unknown>;
}

/** RFC 7464: RS, one JSON text, LF. */
function records(text: string): [header: Record<string, unknown>, events: Event[]] {
  assert.ok(text.startsWith("\x1e") && text.endsWith("\n"));
  const [header, ...events] = text.slice(1).split("\x1e").map((record) => {
    assert.ok(record.endsWith("\n") && !record.slice(0, -1).includes("\n"), record);
    return JSON.parse(record);
  });
  return [header, events];
}

/** Events of QUIC that the drafts define, with the members that they must have, and our own. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  "connectivity:connection_started": ["stt_local", "stt_remote"],
  "connectivity:connection_closed": ["owner", "connection_code"],
  "connectivity:connection_state_updated": ["new"],
  "connectivity:mtu_updated": ["new"],
  "security:key_updated": ["key_type", "generation", "trigger"],
  "transport:packet_sent": ["header", "raw", "frames"],
  "transport:packet_received": ["header", "raw", "frames"],
  "transport:packet_dropped": ["raw", "trigger"],
  "transport:packets_acked": ["packet_number_space", "packet_numbers"],
  "transport:stream_state_updated": ["stream_id", "stream_type", "new"],
  "recovery:metrics_updated": ["smoothed_rtt", "min_rtt", "latest_rtt"],
  "recovery:congestion_state_updated": ["new"],
  "recovery:packet_lost": ["header"],
  "stt:handshake": ["step"],
  "stt:migrated": ["from", "to"],
};

function check(events: readonly Event[]): void {
  let last = -Infinity;
  for (const { time, name, group_id, data } of events) {
    assert.ok(Number.isFinite(time) && time >= last, `${name} at ${time}`);
    last = time;
    assert.equal(typeof group_id, "string");
    const members = KNOWN[name];
    assert.ok(members !== undefined, `unknown event ${name}`);
    for (const member of members) assert.ok(data[member] !== undefined, `${name} has ${member}`);
    if (!name.startsWith("transport:packet_") || name.endsWith("dropped")) continue;
    const { packet_type, packet_number } = data["header"] as Record<string, unknown>;
    assert.ok(packet_type === "1RTT" || packet_type === "handshake");
    assert.ok(Number.isSafeInteger(packet_number));
    for (const frame of data["frames"] as Record<string, unknown>[]) {
      assert.match(String(frame["frame_type"]), /^[a-z_]+$/);
      if (frame["frame_type"] !== "ack") continue;
      const ranges = frame["acked_ranges"] as [number, number][];
      let above = -1;
      for (const [low, high] of ranges) {
        assert.ok(low > above && high >= low, "ranges go up");
        above = high;
      }
    }
  }
}

test("qlog of a session over a bad path: the header first, then known events in order", () => {
  let [a, b] = ["", ""];
  const start = {
    localAddress: "udp://10.0.0.1:1",
    remoteAddress: "udp://10.0.0.2:2",
    unixMs: 1e12,
  };
  const client = qlogTracer((record) => a += record, { title: "a test" });
  const server = qlogTracer((record) => b += record);
  const run = new DatagramPair({
    seed: 9,
    link: { delayMs: 15, loss: 0.05 },
    tracers: {
      a: client({ ...start, role: "initiator", nowMs: 0 }) ?? assert.fail(),
      b: server({ ...start, role: "responder", nowMs: 0 }) ?? assert.fail(),
    },
  });
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const id = run.a.streams.open(0) as number;
  run.a.streams.write(id, new Uint8Array(100_000));
  run.a.sendDatagram(3, new Uint8Array(10));
  run.a.rotateKeys();
  run.run(() => false, 2000);
  run.link.rebind("a", { host: "10.0.0.77", port: 50_000 });
  run.a.ping();
  run.run(() => false, 2000);
  run.a.close(run.clock.nowMs);
  run.run(() => run.a.finished);
  const [header, events] = records(a);
  assert.equal(header["qlog_version"], "0.3");
  assert.equal(header["qlog_format"], "JSON-SEQ");
  assert.deepEqual(header["trace"], {
    title: "a test",
    vantage_point: { name: "stt", type: "client" },
    common_fields: { time_format: "relative", reference_time: 1e12, protocol_type: ["STT"] },
  });
  check(events);
  const [, far] = records(b);
  check(far);
  const names = new Set([...events, ...far].map(({ name }) => name));
  const unseen = Object.keys(KNOWN).filter((name) => !names.has(name));
  assert.deepEqual(unseen, ["transport:packet_dropped"]);
  const sent = events.filter(({ name }) => name === "transport:packet_sent");
  assert.equal(sent.length, run.a.stats().framesSent);
});

test("every record has a name in qlog", () => {
  const types = [
    "padding",
    "ping",
    "pong",
    "ack",
    "flowCredit",
    "blocked",
    "keyRotation",
    "custom",
  ];
  const facts = { stream: 0, limit: 5, length: 1 };
  const names = [...types, "sessionClose", "error", "streamReset", "streamStop", "streamsLimit"]
    .map((type) => qlogFrame({ type, ...facts })["frame_type"]);
  assert.equal(new Set(names).size, names.length);
  assert.equal(qlogFrame({ type: "flowCredit", stream: 4, limit: 5 })["stream_id"], 4);
  assert.equal(qlogFrame({ type: "blocked", stream: 4, limit: 5 })["limit"], 5);
  const close = (code: number): unknown => qlogFrame({ type: "sessionClose", code })["error_space"];
  assert.deepEqual([close(0), close(0x100)], ["transport", "application"]);
});

test("files of a listener and a dialler: several sessions in one qlog, keys in the other, both private", async () => {
  await withFolder(async (folder) => {
    const [trace, keys] = [join(folder, "trace.sqlog"), join(folder, "keys.txt")];
    await writeFile(keys, "# kept\n", { mode: 0o644 });
    await writeFile(trace, "gone", { mode: 0o644 });
    const qlog = qlogFile(trace, { title: "two sessions" });
    const keyLog = keyLogFile(keys);
    const seed = new Uint8Array(32).fill(7);
    const listener = await listen("tcp://127.0.0.1:0", {
      seed,
      tracer: qlog.tracer,
      keyLog: keyLog.keyLog,
    });
    for (let i = 0; i < 2; i++) {
      const peer = await connect(listener.address, { seed });
      await peer.ping();
      await peer.close();
    }
    await listener.close();
    qlog.close();
    keyLog.close();
    const [header, events] = records(await readFile(trace, "utf8"));
    assert.equal(header["title"], "two sessions");
    check(events);
    assert.deepEqual(new Set(events.map(({ group_id }) => group_id)), new Set(["1", "2"]));
    const started = events.find(({ name }) => name === "connectivity:connection_started");
    assert.equal(started?.data["stt_local"], listener.address);
    const lines = (await readFile(keys, "utf8")).trim().split("\n");
    assert.equal(lines[0], "# kept");
    assert.equal(lines.length, 1 + 2 * 2);
    if (process.platform !== "win32") {
      assert.equal((await stat(trace)).mode & 0o777, 0o600);
      assert.equal((await stat(keys)).mode & 0o777, 0o600);
    }
    assert.equal(qlog.failure, undefined);
  });
});

test("a file that cannot be opened is an error at once", () => {
  assert.throws(() => qlogFile("/nonexistent-folder/trace.sqlog"), (error: unknown) => {
    assert.ok(error instanceof SttError && error.code === "FILE_IO");
    assert.match(error.message, /cannot write "\/nonexistent-folder\/trace.sqlog"/);
    return true;
  });
});

test("a tracer factory that throws or declines costs nothing but the trace", async () => {
  const seed = new Uint8Array(32).fill(7);
  const listener = await listen("mem:qlog-test", { seed, tracer: () => undefined });
  const peer = await connect("mem:qlog-test", {
    seed,
    tracer: () => {
      throw new Error("no");
    },
  });
  assert.ok(await peer.ping() >= 0);
  await peer.close();
  await listener.close();
});

test("a full disk ends the file, not the session", {
  skip: process.platform === "linux" ? false : "needs /dev/full",
}, () => {
  const heard: string[] = [];
  const onFailure = ({ code }: SttError): void => void heard.push(code);
  const [trace, keys] = [
    qlogFile("/dev/full", { onFailure }),
    keyLogFile("/dev/full", { onFailure }),
  ];
  const start = { localAddress: "a:", remoteAddress: "b:", nowMs: 0, unixMs: 0 } as const;
  const tracer = trace.tracer({ ...start, role: "initiator" });
  for (let i = 0; i < 2000; i++) tracer?.trace({ type: "handshake", step: "accepted" }, i);
  keys.keyLog("a line");
  for (const file of [trace, keys]) {
    assert.equal(file.failure?.code, "FILE_IO");
    file.close();
  }
  assert.deepEqual(heard, ["FILE_IO", "FILE_IO"]);
});
