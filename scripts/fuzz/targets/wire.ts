/**
 * Protected frames inside of live sessions, changed by somebody on the path who has no keys. Datagrams: whatever it does
 * costs time alone. Byte streams: a session ends at the first byte that is not the peer's.
 *
 * @module
 */
import { payload } from "../../../src/connection/simulation/payload_for_test.ts";
import { StreamFlow } from "../../../src/connection/simulation/stream_flow_for_test.ts";
import { World } from "../../../src/connection/simulation/world_for_test.ts";
import type { Connection } from "../../../src/connection/connection.ts";
import { KIND_BYTES } from "../../../src/constants.ts";
import { SttError } from "../../../src/errors.ts";
import { pair } from "../../../src/testing/pair.ts";
import { Prng } from "../../../src/testing/prng.ts";
import type { Side } from "../../../src/testing/simulated_link.ts";
import { HEAD_BYTES, mutateActions, OnPath } from "../on_path.ts";
import { Finding, oracle, type Target } from "../target.ts";

const NOTHING = new Uint8Array(0);
const SIDES: readonly Side[] = ["a", "b"];
/** Four bytes per action. */
const MAX_BYTES = HEAD_BYTES + 4 * 60;
const LIMIT_MS = 1_200_000;

/** Every action once, at the beginning and further on, in each kind of session. */
function seeds(): Uint8Array[] {
  return Array.from({ length: 64 }, (_, index) => {
    const act = index & 15;
    const actions = [0, 1, 2, 5].flatMap((pass) => [pass << 4 | act, index, 37 * index & 255, 77]);
    return Uint8Array.of(index >> 4, index, ...actions);
  });
}

function runDatagrams(input: Uint8Array): string {
  const how = input[0] ?? 0;
  const prng = new Prng(1 + (input[1] ?? 0));
  const options = {
    packed: (how & 1) !== 0,
    rotatePackets: (how & 2) !== 0 ? 16 : 1000,
    keepAlive: 2000,
    migrate: (how & 4) === 0,
  };
  const world = new World({ seed: 1 + (input[1] ?? 0), options, link: { delayMs: 10 } }, prng);
  const { link } = world.pair;
  const path = new OnPath(input.subarray(HEAD_BYTES));
  const send = link.send.bind(link);
  link.send = (side, data, nowMs, to) =>
    path.take(side, data, (bytes, from) => {
      if (bytes.length === 0) return;
      const own = link.address(side);
      // Who may not move stays where its AUTH_PROOF came from first: a copy of it from elsewhere is a known way to spoil
      // such a session.
      const settled = options.migrate || world.pair.b !== undefined;
      if (from !== undefined && settled) link.rebind(side, from);
      send(side, bytes, nowMs, to);
      link.rebind(side, own);
    });
  for (const opener of SIDES) {
    const common = { opener, priority: 500, answersAtEnd: false };
    for (const [kind, size] of [[0, 3000], [5, 900]] as const) {
      const messages = kind === 0 ? {} : { messages: [200, 700] };
      const there = { bytes: payload(prng, size), ...messages };
      const back = { bytes: payload(prng, 100), ...(kind === 0 ? {} : { messages: [100] }) };
      world.add(new StreamFlow(world, { ...common, kind, there, back }));
    }
  }
  world.runUntil("everything arrives", () => world.flowsDone, LIMIT_MS);
  const { a, b } = world.pair;
  const moved = a.stats().migrations + (b?.stats().migrations ?? 0);
  oracle(moved === 0 || (how & 4) === 0, "a session moved that may not");
  const refused = { ...a.stats().rejected, ...b?.stats().rejected };
  return `arrived, refused ${Object.keys(refused).sort().slice(0, 3).join(" ")}, moved ${
    moved > 0
  }`;
}

export const wireUdp: Target = {
  name: "wire-udp",
  exact: false,
  maxBytes: MAX_BYTES,
  seeds,
  mutate: mutateActions,
  run: runDatagrams,
};

const WRITTEN_BYTES = 5000;

/** Each byte tells its stream and place. */
function byteAt(side: Side, at: number): number {
  return (at * 13 + (at >> 8) + (side === "a" ? 1 : 2)) & 255;
}

/** Reads what a stream of the other side brings and compares it. */
class Ear {
  heard = 0;
  readonly #connection: Connection;
  readonly #from: Side;

  constructor(connection: Connection, from: Side) {
    this.#connection = connection;
    this.#from = from;
  }

  listen(id: number): void {
    try {
      for (let item = this.#next(id); item; item = this.#next(id)) {
        const start = this.heard;
        oracle(
          item.every((byte, at) => byte === byteAt(this.#from, start + at)),
          "other bytes arrived than were sent",
        );
        this.heard += item.length;
      }
    } catch (error) {
      // Behind the end of the session streams say so.
      if (!(error instanceof SttError)) throw error;
    }
  }

  #next(id: number): Uint8Array | null | undefined {
    const { streams } = this.#connection;
    return streams.has(id) ? streams.read(id) : undefined;
  }
}

function runBytes(input: Uint8Array): string {
  const how = input[0] ?? 0;
  const chunking = (["whole", "random", 7, 1000] as const)[how & 3]!;
  const run = pair({
    seed: 1 + (input[1] ?? 0),
    options: {
      maxIdle: 60_000,
      rotatePackets: (how & 4) !== 0 ? 16 : 1000,
      packed: (how & 8) !== 0,
    },
    pipe: { delayMs: 5, chunking },
  });
  const path = new OnPath(input.subarray(HEAD_BYTES));
  const write = run.pipe.write.bind(run.pipe);
  run.pipe.write = (side, bytes, nowMs) =>
    path.take(side, bytes, (changed) => write(side, changed, nowMs));
  const ears = { a: new Ear(run.a, "b"), b: new Ear(run.b, "a") };
  run.onEvent = (side, event) => {
    // It may be over by the time that it is told of.
    if (event.type === "established" && run[side].state === "established") speak(run[side], side);
    if (event.type === "readable") ears[side].listen(event.id);
  };
  const heardAll = (): boolean => SIDES.every((side) => ears[side].heard === WRITTEN_BYTES);
  const over = (): boolean => run.a.finished || run.b.finished;
  run.runUntil(() => heardAll() || over(), LIMIT_MS);
  if (heardAll()) {
    run.a.close(run.clock.nowMs);
    run.runUntil(over, LIMIT_MS);
  }
  run.runUntil(() => run.a.finished && run.b.finished, LIMIT_MS);
  const codes = SIDES.map((side) => run[side].closeFacts?.error?.code ?? "NONE");
  if (path.untouched) oracle(heardAll() && codes.join() === "NONE,NONE", `untouched: ${codes}`);
  oracle(
    !codes.includes("INTERNAL"),
    () => String(run.a.closeFacts?.error ?? run.b.closeFacts?.error),
  );
  return `${codes.join(" ")}, all ${heardAll()}`;
}

function speak(connection: Connection, side: Side): void {
  const id = connection.streams.open(KIND_BYTES);
  if (id === undefined) throw new Finding("no stream can be opened");
  connection.streams.write(
    id,
    Uint8Array.from({ length: WRITTEN_BYTES }, (_, at) => byteAt(side, at)),
  );
  connection.streams.finish(id);
  connection.sendDatagram(1, NOTHING);
}

export const wireBytes: Target = {
  name: "wire-bytes",
  exact: false,
  maxBytes: MAX_BYTES,
  seeds,
  mutate: mutateActions,
  run: runBytes,
};
