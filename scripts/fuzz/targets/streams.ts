/**
 * Payloads of STREAM frames, and stream sets that get any frames and records (SPEC 8). The first byte of an input is even
 * for a payload; else parts follow: a stream's byte range, or a record.
 *
 * @module
 */
import { decodeRecords } from "../../../src/codec/records.ts";
import {
  isStreamKind,
  parseStreamPayload,
  StreamPayload,
  streamPayloadHeaderSize,
  writeStreamPayloadHeader,
} from "../../../src/codec/stream_payload.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { SttError } from "../../../src/errors.ts";
import { StreamSet } from "../../../src/streams/stream_set.ts";
import { agreed, verdict } from "../differential.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { anyRecord, encodeRecords, mutateRecords } from "../mutate_records.ts";
import { joinParts, mutateParts, splitParts } from "../parts.ts";
import { Finding, oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

const LOCAL = { maxData: 4000, maxStreamData: 1500, maxStreams: 8 };
const MAX_MESSAGE_BYTES = 600;
const MAX_WINDOW_BYTES = 20_000;

function run(input: Uint8Array): string {
  const bytes = input.subarray(1);
  return ((input[0] ?? 0) & 1) === 0 ? payload(bytes) : new Play(input[0]!).run(splitParts(bytes));
}

function payload(bytes: Uint8Array): string {
  const answer = agreed({ op: "stream.decode", hex: toHex(bytes) });
  if ("error" in answer) return verdict(answer);
  const { kind, offset, data } = parseStreamPayload(bytes, new StreamPayload());
  const again = new Uint8Array(streamPayloadHeaderSize(offset) + data.length);
  again.set(data, writeStreamPayloadHeader(again, 0, kind, offset));
  oracle(toHex(again) === toHex(bytes), "it does not encode to the same bytes");
  return `kind ${kind}`;
}

/** What honest peers write: each byte tells its place, so that whatever is read can be judged. */
function byteAt(id: number, offset: number): number {
  return (offset * 31 + id * 7 + (offset >>> 8)) & 255;
}

/** One set that is given whatever an authenticated peer may send. */
class Play {
  readonly #set: StreamSet;
  readonly #read: Map<number, number> = new Map();
  #events = 0;

  constructor(how: number) {
    this.#set = new StreamSet({
      role: (how & 2) === 0 ? "responder" : "initiator",
      reliable: (how & 4) === 0,
      local: LOCAL,
      maxMessageSize: MAX_MESSAGE_BYTES,
      maxStreamWindow: MAX_WINDOW_BYTES,
      maxSessionWindow: MAX_WINDOW_BYTES,
    });
    this.#set.setPeerLimits({ maxData: 3000, maxStreamData: 1000, maxStreams: 4 });
    this.#set.setRtt(20);
    for (const kind of [0, 4, 5]) {
      const id = this.#set.open(kind);
      if (id === undefined) throw new Finding("no stream can be opened");
      if (kind === 0) this.#set.write(id, new Uint8Array(2500));
      else this.#set.writeMessage(id, new Uint8Array(500));
    }
  }

  run(parts: readonly Uint8Array[]): string {
    let nowMs = 0;
    for (const part of parts.slice(0, 60)) {
      try {
        this.#give(part, nowMs += 7);
      } catch (error) {
        if (!(error instanceof SttError)) throw error;
        // The connection closes with it, so it has to have a number of the wire.
        oracle(error.code !== "INTERNAL" && error.wire !== undefined, () => error.stack ?? "");
        this.#set.destroy(error);
        this.#bounds();
        oracle(this.#set.nextEvent() === undefined, "an event behind the end");
        return error.code;
      }
      this.#events += this.#drain(nowMs, part.length % 3 !== 0);
      this.#bounds();
    }
    return `ok, ${Math.min(this.#events, 12)} events, ${this.#set.stats().open} open`;
  }

  /** `00 id flags kind offset-high offset-low length`: bytes of a stream. Other parts are records. */
  #give(part: Uint8Array, nowMs: number): void {
    if (part[0] !== 0 || part.length < 7) return this.#records(part, nowMs);
    const [, id = 0, flags = 0, kind = 0, high = 0, low = 0, size = 0] = part;
    const offset = high << 8 | low;
    if (!isStreamKind(kind)) return;
    const length = size * 4;
    const data = kind === 0
      ? Uint8Array.from({ length }, (_, at) => byteAt(id, offset + at))
      : part.slice(7);
    this.#set.onData(id, flags, kind, offset, data, nowMs);
  }

  #records(part: Uint8Array, nowMs: number): void {
    const { records, error } = decodeRecords(part);
    const set = this.#set;
    for (const record of records) {
      switch (record.type) {
        case "flowCredit":
          set.onFlowCredit(record.stream, record.limit);
          break;
        case "blocked":
          set.onBlocked(record.stream, record.limit);
          break;
        case "streamsLimit":
          set.onStreamsLimit(record.count);
          break;
        case "streamReset":
          set.onReset(record.stream, record.code, record.finalSize, nowMs);
          break;
        case "streamStop":
          set.onStop(record.stream, record.code);
          break;
        case "streamGap":
          set.onGap(record.stream, record.offset, record.length);
          break;
      }
    }
    if (error !== undefined) throw error;
  }

  #drain(nowMs: number, read: boolean): number {
    let count = 0;
    const set = this.#set;
    for (let event = set.nextEvent(); event !== undefined; event = set.nextEvent()) {
      oracle(++count < 1000, "events without end");
    }
    if (read) { for (let id = 1; id < 20; id++) this.#readAll(id); }
    for (let left = 100; set.hasControl() && left > 0; left--) {
      if (set.nextControl(64, nowMs) === undefined) break;
      oracle(left > 1, "records without end");
    }
    return count;
  }

  #readAll(id: number): void {
    const set = this.#set;
    const kind = set.has(id) ? set.kindOf(id) : undefined;
    if (kind === undefined) return;
    try {
      for (let left = 1000;; left--) {
        oracle(left > 0, "it can be read without end");
        const item = kind === 0
          ? set.read(id, 700)
          : (kind & 3) === 2
          ? set.readSegment(id)
          : set.readMessage(id);
        if (item === undefined || item === null) return;
        if (kind === 0) this.#compare(id, item as Uint8Array);
        if (kind > 3 && kind < 6) {
          oracle((item as Uint8Array).length <= MAX_MESSAGE_BYTES, "a long message");
        }
      }
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      oracle(/^STREAM_|BUFFER_EXCEEDED/.test(error.code), () => error.stack ?? "");
    }
  }

  #compare(id: number, bytes: Uint8Array): void {
    const start = this.#read.get(id) ?? 0;
    oracle(
      bytes.every((byte, at) => byte === byteAt(id, start + at)),
      "other bytes than were sent",
    );
    this.#read.set(id, start + bytes.length);
  }

  #bounds(): void {
    const { open, recvBuffered, sendBuffered } = this.#set.stats();
    oracle(open <= LOCAL.maxStreams + 3, () => `${open} streams have state`);
    // What is not read of messages may stand beyond a window that grew.
    const most = MAX_WINDOW_BYTES + 4 * MAX_MESSAGE_BYTES;
    oracle(recvBuffered <= most, () => `${recvBuffered} bytes wait to be read`);
    oracle(sendBuffered <= 4000, () => `${sendBuffered} bytes wait to be sent`);
  }
}

