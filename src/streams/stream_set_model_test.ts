import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED } from "../constants.ts";
import { SttError } from "../errors.ts";
import { modelRuns } from "../testing/model_for_test.ts";
import { HalfModel } from "./half_model_for_test.ts";
import { type Fate, joined, type Side } from "./stream_pipe_test.ts";
import type { StreamInfo } from "./types.ts";

const LIMITS = { maxData: 3000, maxStreamData: 1000, maxStreams: 3 };
const WINDOW = 9000;
const RESET_CODE = 0x100;
const STOP_CODE = 0x101;

type Name = "a" | "b";
const NAMES: readonly [Name, Name] = ["a", "b"];
const OTHER: Readonly<Record<Name, Name>> = { a: "b", b: "a" };

/** How far the states of a half have come. */
class Half extends HalfModel {
  sendRank = 0;
  recvRank = 0;
}

interface Model {
  readonly halves: Map<string, Half>;
  readonly ids: number[];
  readonly closed: Set<string>;
}

const SEND_RANK: Readonly<Record<StreamInfo["sendState"], number>> = {
  open: 0,
  finishing: 1,
  finished: 2,
  resetting: 2,
  reset: 3,
};
const RECV_RANK: Readonly<Record<StreamInfo["recvState"], number>> = {
  open: 0,
  ending: 1,
  ended: 2,
  stopped: 2,
  reset: 3,
};

class Real {
  readonly sides: Readonly<Record<Name, Side>>;
  nowMs = 0;

  constructor(reliable: boolean, grow: boolean) {
    const maxSessionWindow = grow ? WINDOW : LIMITS.maxData;
    const maxStreamWindow = grow ? WINDOW : LIMITS.maxStreamData;
    this.sides = joined({ local: LIMITS, reliable, maxSessionWindow, maxStreamWindow });
    for (const name of NAMES) this.sides[name].set.setRtt(10);
  }

  /** Highest limit that `side` has told of, for the session (0) or a stream. */
  granted(side: Name, stream: number): number {
    let limit = stream === 0 ? LIMITS.maxData : LIMITS.maxStreamData;
    for (const record of this.sides[side].records) {
      if (record.type === "flowCredit" && record.stream === stream) {
        limit = Math.max(limit, record.limit);
      }
    }
    return limit;
  }

  streamsGranted(side: Name): number {
    let count = LIMITS.maxStreams;
    for (const record of this.sides[side].records) {
      if (record.type === "streamsLimit") count = Math.max(count, record.count);
    }
    return count;
  }
}

function half(model: Model, from: Name, id: number): Half {
  return model.halves.get(from + id) ?? assert.fail(`nobody opened ${id}`);
}

function know(model: Model, id: number, kind: number): void {
  if (model.ids.includes(id)) return;
  model.ids.push(id);
  for (const name of NAMES) {
    model.halves.set(name + id, new Half(kind, 2 * id + (name === "a" ? 0 : 1)));
  }
}

/** Takes the events of both sides, and looks at what must hold after every command. */
function look(model: Model, real: Real): void {
  for (const name of NAMES) {
    for (const event of real.sides[name].drain()) {
      switch (event.type) {
        case "opened":
          know(model, event.id, event.kind);
          break;
        case "reset":
          // A stream that is reset before its kind is known is reset in return.
          assert.ok(
            half(model, OTHER[name], event.id).broken || half(model, name, event.id).broken,
            "a reset that nobody made",
          );
          half(model, OTHER[name], event.id).broken = true;
          half(model, OTHER[name], event.id).ended = true;
          break;
        case "stopped":
          assert.ok(half(model, name, event.id).ended, "a stop that nobody made");
          half(model, name, event.id).broken = true;
          break;
        case "closed":
          assert.ok(!model.closed.has(name + event.id), `${event.id} is closed twice`);
          model.closed.add(name + event.id);
          endsWith(half(model, OTHER[name], event.id));
      }
    }
    credit(model, real, name);
  }
  for (const id of model.ids) for (const name of NAMES) states(model, real, name, id);
}

/** A stream is closed: its reader saw its end, or has all, and an end alone need not be read. */
function endsWith(theirs: Half): void {
  const whole = theirs.finished && theirs.read === theirs.written;
  assert.ok(theirs.ended || whole, "closed before its end was read");
  theirs.ended = true;
}

