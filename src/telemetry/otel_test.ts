import * as api from "@opentelemetry/api";
import assert from "node:assert/strict";
import { test } from "node:test";
import { combineTracers } from "../observe/combined.ts";
import { TraceBuffer } from "../observe/tracer.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { otelTracer } from "./otel.ts";

/** A span that keeps what it is told. */
class Kept {
  readonly events: string[] = [];
  readonly attributes: Record<string, unknown>;
  status: { code: number; message?: string } | undefined;
  endMs: number | undefined;
  readonly name: string;
  readonly kind: number;
  readonly startMs: number;
  readonly parent: unknown;

  constructor(
    name: string,
    options: { kind: number; startTime: number; attributes: Record<string, unknown> },
    parent: unknown,
  ) {
    this.name = name;
    this.kind = options.kind;
    this.startMs = options.startTime;
    this.attributes = { ...options.attributes };
    this.parent = parent;
  }

  setAttributes(attributes: Record<string, unknown>): void {
    Object.assign(this.attributes, attributes);
  }

  setStatus(status: { code: number; message?: string }): void {
    this.status = status;
  }

  addEvent(name: string): void {
    this.events.push(name);
  }

  end(time: number): void {
    assert.equal(this.endMs, undefined, `${this.name} ends once`);
    this.endMs = time;
  }
}

/** The API with a provider that keeps spans and sums. */
function keeping(): {
  readonly api: Parameters<typeof otelTracer>[0];
  readonly spans: Kept[];
  readonly sums: Map<string, number>;
} {
  const spans: Kept[] = [];
  const sums = new Map<string, number>();
  const add = (name: string) => (value: number): void =>
    void sums.set(name, (sums.get(name) ?? 0) + value);
  const counter = (name: string) => ({ add: add(name) });
  return {
    spans,
    sums,
    api: {
      trace: {
        getTracer: () => ({
          startSpan(name, options, context): Kept {
            const span = new Kept(name, options, context);
            spans.push(span);
            return span;
          },
        }),
        setSpan: (_, span) => span,
      },
      context: { active: () => "root" },
      metrics: {
        getMeter: () => ({
          createCounter: counter,
          createUpDownCounter: counter,
          createHistogram: (name) => ({ record: () => add(name)(1) }),
        }),
      },
    },
  };
}

const START = {
  role: "initiator",
  localAddress: "udp://10.0.0.1:1",
  remoteAddress: "udp://10.0.0.2:2",
  nowMs: 0,
  unixMs: 1e12,
} as const;

test("the real API fits, and without an SDK nothing happens", () => {
  const tracer = otelTracer(api)(START);
  tracer?.trace({ type: "handshake", step: "established" }, 5);
  tracer?.trace({ type: "session-closed", code: "NONE", wire: 0, remote: false }, 6);
  assert.equal(tracer?.enabled, true);
});

test("spans of a session, its handshake and its streams, one in another, and metrics", () => {
  const { api, spans, sums } = keeping();
  const trace = new TraceBuffer(10_000);
  const tracer = combineTracers(otelTracer(api), () => trace)(START) ?? assert.fail();
  const run = new DatagramPair({ link: { delayMs: 10 }, tracers: { a: tracer } });
  run.run(() => run.a.state === "established" && run.b?.state === "established");
  const id = run.a.streams.open(0) as number;
  run.a.streams.write(id, new Uint8Array(5000));
  run.a.streams.finish(id);
  run.a.rotateKeys();
  run.run(() => {
    while (run.b?.streams.has(id) && run.b.streams.read(id)) { /* takes it all */ }
    return run.b?.streams.has(id) === false;
  }, 1000);
  run.a.close(run.clock.nowMs, 0x123);
  run.run(() => run.a.finished);
  const [session, handshake, stream, ...others] = spans;
  assert.deepEqual(others, []);
  assert.ok(session !== undefined && handshake !== undefined && stream !== undefined);
  assert.deepEqual(spans.map(({ name }) => name), ["stt.session", "stt.handshake", "stt.stream"]);
  assert.deepEqual(spans.map(({ parent }) => parent), ["root", session, session]);
  assert.deepEqual(spans.map(({ kind }) => kind), [2, 2, 2]);
  assert.equal(session.startMs, 1e12);
  assert.equal(session.attributes["stt.session.id"], run.a.stats().sessionId);
  assert.equal(session.attributes["stt.transport"], "udp");
  assert.deepEqual(session.status, { code: 2, message: "APPLICATION" });
  assert.ok(session.events.includes("rotation"));
  assert.ok(handshake.events.includes("hello-sent") && handshake.status === undefined);
  assert.equal(stream.attributes["stt.stream.id"], id);
  for (const { name, endMs, startMs } of spans) {
    assert.ok(endMs !== undefined && endMs >= startMs && endMs <= (session.endMs ?? 0), name);
  }
  const stats = run.a.stats();
  assert.equal(sums.get("stt.sessions"), 0);
  assert.equal(sums.get("stt.frames"), stats.framesSent + stats.framesReceived);
  assert.equal(sums.get("stt.handshake.duration"), 1);
  assert.equal(sums.get("stt.session.duration"), 1);
  assert.ok((sums.get("stt.rtt") ?? 0) > 0);
  assert.ok(trace.events().length > 0, "the other tracer heard as well");
});

