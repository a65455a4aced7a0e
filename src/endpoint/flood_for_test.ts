/**
 * What strangers flood a listener with, and how it is sent from many addresses of the loopback network.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { connect as connectTcp, type Socket } from "node:net";
import { connectionLimits, transportParameters } from "../connection/config.ts";
import { type SeedKeys, seedKeys } from "../crypto/key_schedule.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Initiator } from "../handshake/initiator.ts";
import type { Prng } from "../testing/prng.ts";

/** The `index`-th of 16 million loopback addresses; none of them is 127.0.0.1. */
export function loopbackAddress(index: number): string {
  const number = index % 16_000_000;
  return `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

/**
 * HELLOs of somebody who holds the seed and wants nothing but to be a burden: the ephemeral key is 32 random bytes, which
 * cost nothing and are as good as a key until somebody has to answer.
 */
export class HelloMaker {
  readonly #provider = nodeProvider();
  readonly #keys: SeedKeys;
  readonly #reliable: boolean;
  readonly #static = this.#provider.x25519();

  constructor(seed: Uint8Array, reliable: boolean) {
    this.#keys = seedKeys(this.#provider, seed);
    this.#reliable = reliable;
  }

  /** A HELLO that was never sent before. */
  hello(): Uint8Array {
    const initiator = new Initiator({
      provider: this.#provider,
      reliable: this.#reliable,
      seedKeys: this.#keys,
      staticKey: this.#static,
      parameters: transportParameters(connectionLimits({})),
      suites: [1, 2],
      timeoutMs: 600_000,
      unixOffsetMs: Date.now(),
      injection: {
        ephemeral: () => ({
          publicKey: this.#provider.randomBytes(32),
          agree: () => undefined,
          destroy: () => undefined,
        }),
      },
    }, 0);
    const hello = initiator.transmit(0);
    initiator.destroy();
    if (hello === undefined) throw new Error("an initiator that sends no HELLO");
    return hello;
  }
}

/** Noise of 1 to 1400 bytes; every second one begins like a frame. */
export function noise(prng: Prng, index: number): Uint8Array {
  const bytes = prng.bytes(prng.integer(1, 1400));
  if (index % 2 === 1) bytes.set([0x53, 0x54].slice(0, bytes.length));
  return bytes;
}

/** What a flood sends and how. */
export interface FloodPlan {
  readonly port: number;
  readonly count: number;
  /** Bytes of the `index`-th datagram or connection. */
  readonly bytes: (index: number) => Uint8Array;
  /** Sockets at once. */
  readonly parallel: number;
  /** Address of the `index`-th one. */
  readonly from?: (index: number) => string;
}

/** What came of a flood. */
export interface FloodCounts {
  sent: number;
  sentBytes: number;
  answers: number;
  answeredBytes: number;
}

async function inParallel(plan: FloodPlan, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: plan.parallel }, async () => {
    while (next < plan.count) await one(next++);
  }));
}

/** One socket with one address per datagram. */
export async function floodDatagrams(plan: FloodPlan): Promise<FloodCounts> {
  const counts: FloodCounts = { sent: 0, sentBytes: 0, answers: 0, answeredBytes: 0 };
  const { from = loopbackAddress } = plan;
  await inParallel(plan, (index) => {
    const socket = createSocket("udp4");
    // Refused datagrams are lost, like on the way.
    socket.on("error", () => undefined);
    socket.on("message", (bytes) => {
      counts.answers++;
      counts.answeredBytes += bytes.length;
    });
    return new Promise((resolve) => {
      socket.bind(0, from(index), () => {
        const bytes = plan.bytes(index);
        socket.send(bytes, plan.port, "127.0.0.1", () => {
          counts.sent++;
          counts.sentBytes += bytes.length;
          // One turn for an answer: what comes later finds nobody.
          setTimeout(() => socket.close(() => resolve()), 1);
        });
      });
    });
  });
  return counts;
}

/** One TCP connection with one address per message; each ends when the listener closes it, or after `holdMs`. */
export async function floodConnections(plan: FloodPlan, holdMs: number): Promise<FloodCounts> {
  const counts: FloodCounts = { sent: 0, sentBytes: 0, answers: 0, answeredBytes: 0 };
  const { from = loopbackAddress } = plan;
  await inParallel(plan, (index) => {
    const socket = stranger(plan.port, from(index));
    const bytes = plan.bytes(index);
    socket.once("connect", () => socket.write(bytes));
    counts.sent++;
    counts.sentBytes += bytes.length;
    socket.on("data", (chunk) => {
      counts.answers++;
      counts.answeredBytes += chunk.length;
    });
    const timer = setTimeout(() => socket.destroy(), holdMs);
    return new Promise((resolve) => {
      socket.once("close", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  });
  return counts;
}

/** A TCP connection from an address of the loopback network. Its errors are nobody's. */
export function stranger(port: number, localAddress: string): Socket {
  const socket = connectTcp({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  return socket;
}

/** An upgrade request with the bytes of a binary message behind it, all in one write. */
export function upgradeAnd(message: Uint8Array): Uint8Array {
  const request = new TextEncoder().encode(
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  return Uint8Array.from([...request, ...webSocketFrame(0x82, message)]);
}

/** A masked frame as a client sends it, with a mask of zeros; 0x82 is a whole binary message. */
export function webSocketFrame(first: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const head = length < 126 ? [first, 0x80 | length] : [first, 0xfe, length >> 8, length & 255];
  const frame = new Uint8Array(head.length + 4 + length);
  frame.set(head);
  frame.set(payload, head.length + 4);
  return frame;
}