/** Nobody sends more than the other side has told of. */
function credit(model: Model, real: Real, name: Name): void {
  const stats = real.sides[name].set.stats();
  assert.ok(stats.bytesSent <= real.granted(OTHER[name], 0), "more than the session's credit");
  assert.ok(stats.opened <= real.streamsGranted(OTHER[name]), "more streams than allowed");
  assert.ok(stats.recvBuffered <= WINDOW + LIMITS.maxData, `${stats.recvBuffered} bytes are held`);
  for (const id of model.ids) {
    const info = real.sides[name].set.info(id);
    if (info !== undefined) {
      assert.ok(info.sent <= real.granted(OTHER[name], id), `more than the credit of ${id}`);
    }
  }
}

/** States only go on, and are those that the commands lead to. */
function states(model: Model, real: Real, name: Name, id: number): void {
  const info = real.sides[name].set.info(id);
  if (info === undefined) return;
  const mine = half(model, name, id);
  const theirs = half(model, OTHER[name], id);
  const send = SEND_RANK[info.sendState];
  const recv = RECV_RANK[info.recvState];
  assert.ok(send >= mine.sendRank && recv >= theirs.recvRank, `${id} goes back`);
  mine.sendRank = send;
  theirs.recvRank = recv;
  const returned = info.kind < 0 && theirs.broken;
  if (!mine.finished && !mine.broken && !returned) assert.equal(info.sendState, "open");
  if (info.sendState.startsWith("finish")) assert.ok(mine.finished);
  if (info.sendState.startsWith("reset")) assert.ok(mine.broken || theirs.broken);
  if (info.recvState === "reset") assert.ok(theirs.broken);
  if (info.recvState === "ended") assert.equal(theirs.read, theirs.written);
}

type Command = fc.Command<Model, Real>;

function command(text: string, run: (model: Model, real: Real) => void): Command {
  return {
    check: () => true,
    run: (model, real) => {
      run(model, real);
      look(model, real);
    },
    toString: () => text,
  };
}

/** A half that is over takes no more commands, and says so. */
function attempt(mine: Half, act: () => void): boolean {
  try {
    act();
    return true;
  } catch (error) {
    assert.ok(error instanceof SttError, String(error));
    assert.match(error.code, /^STREAM_(CLOSED|STOPPED)$/);
    assert.ok(mine.finished || mine.broken || mine.ended, `${error.code} on an open half`);
    return false;
  }
}

const side = fc.constantFrom<Name>("a", "b");
const stream = fc.nat(20);

const open = fc.tuple(
  side,
  fc.constantFrom(KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED),
  fc.nat(1000),
)
  .map(([name, kind, priority]) =>
    command(`open(${name}, ${kind}, ${priority})`, (model, real) => {
      const id = real.sides[name].set.open(kind, priority);
      if (id !== undefined) know(model, id, kind);
    })
  );

/** A command on one of the streams that a side knows. */
function onStream(
  text: string,
  name: Name,
  pick: number,
  act: (set: Side["set"], id: number, mine: Half, theirs: Half) => void,
): Command {
  return command(`${text}(${name}, ${pick})`, (model, real) => {
    const id = model.ids[pick % Math.max(1, model.ids.length)];
    const { set } = real.sides[name];
    if (id === undefined || !set.has(id) || set.kindOf(id) === undefined) return;
    act(set, id, half(model, name, id), half(model, OTHER[name], id));
  });
}

const write = fc.tuple(side, stream, fc.oneof(fc.nat(40), fc.nat(2500))).map(([name, pick, size]) =>
  onStream(`write${size}`, name, pick, (set, id, mine) => {
    if (mine.finished) return;
    const bytes = mine.next(size);
    const taken = attempt(mine, () => {
      if (mine.kind === KIND_BYTES) set.write(id, bytes.slice());
      else set.writeMessage(id, bytes.slice());
    });
    if (taken) mine.wrote(bytes);
  })
);

const finish = fc.tuple(side, stream).map(([name, pick]) =>
  onStream("finish", name, pick, (set, id, mine) => {
    if (attempt(mine, () => set.finish(id))) mine.finished = true;
  })
);

const reset = fc.tuple(side, stream).map(([name, pick]) =>
  onStream("reset", name, pick, (set, id, mine) => {
    set.reset(id, RESET_CODE);
    mine.broken = true;
  })
);

const stop = fc.tuple(side, stream).map(([name, pick]) =>
  onStream("stop", name, pick, (set, id, _mine, theirs) => {
    set.stop(id, STOP_CODE);
    theirs.broken = theirs.ended = true;
  })
);

const priority = fc.tuple(side, stream, fc.nat(1000)).map(([name, pick, value]) =>
  onStream(`priority${value}`, name, pick, (set, id) => set.setPriority(id, value))
);

