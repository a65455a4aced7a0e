import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { ConnectionPair } from "../testing/connection_pair.ts";
import { pair, type PairOptions } from "../testing/pair.ts";
import type { Side } from "../testing/simulated_link.ts";

type Command =
  | { readonly do: "open"; readonly kind: number; readonly priority: number }
  | { readonly do: "write"; readonly stream: number; readonly size: number }
  | { readonly do: "finish" | "reset" | "stop"; readonly stream: number }
  | { readonly do: "read" | "datagram" | "ping" | "rotate" }
  | { readonly do: "run"; readonly ms: number };

type SidedCommand = readonly [Side, Command];

/** One direction of a stream, as the model knows it. */
interface Half {
  readonly kind: number;
  written: number;
  readonly messages: number[];
  read: number;
  readonly messagesRead: number[];
  ended: boolean;
  finished: boolean;
  /** Reset by the sender or stopped by the reader: what arrives is only a part. */
  broken: boolean;
}

function byteAt(side: Side, id: number, offset: number): number {
  return (offset * 31 + id * 7 + (side === "a" ? 1 : 2) + (offset >> 8)) & 0xff;
}

function filled(side: Side, id: number, offset: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => byteAt(side, id, offset + i));
}

const OTHER: Record<Side, Side> = { a: "b", b: "a" };

/** Applies commands to both ends and to a model of what must arrive. */
class Model {
  readonly run: ConnectionPair;
  readonly halves: Map<string, Half> = new Map();
  readonly ids: number[] = [];

  constructor(run: ConnectionPair) {
    this.run = run;
    run.onEvent = (side, event) => {
      if (event.type === "stream") this.#known(event.id, event.kind);
      if (event.type === "reset") this.#half(OTHER[side], event.id).ended = true;
      if (event.type === "stopped") this.#half(side, event.id).broken = true;
    };
  }

  #known(id: number, kind: number): void {
    if (this.ids.includes(id)) return;
    this.ids.push(id);
    for (const side of ["a", "b"]) {
      this.halves.set(side + id, {
        kind,
        written: 0,
        messages: [],
        read: 0,
        messagesRead: [],
        ended: false,
        finished: false,
        broken: false,
      });
    }
  }

  /** What `side` sends on a stream. */
  #half(side: Side, id: number): Half {
    return this.halves.get(side + id) ?? assert.fail(`nobody opened ${id}`);
  }

  apply([side, command]: SidedCommand): void {
    const connection = this.run[side];
    switch (command.do) {
      case "open": {
        const id = connection.streams.open(command.kind, command.priority);
        if (id !== undefined) this.#known(id, command.kind);
        return;
      }
      case "read":
        return this.readAll(side);
      case "datagram":
        return void connection.sendDatagram(3, new Uint8Array(20));
      case "ping":
        return void connection.ping();
      case "rotate":
        return connection.rotateKeys();
      case "run":
        return void this.run.runFor(command.ms);
    }
    const id = this.ids[command.stream % Math.max(1, this.ids.length)];
    // The other side may not have heard of a stream yet.
    if (id === undefined || connection.streams.kindOf(id) === undefined) return;
    this.#onStream(side, id, command);
  }

  #onStream(side: Side, id: number, command: Command & { readonly stream: number }): void {
    const { streams } = this.run[side];
    const half = this.#half(side, id);
    try {
      if (command.do === "write") {
        if (half.finished) return;
        if (half.kind === KIND_BYTES) {
          streams.write(id, filled(side, id, half.written, command.size));
          half.written += command.size;
        } else {
          const index = half.messages.length;
          streams.writeMessage(id, filled(side, id, index, command.size));
          half.messages.push(command.size);
        }
      } else if (command.do === "finish") {
        streams.finish(id);
        half.finished = true;
      } else if (command.do === "reset") {
        streams.reset(id, 0x100);
        half.finished = half.broken = true;
      } else {
        streams.stop(id, 0x101);
        const other = this.#half(OTHER[side], id);
        other.broken = other.ended = true;
      }
    } catch (error) {
      // A half that is over takes no more commands.
      assert.ok(error instanceof SttError, String(error));
      assert.ok(["STREAM_CLOSED", "STREAM_STOPPED"].includes(error.code), error.message);
      half.finished = true;
    }
  }

  /** Reads what has arrived at `side` and compares it with what was written. */
  readAll(side: Side): void {
    for (const id of this.ids) {
      const half = this.#half(OTHER[side], id);
      while (!half.ended && this.#readOne(side, id, half));
    }
    while (this.run[side].nextDatagram() !== undefined);
  }

  #readOne(side: Side, id: number, half: Half): boolean {
    const { streams } = this.run[side];
    if (streams.kindOf(id) === undefined) return false;
    let item: Uint8Array | null | undefined;
    try {
      item = half.kind === KIND_BYTES ? streams.read(id) : streams.readMessage(id);
    } catch (error) {
      assert.ok(error instanceof SttError && error.code.startsWith("STREAM_"), String(error));
      half.ended = true;
      return false;
    }
    if (item === undefined) return false;
    if (item === null) {
      half.ended = true;
      return false;
    }
    const from = OTHER[side];
    if (half.kind === KIND_BYTES) {
      assert.deepEqual(item, filled(from, id, half.read, item.length));
      half.read += item.length;
    } else {
      const size = item.length;
      const index = half.kind === KIND_MESSAGES
        ? half.messagesRead.length
        : half.messages.findIndex((length, i) =>
          length === size && !half.messagesRead.includes(i) &&
          item?.every((byte, at) => byte === byteAt(from, id, i + at))
        );
      assert.deepEqual(item, filled(from, id, index, half.messages[index] ?? -1));
      half.messagesRead.push(index);
    }
    return true;
  }

  #finishAll(): void {
    for (const side of ["a", "b"] as const) {
      for (const [index, id] of this.ids.entries()) {
        if (!this.#half(side, id).finished) this.apply([side, { do: "finish", stream: index }]);
      }
    }
  }

  /** Ends every half and reads to the end; afterwards everything that was not given up has arrived. */
  conclude(): void {
    const { a, b } = this.run;
    const progress = (): string => JSON.stringify([a.stats(), b.stats()]);
    let before = "";
    while (a.stats().streams.open + b.stats().streams.open > 0) {
      this.#finishAll();
      this.readAll("a");
      this.readAll("b");
      this.run.settle();
      assert.equal(a.closeFacts?.error ?? b.closeFacts?.error, undefined);
      const now = progress();
      assert.notEqual(now, before, "deadlock: nothing moves any more");
      before = now;
    }
    for (const half of this.halves.values()) {
      if (half.broken) continue;
      assert.equal(half.read, half.written);
      assert.equal(half.messagesRead.length, half.messages.length);
    }
  }
}

