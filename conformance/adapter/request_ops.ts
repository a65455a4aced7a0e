/** Operations on requests and replies over `src/endpoint/requests`. @module */
import { fromHex, toHex } from "../../src/codec/mod.ts";
import { PartBuffer } from "../../src/endpoint/requests/part_buffer.ts";
import {
  decodeFailure,
  decodeRequestHeader,
  encodeFailure,
  encodeItem,
  encodeRequestHeader,
} from "../../src/endpoint/requests/wire.ts";
import type { Block } from "../../src/endpoint/service_block.ts";
import { SttError } from "../../src/errors.ts";
import type { Arguments, Operation } from "./notation.ts";

const encodeItems = (items: readonly string[]): string =>
  items.map((item) => toHex(encodeItem(fromHex(item)))).join("");

function bufferOf(a: Arguments): PartBuffer {
  const buffer = new PartBuffer();
  buffer.push(fromHex(a.hex));
  return buffer;
}

const cutOff = (): SttError => new SttError("PROTOCOL", "cannot decode request: it is cut off");

function takeBlock(buffer: PartBuffer): Block {
  const taken = buffer.block("request");
  if (taken === undefined) throw cutOff();
  buffer.skip(taken.size);
  return taken.block;
}

/** Items up to the end or a failure. */
function takeItems(buffer: PartBuffer, maxItem: number): { items: string[]; failed: boolean } {
  const items: string[] = [];
  while (buffer.pending > 0) {
    const part = buffer.part(maxItem);
    if (part === undefined) throw cutOff();
    if (part === "failure") return { items, failed: true };
    items.push(toHex(part));
  }
  return { items, failed: false };
}

export const REQUEST_OPS: Readonly<Record<string, Operation>> = {
  "request.encode": (a) => {
    const deadline = a.deadline === null ? {} : { deadline: Number(a.deadline) };
    return { hex: toHex(encodeRequestHeader({ to: a.to, ...deadline })) + encodeItems(a.items) };
  },
  "request.decode": (a) => {
    const buffer = bufferOf(a);
    const { to, deadline } = decodeRequestHeader(takeBlock(buffer));
    const { items, failed } = takeItems(buffer, a.max_item);
    if (failed) throw new SttError("PROTOCOL", "cannot decode request: only replies have failures");
    return { to, deadline: deadline?.toString() ?? null, items };
  },
  "reply.encode": (a) => ({
    hex: encodeItems(a.items) + (a.failure === null ? "" : toHex(encodeFailure({
      error: Number(a.failure.error),
      reason: a.failure.reason,
    }))),
  }),
  "reply.decode": (a) => {
    const buffer = bufferOf(a);
    const { items, failed } = takeItems(buffer, a.max_item);
    if (!failed) return { items, failure: null };
    const { error, reason } = decodeFailure(takeBlock(buffer));
    return { items, failure: { error: `${error}`, reason } };
  },
};