test("a handshake that fails ends both spans with the error", () => {
  const { api, spans, sums } = keeping();
  const tracer = otelTracer(api)({ ...START, role: "responder" });
  tracer?.trace({ type: "session-closed", code: "CRYPTO", wire: 2, remote: false }, 30);
  assert.deepEqual(spans.map(({ status, endMs, kind }) => [status?.code, endMs, kind]), [
    [2, 1e12 + 30, 1],
    [2, 1e12 + 30, 1],
  ]);
  assert.equal(sums.get("stt.sessions"), undefined);
});

test("a tracer that throws does not keep others from hearing", () => {
  const [good, off] = [new TraceBuffer(), new TraceBuffer()];
  off.enabled = false;
  let calls = 0;
  const bad = {
    enabled: true,
    trace: () => {
      calls++;
      throw new Error("no");
    },
  };
  const tracer = combineTracers(() => bad, () => good, () => off, () => undefined)(START);
  for (let i = 0; i < 3; i++) tracer?.trace({ type: "handshake", step: "accepted" }, i);
  assert.deepEqual([calls, good.events().length, off.events().length], [1, 3, 0]);
  assert.equal(combineTracers(() => undefined)(START), undefined);
  good.enabled = false;
  assert.equal(tracer?.enabled, false);
});

test("refusals, losses, moves and resets; streams that stay open end with the session", () => {
  const { api, spans, sums } = keeping();
  const tracer = otelTracer(api)(START) ?? assert.fail();
  const [from, to] = [{ host: "10.0.0.2", port: 2 }, { host: "10.0.0.3", port: 3 }];
  tracer.trace({ type: "handshake", step: "established" }, 1);
  tracer.trace({ type: "frame-dropped", reason: "crypto", bytes: 9, detail: "frame_crypto" }, 2);
  tracer.trace({ type: "packet-lost", sequence: 3, epoch: 0, bytes: 60, mtuProbe: false }, 3);
  tracer.trace({ type: "migrated", from, to, portOnly: false }, 4);
  const stream = { type: "stream", remote: true } as const;
  for (let id = 1; id <= 1002; id++) {
    tracer.trace({ ...stream, step: "opened", streamId: id }, 5);
  }
  tracer.trace({ ...stream, step: "reset-received", streamId: 1, code: 0x100 }, 6);
  tracer.trace({ ...stream, step: "closed", streamId: 1 }, 7);
  tracer.trace({ ...stream, step: "closed", streamId: 1002 }, 7);
  tracer.trace({ type: "packet-size", from: 0, to: 1200 }, 8);
  tracer.trace({ type: "session-closed", code: "NONE", wire: 0, remote: true }, 9);
  const [session, , reset, open] = spans;
  assert.equal(spans.length, 2 + 1000, "streams beyond a thousand at once have no span");
  assert.deepEqual(session?.events, ["migrated"]);
  assert.equal(session?.status, undefined);
  assert.deepEqual([reset?.status?.message, reset?.endMs], ["reset", 1e12 + 7]);
  assert.equal(open?.endMs, 1e12 + 9);
  assert.deepEqual([sums.get("stt.frames.refused"), sums.get("stt.packets.lost")], [1, 1]);
});
