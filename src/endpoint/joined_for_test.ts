/**
 * Transports to test with, and two ends joined over one of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { certificateForTest } from "../transport/certificate_for_test.ts";
import { connect } from "./connect.ts";
import { listen, type Listener } from "./listener.ts";
import type { ConnectOptions, ListenOptions } from "./options.ts";
import type { Peer } from "./peer.ts";
import { generateSeed } from "./seeds.ts";

/** A transport and what it needs. */
export interface Net {
  readonly name: string;
  readonly address: () => string;
  readonly listen?: ListenOptions["transport"];
  readonly dial?: ConnectOptions["transport"];
  readonly skip?: string;
}

let names = 0;

/** A memory address of its own. */
export function freshAddress(): string {
  return `mem:test-${++names}`;
}

const certificate = certificateForTest();

export const MEMORY: Net = { name: "mem", address: freshAddress };
export const TCP: Net = { name: "tcp", address: () => "tcp://127.0.0.1:0" };
export const UDP: Net = { name: "udp", address: () => "udp://127.0.0.1:0" };
export const WS: Net = { name: "ws", address: () => "ws://127.0.0.1:0/" };
export const WSS: Net = {
  name: "wss",
  address: () => "wss://127.0.0.1:0/",
  ...(certificate.skip === undefined
    ? { listen: { cert: certificate.cert, key: certificate.key }, dial: { ca: certificate.cert } }
    : { skip: certificate.skip }),
};
export const NETS: readonly Net[] = [MEMORY, TCP, WS, WSS];

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (chunk: Uint8Array | null): string => {
  assert.ok(chunk !== null);
  return new TextDecoder().decode(chunk);
};

/** Bytes that differ at every offset. */
export function pattern(size: number, from = 0): Uint8Array {
  const out = new Uint8Array(size);
  for (let i = 0; i < size; i++) out[i] = ((from + i) * 167 + ((from + i) >> 8) * 13) & 0xff;
  return out;
}

/** Reads a stream to its end. */
export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
  }
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** Waits for a condition that other code of this process brings about; the test's own timeout bounds it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** A listener and one session on it. */
export interface Joined {
  readonly seed: Uint8Array;
  readonly listener: Listener;
  readonly client: Peer;
  readonly server: Peer;
}

export interface JoinedOptions {
  readonly net?: Net;
  readonly both?: Partial<ListenOptions & ConnectOptions>;
  readonly listen?: Partial<ListenOptions>;
  readonly dial?: Partial<ConnectOptions>;
}

/** Listens, dials, runs the test and closes everything, also when it fails. */
export async function joined(
  options: JoinedOptions,
  run: (ends: Joined) => Promise<void>,
): Promise<void> {
  const { net = MEMORY, both, listen: listening, dial } = options;
  const seed = generateSeed();
  const listener = await listen(net.address(), {
    seed,
    ...(net.listen === undefined ? {} : { transport: net.listen }),
    ...both,
    ...listening,
  });
  try {
    const client = await connect(listener.address, {
      seed,
      ...(net.dial === undefined ? {} : { transport: net.dial }),
      ...both,
      ...dial,
    });
    try {
      const server = await listener.nextPeer();
      assert.ok(server !== null);
      await run({ seed, listener, client, server });
    } finally {
      client.abort();
    }
  } finally {
    await listener.close();
  }
}
