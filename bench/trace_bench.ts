/**
 * What a tracer costs: 1200 bytes written, sealed, opened and read, over memory in virtual time. `off` is a session
 * without a tracer, `disabled` one whose tracer does not listen, `buffer` keeps events, `qlog` makes text of them; with
 * `profile` one side measures how long things take.
 *
 * @module
 */
import { qlogTracer } from "../src/observe/qlog.ts";
import { TraceBuffer, type Tracer } from "../src/observe/tracer.ts";
import { pair } from "../src/testing/mod.ts";

const disabled = new TraceBuffer();
disabled.enabled = false;
let chars = 0;
const qlog = qlogTracer((record) => {
  chars += record.length;
});
const start = { localAddress: "a", remoteAddress: "b", nowMs: 0, unixMs: 0 };

const TRACERS: Record<string, Tracer | undefined> = {
  off: undefined,
  disabled,
  buffer: new TraceBuffer(),
  qlog: qlog({ ...start, role: "initiator" }),
};

/** Rounds of each kind before any is timed: the first would else pay for the compiler of all. */
const WARM_UP = 5000;

const rounds = [...Object.keys(TRACERS), "profile"].map((name) => {
  const tracer = TRACERS[name];
  const both = pair({
    seed: 2,
    ...(name === "profile" ? { profile: () => performance.now() } : {}),
    ...(tracer === undefined ? {} : { tracers: { a: tracer, b: tracer } }),
  });
  both.establish();
  const id = both.a.streams.open(0) as number;
  const chunk = new Uint8Array(1200);
  const run = (): void => {
    both.a.streams.write(id, chunk);
    both.settle();
    for (;;) {
      const bytes = both.b.streams.read(id);
      if (bytes === undefined || bytes === null) break;
    }
  };
  return { name, run };
});

for (let round = 0; round < WARM_UP; round++) for (const { run } of rounds) run();

for (const { name, run } of rounds) {
  Deno.bench(`tracer ${name}`, { group: "trace", baseline: name === "off" }, run);
}
