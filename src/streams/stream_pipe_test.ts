/**
 * Joins two stream sets, for tests: every frame and record passes, or is lost, late or reordered.
 *
 * @module
 */
import { StreamSet } from "./stream_set.ts";
import {
  type ChunkRef,
  StreamChunk,
  type StreamEvent,
  type StreamLimits,
  type StreamRecord,
  type StreamSetConfig,
} from "./types.ts";

/** One packet under way: a frame's bytes or a record. */
interface Packet {
  readonly chunk?: ChunkRef;
  readonly flags?: number;
  readonly kind?: number;
  readonly data?: Uint8Array;
  readonly record?: StreamRecord;
}

/** What happens to a packet; "lost" is reported, "late" arrives after it was reported as lost. */
export type Fate = "pass" | "lost" | "late" | "delayed" | "twice";

/** Limits used where a test does not care. */
export const LIMITS: StreamLimits = { maxData: 65_536, maxStreamData: 16_384, maxStreams: 16 };

/** One side: the set, what it heard, and what it has under way. */
export class Side {
  readonly set: StreamSet;
  readonly events: StreamEvent[] = [];
  readonly sent: Packet[] = [];
  readonly records: StreamRecord[] = [];
  readonly #reliable: boolean;
  readonly #chunk: StreamChunk = new StreamChunk();
  readonly #late: Packet[] = [];

  constructor(config: Partial<StreamSetConfig> & { role: "initiator" | "responder" }) {
    this.#reliable = config.reliable ?? true;
    this.set = new StreamSet({ reliable: true, local: LIMITS, ...config });
  }

  /** Takes the events that wait and remembers them. */
  drain(): StreamEvent[] {
    const events: StreamEvent[] = [];
    for (let event = this.set.nextEvent(); event !== undefined; event = this.set.nextEvent()) {
      events.push(event);
      this.events.push(event);
    }
    return events;
  }

  /** Puts everything that can be sent into `sent`. */
  transmit(room: number, nowMs: number, most: number = Infinity): number {
    let count = 0;
    while (count < most && this.set.hasControl()) {
      const record = this.set.nextControl(64, nowMs);
      if (record === undefined) break;
      this.records.push(record);
      this.sent.push({ record });
      count++;
    }
    while (count < most && this.set.nextData(room, this.#chunk)) {
      const { flags, kind, parts } = this.#chunk;
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      const data = new Uint8Array(length);
      let at = 0;
      for (const part of parts) {
        data.set(part, at);
        at += part.length;
      }
      this.sent.push({ chunk: this.#chunk.ref(), flags, kind, data });
      count++;
    }
    return count;
  }

  /** Delivers what is under way to the other side. */
  deliver(to: Side, nowMs: number, fate: () => Fate): void {
    const packets = this.sent.splice(0);
    const now: Packet[] = this.#late.splice(0);
    for (const packet of packets) {
      const verdict = fate();
      if (verdict === "delayed") {
        this.sent.push(packet);
        continue;
      }
      if (verdict === "lost" || verdict === "late") {
        if (verdict === "late") this.#late.push(packet);
        this.#report(packet, false);
        continue;
      }
      now.push(packet);
      if (verdict === "twice") now.push(packet);
      this.#report(packet, true);
    }
    for (const packet of now) receive(to.set, packet, nowMs);
  }

  #report(packet: Packet, acked: boolean): void {
    if (this.#reliable) return;
    if (packet.chunk !== undefined) {
      if (acked) this.set.onAcked(packet.chunk);
      else this.set.onLost(packet.chunk);
    } else if (packet.record !== undefined) {
      if (acked) this.set.onControlAcked(packet.record);
      else this.set.onControlLost(packet.record);
    }
  }
}

function receive(set: StreamSet, packet: Packet, nowMs: number): void {
  if (packet.chunk !== undefined) {
    const { streamId, offset } = packet.chunk;
    set.onData(streamId, packet.flags!, packet.kind!, offset, packet.data!.slice(), nowMs);
    return;
  }
  const record = packet.record!;
  switch (record.type) {
    case "flowCredit":
      return set.onFlowCredit(record.stream, record.limit);
    case "streamsLimit":
      return set.onStreamsLimit(record.count);
    case "streamReset":
      return set.onReset(record.stream, record.code, record.finalSize, nowMs);
    case "streamStop":
      return set.onStop(record.stream, record.code);
    case "streamGap":
      return set.onGap(record.stream, record.offset, record.length);
    case "blocked":
      return set.onBlocked(record.stream, record.limit);
  }
}

/** Two sides that know each other's limits. */
export function joined(
  options: Partial<StreamSetConfig> = {},
  other: Partial<StreamSetConfig> = options,
): { a: Side; b: Side } {
  const a = new Side({ ...options, role: "initiator" });
  const b = new Side({ ...other, role: "responder" });
  a.set.setPeerLimits(other.local ?? LIMITS);
  b.set.setPeerLimits(options.local ?? LIMITS);
  return { a, b };
}

/** Exchanges packets in order until both sides have nothing to send. */
export function settle(a: Side, b: Side, room: number = 1024, nowMs: number = 0): void {
  for (;;) {
    const count = a.transmit(room, nowMs) + b.transmit(room, nowMs);
    if (count === 0) return;
    a.deliver(b, nowMs, () => "pass");
    b.deliver(a, nowMs, () => "pass");
  }
}

/** Bytes that tell their position. */
export function pattern(length: number, seed: number = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    bytes[index] = (index * 31 + (index >>> 8) + seed) & 0xff;
  }
  return bytes;
}

/** Reads everything that is there; the bytes joined, and whether the end was seen. */
export function readAll(side: Side, id: number): { bytes: Uint8Array; ended: boolean } {
  const parts: Uint8Array[] = [];
  let ended = false;
  for (;;) {
    const part = side.set.read(id);
    if (part === null) ended = true;
    if (part === null || part === undefined) break;
    parts.push(part);
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes, ended };
}
