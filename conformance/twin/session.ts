/** SPEC 8 to 10: what frames of an authenticated peer do to an open session whose application does nothing. @module */
import { Refusal, unhex } from "./bytes.ts";
import {
  decodeRecords,
  decodeStreamPayload,
  type Range,
  type RecordFields,
  type Scalar,
} from "./records.ts";
import { decodeVarint } from "./varint.ts";

/** A frame that verified. */
export interface PeerFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream_id: number;
  readonly plaintext: string;
}

export interface SessionSetup {
  /** The side that receives. */
  readonly role: "initiator" | "responder";
  readonly reliable: boolean;
  /** Limits of the side that receives. */
  readonly parameters: Readonly<Record<string, { readonly int: string }>>;
}

const DEFAULTS: Readonly<Record<string, number>> = {
  max_data: 1_048_576,
  max_stream_data: 262_144,
  max_streams: 256,
  max_datagram: 65_535,
  max_frame: 65_536,
};

const PROTOCOL = 0x01;
const FLOW_CONTROL = 0x05;
const FRAME_ENCODING = 0x17;
const STREAM_STATE = 0x19;
const STREAM_LIMIT = 0x1a;
const FINAL_SIZE = 0x1b;
const KEY_ROTATION_ERROR = 0x1c;

/** More frames than a side sends of which nobody asked anything. */
const NEVER_SENT = 1_000_000n;

class Close extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`close with ${code}`);
    this.code = code;
  }
}

/** The receiving half of a stream. */
interface Half {
  kind?: number;
  highest: number;
  final?: number;
  reset: boolean;
  /** Bytes by offset; undefined within a gap. */
  readonly bytes: Map<number, number | undefined>;
}

export class TwinOpenSession {
  readonly #setup: SessionSetup;
  readonly #streams = new Map<number, Half>();
  /** Sum of the highest offsets. */
  #received = 0;
  #over = false;

  constructor(setup: SessionSetup) {
    this.#setup = setup;
  }

  /** The code that the session is closed with because of the frame, or null. */
  receive(frame: PeerFrame): number | null {
    if (this.#over) return null;
    try {
      this.#frame(frame);
      return null;
    } catch (error) {
      if (!(error instanceof Close)) throw error;
      this.#over = true;
      return error.code;
    }
  }

  #limit(name: string): number {
    return Number(this.#setup.parameters[name]?.int ?? DEFAULTS[name]);
  }

  #frame({ type, flags, stream_id: id, plaintext }: PeerFrame): void {
    const payload = unhex(plaintext);
    // 30 bytes of header, the epoch and its length, the tag.
    if (payload.length + 48 > this.#limit("max_frame")) throw new Close(FRAME_ENCODING);
    if (type >= 0x80) return this.#datagram(payload.length);
    if ((flags & 0xc1) !== 0) throw new Close(PROTOCOL);
    if (type === 1) return this.#datagram(payload.length);
    if (type === 2) {
      if (flags !== 0 || id !== 0) throw new Close(PROTOCOL);
      return this.#control(payload);
    }
    if (type !== 3) throw new Close(PROTOCOL);
    try {
      const { kind, offset, data } = decodeStreamPayload(payload);
      this.#data(id, flags, kind, Number(offset), unhex(data));
    } catch (error) {
      throw error instanceof Refusal ? new Close(PROTOCOL) : error;
    }
  }

  #datagram(length: number): void {
    const limit = this.#limit("max_datagram");
    if (limit === 0 || length > limit) throw new Close(PROTOCOL);
  }

  #control(payload: Uint8Array): void {
    const { records, refused } = decodeRecords(payload);
    for (const record of records) {
      this.#record(record);
      if (this.#over) return;
    }
    if (refused) throw new Close(PROTOCOL);
  }