function seeds(): Uint8Array[] {
  const payloads = vectorBytes("stream", "stream.decode", "hex", 1400)
    .map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(0)));
  const plays = [
    [[0, 1, 2, 0, 0, 0, 50], [0, 1, 4, 0, 0, 200, 10]],
    [[0, 1, 0, 0, 0, 100, 50], [0, 1, 0, 0, 0, 0, 60], [0, 3, 6, 0, 0, 0, 0]],
    [[0, 1, 2, 4, 0, 0, 0, 3, 1, 2, 3], [0, 1, 4, 4, 0, 4, 0]],
    [[0, 1, 2, 5, 0, 0, 0, 1, 9], [0, 1, 6, 5, 0, 2, 0, 2, 8, 8]],
    [[0, 1, 2, 2, 0, 0, 0, 7, 7], [0, 1, 6, 2, 0, 40, 0, 1]],
  ];
  const streams = plays.flatMap((parts, index) =>
    [1, 3, 5, 7].map((how) =>
      spliced(
        joinParts([
          ...parts.map((part) => {
            const bytes = Uint8Array.from(part);
            if ((how & 2) !== 0) bytes[1]! += 1;
            return bytes;
          }),
          encodeRecords([{ type: "streamStop", stream: index + 1, code: 256 }]),
          encodeRecords([{ type: "flowCredit", stream: 0, limit: 5000 }]),
        ]),
        0,
        0,
        Uint8Array.of(how),
      )
    )
  );
  return [...payloads, ...streams];
}

export const streams: Target = {
  name: "streams",
  exact: false,
  maxBytes: 3000,
  seeds,
  mutate(input, other, prng) {
    const head = input.slice(0, 1);
    if (prng.chance(0.05)) return spliced(input, 0, 1, Uint8Array.of(prng.integer(0, 7)));
    const bytes = input.slice(1);
    if (((head[0] ?? 0) & 1) === 0) {
      return spliced(mutateWith(bytes, other.slice(1), prng), 0, 0, head);
    }
    const changed = mutateParts(bytes, other.slice(1), prng, (part) => {
      if (prng.chance(0.2)) return encodeRecords([anyRecord(prng)]);
      if (prng.chance(0.2)) return anyRange();
      return part[0] === 0 ? mutateWith(part, other, prng) : mutateRecords(part, prng);
    });
    return spliced(changed, 0, 0, head);

    function anyRange(): Uint8Array {
      const kind = prng.pick([0, 0, 2, 4, 5, 6]);
      const offset = prng.chance(0.5) ? prng.integer(0, 8) * 64 : prng.integer(0, 1600);
      const flags = prng.pick([0, 2, 4, 6, 8, 0x10]);
      const fixed = [0, prng.integer(1, 9), flags, kind, offset >> 8, offset & 255];
      return Uint8Array.of(...fixed, prng.integer(0, 40), ...prng.bytes(prng.integer(0, 60)));
    }
  },
  run,
};
