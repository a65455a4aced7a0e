/**
 * Varints beside other libraries, and a frame beside two copies of its bytes.
 *
 * @module
 */
import {
  decodeFrame,
  encodeFrame,
  FRAME_HEADROOM,
  FrameHeader,
  parseFrameHeader,
  writeHeaderBefore,
} from "../../../src/codec/frame.ts";
import { readVarintNumber, writeVarint } from "../../../src/codec/varint.ts";
import { compare, type Timed } from "./timing.ts";

const COUNT = 256;
const FRAME_PAYLOAD = 1200;

/** The same numbers in every run: a linear congruential generator. */
function numbers(low: number, high: number): number[] {
  let state = 12_345;
  return Array.from({ length: COUNT }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return low + Math.floor(state / 0x8000_0000 * (high - low));
  });
}

const SETS: ReadonlyMap<string, readonly number[]> = new Map([
  ["1 byte", numbers(0, 128)],
  ["2 to 3 bytes", numbers(128, 2 ** 21)],
  ["5 bytes", numbers(2 ** 28, 2 ** 32)],
  ["7 to 8 bytes", numbers(2 ** 46, 2 ** 53)],
]);

/** What is used of protobufjs. */
interface Protobuf {
  readonly Writer: { create(): { uint64(value: number): { finish(): Uint8Array } } };
  readonly Reader: { create(bytes: Uint8Array): { uint64(): unknown } };
}

/** What is used of uint8-varint. */
interface Uint8Varint {
  encode(value: number, target: Uint8Array, offset: number): Uint8Array;
  decode(bytes: Uint8Array, offset: number): number;
}

async function libraries(): Promise<{ protobuf: Protobuf; uint8Varint: Uint8Varint }> {
  const names = ["protobufjs/light.js", "uint8-varint"] as const;
  const { default: protobuf } = await import(names[0]) as { default: Protobuf };
  return { protobuf, uint8Varint: await import(names[1]) as Uint8Varint };
}

/** What keeps the compilers from leaving the work out. */
let sink = 0;

/** Writing into an array that is there, as all of these libraries can; {@link COUNT} numbers a call. */
export async function varints(): Promise<Timed[]> {
  const { protobuf, uint8Varint: { decode, encode } } = await libraries();
  const target = new Uint8Array(16);
  const found: Timed[] = [];
  for (const [set, values] of SETS) {
    const encoded = values.map((value) => {
      const bytes = new Uint8Array(10);
      return bytes.slice(0, writeVarint(bytes, 0, value));
    });
    const each = <T>(of: readonly T[], work: (item: T) => void) => (): void => {
      for (let i = 0; i < COUNT; i++) work(of[i] as T);
    };
    found.push(
      ...compare(`write, ${set}`, [
        { name: "ours", run: each(values, (value) => void writeVarint(target, 0, value)) },
        { name: "uint8-varint", run: each(values, (value) => void encode(value, target, 0)) },
        {
          name: "protobufjs",
          run: each(values, (value) => void protobuf.Writer.create().uint64(value).finish()),
        },
      ]),
      ...compare(`read, ${set}`, [
        {
          name: "ours",
          run: each(encoded, (bytes) => sink += readVarintNumber(bytes, 0, bytes.length)),
        },
        { name: "uint8-varint", run: each(encoded, (bytes) => sink += decode(bytes, 0)) },
        {
          name: "protobufjs",
          run: each(encoded, (bytes) => sink += Number(protobuf.Reader.create(bytes).uint64())),
        },
      ]),
    );
  }
  return found.map((timed) => ({ ...timed, ns: timed.ns / COUNT }));
}

/** A frame of 1200 B of payload written and parsed, beside copying the same bytes twice. */
export function frames(): Timed[] {
  const frame = {
    type: 3,
    flags: 0,
    sessionId: new Uint8Array(8).fill(9),
    sequence: 100_000,
    timestamp: 0,
    streamId: 1,
    metadata: Uint8Array.of(0),
    payload: new Uint8Array(FRAME_PAYLOAD).fill(5),
  };
  const bytes = encodeFrame(frame);
  const one = new Uint8Array(bytes.length);
  const two = new Uint8Array(bytes.length);
  const buffer = new Uint8Array(FRAME_HEADROOM + FRAME_PAYLOAD);
  const header = new FrameHeader();
  return compare(`${FRAME_PAYLOAD} B of payload`, [
    {
      name: "two copies",
      run: () => {
        one.set(bytes);
        two.set(one);
        sink += two[0]!;
      },
    },
    {
      // As sessions do it: the payload is copied to its place once, the header goes before it, and views come out.
      name: "in place",
      run: () => {
        buffer.set(frame.payload, FRAME_HEADROOM);
        const start = writeHeaderBefore(
          buffer,
          FRAME_HEADROOM,
          FRAME_PAYLOAD,
          frame.type,
          frame.flags,
          frame.sessionId,
          frame.sequence,
          frame.timestamp,
          frame.streamId,
          0,
        );
        const whole = buffer.subarray(start);
        sink += parseFrameHeader(whole, 0, whole.length, 65_536, header);
        sink += header.payload.length;
      },
    },
    {
      name: "encodeFrame, decodeFrame",
      run: () => {
        sink += decodeFrame(encodeFrame(frame)).frame.payload.length;
      },
    },
  ]);
}

/** Read once at the end, so that nothing of the above is idle work. */
export function sunk(): number {
  return sink;
}
