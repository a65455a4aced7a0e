/** Operations of SPEC 15.3 and 15.4 over `src/endpoint/continuity` and `src/streams/continuity`. @module */
import { decodeValue, fromHex, toHex } from "../../src/codec/mod.ts";
import { SttError } from "../../src/errors.ts";
import {
  type CarrierOpening,
  decodeAnswer,
  decodeControl,
  decodeGreeting,
  decodeOpening,
  encodeAnswer,
  encodeControl,
  encodeGreeting,
  encodeOpening,
  takeBlock,
} from "../../src/endpoint/continuity/blocks.ts";
import { decodeStored } from "../../src/endpoint/continuity/stored.ts";
import { ContinuedSend } from "../../src/streams/continuity/continued_send.ts";
import { type Arguments, type Operation, RefusedOperation } from "./notation.ts";

type Block = Parameters<typeof decodeGreeting>[0];

const READ: Readonly<Record<string, (block: Block) => unknown>> = {
  greeting: decodeGreeting,
  opening: (block) => {
    const { oneWay, ...rest } = decodeOpening(block);
    return { ...rest, one_way: oneWay };
  },
  answer: decodeAnswer,
  control: decodeControl,
};

const WRITE: Readonly<Record<string, (block: Arguments) => Uint8Array>> = {
  greeting: encodeGreeting,
  opening: ({ one_way, ...rest }) => encodeOpening({ ...rest, oneWay: one_way } as CarrierOpening),
  answer: encodeAnswer,
  control: encodeControl,
};

export const CONTINUITY_OPS: Readonly<Record<string, Operation>> = {
  "continuity.read": (a) => {
    const taken = takeBlock(fromHex(a.hex));
    if (taken === undefined) throw new RefusedOperation("INCOMPLETE");
    return { block: READ[a.kind]!(taken.block), size: taken.size };
  },
  "continuity.write": (a) => ({ hex: toHex(WRITE[a.kind]!(a.block)) }),
  "continuity.stored": (a) => {
    const stored = decodeStored("record", decodeValue(fromHex(a.hex)));
    return {
      id: toHex(stored.id),
      node: toHex(stored.nodeId),
      seed: toHex(stored.seed),
      next: stored.next,
      tickets: stored.tickets.map(({ id, secret, expires }) => [toHex(id), toHex(secret), expires]),
      streams: stored.streams.map(({ id, name, oneWay, confirmed, ended }) => [
        id,
        name,
        oneWay,
        confirmed,
        ended,
      ]),
      aborted: stored.aborted,
    };
  },
  "continuity.sender": runSender,
};

function runSender(a: Arguments): unknown {
  const send = new ContinuedSend(Infinity, a.lost === true);
  let over = false;
  let next = 0;
  /** Pieces are a sender's own affair: what it gives one after the other counts as one. */
  const take = (most: number): unknown => {
    const bytes: number[] = [];
    do {
      const taken = send.take(most - bytes.length);
      if (!(taken instanceof Uint8Array)) return taken ?? null;
      for (const byte of taken) bytes.push(byte);
      next += taken.length;
    } while (bytes.length < most && next < send.written);
    return toHex(Uint8Array.from(bytes));
  };
  const results = a.events.map((event: Arguments) => {
    try {
      if (over) return { result: "dropped", verdict: "over" };
      if (event.write !== undefined) send.write(fromHex(event.write));
      else if (event.end === true) send.finish();
      else if (event.attach !== undefined) {
        send.attach(event.attach);
        next = event.attach.received;
      } else if (event.detach === true) send.detach();
      else if (event.confirm !== undefined) send.confirm(event.confirm[0], event.confirm[1]);
      else return { result: "taken", sent: take(event.take) };
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      over = error.code !== "CONFIG";
      return { result: "failed", verdict: error.code };
    }
    return { result: "taken", written: send.written, kept: send.kept, finished: send.finished };
  });
  return { results };
}
