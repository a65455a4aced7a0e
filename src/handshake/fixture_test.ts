/** What the handshake's tests share: vectors, nodes with fixed keys, and frames taken apart. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fromHex } from "../codec/hex.ts";
import { decodeValue, type SttValue } from "../codec/values.ts";
import { type SeedKeys, seedKeys, staticKey } from "../crypto/key_schedule.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Acceptor } from "./acceptor.ts";
import { decodeHandshakeFrame, encodeHandshakeFrame } from "./handshake_frame.ts";
import { Initiator } from "./initiator.ts";
import { messageValue } from "./messages.ts";
import { transportParameters } from "./parameters.ts";
import type {
  AcceptorConfig,
  AcceptorDrop,
  HandshakeSource,
  InitiatorConfig,
  PendingSession,
} from "./types.ts";

export const provider: CryptoProvider = nodeProvider();
export const UNIX_MS = 1_731_000_000_000;
export const UDP: HandshakeSource = { host: "192.0.2.7", port: 4000, reliable: false };

/** What comes over a connection of its own. */
export function tcp(connection: unknown): HandshakeSource {
  return { host: "192.0.2.7", port: 5000, reliable: true, connection };
}

/** Datagrams from a host of its own for each index below 2^24. */
export function hostOf(index: number): HandshakeSource {
  return { ...UDP, host: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` };
}

/** A value as the vector files write it. */
export type Typed =
  | { int: string }
  | { text: string }
  | { bytes: string }
  | { bool: boolean }
  | { list: Typed[] };

export function untyped(value: Typed): SttValue {
  if ("int" in value) {
    const number = BigInt(value.int);
    return Number.isSafeInteger(Number(number)) ? Number(number) : number;
  }
  if ("text" in value) return value.text;
  if ("bytes" in value) return fromHex(value.bytes);
  if ("bool" in value) return value.bool;
  return value.list.map(untyped);
}

export function untypedDict(dict: Record<string, Typed>): Map<string, SttValue> {
  return new Map(Object.entries(dict).map(([key, value]) => [key, untyped(value)]));
}

export function readVectors<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../../vectors/${path}`, import.meta.url), "utf8")) as T;
}

export function seed(fill: number): SeedKeys {
  return seedKeys(provider, new Uint8Array(32).fill(fill));
}

export function initiatorConfig(overrides: Partial<InitiatorConfig> = {}): InitiatorConfig {
  return {
    provider,
    reliable: false,
    seedKeys: seed(1),
    staticKey: staticKey(provider, new Uint8Array(32).fill(0x11)),
    parameters: transportParameters(),
    suites: [1, 2],
    timeoutMs: 10_000,
    unixOffsetMs: UNIX_MS,
    ...overrides,
  };
}

export function acceptorConfig(overrides: Partial<AcceptorConfig> = {}): AcceptorConfig {
  return {
    provider,
    seeds: [seed(1)],
    staticKey: staticKey(provider, new Uint8Array(32).fill(0x22)),
    parameters: transportParameters(),
    suites: [1, 2],
    unixOffsetMs: UNIX_MS,
    ...overrides,
  };
}

export function dial(overrides: Partial<InitiatorConfig> = {}, nowMs: number = 0): Initiator {
  return new Initiator(initiatorConfig(overrides), nowMs);
}

export function listen(overrides: Partial<AcceptorConfig> = {}, nowMs: number = 0): Acceptor {
  return new Acceptor(acceptorConfig(overrides), nowMs);
}

/** The frame that is due now. */
export function sent(initiator: Initiator, nowMs: number): Uint8Array {
  const frame = initiator.transmit(nowMs);
  assert.ok(frame !== undefined, `nothing to send in phase ${initiator.phase}`);
  return frame;
}

/** The frame that the acceptor answers with. */
export function answered(
  acceptor: Acceptor,
  frame: Uint8Array,
  nowMs: number,
  from: HandshakeSource = UDP,
): Uint8Array {
  const result = acceptor.receive(frame, from, nowMs);
  assert.equal(result.kind, "send", JSON.stringify(result));
  return (result as { frame: Uint8Array }).frame;
}

/** The session that the acceptor offers. */
export function offered(
  acceptor: Acceptor,
  frame: Uint8Array,
  nowMs: number,
  from: HandshakeSource = UDP,
): PendingSession {
  const result = acceptor.receive(frame, from, nowMs);
  assert.equal(result.kind, "session", JSON.stringify(result));
  return (result as { pending: PendingSession }).pending;
}

export function assertDropped(
  acceptor: Acceptor,
  frame: Uint8Array,
  reason: AcceptorDrop,
  nowMs: number = 0,
  from: HandshakeSource = UDP,
): void {
  assert.deepEqual(acceptor.receive(frame, from, nowMs), { kind: "drop", reason });
}

/** Runs a handshake to its end on both sides; each message takes `stepMs`. */
export function shake(
  initiator: Initiator,
  acceptor: Acceptor,
  from: HandshakeSource = UDP,
  stepMs: number = 10,
): PendingSession {
  let nowMs = 0;
  const response = answered(acceptor, sent(initiator, nowMs), nowMs += stepMs, from);
  initiator.receive(response, nowMs += stepMs);
  const pending = offered(acceptor, sent(initiator, nowMs), nowMs += stepMs, from);
  initiator.receive(acceptor.accept(pending, nowMs), nowMs + stepMs);
  return pending;
}

/** The fields inside a HANDSHAKE frame. */
export function fieldsIn(frame: Uint8Array): Map<string, SttValue> {
  return decodeValue(decodeHandshakeFrame(frame)) as Map<string, SttValue>;
}

/** The frame with some fields replaced, added, or, where undefined, taken away. */
export function withFields(
  frame: Uint8Array,
  changes: Record<string, SttValue | undefined>,
): Uint8Array {
  const fields = fieldsIn(frame);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) fields.delete(name);
    else fields.set(name, value);
  }
  return encodeHandshakeFrame(messageValue(fields));
}

/** A copy with one bit flipped. */
export function flipped(bytes: Uint8Array, offset: number, xor: number = 1): Uint8Array {
  const copy = bytes.slice();
  copy[offset] = (copy[offset] as number) ^ xor;
  return copy;
}