const side = fc.constantFrom<Side>("a", "b");
const stream = fc.nat(9);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("open" as const),
      kind: fc.constantFrom(KIND_BYTES, KIND_MESSAGES, KIND_UNORDERED),
      priority: fc.constantFrom(0, 500, 1000),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      stream,
      size: fc.oneof(fc.nat(40), fc.nat(20_000)),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("finish" as const, "reset" as const, "stop" as const),
      stream,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("read" as const, "datagram" as const, "ping" as const, "rotate" as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("run" as const), ms: fc.nat(60) }) },
);

const options: fc.Arbitrary<PairOptions> = fc.record({
  seed: fc.nat(1000),
  options: fc.record({
    maxData: fc.constantFrom(3_000, 40_000, 1_048_576),
    maxStreamData: fc.constantFrom(700, 9_000, 262_144),
    maxStreams: fc.constantFrom(2, 256),
    maxFrame: fc.constantFrom(1200, 65_536),
    rotatePackets: fc.constantFrom(16, 16_777_216),
    packed: fc.boolean(),
  }),
  pipe: fc.record({
    delayMs: fc.constantFrom(0, 1, 40),
    bytesPerSecond: fc.constantFrom(100_000, 10_000_000, Infinity),
    chunking: fc.constantFrom("whole" as const, "random" as const, 37),
  }),
});

test("any commands on both ends: every byte once and in order, no deadlock, a clean end", () => {
  fc.assert(
    fc.property(
      options,
      fc.array(fc.tuple(side, command), { minLength: 25, maxLength: 70 }),
      (setup, commands) => {
        const run = pair(setup).establish();
        const model = new Model(run);
        for (const one of commands) model.apply(one);
        model.conclude();
        assert.equal(run.a.closeFacts?.error, undefined);
        run.a.close(run.clock.nowMs);
        run.runUntil(() => run.a.finished && run.b.finished);
        assert.equal(run.a.closeFacts?.error, undefined);
        assert.equal(run.b.closeFacts?.error, undefined);
        assert.equal(run.a.closeFacts?.complete, true);
        assert.equal(run.a.stats().bytesSent, run.b.stats().bytesReceived);
        assert.equal(run.b.stats().bytesSent, run.a.stats().bytesReceived);
      },
    ),
    { numRuns: 60 },
  );
});
