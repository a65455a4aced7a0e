import { test } from "node:test";
import assert from "node:assert/strict";
import { noTracer, TraceBuffer } from "./tracer.ts";
import type { TraceEvent } from "./trace_event.ts";

function dropped(bytes: number): TraceEvent {
  return { type: "frame-dropped", reason: "crypto", bytes, detail: "frame_crypto" };
}

test("tracer: the default hears nothing", () => {
  assert.equal(noTracer.enabled, false);
  assert.equal(noTracer.trace(dropped(1), 0), undefined);
});

test("trace buffer: the last events, oldest first", () => {
  const buffer = new TraceBuffer(3);
  assert.equal(buffer.enabled, true);
  assert.deepEqual(buffer.events(), []);
  for (let i = 1; i <= 5; i++) {
    buffer.trace(dropped(i), i * 10);
    const kept = buffer.events().map(({ atMs }) => atMs / 10);
    assert.deepEqual(kept, [1, 2, 3, 4, 5].slice(Math.max(0, i - 3), i));
  }
  assert.equal(buffer.dropped, 2);
  assert.deepEqual(buffer.events()[0], { atMs: 30, event: dropped(3) });
});

test("trace buffer: keeps one event at least", () => {
  const buffer = new TraceBuffer(0);
  buffer.trace(dropped(1), 0);
  buffer.trace(dropped(2), 1);
  assert.deepEqual(buffer.events().map(({ atMs }) => atMs), [1]);
});
