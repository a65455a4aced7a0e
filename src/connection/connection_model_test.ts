import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { HalfModel } from "../streams/half_model_for_test.ts";
import { modelRuns } from "../testing/model_for_test.ts";
import type { Side } from "../testing/simulated_link.ts";
import type { Connection } from "./connection.ts";
import { type Ending, Model, OTHER, Real, SIDES } from "./connection_model_for_test.ts";

const RESET_CODE = 0x100;
const STOP_CODE = 0x101;
/** Ends that a session may find where nothing of the peer arrives: its SESSION_CLOSE may be lost for good. */
const UNHEARD = ["IDLE_TIMEOUT", "NO_PATH", "AEAD_LIMIT"];

type Command = fc.Command<Model, Real>;

function command(text: string, run: (model: Model, real: Real) => void): Command {
  return { check: () => true, run, toString: () => text };
}

/** What comes too late says so, and changes nothing. */
function attempt(model: Model, mine: HalfModel | undefined, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    assert.ok(error instanceof SttError, String(error));
    if (error.code === "CLOSED") assert.ok(model.ending, "closed, and nobody closed");
    else {
      assert.match(error.code, /^STREAM_(CLOSED|STOPPED)$/);
      assert.ok(model.ending || mine?.finished || mine?.broken || mine?.ended, error.message);
    }
    return false;
  }
}

const side = fc.constantFrom<Side>("a", "b");
const pick = fc.nat(12);

/** A command at one side. */
function at(
  name: string,
  act: (model: Model, real: Real, side: Side, connection: Connection) => void,
): fc.Arbitrary<Command> {
  return side.map((where) =>
    command(`${name}(${where})`, (model, real) => act(model, real, where, real.connection(where)))
  );
}

/** A command on one of the streams that a side knows. */
function onStream(
  name: string,
  act: (
    model: Model,
    connection: Connection,
    id: number,
    mine: HalfModel,
    theirs: HalfModel,
  ) => void,
): fc.Arbitrary<Command> {
  return fc.tuple(side, pick).map(([where, which]) =>
    command(`${name}(${where}, ${which})`, (model, real) => {
      const id = model.ids[which % Math.max(1, model.ids.length)];
      const connection = real.connection(where);
      if (id === undefined || connection.streams.kindOf(id) === undefined) return;
      act(model, connection, id, model.half(where, id), model.half(OTHER[where], id));
    })
  );
}

const open = fc.constantFrom(KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED).chain((kind) =>
  at(`open${kind}`, (model, _real, _side, { streams }) => {
    attempt(model, undefined, () => {
      const id = streams.open(kind);
      if (id !== undefined) model.know(id, kind);
    });
  })
);

const write = fc.oneof(fc.nat(60), fc.nat(9000)).chain((size) =>
  onStream(`write${size}`, (model, { streams, state }, id, mine) => {
    // What is written behind close() is nobody's promise.
    if (mine.finished || state !== "established") return;
    const bytes = mine.next(size);
    const taken = attempt(model, mine, () => {
      if (mine.kind === KIND_BYTES) streams.write(id, bytes.slice());
      else streams.writeMessage(id, bytes.slice());
    });
    if (taken) mine.wrote(bytes);
  })
);

const finish = onStream("finish", (model, { streams }, id, mine) => {
  if (attempt(model, mine, () => streams.finish(id))) mine.finished = true;
});

const reset = onStream("reset", (model, { streams }, id, mine) => {
  if (attempt(model, mine, () => streams.reset(id, RESET_CODE))) mine.broken = true;
});

const stop = onStream("stop", (model, { streams }, id, _mine, theirs) => {
  if (attempt(model, theirs, () => streams.stop(id, STOP_CODE))) {
    theirs.broken = theirs.ended = true;
  }
});

const datagram = at("datagram", (model, _real, where, connection) => {
  const sent = attempt(model, undefined, () => void connection.sendDatagram(3, new Uint8Array(30)));
  if (sent) model.datagrams[where]++;
});

const ping = at("ping", (model, _real, where, connection) => {
  attempt(model, undefined, () => void model.pings[where].add(connection.ping()));
});

const rotate = at("rotate", (model, _real, _side, connection) => {
  attempt(model, undefined, () => connection.rotateKeys());
});

const move = fc.tuple(side, fc.integer({ min: 2, max: 250 }), fc.boolean()).map((
  [where, n, host],
) =>
  command(`move(${where}, ${n}, ${host})`, (model, { pair: { link } }) => {
    model.moves++;
    const old = link.address(where);
    link.rebind(where, { host: host ? `192.0.2.${n}` : old.host, port: 1024 + n });
  })
);

const lose = fc.tuple(side, fc.constantFrom(0, 0.1, 0.3, 1)).map(([where, loss]) =>
  command(`lose(${where}, ${loss})`, (model, { pair }) => {
    if (loss > 0) model.clean = false;
    pair.link.change(where, { loss, reorder: loss / 2, duplicate: loss / 2 });
  })
);

const run = fc.constantFrom(0, 1, 10, 40, 200, 1500).map((ms) =>
  command(`run(${ms})`, (_model, real) => real.run(ms))
);