  #record({ record, fields }: RecordFields): void {
    const number = (name: string): number => Number((fields[name] as { int: string }).int);
    const bytes = (name: string): Uint8Array => unhex((fields[name] as { bytes: string }).bytes);
    const stream = (fields.stream as Scalar | undefined) && number("stream");
    switch (record) {
      case "ACK": {
        const [[, largest]] = fields.ranges as readonly [Range];
        if (this.#setup.reliable || BigInt(largest) > NEVER_SENT) throw new Close(PROTOCOL);
        return;
      }
      case "KEY_ROTATION":
        if (number("epoch") !== 0) throw new Close(KEY_ROTATION_ERROR);
        return;
      case "SESSION_CLOSE":
        this.#over = true;
        return;
      case "DATAGRAM":
        return this.#datagram(bytes("bytes").length);
      case "FLOW_CREDIT":
      case "BLOCKED":
        if (stream !== 0) this.#open(stream as number);
        return;
      case "STREAM_STOP":
        this.#open(stream as number);
        return;
      case "STREAM_RESET": {
        const half = this.#open(stream as number);
        if (finished(half)) return;
        this.#reach(half, number("final_size"), number("final_size"));
        half.reset = true;
        return;
      }
      case "STREAM_GAP": {
        const half = this.#open(stream as number);
        if (finished(half)) return;
        if (half.kind !== undefined && (half.kind & 3) !== 2) throw new Close(PROTOCOL);
        half.kind ??= 2;
        const end = number("offset") + number("length");
        this.#reach(half, end, undefined);
        for (let at = number("offset"); at < end; at++) half.bytes.set(at, undefined);
        return;
      }
      case "STREAM_DATA":
        return this.#data(
          stream as number,
          number("flags"),
          number("kind"),
          number("offset"),
          bytes("bytes"),
        );
    }
  }

  /** SPEC 8.2: the stream, opened if the peer may. */
  #open(id: number): Half {
    const found = this.#streams.get(id);
    if (found !== undefined) return found;
    const own = id % 2 === (this.#setup.role === "initiator" ? 1 : 0);
    // The application of this side has opened none.
    if (id === 0 || own) throw new Close(STREAM_STATE);
    if (Math.floor((id - 1) / 2) >= this.#limit("max_streams")) throw new Close(STREAM_LIMIT);
    for (let lower = id % 2 === 1 ? 1 : 2; lower <= id; lower += 2) {
      if (!this.#streams.has(lower)) {
        this.#streams.set(lower, { highest: 0, reset: false, bytes: new Map() });
      }
    }
    return this.#streams.get(id) as Half;
  }

  /** SPEC 8.3 and 8.4: final size and credit. */
  #reach(half: Half, end: number, final: number | undefined): void {
    const known = half.final;
    if (known !== undefined && (end > known || (final !== undefined && final !== known))) {
      throw new Close(FINAL_SIZE);
    }
    if (final !== undefined && final < half.highest) throw new Close(FINAL_SIZE);
    const more = Math.max(0, end - half.highest);
    const above = half.highest + more > this.#limit("max_stream_data") ||
      this.#received + more > this.#limit("max_data");
    if (above) throw new Close(FLOW_CONTROL);
    half.highest += more;
    this.#received += more;
    if (final !== undefined) half.final = final;
  }

  #data(id: number, flags: number, kind: number, offset: number, data: Uint8Array): void {
    const half = this.#open(id);
    if (finished(half)) return;
    if ((half.kind ?? kind) !== kind) throw new Close(PROTOCOL);
    half.kind = kind;
    const end = offset + data.length;
    this.#reach(half, end, (flags & 4) !== 0 ? end : undefined);
    data.forEach((byte, i) => half.bytes.set(offset + i, byte));
    if (finished(half) && kind === 4) checkMessages(half);
  }
}

function finished({ reset, final, bytes }: Half): boolean {
  return reset || (final !== undefined && bytes.size === final);
}

/** SPEC 8.1.4 and 8.4.5: lengths and messages, the last one whole. */
function checkMessages({ bytes, final }: Half): void {
  const whole = Uint8Array.from({ length: final as number }, (_, at) => bytes.get(at) as number);
  for (let at = 0; at < whole.length;) {
    let length: bigint;
    try {
      const { value, size } = decodeVarint(whole, at);
      length = value;
      at += size;
    } catch (error) {
      throw error instanceof Refusal ? new Close(PROTOCOL) : error;
    }
    if (length > BigInt(whole.length - at)) throw new Close(PROTOCOL);
    at += Number(length);
  }
}

export function runSession(
  setup: SessionSetup,
  frames: readonly PeerFrame[],
): Record<string, unknown> {
  const session = new TwinOpenSession(setup);
  const results: { readonly close: number | null }[] = [];
  for (const frame of frames) {
    const close = session.receive(frame);
    results.push({ close });
    if (close !== null) break;
  }
  return { results };
}
