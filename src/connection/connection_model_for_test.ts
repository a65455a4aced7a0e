/**
 * What should be true of a UDP session on the simulated link, and the session itself, for the model test beside it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { KIND_BYTES } from "../constants.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { SttError } from "../errors.ts";
import { HalfModel } from "../streams/half_model_for_test.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { withoutNonceReuse } from "../testing/model_for_test.ts";
import type { Side } from "../testing/simulated_link.ts";
import type { Connection } from "./connection.ts";
import type { CloseFacts, ConnectionEvent } from "./events.ts";

/** Both ends. */
export const SIDES: readonly [Side, Side] = ["a", "b"];
/** The end that is not this one. */
export const OTHER: Readonly<Record<Side, Side>> = { a: "b", b: "a" };
const MAX_IDLE_MS = 30_000;

/** How a side was told to end the session. */
export interface Ending {
  readonly how: "close" | "abort";
  readonly code: number;
}

/** What should be true of a session. */
export class Model {
  readonly halves: Map<string, HalfModel> = new Map();
  readonly ids: number[] = [];
  readonly closed: Partial<Record<Side, CloseFacts>> = {};
  /** Who was told to end, and how; the first word counts. */
  readonly endings: Partial<Record<Side, Ending>> = {};
  readonly pings: Record<Side, Set<number>> = { a: new Set(), b: new Set() };
  readonly datagrams: Record<Side, number> = { a: 0, b: 0 };
  moves = 0;
  /** The network loses nothing, and never did. */
  clean = true;

  get ending(): boolean {
    return this.endings.a !== undefined || this.endings.b !== undefined;
  }

  half(from: Side, id: number): HalfModel {
    return this.halves.get(from + id) ?? assert.fail(`nobody opened ${id}`);
  }

  know(id: number, kind: number): void {
    if (this.ids.includes(id)) return;
    this.ids.push(id);
    for (const side of SIDES) {
      this.halves.set(side + id, new HalfModel(kind, 2 * id + (side === "a" ? 0 : 1)));
    }
  }
}

/** A session on the simulated link. */
export class Real {
  readonly pair: DatagramPair;
  readonly model: Model;

  constructor(
    model: Model,
    setup: { seed: number; small: boolean; rotate: boolean; packed: boolean },
  ) {
    const limits = setup.small ? { maxData: 6000, maxStreamData: 2000, maxStreams: 3 } : {};
    const rotation = setup.rotate ? { rotatePackets: 60 } : {};
    this.model = model;
    this.pair = new DatagramPair({
      seed: setup.seed,
      provider: withoutNonceReuse(nodeProvider()),
      options: {
        ...limits,
        ...rotation,
        packed: setup.packed,
        maxIdle: MAX_IDLE_MS,
        keepAlive: 2000,
        closeFlush: 20_000,
      },
      link: { delayMs: 15, jitterMs: 2 },
      // Both may move at once, and would lose each other.
      oldAddresses: true,
    });
    this.pair.onEvent = (side, event) => this.#onEvent(side, event);
    const open = (): boolean => SIDES.every((side) => this.end(side)?.state === "established");
    assert.ok(this.pair.run(open, 20_000), "the session opens");
  }

  end(side: Side): Connection | undefined {
    return side === "a" ? this.pair.a : this.pair.b;
  }

  connection(side: Side): Connection {
    return this.end(side) ?? assert.fail("b is not there yet");
  }

  run(ms: number): void {
    this.pair.run(() => false, ms);
  }

  #onEvent(side: Side, event: ConnectionEvent): void {
    const { model } = this;
    assert.equal(model.closed[side], undefined, `${event.type} behind closed`);
    switch (event.type) {
      case "stream":
        return model.know(event.id, event.kind);
      case "readable":
        return this.read(side, event.id);
      case "reset": {
        const theirs = model.half(OTHER[side], event.id);
        // A stream that is reset before its kind is known is reset in return.
        assert.ok(theirs.broken || model.half(side, event.id).broken, "a reset that nobody made");
        theirs.broken = theirs.ended = true;
        return;
      }
      case "stopped":
        assert.ok(model.half(side, event.id).ended, "a stop that nobody made");
        model.half(side, event.id).broken = true;
        return;
      case "pong":
        // Those of keepAlive are told as well.
        model.pings[side].delete(event.ping);
        return;
      case "migrated":
        assert.ok(model.moves > 0, "a peer that stayed is followed elsewhere");
        return;
      case "datagram":
        while (this.connection(side).nextDatagram() !== undefined) {
          assert.ok(--model.datagrams[OTHER[side]] >= 0, "more datagrams than were sent");
        }
        return;
      case "closed":
        model.closed[side] = event.facts;
        return;
      case "peer-error":
        assert.fail(event.reason);
    }
  }

  /** Reads all there is of a stream and compares it. */
  read(side: Side, id: number): void {
    const theirs = this.model.half(OTHER[side], id);
    const { streams } = this.connection(side);
    while (!theirs.ended && streams.kindOf(id) !== undefined) {
      let item: Uint8Array | null | undefined;
      try {
        item = theirs.kind === KIND_BYTES ? streams.read(id) : streams.readMessage(id);
      } catch (error) {
        assert.ok(error instanceof SttError && error.code === "STREAM_RESET" && theirs.broken);
        theirs.ended = true;
        return;
      }
      if (item === undefined) return;
      if (item === null) theirs.ended = true;
      else theirs.take(item);
    }
  }
}