function readAll(model: Model, real: Real, name: Name): void {
  for (const id of model.ids) {
    const theirs = half(model, OTHER[name], id);
    const { set } = real.sides[name];
    while (!theirs.ended && set.kindOf(id) !== undefined) {
      let item: Uint8Array | null | undefined;
      try {
        item = theirs.kind === KIND_BYTES ? set.read(id, 400) : set.readMessage(id);
      } catch (error) {
        assert.ok(error instanceof SttError && error.code === "STREAM_RESET" && theirs.broken);
        theirs.ended = true;
        break;
      }
      if (item === undefined) break;
      if (item === null) theirs.ended = true;
      else theirs.take(item);
    }
  }
}

const read = side.map((name) =>
  command(`read(${name})`, (model, real) => readAll(model, real, name))
);

const FATES: readonly [Fate, ...Fate[]] = [
  "pass",
  "pass",
  "pass",
  "lost",
  "late",
  "delayed",
  "twice",
];

function move(model: Model, real: Real, name: Name, fate: () => Fate, room = 500): number {
  const { sides } = real;
  const count = sides[name].transmit(room, real.nowMs, 15) + sides[name].sent.length;
  sides[name].deliver(sides[OTHER[name]], real.nowMs, fate);
  look(model, real);
  return count;
}

const exchange = fc.tuple(
  side,
  fc.integer({ min: 16, max: 700 }),
  fc.array(fc.nat(FATES.length - 1), { minLength: 1, maxLength: 6 }),
).map(([name, room, fates]) =>
  command(`exchange(${name}, ${room}, [${fates}])`, (model, real) => {
    let next = 0;
    real.nowMs += 3;
    const reliable = real.sides.a.sent.length === 0 && reliableRuns.has(real);
    const fate = (): Fate => reliable ? "pass" : FATES[fates[next++ % fates.length]!]!;
    move(model, real, name, fate, room);
  })
);

/** Sets whose packets all arrive, once and in order. */
const reliableRuns: WeakSet<Real> = new WeakSet();

/** Ends every half over a good link; afterwards all is there that was not given up, and nothing is left. */
function conclude(model: Model, real: Real): void {
  for (let quiet = 0, round = 0; quiet < 3; round++) {
    assert.ok(round < 3000, "no end: something waits for what does not come");
    for (const id of model.ids) {
      for (const name of NAMES) {
        const mine = half(model, name, id);
        const { set } = real.sides[name];
        if (mine.finished || set.kindOf(id) === undefined) continue;
        attempt(mine, () => set.finish(id));
        mine.finished = true;
      }
    }
    real.nowMs += 3;
    const moved = move(model, real, "a", () => "pass") + move(model, real, "b", () => "pass");
    for (const name of NAMES) readAll(model, real, name);
    look(model, real);
    quiet = moved === 0 ? quiet + 1 : 0;
  }
  for (const [key, one] of model.halves) {
    if (one.broken) continue;
    assert.ok(one.whole, `${key}: ${one.read} of ${one.written} bytes arrive`);
  }
  for (const name of NAMES) {
    const stats = real.sides[name].set.stats();
    assert.equal(stats.open, 0, "streams stay");
    assert.equal(stats.sendBuffered + stats.recvBuffered, 0, "bytes stay");
    assert.ok(real.sides[name].set.isIdle());
  }
  assert.equal(real.sides.a.set.stats().bytesSent, real.sides.b.set.stats().bytesReceived);
  assert.equal(real.sides.b.set.stats().bytesSent, real.sides.a.set.stats().bytesReceived);
}

const commands = fc.commands(
  [
    open,
    open,
    write,
    write,
    write,
    finish,
    reset,
    stop,
    priority,
    read,
    read,
    exchange,
    exchange,
    exchange,
  ],
  { maxCommands: 150, size: "max" },
);

test("model: states, credit and bytes of streams under any commands, losses and races", () => {
  let bytes = 0;
  fc.assert(
    fc.property(commands, fc.boolean(), fc.boolean(), (list, reliable, grow) => {
      const model: Model = { halves: new Map(), ids: [], closed: new Set() };
      const real = new Real(reliable, grow);
      if (reliable) reliableRuns.add(real);
      fc.modelRun(() => ({ model, real }), list);
      conclude(model, real);
      for (const one of model.halves.values()) bytes += one.read;
    }),
    { numRuns: modelRuns(120) },
  );
  assert.ok(bytes > 10_000, `only ${bytes} bytes arrived`);
});
