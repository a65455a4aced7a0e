/** One direction of a request (SPEC 12.9): whole, in pieces, and beside the twin. The first byte of an input says which. @module */
import { toHex } from "../../../src/codec/hex.ts";
import { PartBuffer } from "../../../src/endpoint/requests/part_buffer.ts";
import {
  decodeFailure,
  decodeRequestHeader,
  encodeFailure,
  encodeItem,
  encodeRequestHeader,
} from "../../../src/endpoint/requests/wire.ts";
import { SttError } from "../../../src/errors.ts";
import { twinCall } from "../../../conformance/twin/ops.ts";
import type { Request } from "../../../conformance/protocol.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateEncodedValue } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";

const REPLY = 1;
const MAX_ITEM = 300;

/** What one direction says, in the words of the conformance operations; in pieces of `step` bytes. */
function read(bytes: Uint8Array, isReply: boolean, step: number): string {
  const buffer = new PartBuffer();
  let at = 0;
  const more = (): boolean => {
    if (at >= bytes.length) return false;
    buffer.push(bytes.slice(at, at + step));
    at += step;
    return true;
  };
  const block = () => {
    for (;;) {
      const taken = buffer.block("request");
      if (taken !== undefined) {
        buffer.skip(taken.size);
        return taken.block;
      }
      if (!more()) throw new SttError("PROTOCOL", "cut off");
    }
  };
  try {
    const head = isReply ? undefined : decodeRequestHeader(block());
    const items: string[] = [];
    let failure: { readonly error: string; readonly reason: string } | null = null;
    for (;;) {
      const part = buffer.part(MAX_ITEM);
      if (part === "failure") {
        if (!isReply) throw new SttError("PROTOCOL", "a failure in a request");
        const { error, reason } = decodeFailure(block());
        failure = { error: `${error}`, reason };
        break;
      }
      if (part !== undefined) items.push(toHex(part));
      else if (!more()) break;
    }
    if (buffer.pending > 0 && failure === null) throw new SttError("PROTOCOL", "cut off");
    return JSON.stringify(
      head === undefined
        ? { items, failure }
        : { to: head.to, deadline: head.deadline?.toString() ?? null, items },
    );
  } catch (error) {
    if (error instanceof SttError) return error.code;
    throw error;
  }
}

function run(input: Uint8Array): string {
  const isReply = ((input[0] ?? 0) & 1) === REPLY;
  const bytes = input.subarray(1);
  const whole = read(bytes, isReply, Math.max(1, bytes.length));
  const cut = read(bytes, isReply, 1 + ((input[0] ?? 0) >> 1));
  const op = isReply ? "reply.decode" : "request.decode";
  const request: Request = { op, hex: toHex(bytes), max_item: MAX_ITEM };
  const twin = twinCall(request);
  const expected = "error" in twin ? twin.error : JSON.stringify(twin.ok);
  oracle(whole === expected, () => `the twin says ${expected}, not ${whole}`);
  oracle(cut === expected, () => `in pieces it is ${cut}, not ${expected}`);
  if (!expected.startsWith("{")) return expected;
  const { items, failure } = JSON.parse(expected);
  return `${items.length > 3 ? "many" : items.length}${failure ? " and a failure" : ""}`;
}

function seeds(): Uint8Array[] {
  const item = encodeItem(new Uint8Array(3));
  const join = (...parts: Uint8Array[]): Uint8Array =>
    Uint8Array.from(parts.flatMap((p) => [...p]));
  const failure = encodeFailure({ error: 0x101, reason: "full" });
  const requests = [
    encodeRequestHeader({ to: "a" }),
    join(encodeRequestHeader({ to: "sensor/1", deadline: 5000 }), item, item),
    join(encodeRequestHeader({ to: "é" }), encodeItem(new Uint8Array(MAX_ITEM))),
  ];
  const replies = [join(item, item, item, item), failure, join(item, failure), new Uint8Array(0)];
  return [
    ...requests.map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(0))),
    ...replies.map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(REPLY))),
  ];
}

export const requests: Target = {
  name: "requests",
  exact: true,
  maxBytes: 4400,
  seeds,
  mutate(input, other, prng) {
    const head = Uint8Array.of(prng.chance(0.2) ? prng.integer(0, 255) : input[0] ?? 0);
    const bytes = input.slice(1);
    const isReply = ((head[0] ?? 0) & 1) === REPLY;
    // The dict of a short header: changed as a value, behind its new length.
    const length = bytes[0] ?? 0;
    if (!isReply && length < 128 && bytes.length > length && prng.chance(0.4)) {
      const value = mutateEncodedValue(bytes.slice(1, 1 + length), prng);
      if (value.length < 128) {
        return Uint8Array.of(...head, value.length, ...value, ...bytes.slice(1 + length));
      }
    }
    return spliced(mutateWith(bytes, other.slice(1), prng), 0, 0, head);
  },
  run,
};
