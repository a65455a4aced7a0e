/** Frames of an authenticated peer in an open session, and the sides and transports that they are tried on. @module */
import type { JsonObject } from "../protocol.ts";
import { hex } from "../twin/bytes.ts";
import type { PeerFrame } from "../twin/session.ts";
import { encodeVarint } from "../twin/varint.ts";
import { type RuleTest, test } from "./rule.ts";

type Role = "initiator" | "responder";

/** The ids of the peer's first streams and of the receiver's own first. */
export interface Ids {
  readonly first: number;
  readonly second: number;
  readonly own: number;
}

const IDS: Readonly<Record<Role, Ids>> = {
  responder: { first: 1, second: 3, own: 2 },
  initiator: { first: 2, second: 4, own: 1 },
};

const LIMITS = { max_data: 1500, max_stream_data: 1000, max_streams: 3, max_datagram: 100 };

type Limits = Partial<typeof LIMITS> & { readonly max_frame?: number };

export const varint = (value: number | bigint): string => hex(encodeVarint(BigInt(value)));
export const bytes = (length: number): string => "61".repeat(length);

/** A frame of the peer. */
export function frame(type: number, plaintext: string, flags = 0, stream_id = 0): PeerFrame {
  return { type, flags, stream_id, plaintext };
}

/** A CONTROL frame of one record: its type, and fields as varints. */
export function record(type: number, ...fields: (number | bigint)[]): PeerFrame {
  return frame(2, hex(Uint8Array.of(type)) + fields.map(varint).join(""));
}

/** A STREAM frame. */
export function data(
  id: number,
  offset: number | bigint,
  length: number,
  flags = 0,
  kind = 0,
): PeerFrame {
  return frame(3, hex(Uint8Array.of(kind)) + varint(offset) + bytes(length), flags, id);
}

/** A STREAM_DATA record. */
export function inRecord(
  id: number,
  offset: number | bigint,
  length: number,
  flags = 0,
  kind = 0,
): PeerFrame {
  const head = "10" + varint(id) + hex(Uint8Array.of(flags, kind));
  return frame(2, head + varint(offset) + varint(length) + bytes(length));
}

export const END = 4;
export const PING: PeerFrame = frame(2, "010102030405060708");

export interface Attack {
  readonly name: string;
  readonly frames: (ids: Ids) => readonly PeerFrame[];
  readonly limits: Limits;
  /** The sides that it is tried on, by transport, where not on all: each costs a handshake. */
  readonly sides?: Sides;
}

interface Sides {
  readonly reliable: readonly Role[];
  readonly udp: readonly Role[];
}

export const EVERYWHERE: Sides = {
  reliable: ["initiator", "responder"],
  udp: ["initiator", "responder"],
};
export const RELIABLE: Sides = { ...EVERYWHERE, udp: [] };
export const UDP: Sides = { ...EVERYWHERE, reliable: [] };

export function attack(
  name: string,
  frames: (ids: Ids) => readonly PeerFrame[],
  limits: Limits = {},
  sides?: Sides,
): Attack {
  return { name, frames, limits, ...(sides === undefined ? {} : { sides }) };
}

/** STREAM frame and STREAM_DATA record alike, each on another half of the sides and transports. */
export function twice(
  name: string,
  make: (one: typeof data, ids: Ids) => readonly PeerFrame[],
): Attack[] {
  return [
    attack(name, (ids) => make(data, ids), {}, { reliable: ["initiator"], udp: ["responder"] }),
    attack(`${name}, as records`, (ids) => make(inRecord, ids), {}, {
      reliable: ["responder"],
      udp: ["initiator"],
    }),
  ];
}

export function tests(all: Sides, attacks: readonly Attack[]): RuleTest[] {
  return attacks.flatMap(({ name, frames, limits, sides = all }) => {
    const parameters = Object.fromEntries(
      Object.entries({ ...LIMITS, ...limits }).map(([key, n]) => [key, { int: String(n) }]),
    );
    const on = (role: Role, reliable: boolean): RuleTest =>
      test(`${role}, ${reliable ? "reliable" : "UDP"}: ${name}`, "session.run", {
        role,
        reliable,
        parameters,
        frames: frames(IDS[role]) as unknown as JsonObject[],
      });
    return [
      ...sides.reliable.map((role) => on(role, true)),
      ...sides.udp.map((role) => on(role, false)),
    ];
  });
}