const steps = [open, open, write, write, write, write, finish, reset, stop, datagram, ping, rotate]
  .concat(rotate, move, lose, run, run, run);

/** Ends of a session, which race with all the rest. */
const close = fc.constantFrom<Ending["how"]>("close", "close", "abort").chain((how) =>
  at(how, (model, real, where, connection) => {
    const code = where === "a" ? 0x200 : 0x300;
    connection[how](real.pair.clock.nowMs, code, how);
    model.endings[where] ??= { how, code };
  })
);

const setups = fc.record({
  seed: fc.nat(10_000),
  small: fc.boolean(),
  rotate: fc.boolean(),
  packed: fc.boolean(),
});

function mended(real: Real): void {
  for (const where of SIDES) {
    real.pair.link.change(where, { loss: 0, reorder: 0, duplicate: 0 });
  }
}

/** Over a good network everything comes to its end that was not given up, and nothing is left. */
function conclude(model: Model, real: Real): void {
  mended(real);
  const { pair } = real;
  const finishAll = (): void => {
    for (const id of model.ids) {
      for (const where of SIDES) {
        const mine = model.half(where, id);
        const { streams } = real.connection(where);
        if (mine.finished || streams.kindOf(id) === undefined) continue;
        attempt(model, mine, () => streams.finish(id));
        mine.finished = true;
      }
    }
  };
  const over = (): boolean => {
    finishAll();
    return SIDES.every((where) => {
      const { streams, path } = real.connection(where).stats();
      return streams.open === 0 && path?.bytesInFlight === 0 && model.pings[where].size === 0;
    });
  };
  if (!pair.run(over, 300_000)) assert.fail(`no rest: ${describe(model, real)}`);
  for (const [key, one] of model.halves) {
    if (!one.broken) assert.ok(one.whole, `${key}: ${one.read} of ${one.written} bytes arrive`);
  }
  for (const where of SIDES) {
    const { streams } = real.connection(where).stats();
    assert.equal(streams.sendBuffered + streams.recvBuffered, 0, "bytes stay");
    assert.ok(real.connection(where).streams.isIdle());
    assert.equal(model.closed[where], undefined);
  }
}

function describe(model: Model, real: Real): string {
  return JSON.stringify([SIDES.map((where) => real.connection(where).stats()), [...model.halves]]);
}

/** Both sides end soon, each told once, and what one calls complete is with the other. */
function ended(model: Model, real: Real): void {
  const over = (): boolean => SIDES.every((where) => real.connection(where).finished);
  if (!real.pair.run(over, 120_000)) assert.fail(`no end: ${describe(model, real)}`);
  for (const where of SIDES) {
    const facts = model.closed[where] ?? assert.fail(`${where} is not told of the end`);
    const codes = [model.endings.a?.code, model.endings.b?.code];
    const heard = codes.includes(facts.code);
    if (model.clean && model.moves === 0) assert.ok(heard, `${where}: ${facts.reason}`);
    assert.ok(heard || UNHEARD.includes(facts.error?.code ?? ""), `${where}: ${facts.reason}`);
    assert.ok(real.connection(where).nextTimeout() === undefined, "a timer runs behind the end");
    assert.equal(real.connection(where).transmit(real.pair.clock.nowMs), undefined);
    if (!facts.complete || model.endings[OTHER[where]] !== undefined) continue;
    for (const id of model.ids) {
      const mine = model.half(where, id);
      if (!mine.broken) {
        assert.ok(mine.whole, `${id}: complete with ${mine.read} of ${mine.written}`);
      }
    }
  }
}

test("model, udp: every byte once and in order under any commands, loss, rotation and moves", () => {
  let bytes = 0;
  fc.assert(
    fc.property(setups, fc.commands(steps, { maxCommands: 70, size: "max" }), (setup, list) => {
      const model = new Model();
      const real = new Real(model, setup);
      fc.modelRun(() => ({ model, real }), list);
      if (model.closed.a === undefined && model.closed.b === undefined) conclude(model, real);
      for (const one of model.halves.values()) bytes += one.read;
      const { nowMs } = real.pair.clock;
      real.connection("a").close(nowMs, 0x200);
      model.endings.a = { how: "close", code: 0x200 };
      ended(model, real);
    }),
    { numRuns: modelRuns(25) },
  );
  assert.ok(bytes > 10_000, `only ${bytes} bytes arrived`);
});

test("model, udp: the end of a session races with streams, rotation, loss and moves", () => {
  fc.assert(
    fc.property(
      setups,
      fc.commands(steps, { maxCommands: 30, size: "max" }),
      close,
      fc.commands([...steps, close], { maxCommands: 20, size: "max" }),
      (setup, before, end, after) => {
        const model = new Model();
        const real = new Real(model, setup);
        const state = (): { model: Model; real: Real } => ({ model, real });
        fc.modelRun(state, before);
        fc.modelRun(state, [end]);
        fc.modelRun(state, after);
        mended(real);
        ended(model, real);
      },
    ),
    { numRuns: modelRuns(40) },
  );
});
